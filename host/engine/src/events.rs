//! The event logs: for each tenant, the events of the world in the order in which they became durable.
//!
//! An event's position in its log is given by the journal's writer, one thread, when it commits the event: so
//! the order of positions is the order of commits, and whoever has read up to a position has missed nothing
//! before it. Runs listen to the log, and what they take is in their journals too; the log itself keeps
//! events for a time and up to a size.
//!
//! Before it drops what is too old, and when it is almost full, the log asks those that listen to get over it, and waits
//! for their answer: so that a run which has waited for long knows after a restart that it has missed nothing.

mod append;
mod identity;
mod interest;
pub(crate) mod sweep;
mod telling;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baton_store::record::{EventLogRecord, LoggedEventRecord, Record};
use baton_store::{Direction, ReadError, Store, TenantId, key};
use baton_workflow::plan::Topics;
use baton_workflow::{CloudEvent, Timestamp};
use tokio::sync::watch;

pub(crate) use append::Appending;

pub(crate) use telling::HasTaken;

use interest::Interest;
use telling::Telling;

use crate::codec;
use crate::mailbox::Mailbox;
use crate::partition::Message;
use crate::settings::EngineLimits;

/// The position of the first event of a log.
const FIRST: u64 = 1;

/// How many of a log's latest events are kept in memory, since those that listen are mostly close behind.
const RECENT_EVENTS: usize = 1_024;

/// How many bytes those may have.
const RECENT_BYTES: usize = 1 << 20;

/// An event that is to go into a tenant's log.
#[derive(Clone, Debug)]
pub(crate) struct NewEvent {
    pub(crate) tenant: TenantId,
    pub(crate) event: CloudEvent,
    pub(crate) at: Timestamp,
}

/// Where an event is in its tenant's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) position: u64,
    /// Whether one of the same source and id was there before, so that this one changed nothing.
    pub(crate) was_there: bool,
}

/// An event of a log.
#[derive(Debug)]
pub(crate) struct Logged {
    pub(crate) position: u64,
    /// When it came.
    pub(crate) at: Timestamp,
    pub(crate) event: CloudEvent,
}

/// A part of a log.
pub(crate) struct Slice {
    /// The position of the oldest event that is kept.
    pub(crate) first: u64,
    /// What is before this position may be dropped soon: who has gone past it must know that.
    pub(crate) passing: u64,
    /// In their order.
    pub(crate) events: Vec<Arc<Logged>>,
}

/// The event logs of all tenants.
pub(crate) struct EventLogs {
    limits: EngineLimits,
    mailboxes: Vec<Arc<Mailbox<Message>>>,
    /// How many partitions have not recovered: of their runs it is not known yet which listen.
    recovering: AtomicUsize,
    logs: Mutex<HashMap<TenantId, Arc<Log>>>,
}

/// What those that listen are asked to get over, since it is to be dropped.
#[derive(Clone)]
struct Passing {
    /// It is what is before this position.
    before: u64,
    /// The partitions that have not said yet that their runs know.
    partitions: BTreeSet<u16>,
}

/// What is in memory of a log.
struct Log {
    state: Mutex<State>,
    reach: watch::Sender<Reach>,
}

/// How far a log reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The position of the next event.
    pub(crate) next: u64,
    /// What is before this position may be dropped soon.
    pub(crate) passing: u64,
}

struct State {
    first: u64,
    next: u64,
    bytes: u64,
    /// Those that listen know that they have gone past all before this position: it may be dropped for its age.
    passed: u64,
    /// What they are asked to get over.
    passing: Option<Passing>,
    /// The latest events, without gaps.
    recent: VecDeque<(Arc<Logged>, usize)>,
    recent_bytes: usize,
    interest: Interest,
    /// What partitions have not taken yet of what there is for them.
    telling: BTreeMap<u16, Telling>,
}

impl EventLogs {
    /// The logs; partitions are woken through their `mailboxes`.
    pub(crate) fn new(limits: &EngineLimits, mailboxes: Vec<Arc<Mailbox<Message>>>) -> Self {
        Self {
            limits: limits.clone(),
            recovering: AtomicUsize::new(mailboxes.len()),
            mailboxes,
            logs: Mutex::default(),
        }
    }

