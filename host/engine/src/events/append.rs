//! Events on their way into the logs: part of one commit of the journal.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use baton_store::record::{EventIdRecord, EventLogRecord, LoggedEventRecord, Record};
use baton_store::{Batch, Digest, Direction, ReadError, Store, TenantId, key};
use baton_workflow::{CloudEvent, Timestamp};

use super::{EventLogs, Log, Logged, NewEvent, Placed, logged};
use crate::codec;
use crate::digest;
use crate::partition::Message;

/// How many old events one commit removes for each that it adds, so that a log shrinks again after its bounds
/// were lowered, and no commit takes long for it.
const DROPPED_PER_ADDED: usize = 4;

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
        let id = identity(&event);
        let id_key = key::event_id(&tenant, &id);
        let staged = self.staged(&tenant)?;
        let before = staged.ids.get(&id).copied();
        let before = match before {
            Some(position) => Some(position),
            None => self.logged_before(&id_key)?,
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

    /// Removes what the logs need not keep, and writes down how far they reach.
    pub(crate) fn finish(&mut self, batch: &mut Batch) -> Result<(), ReadError> {
        let limits = &self.logs.limits;
        for (tenant, staged) in &mut self.tenants {
            if staged.added.is_empty() {
                continue;
            }
            let limit = staged.added.len() * DROPPED_PER_ADDED;
            let range = key::logged_events_from(tenant, staged.first);
            let oldest = self.store.scan(&range, Direction::Ascending, limit)?;
            for (key, value) in oldest {
                let event = logged(&key, &value)?;
                let is_young = event.at.until(staged.at) <= limits.event_log_age;
                if is_young && staged.bytes <= limits.event_log_bytes {
                    break;
                }
                staged.bytes = staged.bytes.saturating_sub(value.len() as u64);
                staged.first = event.position + 1;
                batch.delete(key);
                batch.delete(key::event_id(tenant, &identity(&event.event)));
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
            if staged.added.is_empty() {
                continue;
            }
            let partitions = {
                let mut state = staged.log.lock();
                state.first = staged.first;
                state.next = staged.next;
                state.bytes = staged.bytes;
                state.extend(&staged.added);
                let types = staged.added.iter().map(|(it, _)| it.event.kind());
                state.interest.partitions(types)
            };
            let events: Arc<[Arc<Logged>]> = staged.added.into_iter().map(|(it, _)| it).collect();
            for partition in partitions {
                let message = Message::Published {
                    tenant: tenant.clone(),
                    events: events.clone(),
                };
                self.logs.mailboxes[usize::from(partition)].push(message);
            }
            staged.log.next.send_replace(staged.next);
        }
    }

    fn logged_before(&self, id_key: &[u8]) -> Result<Option<u64>, ReadError> {
        let stored = self.store.get(id_key)?;
        let record = stored.as_deref().map(EventIdRecord::decode).transpose()?;
        Ok(record.map(|it| it.position))
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

/// What tells an event from all others (CloudEvents, "REQUIRED Attributes", `id`): its source and id.
fn identity(event: &CloudEvent) -> Digest {
    // Neither can have a control character in it.
    digest::of(format!("{}\0{}", event.source(), event.id()).as_bytes())
}
