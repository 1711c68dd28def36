//! Which runs may be removed, and what goes with a run.
//!
//! What finds a run goes first, in one batch with as much of the rest as a batch takes: from then on the run is not
//! there. Its entry in the list of runs goes last, so that what a crash leaves of a long journal is found again.
//!
//! What other runs need is kept. A run that another one has started stays until that one has gone: as long as there
//! is the parent, it looks for what it has started, when it is loaded or tried again. And a run stays until all that
//! it has started has ended: they ask it whether they are still wanted.

use std::sync::Arc;

use baton_store::record::{EndRecord, IdempotencyRecord, OriginRecord, Record, RunRecord};
use baton_store::{Batch, Direction, KeyRange, ReadError, RunId, TenantId, key};
use tokio::sync::oneshot;

use crate::engine::failed;
use crate::error::Unavailable;
use crate::mailbox::Refused;
use crate::partition::{Message, Remove};
use crate::replay;
use crate::shared::Shared;

/// How many records of one run go in one batch, about: a millisecond of the journal's time.
const RECORDS_AT_A_TIME: u32 = 1_000;

/// A run that can be removed.
pub(crate) struct Removable {
    tenant: TenantId,
    run: RunId,
    /// How many events its journal has.
    events: u32,
    /// What removes it, or begins to.
    batch: Batch,
    /// Whether that is all.
    whole: bool,
    /// Whether nothing finds it any more: what is left of a run that was removed.
    remains: bool,
}

/// Why a run can't be removed.
pub(crate) enum Kept {
    /// There is none.
    Absent,
    /// It has not ended.
    Open,
    /// It ended later than was asked for.
    Young,
    /// It was started by a run that is there.
    ByParent(RunId),
    /// It has started a run that has not ended.
    ByChild(RunId),
}

/// Looks whether a run can be removed that has ended at `until` or before, in milliseconds since the epoch. Reads
/// much, and is done aside.
pub(crate) fn look(
    shared: &Shared,
    tenant: &TenantId,
    run: &RunId,
    until: i64,
) -> Result<Result<Removable, Kept>, ReadError> {
    let partition = run.partition(shared.partitions);
    let mut batch = Batch::new();
    let Some(record) = replay::run_record(shared, partition, tenant, run)? else {
        let index = key::run_index(tenant, run);
        if shared.store.get(&index)?.is_none() {
            return Ok(Err(Kept::Absent));
        }
        let whole = gather(shared, tenant, run, &mut batch)?;
        return Ok(Ok(Removable {
            tenant: tenant.clone(),
            run: *run,
            events: 0,
            batch,
            whole,
            remains: true,
        }));
    };
    match end(shared, tenant, run)? {
        None => return Ok(Err(Kept::Open)),
        Some(end) if end.at_ms > until => return Ok(Err(Kept::Young)),
        Some(_) => {}
    }
    if let Some(needed) = needed(shared, tenant, run, &record)? {
        return Ok(Err(needed));
    }
    batch.delete(key::run(partition, tenant, run));
    batch.delete(key::end(partition, tenant, run));
    match &record.origin {
        OriginRecord::Run(parent) => {
            batch.delete(key::child(tenant, &RunId::from_bytes(parent.run), run));
        }
        OriginRecord::Restart(of) => {
            batch.delete(key::restart(tenant, &RunId::from_bytes(of.run), run));
        }
        OriginRecord::Request | OriginRecord::Schedule(_) => {}
    }
    if let Some(client) = &record.idempotency_key {
        forget_key(shared, key::idempotency(tenant, client), run, &mut batch)?;
    }
    let events = last_event(shared, tenant, run, Direction::Descending)?.unwrap_or(0);
    let whole = gather(shared, tenant, run, &mut batch)?;
    Ok(Ok(Removable {
        tenant: tenant.clone(),
        run: *run,
        events,
        batch,
        whole,
        remains: false,
    }))
}

