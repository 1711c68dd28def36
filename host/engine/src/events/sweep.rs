//! Sweeps: a log that nothing is added to drops what is too old, too.
//!
//! What one sweep finds too old, the next one drops: in between, those that listen get over it.

use std::sync::Arc;
use std::time::Duration;

use baton_store::{Direction, ReadError, Store, TenantId, key};

use super::append::DROPPED_PER_SWEEP;
use crate::journal::NotCommitted;
use crate::shared::Shared;

/// How often the logs are looked through: a small part of the time for which events are kept.
const EVERY: Duration = Duration::from_secs(600);

/// Looks through the logs of all tenants now and then, for as long as the host runs.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        let due = shared.clock.now().after(EVERY);
        match sweep(&shared).await {
            Ok(()) => {}
            Err(NotCommitted::Stopping) => return,
            Err(error) => tracing::warn!(?error, "old events could not be dropped just now"),
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

async fn sweep(shared: &Arc<Shared>) -> Result<(), NotCommitted> {
    let mut last = None;
    while let Some(tenant) = next_tenant(shared, last).await {
        while sweep_some(shared, &tenant).await? {}
        last = Some(tenant);
    }
    Ok(())
}

/// Drops some of a tenant's events; whether there may be more.
async fn sweep_some(shared: &Arc<Shared>, tenant: &TenantId) -> Result<bool, NotCommitted> {
    let first = || shared.events.first(&*shared.store, tenant);
    let before = first();
    shared.journal.sweep(tenant, shared.clock.now()).await?;
    let dropped = match (before, first()) {
        (Ok(before), Ok(after)) => after - before,
        _ => 0,
    };
    Ok(dropped >= DROPPED_PER_SWEEP as u64)
}

/// The next tenant that has a log.
async fn next_tenant(shared: &Arc<Shared>, last: Option<TenantId>) -> Option<TenantId> {
    let store = shared.store.clone();
    let found = shared.platform.aside(move || find(&*store, last)).await;
    match found.ok()? {
        Ok(tenant) => tenant,
        Err(error) => {
            tracing::warn!(%error, "the logs of events can't be looked through");
            None
        }
    }
}

fn find(store: &dyn Store, mut last: Option<TenantId>) -> Result<Option<TenantId>, ReadError> {
    loop {
        let range = key::tenants_after(last.as_ref());
        let next = store.scan(&range, Direction::Ascending, 1)?;
        let Some(tenant) = next.first().and_then(|(key, _)| key::parse_tenant(key)) else {
            return Ok(None);
        };
        if store.get(&key::event_log(&tenant))?.is_some() {
            return Ok(Some(tenant));
        }
        last = Some(tenant);
    }
}
