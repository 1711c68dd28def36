//! Event logs that could not be read for the runs that listen to them: they are looked at again.

use std::collections::BTreeMap;

use baton_store::{ReadError, TenantId};
use baton_workflow::Timestamp;

use super::turn::Turn;
use super::{Partition, RETRY_AFTER};

/// The logs, by tenant, and when to look again.
#[derive(Default)]
pub(super) struct Unread {
    tenants: BTreeMap<TenantId, Missed>,
    due: Option<Timestamp>,
}

/// What has not been read of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Missed {
    /// What the partition has been told of, or a listener has been offered.
    Told,
    /// All that came since those that listen fell asleep.
    SinceAsleep,
}

impl Unread {
    /// When to look again.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due
    }

    /// Whose is to be looked at again, if any is.
    pub(super) fn whose(&self) -> Option<&TenantId> {
        self.tenants.keys().next()
    }

    /// Whether runs that listen to a tenant's log may not have seen all of it.
    pub(super) fn has(&self, tenant: &TenantId) -> bool {
        self.tenants.contains_key(tenant)
    }

    fn add(&mut self, tenant: &TenantId, missed: Missed, due: Timestamp) {
        let unread = self.tenants.entry(tenant.clone()).or_insert(missed);
        *unread = missed.max(*unread);
        self.due.get_or_insert(due);
    }

    /// Takes a tenant's out: what has not been read of it, and when to look again.
    pub(super) fn take_out(&mut self, tenant: &TenantId) -> Option<(Missed, Timestamp)> {
        let missed = self.tenants.remove(tenant)?;
        let due = self.due?;
        self.due.take_if(|_| self.tenants.is_empty());
        Some((missed, due))
    }

    /// Adds a tenant's that others had.
    pub(super) fn take_in(&mut self, tenant: &TenantId, (missed, due): (Missed, Timestamp)) {
        self.add(tenant, missed, due);
    }

    /// Those to look at now.
    fn take_due(&mut self, now: Timestamp) -> BTreeMap<TenantId, Missed> {
        if self.due.is_none_or(|due| due > now) {
            return BTreeMap::new();
        }
        self.due = None;
        std::mem::take(&mut self.tenants)
    }
}

impl Partition {
    /// A tenant's log can't be read just now. What has not been read of it is looked at again after a while.
    pub(super) fn read_later(&mut self, tenant: &TenantId, missed: Missed, error: &ReadError) {
        tracing::error!(%tenant, %error, "the event log can't be read; runs that listen to it look again in a while");
        let due = self.shared.clock.now().after(RETRY_AFTER);
        self.listeners.unread.add(tenant, missed, due);
    }

    /// Looks again at logs that could not be read.
    pub(super) fn read_again(&mut self, turn: &mut Turn) {
        let now = self.shared.clock.now();
        for (tenant, missed) in self.listeners.unread.take_due(now) {
            self.turn_of(&tenant, turn);
            self.attend_again(&tenant);
            self.listeners.queue_behind(&tenant);
            if missed == Missed::SinceAsleep {
                self.catch_up_with(&tenant);
            }
            self.published(tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unread_comes_due_together_and_once() {
        let at = Timestamp::from_millis;
        let [a, b] = ["a", "b"].map(|name| TenantId::new(name).expect("a tenant"));
        let mut unread = Unread::default();
        unread.add(&a, Missed::SinceAsleep, at(10));
        unread.add(&a, Missed::Told, at(20));
        unread.add(&b, Missed::Told, at(20));
        assert_eq!(unread.next(), Some(at(10)));
        assert!(unread.take_due(at(9)).is_empty());
        assert!(unread.has(&a) && unread.has(&b));
        let due: Vec<_> = unread.take_due(at(10)).into_iter().collect();
        assert_eq!(due, [(a.clone(), Missed::SinceAsleep), (b, Missed::Told)]);
        assert!(unread.next().is_none() && !unread.has(&a));
    }
}