/// Removes a run, durably: false where it has gone on meanwhile, or there was too much to do.
pub(crate) async fn remove(shared: &Arc<Shared>, run: Removable) -> Result<bool, Unavailable> {
    let Removable {
        tenant,
        run,
        events,
        batch,
        mut whole,
        remains,
    } = run;
    if remains {
        shared.journal.commit(&tenant, batch).await?;
    } else {
        let (reply, answer) = oneshot::channel();
        let remove = Remove {
            tenant: tenant.clone(),
            run,
            events,
            batch,
            reply,
        };
        let told = shared.offer(&tenant, &run, Message::Remove(Box::new(remove)));
        match told {
            Ok(()) => {}
            Err(Refused::Full) => return Ok(false),
            Err(Refused::Closed) => return Err(Unavailable::ShuttingDown),
        }
        if !answer.await.map_err(|_| Unavailable::ShuttingDown)? {
            return Ok(false);
        }
    }
    while !whole {
        let (owner, of) = (shared.clone(), tenant.clone());
        let gathered = tokio::task::spawn_blocking(move || {
            let mut batch = Batch::new();
            let whole = gather(&owner, &of, &run, &mut batch)?;
            Ok::<_, ReadError>((batch, whole))
        });
        let batch;
        (batch, whole) = gathered.await.map_err(|error| failed(&error))??;
        shared.journal.commit(&tenant, batch).await?;
    }
    Ok(true)
}

fn end(shared: &Shared, tenant: &TenantId, run: &RunId) -> Result<Option<EndRecord>, ReadError> {
    let key = key::end(run.partition(shared.partitions), tenant, run);
    let stored = shared.store.get(&key)?;
    Ok(stored.as_deref().map(EndRecord::decode).transpose()?)
}

/// The run for which another one has to stay.
fn needed(
    shared: &Shared,
    tenant: &TenantId,
    run: &RunId,
    record: &RunRecord,
) -> Result<Option<Kept>, ReadError> {
    let exists = |run: &RunId| {
        let key = key::run(run.partition(shared.partitions), tenant, run);
        shared.store.get(&key).map(|stored| stored.is_some())
    };
    if let OriginRecord::Run(parent) = &record.origin {
        let parent = RunId::from_bytes(parent.run);
        if exists(&parent)? {
            return Ok(Some(Kept::ByParent(parent)));
        }
    }
    let mut range = key::children(tenant, run);
    loop {
        let some = shared
            .store
            .scan(&range, Direction::Ascending, RECORDS_AT_A_TIME as usize)?;
        let Some((last, _)) = some.last() else {
            return Ok(None);
        };
        range = range.after(last);
        for child in some.iter().filter_map(|(key, _)| key::parse_run_index(key)) {
            if exists(&child)? && end(shared, tenant, &child)?.is_none() {
                return Ok(Some(Kept::ByChild(child)));
            }
        }
    }
}

/// Removes a client's key, if it is still this run that it started.
fn forget_key(
    shared: &Shared,
    key: Vec<u8>,
    run: &RunId,
    batch: &mut Batch,
) -> Result<(), ReadError> {
    let stored = shared.store.get(&key)?;
    let started = stored
        .as_deref()
        .map(IdempotencyRecord::decode)
        .transpose()?;
    if started.is_some_and(|it| it.run == *run.as_bytes()) {
        batch.delete(key);
    }
    Ok(())
}

/// Removes some of what nothing but the run leads to, and whether that is all; then also its entry in the list.
fn gather(
    shared: &Shared,
    tenant: &TenantId,
    run: &RunId,
    batch: &mut Batch,
) -> Result<bool, ReadError> {
    let partition = run.partition(shared.partitions);
    let mut room = RECORDS_AT_A_TIME;
    let first = last_event(shared, tenant, run, Direction::Ascending)?;
    let last = last_event(shared, tenant, run, Direction::Descending)?;
    // They are numbered without gaps, so that none has to be read.
    if let (Some(first), Some(last)) = (first, last) {
        let until = last.min(first.saturating_add(room - 1));
        for number in first..=until {
            batch.delete(key::event(partition, tenant, run, number));
        }
        if until < last {
            return Ok(false);
        }
        room -= until - first;
    }
    let others: [KeyRange; 3] = [
        key::children(tenant, run),
        key::restarts(tenant, run),
        key::closed_approvals_of(tenant, run),
    ];
    for range in others {
        let some = shared
            .store
            .scan(&range, Direction::Ascending, room as usize)?;
        room = room.saturating_sub(u32::try_from(some.len()).unwrap_or(u32::MAX));
        some.into_iter().for_each(|(key, _)| batch.delete(key));
        if room == 0 {
            return Ok(false);
        }
    }
    batch.delete(key::run_index(tenant, run));
    Ok(true)
}

/// The number of the last event of a run's journal, from the end that `direction` says.
fn last_event(
    shared: &Shared,
    tenant: &TenantId,
    run: &RunId,
    direction: Direction,
) -> Result<Option<u32>, ReadError> {
    let range = key::events(run.partition(shared.partitions), tenant, run);
    let found = shared.store.scan(&range, direction, 1)?;
    Ok(found.first().and_then(|(key, _)| key::parse_event(key)))
}
