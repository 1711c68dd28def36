//! Events on their way into the logs: part of one commit of the journal.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use baton_store::record::{EventIdRecord, EventLogRecord, LoggedEventRecord, Record};
use baton_store::{Batch, Digest, Direction, ReadError, Store, TenantId, key};
use baton_workflow::Timestamp;

use super::{EventLogs, Log, Logged, NewEvent, Passing, Placed, State, identity, logged, position};
use crate::codec;
use crate::partition::Message;
use crate::settings::EngineLimits;

/// How many old events one commit removes for each that it adds, so that a log shrinks again after its bounds
/// were lowered, and no commit takes long for it.
const DROPPED_PER_ADDED: usize = 4;

/// How many old events one sweep of a log removes at most.
pub(super) const DROPPED_PER_SWEEP: usize = 1_024;

/// A log that is filled to three quarters may soon drop its oldest events for their number.
const FILLED: (u64, u64) = (3, 4);

/// What part of the events of such a log those that listen are asked to get over: the older half.
const PASSED_PART: u64 = 2;

/// They are asked again when less than this part of it is left of that: a quarter.
const PASSED_LEAST: u64 = 4;

/// What one commit adds to the logs. Positions are given here; nothing of it is seen before
/// [`Appending::publish`].
pub(crate) struct Appending<'a> {
    logs: &'a EventLogs,
    store: &'a dyn Store,
    tenants: BTreeMap<TenantId, Staged>,
}

/// What it adds to one log.
struct Staged {
    log: Arc<Log>,
    first: u64,
    next: u64,
    bytes: u64,
    at: Timestamp,
    /// What is before this position may be dropped for its age.
    passed: u64,
    /// What is before this position is too old, as far as has been looked.
    old: u64,
    is_swept: bool,
    added: Vec<(Arc<Logged>, usize)>,
    ids: HashMap<Digest, u64>,
}

impl<'a> Appending<'a> {
    pub(crate) fn new(logs: &'a EventLogs, store: &'a dyn Store) -> Self {
        Self {
            logs,
            store,
            tenants: BTreeMap::new(),
        }
    }

    /// Puts an event at the end of its tenant's log, unless one of its source and id is there.
    pub(crate) fn add(&mut self, new: NewEvent, batch: &mut Batch) -> Result<Placed, ReadError> {
        let NewEvent { tenant, event, at } = new;
        let id = identity::of(event.source(), event.id());
        let id_key = key::event_id(&tenant, &id);
        let staged = self.staged(&tenant)?;
        let before = staged.ids.get(&id).copied();
        let before = match before {
            Some(position) => Some(position),
            None => identity::place(self.store, &tenant, event.source(), event.id())?,
        };
        if let Some(position) = before {
            return Ok(Placed {
                position,
                was_there: true,
            });
        }
        let record = LoggedEventRecord {
            at_ms: at.as_millis(),
            event: codec::json(event.envelope()),
        };
        let record = record.encode();
        let staged = self.staged(&tenant)?;
        let position = staged.next;
        let bytes = record.len();
        staged.next += 1;
        staged.bytes += bytes as u64;
        staged.at = staged.at.max(at);
        staged.ids.insert(id, position);
        let logged = Logged {
            position,
            at,
            event,
        };
        staged.added.push((Arc::new(logged), bytes));
        batch.put(key::logged_event(&tenant, position), record);
        batch.put(id_key, EventIdRecord { position }.encode());
        Ok(Placed {
            position,
            was_there: false,
        })
    }

    /// Has the log drop what is too old by now, though nothing may be added to it.
    pub(crate) fn sweep(&mut self, tenant: &TenantId, at: Timestamp) -> Result<(), ReadError> {
        let staged = self.staged(tenant)?;
        staged.at = staged.at.max(at);
        staged.is_swept = true;
        Ok(())
    }

