//! What partitions are told of a log.
//!
//! The log is the queue: a partition is told that there is something, once, and then takes it from the log, some events
//! at a time. So no more waits in memory where events come faster than those who listen are woken.

use std::sync::Arc;

use baton_store::{ReadError, Store, TenantId};

use super::{EventLogs, Logged, State};

/// What a partition has not taken yet.
pub(super) struct Telling {
    /// It begins at this position.
    from: u64,
    /// Whether the partition has been told so and has not looked yet.
    is_told: bool,
}

/// Events that a partition takes.
pub(crate) struct Untold {
    /// In their order.
    pub(crate) events: Vec<Arc<Logged>>,
    /// The log has dropped some before they were taken: the oldest that there is.
    pub(crate) dropped_before: Option<u64>,
    /// Whether there are more.
    pub(crate) are_more: bool,
}

/// Whether a partition has taken all before a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HasTaken {
    /// It has.
    All,
    /// It is about to.
    Some,
    /// The log could not be read for it. It takes the rest with the next events that there are for it.
    Failed,
}

impl State {
    /// There are events for a partition from a position on. Whether it has to be told so.
    pub(super) fn tell(&mut self, partition: u16, from: u64) -> bool {
        let is_told = false;
        let telling = self
            .telling
            .entry(partition)
            .or_insert(Telling { from, is_told });
        !std::mem::replace(&mut telling.is_told, true)
    }

    /// The partition has taken what is before a position. Whether there is more for it, of which it is told then.
    fn taken(&mut self, partition: u16, before: u64) -> bool {
        if before >= self.next {
            self.telling.remove(&partition);
            return false;
        }
        let telling = Telling {
            from: before,
            is_told: true,
        };
        self.telling.insert(partition, telling);
        true
    }
}

impl EventLogs {
    /// The next events for a partition that has been told of some: at most `limit`. None where there is nothing for it.
    /// Where there are more, it is for the partition to take them.
    pub(crate) fn take(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        partition: u16,
        limit: usize,
    ) -> Result<Option<Untold>, ReadError> {
        let log = self.log(store, tenant)?;
        let Some(from) = log.lock().telling.get(&partition).map(|it| it.from) else {
            return Ok(None);
        };
        let read = self.read(store, tenant, from, limit);
        let mut state = log.lock();
        let slice = read.inspect_err(|_| {
            if let Some(telling) = state.telling.get_mut(&partition) {
                telling.is_told = false;
            }
        })?;
        let next = slice.events.last().map_or(state.next, |it| it.position + 1);
        Ok(Some(Untold {
            dropped_before: (from < slice.first).then_some(slice.first),
            are_more: state.taken(partition, next),
            events: slice.events,
        }))
    }

    /// Whether a partition has taken all before a position of a tenant's log.
    pub(crate) fn has_taken(&self, tenant: &TenantId, partition: u16, before: u64) -> HasTaken {
        let log = self.lock().get(tenant).cloned();
        let Some(log) = log else {
            return HasTaken::All;
        };
        match log.lock().telling.get(&partition) {
            Some(telling) if telling.from < before => match telling.is_told {
                true => HasTaken::Some,
                false => HasTaken::Failed,
            },
            _ => HasTaken::All,
        }
    }
}
