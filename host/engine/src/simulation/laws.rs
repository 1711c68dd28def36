//! What must hold in every world.

mod events;
mod outcome;
mod schedules;
mod told;

use std::collections::BTreeSet;
use std::sync::Arc;

use baton_store::record::{EndRecord, EventRecord, Record, RunRecord};
use baton_store::{Batch, Direction, Partition, RunId, Store, TenantId, key};
use baton_workflow::machine::{Ending, Event, Occurrence};
use serde_json::Value;

use super::connectors::{CallKey, shown};
use super::host::PARTITIONS;
use super::neighbour;
use super::world::World;
use crate::codec;
use crate::origin::Origin;
use crate::replay;
use crate::shared::Shared;

/// A run that has ended, as it is stored.
struct Stored {
    id: RunId,
    order: (String, Arc<Value>),
    record: RunRecord,
    origin: Origin,
    journal: Vec<Occurrence>,
    ending: Ending,
}

/// Whether a call may go out: it is durable that it is wanted, unless it is pure, and not that it has been answered.
pub(crate) fn check_call(
    host: &Arc<Shared>,
    tenant: &TenantId,
    call: &CallKey,
    is_pure: bool,
) -> Result<(), String> {
    let (run, task, attempt) = call;
    let partition = run.partition(PARTITIONS);
    let is_its_answer = |it: &Occurrence| matches!(&it.event, Event::Answered { task: of, attempt: which, .. } if of == task && which == attempt);
    if journal(host, tenant, run)?.iter().any(is_its_answer) {
        return Err(format!(
            "{} is made after its answer was recorded",
            shown(call)
        ));
    }
    if is_pure {
        return Ok(());
    }
    let loaded = replay::load(host, partition, tenant, run)
        .map_err(|error| format!("{} of a run that can't be loaded: {error}", shown(call)))?;
    let outstanding = loaded.machine.outstanding().calls;
    let is_wanted = outstanding
        .iter()
        .any(|it| it.task == *task && it.attempt == *attempt);
    match is_wanted {
        true => Ok(()),
        false => Err(format!(
            "{} is made before it is durable that it is wanted",
            shown(call)
        )),
    }
}

/// Checks a world that has come to rest.
///
/// # Panics
///
/// Where a law is broken.
pub(crate) fn check(world: &World, base: &Batch) {
    nothing_is_left(world);
    runs_hold(world, &neighbour());
    let runs = runs_hold(world, &TenantId::default());
    told::check(world, &runs);
    events::check(world, &runs);
    schedules::check(world, &runs);
    outcome::check(world, &runs, base);
}

/// All runs of a tenant have ended, as their journals say.
fn runs_hold(world: &World, tenant: &TenantId) -> Vec<Stored> {
    let runs = world.runs_of(tenant).into_iter();
    let runs: Vec<Stored> = runs.map(|run| stored(world, tenant, &run)).collect();
    for run in &runs {
        journal_holds(run);
        replays(world, tenant, run);
    }
    runs
}

fn nothing_is_left(world: &World) {
    let store = &world.around.store;
    for number in (0..PARTITIONS).map(Partition) {
        let left = store.all(&key::opens(number));
        assert!(left.is_empty(), "open runs are left: {left:?}");
        let left = store.all(&key::timers_before(number, i64::MAX));
        assert!(left.is_empty(), "timers are left: {left:?}");
    }
    let left = world.approvals();
    assert!(left.is_empty(), "somebody is still asked: {left:?}");
    for tenant in [TenantId::default(), neighbour()] {
        for run in world.runs_of(&tenant) {
            let live = world.host.shared.live.get(&tenant, &run);
            assert!(live.is_none(), "{run} has ended and is still there");
            let kept = store.get(&key::snapshot(run.partition(PARTITIONS), &tenant, &run));
            assert!(kept.expect("read").is_none(), "a snapshot of {run} is left");
        }
    }
}

fn stored(world: &World, tenant: &TenantId, run: &RunId) -> Stored {
    let host = &world.host.shared;
    let partition = run.partition(PARTITIONS);
    let record = replay::run_record(host, partition, tenant, run);
    let record = record.expect("read").expect("it is in the index");
    let journal = journal(host, tenant, run).expect("read");
    let Some(Occurrence {
        event: Event::Started { input, .. },
        ..
    }) = journal.first()
    else {
        panic!("{run} does not begin with its start");
    };
    let end = host.store.get(&key::end(partition, tenant, run));
    let end = end
        .expect("read")
        .unwrap_or_else(|| panic!("{run} has no end"));
    let end = EndRecord::decode(&end).expect("an end");
    Stored {
        id: *run,
        order: (record.workflow.name.clone(), input.clone()),
        origin: codec::origin(record.origin.clone()),
        record,
        ending: codec::ending(end.ending).expect("an ending"),
        journal,
    }
}

fn journal(host: &Shared, tenant: &TenantId, run: &RunId) -> Result<Vec<Occurrence>, String> {
    let range = key::events(run.partition(PARTITIONS), tenant, run);
    let found = host.store.scan(&range, Direction::Ascending, usize::MAX);
    let found = found.map_err(|error| error.to_string())?;
    let events = found.iter().map(|(_, value)| {
        let record = EventRecord::decode(value).map_err(|error| error.to_string())?;
        codec::occurrence(record).map_err(|error| error.to_string())
    });
    events.collect()
}

/// Time does not go back, and each answer is there once.
fn journal_holds(run: &Stored) {
    let mut answered = BTreeSet::new();
    let mut last = None;
    for Occurrence { at, event } in &run.journal {
        assert!(last <= Some(*at), "time goes back in {}", run.id);
        last = Some(*at);
        if let Event::Answered { task, attempt, .. } = event {
            let is_new = answered.insert((task.clone(), *attempt));
            assert!(is_new, "{task:?}.{attempt} of {} is answered twice", run.id);
        }
    }
}

/// The journal makes the same run again.
fn replays(world: &World, tenant: &TenantId, run: &Stored) {
    let host = &world.host.shared;
    let partition = run.id.partition(PARTITIONS);
    let loaded = replay::load(host, partition, tenant, &run.id);
    let loaded = loaded.unwrap_or_else(|error| panic!("{} can't be loaded: {error}", run.id));
    assert_eq!(loaded.ending.as_ref(), Some(&run.ending), "{}", run.id);
}