    /// Removes what the logs need not keep, and writes down how far they reach.
    pub(crate) fn finish(&mut self, batch: &mut Batch) -> Result<(), ReadError> {
        let limits = &self.logs.limits;
        for (tenant, staged) in &mut self.tenants {
            let swept = if staged.is_swept {
                DROPPED_PER_SWEEP
            } else {
                0
            };
            let limit = staged.added.len() * DROPPED_PER_ADDED + swept;
            if limit == 0 {
                continue;
            }
            let before = staged.first;
            staged.drop_oldest(self.store, tenant, limits, limit, batch)?;
            if staged.is_swept {
                staged.old = staged.old_before(self.store, tenant, limits.event_log_age)?;
            }
            if staged.added.is_empty() && staged.first == before {
                continue;
            }
            let record = EventLogRecord {
                first: staged.first,
                next: staged.next,
                bytes: staged.bytes,
            };
            batch.put(key::event_log(tenant), record.encode());
        }
        Ok(())
    }

    /// The commit is durable: those that listen are told.
    pub(crate) fn publish(self) {
        for (tenant, staged) in self.tenants {
            let mut state = staged.log.lock();
            state.first = staged.first;
            state.next = staged.next;
            state.bytes = staged.bytes;
            state.extend(&staged.added);
            let types = staged.added.iter().map(|(it, _)| it.event.kind());
            let mut partitions = state.interest.partitions(types);
            if let Some((first, _)) = staged.added.first() {
                partitions.retain(|partition| state.tell(*partition, first.position));
            }
            // Who has not recovered would not be asked, and could not say what it still has to see.
            let passing = match self.logs.are_recovered() {
                true => state.ask(staged.old, &self.logs.limits),
                false => None,
            };
            let reach = state.reach();
            drop(state);
            let mailboxes = &self.logs.mailboxes;
            for partition in partitions {
                let tenant = tenant.clone();
                mailboxes[usize::from(partition)].push(Message::Published { tenant });
            }
            // Behind the events themselves: who has come so far in the mailbox has been offered them.
            if let Some(Passing { before, partitions }) = passing {
                for partition in partitions {
                    let message = Message::Passing {
                        tenant: tenant.clone(),
                        before,
                        next: staged.next,
                    };
                    mailboxes[usize::from(partition)].push(message);
                }
            }
            let tell = &staged.log.reach;
            tell.send_if_modified(|it| std::mem::replace(it, reach) != reach);
        }
    }

    fn staged(&mut self, tenant: &TenantId) -> Result<&mut Staged, ReadError> {
        if !self.tenants.contains_key(tenant) {
            let log = self.logs.log(self.store, tenant)?;
            let staged = {
                let state = log.lock();
                Staged {
                    first: state.first,
                    next: state.next,
                    bytes: state.bytes,
                    passed: state.passed,
                    old: 0,
                    is_swept: false,
                    at: Timestamp::from_millis(0),
                    added: Vec::new(),
                    ids: HashMap::new(),
                    log: log.clone(),
                }
            };
            self.tenants.insert(tenant.clone(), staged);
        }
        Ok(self.tenants.get_mut(tenant).expect("it is there now"))
    }
}

impl Staged {
    /// Drops of the oldest events, `limit` at most, what need not be kept: what is too old or too much, once those that
    /// listen have gone past it; and whatever is in the way of what is added.
    fn drop_oldest(
        &mut self,
        store: &dyn Store,
        tenant: &TenantId,
        limits: &EngineLimits,
        limit: usize,
        batch: &mut Batch,
    ) -> Result<(), ReadError> {
        for _ in 0..limit {
            let fits = self.bytes <= limits.event_log_bytes
                && self.next - self.first <= limits.event_log_events;
            let is_in_the_way = !fits && !self.added.is_empty();
            let is_passed = self.first < self.passed;
            if !is_in_the_way && !is_passed {
                break;
            }
            // One at a time, and only where it may go: all tenants' commits wait for this thread.
            let range = key::logged_events_from(tenant, self.first);
            let oldest = store.scan(&range, Direction::Ascending, 1)?.pop();
            let Some((key, value)) = oldest else {
                break;
            };
            let position = position(&key)?;
            match logged(&key, &value) {
                Ok(event) => {
                    let is_old = event.at.until(self.at) > limits.event_log_age;
                    if !is_in_the_way && fits && !is_old {
                        break;
                    }
                    let (source, id) = (event.event.source(), event.event.id());
                    batch.delete(key::event_id(tenant, &identity::of(source, id)));
                    batch.delete(key::event_id(tenant, &identity::earlier(source, id)));
                }
                // Nobody can be told of it, and whoever adds to the log would fail on it for ever.
                Err(error) => {
                    tracing::error!(%tenant, position, %error, "an event of the log can't be read, and is dropped");
                }
            }
            self.bytes = self.bytes.saturating_sub(value.len() as u64);
            self.first = position + 1;
            batch.delete(key);
        }
        Ok(())
    }

