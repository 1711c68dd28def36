//! What starts by itself.

use std::collections::BTreeSet;

use baton_store::TenantId;
use serde_json::Value;

use super::{Stored, events};
use crate::origin::Origin;
use crate::schedule::{ScheduleName, Scheduled};
use crate::simulation::documents::{EVENTS, SCHEDULED};
use crate::simulation::world::World;

/// A schedule counts the runs that it has started; nothing that was due has started two, and no event.
pub(super) fn check(world: &World, runs: &[Stored]) {
    for workflow in &SCHEDULED {
        let of_schedule = |run: &&Stored| {
            run.order.0 == workflow.name && matches!(run.origin, Origin::Schedule(_))
        };
        let started: Vec<_> = runs.iter().filter(of_schedule).collect();
        let name = ScheduleName {
            tenant: TenantId::default(),
            namespace: "test".to_owned(),
            name: workflow.name.to_owned(),
        };
        let Some(state) = world.host.shared.schedules.get(&name) else {
            let is_gone = world.client.published.contains(workflow.name);
            assert!(!is_gone, "the schedule of {} is gone", workflow.name);
            assert!(started.is_empty(), "{} is not published", workflow.name);
            continue;
        };
        let counted = usize::try_from(state.started).expect("there are few");
        assert_eq!(counted, started.len(), "runs of {}", workflow.name);
        // Of those that events start, two may come in the same millisecond.
        match started.iter().any(|run| run.order.1[0].is_object()) {
            false => each_time_once(&started),
            true => no_event_twice(&started),
        }
        // One that is paused passes events over.
        if state.gathers_from().is_some() {
            no_event_passed_over(world, &started);
        }
    }
}

fn each_time_once(started: &[&Stored]) {
    let mut times = BTreeSet::new();
    for run in started {
        if let Origin::Schedule(Scheduled { due, .. }) = &run.origin {
            assert!(times.insert(*due), "what was due at {due} has started two");
        }
    }
}

fn event_id(run: &Stored) -> Option<String> {
    // What runs emit has no such id.
    run.order.1[0]["id"].as_str().map(str::to_owned)
}

fn no_event_twice(started: &[&Stored]) {
    let mut heard = BTreeSet::new();
    for id in started.iter().filter_map(|run| event_id(run)) {
        assert!(heard.insert(id.clone()), "{id} has started two runs");
    }
}

/// From the first event on that has started a run, each has started one: unless it was dropped before.
fn no_event_passed_over(world: &World, started: &[&Stored]) {
    let heard: BTreeSet<_> = started.iter().filter_map(|run| event_id(run)).collect();
    if world.around.limits.event_log_events < events::NARROW {
        return;
    }
    let sent = events::all(world);
    let sent = sent.iter().filter(|(_, event)| event.kind() == EVENTS[0]);
    let ids = sent.filter_map(|(_, event)| event.data().get("id").and_then(Value::as_str));
    for id in ids.skip_while(|id| !heard.contains(*id)) {
        assert!(heard.contains(id), "{id} has started no run");
    }
}
