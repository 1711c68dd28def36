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
        // Others may have been added since it was read.
        let read_to = slice.events.last().map(|it| it.position + 1);
        let next = read_to.unwrap_or(from.max(slice.first));
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

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use baton_store::key::KeyRange;
    use baton_store::{Batch, CommitError, Direction, MemoryStore, Pair, Walk};
    use baton_workflow::plan::Topics;
    use baton_workflow::{CloudEvent, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::events::{Appending, NewEvent, RECENT_EVENTS};
    use crate::mailbox::Mailbox;
    use crate::partition::Message;
    use crate::settings::EngineLimits;

    /// A log to which one partition listens.
    struct World {
        logs: EventLogs,
        mailbox: Arc<Mailbox<Message>>,
        store: MemoryStore,
        tenant: TenantId,
        sent: usize,
    }

    impl World {
        fn new(event_log_events: u64) -> Self {
            let limits = EngineLimits {
                event_log_events,
                ..EngineLimits::default()
            };
            let mailbox = Arc::new(Mailbox::new(1));
            let logs = EventLogs::new(&limits, vec![mailbox.clone()]);
            let (store, tenant) = (MemoryStore::new(), TenantId::default());
            logs.attend(&store, &tenant, &Topics::Any, 0)
                .expect("it can be read");
            Self {
                logs,
                mailbox,
                store,
                tenant,
                sent: 0,
            }
        }

        /// Publishes events in one commit. Gives how often the partition is told.
        fn publish(&mut self, count: usize) -> usize {
            let mut appending = Appending::new(&self.logs, &self.store);
            let mut batch = Batch::new();
            for _ in 0..count {
                self.sent += 1;
                let event = json!({
                    "specversion": "1.0", "id": self.sent.to_string(), "source": "/test",
                    "type": "org.example.told",
                });
                let event = NewEvent {
                    tenant: self.tenant.clone(),
                    event: CloudEvent::new(event).expect("an event"),
                    at: Timestamp::from_millis(0),
                };
                appending.add(event, &mut batch).expect("it can be read");
            }
            appending.finish(&mut batch).expect("it can be read");
            self.store.commit(&batch).expect("it can be written");
            appending.publish();
            let mut told = VecDeque::new();
            self.mailbox.take(&mut told, 0);
            told.len()
        }

        /// Has the partition take some: their positions, and whether there are more.
        fn take(&self, limit: usize) -> Option<(Vec<u64>, bool)> {
            let taken = self.logs.take(&self.store, &self.tenant, 0, limit);
            let taken = taken.expect("it can be read")?;
            let positions = taken.events.iter().map(|it| it.position);
            Some((positions.collect(), taken.are_more))
        }

        fn has_taken(&self, before: u64) -> HasTaken {
            self.logs.has_taken(&self.tenant, 0, before)
        }
    }

    #[test]
    fn a_partition_is_told_once_and_takes_all() {
        let mut world = World::new(1_000_000);
        assert_eq!(world.take(9), None, "there is nothing");
        assert_eq!(world.publish(2), 1);
        assert_eq!(world.publish(3), 0, "it has been told");
        assert_eq!(world.has_taken(1), HasTaken::All);
        assert_eq!(world.has_taken(6), HasTaken::Some);
        assert_eq!(world.take(4), Some((vec![1, 2, 3, 4], true)));
        assert_eq!(world.publish(1), 0, "it takes what there is");
        assert_eq!(world.has_taken(5), HasTaken::All);
        assert_eq!(world.take(4), Some((vec![5, 6], false)));
        assert_eq!(world.has_taken(7), HasTaken::All);
        assert_eq!(world.take(4), None);
        assert_eq!(world.publish(1), 1);
    }

    #[test]
    fn what_could_not_be_read_is_taken_with_what_comes_next() {
        let mut world = World::new(1_000_000);
        assert_eq!(world.publish(RECENT_EVENTS + 10), 1);
        let taken = world.logs.take(&Unreadable, &world.tenant, 0, 5);
        assert!(taken.is_err());
        assert_eq!(world.has_taken(9), HasTaken::Failed);
        assert_eq!(world.publish(1), 1, "it is told again");
        assert_eq!(world.has_taken(9), HasTaken::Some);
        assert_eq!(world.take(5), Some((vec![1, 2, 3, 4, 5], true)));
    }

    #[test]
    fn who_takes_too_late_hears_what_is_not_there_any_more() {
        let mut world = World::new(5);
        assert_eq!(world.publish(2), 1);
        assert_eq!(world.publish(5), 0);
        let taken = world.logs.take(&world.store, &world.tenant, 0, 9);
        let taken = taken.expect("it can be read").expect("there is something");
        let first = taken.events.first().expect("some are kept").position;
        assert!(first > 1);
        assert_eq!(taken.dropped_before, Some(first));
        assert!(!taken.are_more);
    }

    /// A store that can't be read.
    struct Unreadable;

    fn unreadable<T>() -> Result<T, ReadError> {
        Err(ReadError::Io {
            detail: "as it is told to".to_owned(),
        })
    }

    impl Store for Unreadable {
        fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
            unreadable()
        }

        fn scan(&self, _: &KeyRange, _: Direction, _: usize) -> Result<Vec<Pair>, ReadError> {
            unreadable()
        }

        fn walk(&self) -> Result<Box<dyn Walk>, ReadError> {
            unreadable()
        }

        fn commit(&self, _: &Batch) -> Result<(), CommitError> {
            Ok(())
        }
    }
}