    /// The position behind the last event of the log that is too old. Events came in the order of their positions, and
    /// there is one at each.
    fn old_before(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        age: Duration,
    ) -> Result<u64, ReadError> {
        let (mut low, mut high) = (self.first, self.next - self.added.len() as u64);
        while low < high {
            let middle = low + (high - low) / 2;
            let key = key::logged_event(tenant, middle);
            let is_old = match store.get(&key)? {
                // One that can't be read goes when it is in the way. It must not keep the others, or a commit.
                Some(value) => {
                    logged(&key, &value).is_ok_and(|event| event.at.until(self.at) > age)
                }
                None => true,
            };
            if is_old {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

impl State {
    /// What those that listen are to be asked to get over, if there is more of it than before: what is too old, which is
    /// before the position `old`, and half of a log that is almost full. Where nobody listens, nobody is asked.
    fn ask(&mut self, old: u64, limits: &EngineLimits) -> Option<Passing> {
        let (part, whole) = FILLED;
        let count = self.next - self.first;
        let is_filled = |is: u64, most: u64| is > most / whole * part;
        let is_filled = is_filled(self.bytes, limits.event_log_bytes)
            || is_filled(count, limits.event_log_events);
        let asked = self.passing_before();
        let mut before = old;
        if is_filled && asked < self.first + count / PASSED_LEAST {
            before = before.max(self.first + count / PASSED_PART);
        }
        // A partition may have failed to answer: those that look through the log ask again.
        let is_unanswered = old > self.passed && self.passing.is_some();
        if before <= asked && !is_unanswered {
            return None;
        }
        let passing = Passing {
            before: before.max(asked),
            partitions: self.interest.all(),
        };
        if passing.partitions.is_empty() {
            self.passed = passing.before;
            self.passing = None;
            return None;
        }
        self.passing = Some(passing.clone());
        Some(passing)
    }
}

#[cfg(test)]
mod tests {
    use baton_store::MemoryStore;
    use baton_workflow::CloudEvent;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_that_can_t_be_read_stops_no_sweep() {
        let logs = EventLogs::new(&EngineLimits::default(), Vec::new());
        let (store, tenant) = (MemoryStore::new(), TenantId::default());
        let at = Timestamp::from_millis(0);
        let commit = |count: usize, swept: Option<Timestamp>| {
            let mut appending = Appending::new(&logs, &store);
            let mut batch = Batch::new();
            for number in 0..count {
                let event = json!({
                    "specversion": "1.0", "id": number.to_string(), "source": "/test", "type": "test",
                });
                let event = CloudEvent::new(event).expect("an event");
                let tenant = tenant.clone();
                let added = appending.add(NewEvent { tenant, event, at }, &mut batch);
                added.expect("it can be read");
            }
            if let Some(at) = swept {
                appending.sweep(&tenant, at).expect("it can be read");
            }
            appending.finish(&mut batch).expect("it can be read");
            store.commit(&batch).expect("it can be written");
            appending.publish();
        };
        commit(5, None);
        for position in [1, 3] {
            let mut batch = Batch::new();
            batch.put(key::logged_event(&tenant, position), b"no record".to_vec());
            store.commit(&batch).expect("it can be written");
        }
        let later = at.after(EngineLimits::default().event_log_age * 2);
        for _ in 0..4 {
            commit(0, Some(later));
        }
        let range = key::logged_events_from(&tenant, 0);
        let left = store
            .scan(&range, Direction::Ascending, 9)
            .expect("it can be read");
        assert_eq!(left.len(), 0, "the others are too old");
    }
}