    /// A partition has recovered: its runs that listen attend.
    pub(crate) fn partition_recovered(&self) {
        self.recovering.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether all partitions have recovered.
    pub(crate) fn are_recovered(&self) -> bool {
        self.recovering.load(Ordering::SeqCst) == 0
    }

    /// The position of the oldest event that the tenant's log keeps.
    pub(crate) fn first(&self, store: &dyn Store, tenant: &TenantId) -> Result<u64, ReadError> {
        Ok(self.log(store, tenant)?.lock().first)
    }

    /// The position of the tenant's next event: what a run that starts now listens from.
    pub(crate) fn next(&self, store: &dyn Store, tenant: &TenantId) -> Result<u64, ReadError> {
        Ok(self.log(store, tenant)?.lock().next)
    }

    /// Tells when there are more events, and when some may be dropped soon.
    pub(crate) fn watch(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
    ) -> Result<watch::Receiver<Reach>, ReadError> {
        Ok(self.log(store, tenant)?.reach.subscribe())
    }

    /// The events from a position on, at most `limit`.
    pub(crate) fn read(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        from: u64,
        limit: usize,
    ) -> Result<Slice, ReadError> {
        let log = self.log(store, tenant)?;
        let (first, passing) = {
            let state = log.lock();
            let passing = state.passing_before();
            let from = from.max(state.first);
            if let Some(oldest) = state.recent.front().map(|(it, _)| it.position)
                && oldest <= from
            {
                let skip = usize::try_from(from - oldest).unwrap_or(usize::MAX);
                let events = state.recent.iter().skip(skip).take(limit);
                return Ok(Slice {
                    first: state.first,
                    passing,
                    events: events.map(|(event, _)| event.clone()).collect(),
                });
            }
            if from >= state.next {
                return Ok(Slice {
                    first: state.first,
                    passing,
                    events: Vec::new(),
                });
            }
            (state.first, passing)
        };
        let range = key::logged_events_from(tenant, from);
        let stored = store.scan(&range, Direction::Ascending, limit)?;
        let events = stored.iter().map(|(key, value)| logged(key, value));
        Ok(Slice {
            first,
            passing,
            events: events
                .map(|it| it.map(Arc::new))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The events of a tenant's log with this id: the one of a source, or those of all, `limit` at most.
    pub(crate) fn of_id(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        id: &str,
        source: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Logged>, ReadError> {
        let positions = match source {
            Some(source) => identity::place(store, tenant, source, id)?
                .into_iter()
                .collect(),
            None => identity::places(store, tenant, id, limit)?,
        };
        let read = |position| {
            let key = key::logged_event(tenant, position);
            let stored = store.get(&key)?;
            // It may have been dropped meanwhile.
            stored.map(|value| logged(&key, &value)).transpose()
        };
        positions
            .into_iter()
            .filter_map(|it| read(it).transpose())
            .collect()
    }

    /// From now on the partition is told of the tenant's events of these topics.
    pub(crate) fn attend(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        topics: &Topics,
        partition: u16,
    ) -> Result<(), ReadError> {
        self.log(store, tenant)?
            .lock()
            .interest
            .add(topics, partition);
        Ok(())
    }

    /// Takes back one [`EventLogs::attend`].
    pub(crate) fn neglect(&self, tenant: &TenantId, topics: &Topics, partition: u16) {
        let log = self.lock().get(tenant).cloned();
        if let Some(log) = log {
            log.lock().interest.remove(topics, partition);
        }
    }

    /// The runs of a partition that listen to the tenant's log know that they have gone past all before a position.
    pub(crate) fn passed(&self, tenant: &TenantId, partition: u16, before: u64) {
        let log = self.lock().get(tenant).cloned();
        if let Some(log) = log {
            log.lock().passed(partition, before);
        }
    }

    fn log(&self, store: &dyn Store, tenant: &TenantId) -> Result<Arc<Log>, ReadError> {
        let mut logs = self.lock();
        if let Some(log) = logs.get(tenant) {
            return Ok(log.clone());
        }
        let stored = store.get(&key::event_log(tenant))?;
        let record = stored.as_deref().map(EventLogRecord::decode).transpose()?;
        let record = record.unwrap_or(EventLogRecord {
            first: FIRST,
            next: FIRST,
            bytes: 0,
        });
        let log = Arc::new(Log {
            state: Mutex::new(State {
                first: record.first,
                next: record.next,
                bytes: record.bytes,
                passed: record.first,
                passing: None,
                recent: VecDeque::new(),
                recent_bytes: 0,
                interest: Interest::default(),
                telling: BTreeMap::new(),
            }),
            reach: watch::Sender::new(Reach {
                next: record.next,
                passing: record.first,
            }),
        });
        logs.insert(tenant.clone(), log.clone());
        Ok(log)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Arc<Log>>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn reach(&self) -> Reach {
        Reach {
            next: self.next,
            passing: self.passing_before(),
        }
    }

    /// What is before this position may be dropped soon.
    fn passing_before(&self) -> u64 {
        let asked = self.passing.as_ref().map_or(0, |it| it.before);
        self.passed.max(asked)
    }

    /// A partition has answered.
    fn passed(&mut self, partition: u16, before: u64) {
        if let Some(passing) = self.passing.as_mut().filter(|it| it.before == before) {
            passing.partitions.remove(&partition);
            if passing.partitions.is_empty() {
                self.passed = self.passed.max(before);
                self.passing = None;
            }
        }
    }

    /// Takes in what has become durable.
    fn extend(&mut self, events: &[(Arc<Logged>, usize)]) {
        for (event, bytes) in events {
            self.recent.push_back((event.clone(), *bytes));
            self.recent_bytes += bytes;
        }
        while let Some((event, bytes)) = self.recent.front()
            && (self.recent.len() > RECENT_EVENTS
                || self.recent_bytes > RECENT_BYTES
                || event.position < self.first)
        {
            self.recent_bytes -= bytes;
            self.recent.pop_front();
        }
    }
}

/// The position that an event is stored under.
fn position(key: &[u8]) -> Result<u64, ReadError> {
    key::parse_logged_event(key).ok_or_else(|| ReadError::Corrupt {
        detail: "the key of an event".into(),
    })
}

/// An event as it is stored.
pub(crate) fn logged(key: &[u8], value: &[u8]) -> Result<Logged, ReadError> {
    let position = position(key)?;
    let record = LoggedEventRecord::decode(value)?;
    Ok(Logged {
        position,
        at: Timestamp::from_millis(record.at_ms),
        event: codec::cloud_event(&record.event)?,
    })
}
