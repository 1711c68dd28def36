//! Retention: runs that ended long ago are removed in the background.
//!
//! There is no index by the time of the end. The list of runs is in the order of their starts, and no run ends before
//! it starts: so a sweep reads the list from its beginning up to what started too late to be old, and what it finds
//! there is either removed, and not found again, or of the few that have been at work for longer than runs are kept.
//! That costs runs nothing at their end, and holds for those of every earlier release.
//!
//! How fast that goes is in [`pace`].

mod pace;

use std::sync::Arc;
use std::time::Duration;

use baton_store::record::{Record, RunIndexRecord, StatusRecord};
use baton_store::{Direction, ReadError, RunId, Store, TenantId, key};
use tokio::task::JoinSet;

use crate::engine::failed;
use crate::error::Unavailable;
use crate::removal::{self, Kept, Removable};
use crate::settings::Retention;
use crate::shared::Shared;

use pace::Pace;

/// How often it is looked for what is old at most, and at least.
const EVERY_MIN: Duration = Duration::from_secs(1);
const EVERY_MAX: Duration = Duration::from_secs(600);

/// How many entries of the list one step looks at.
const INDEX_PER_STEP: usize = 1_000;

/// Removes what is old now and then, for as long as the host runs. Ends where all runs are kept for ever.
pub(crate) async fn run(shared: Arc<Shared>, retention: Retention) {
    let Some(shortest) = retention.shortest() else {
        return;
    };
    let every = (shortest / 10).clamp(EVERY_MIN, EVERY_MAX);
    let mut pace = Pace::new(&shared);
    loop {
        let due = shared.clock.now().after(every);
        match sweep(&shared, &retention, &mut pace).await {
            Ok(()) => {}
            Err(Unavailable::ShuttingDown) => return,
            Err(error) => tracing::warn!(%error, "old runs could not be removed just now"),
        }
        loop {
            let remaining = shared.clock.now().until(due);
            if remaining.is_zero() {
                break;
            }
            tokio::time::sleep(shared.clock.patience(remaining)).await;
        }
    }
}

async fn sweep(
    shared: &Arc<Shared>,
    retention: &Retention,
    pace: &mut Pace,
) -> Result<(), Unavailable> {
    let mut last = None;
    loop {
        let store = shared.store.clone();
        let next = aside(move || next_tenant(&*store, last.as_ref())).await?;
        let Some(tenant) = next else { return Ok(()) };
        if let Some(keep) = retention.of(&tenant) {
            sweep_tenant(shared, &tenant, keep, pace).await?;
        }
        last = Some(tenant);
    }
}

async fn sweep_tenant(
    shared: &Arc<Shared>,
    tenant: &TenantId,
    keep: Duration,
    pace: &mut Pace,
) -> Result<(), Unavailable> {
    let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
    let until = shared.clock.now().as_millis().saturating_sub(keep);
    let mut removed = 0_u64;
    let mut cursor = None;
    loop {
        let runs = pace.next(shared).await;
        let (owner, name) = (shared.clone(), tenant.clone());
        let step = aside(move || look(&owner, &name, until, cursor, runs)).await?;
        // Also what finds nothing takes something.
        pace.took(step.removable.len().max(1));
        let mut removals = JoinSet::new();
        for run in step.removable {
            let shared = shared.clone();
            removals.spawn(async move { removal::remove(&shared, run).await });
        }
        let mut removed_now = 0;
        for done in removals.join_all().await {
            removed_now += u64::from(done?);
        }
        removed += removed_now;
        // What was kept for a run that is gone now can go with the same sweep.
        if step.holds && removed_now > 0 {
            continue;
        }
        match step.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    if removed > 0 {
        tracing::info!(%tenant, removed, "old runs were removed");
    }
    Ok(())
}

/// What one step has found.
struct Step {
    removable: Vec<Removable>,
    /// Whether it has also found some that are kept for the run that has started them.
    holds: bool,
    /// The last run that was looked at; none where there is nothing behind it.
    next: Option<RunId>,
}

/// Looks for some runs behind `cursor` that ended at `until` or before, `runs` at most.
fn look(
    shared: &Shared,
    tenant: &TenantId,
    until: i64,
    cursor: Option<RunId>,
    runs: usize,
) -> Result<Step, ReadError> {
    // What started in that millisecond may have ended in it.
    let bound = u64::try_from(until).map_or(0, |until| until.saturating_add(1));
    let bound = key::run_index(tenant, &RunId::least_at(bound));
    let mut range = key::run_indexes(tenant).before(&bound);
    if let Some(cursor) = cursor {
        range = range.after(&key::run_index(tenant, &cursor));
    }
    let entries = shared
        .store
        .scan(&range, Direction::Ascending, INDEX_PER_STEP)?;
    let all = entries.len() < INDEX_PER_STEP;
    let (mut removable, mut holds) = (Vec::new(), false);
    let mut next = None;
    for (key, value) in entries {
        let Some(run) = key::parse_run_index(&key) else {
            continue;
        };
        next = Some(run);
        match find(shared, tenant, &run, &value, until) {
            Ok(Ok(run)) => removable.push(run),
            Ok(Err(kept)) => holds |= matches!(kept, Kept::ByParent(_)),
            Err(error @ ReadError::Io { .. }) => return Err(error),
            // One run that can't be read keeps no other.
            Err(error) => tracing::error!(%tenant, %run, %error, "a run can't be removed"),
        }
        if removable.len() == runs {
            return Ok(Step {
                removable,
                holds,
                next,
            });
        }
    }
    Ok(Step {
        removable,
        holds,
        next: next.filter(|_| !all),
    })
}

/// Looks at a run of the list.
fn find(
    shared: &Shared,
    tenant: &TenantId,
    run: &RunId,
    listed: &[u8],
    until: i64,
) -> Result<Result<Removable, Kept>, ReadError> {
    // Most that are not removed have not ended, which the list knows.
    if RunIndexRecord::decode(listed)?.status == StatusRecord::Open {
        return Ok(Err(Kept::Open));
    }
    removal::look(shared, tenant, run, until)
}

fn next_tenant(store: &dyn Store, last: Option<&TenantId>) -> Result<Option<TenantId>, ReadError> {
    let range = key::tenants_after(last);
    let next = store.scan(&range, Direction::Ascending, 1)?;
    Ok(next.first().and_then(|(key, _)| key::parse_tenant(key)))
}

/// Reads where that holds up nobody.
async fn aside<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
) -> Result<T, Unavailable> {
    let read = tokio::task::spawn_blocking(read).await;
    Ok(read.map_err(|error| failed(&error))??)
}
