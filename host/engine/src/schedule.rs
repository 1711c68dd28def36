//! Schedules: workflows that start by themselves.
//!
//! A workflow has one schedule, that of its highest version. What is known of it is in memory and in a record of
//! its own, which is written in one batch with the run that it starts: so that no crash starts a run twice, or
//! not at all. One task waits for what is due; a lock for each schedule lets one start, publication or pause
//! happen at a time.

mod driver;
mod gatherer;
mod record;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use baton_store::record::{Record, ScheduleRecord};
use baton_store::{Batch, Direction, Partition, ReadError, RunId, Store, TenantId, key};
use baton_workflow::Timestamp;
use tokio::sync::Notify;

use crate::locks::{Held, Locks};

pub(crate) use driver::drive;
pub(crate) use state::{ScheduleState, Scheduled, TriggerKind};

/// The workflow that a schedule is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ScheduleName {
    pub(crate) tenant: TenantId,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl ScheduleName {
    fn key(&self, partitions: u16) -> Vec<u8> {
        let Self {
            tenant,
            namespace,
            name,
        } = self;
        let partition = key::schedule_partition(tenant, namespace, name, partitions);
        key::schedule(partition, tenant, namespace, name)
    }
}

impl std::fmt::Display for ScheduleName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The end of a run that a schedule has started.
struct Ended {
    name: ScheduleName,
    run: RunId,
    at: Timestamp,
}

/// The schedules of all tenants.
pub(crate) struct Schedules {
    partitions: u16,
    known: Mutex<Known>,
    /// The driver has something to look at.
    changed: Notify,
    locks: Locks<ScheduleName>,
}

#[derive(Default)]
struct Known {
    schedules: BTreeMap<ScheduleName, Entry>,
    /// When the driver has to look at each.
    due: BTreeSet<(Timestamp, ScheduleName)>,
    /// Those that gather events otherwise than they did: another version, from elsewhere on, or none any more.
    regather: BTreeSet<ScheduleName>,
    /// How often any schedule has begun to gather otherwise.
    epoch: u64,
    /// What the driver has not been told yet; at most one for each open run that a schedule has started.
    ended: Vec<Ended>,
}

struct Entry {
    /// As it is stored.
    state: ScheduleState,
    /// Where it stands in [`Known::due`].
    looked_at: Option<Timestamp>,
    /// Which of the tasks that have gathered events for it is the one that counts.
    epoch: u64,
    /// Why that one can't gather events just now, and since when. They wait for it in the log.
    stalled: Option<(Timestamp, String)>,
}

/// The right to change a schedule.
pub(crate) type Lock = Held<ScheduleName>;

impl Schedules {
    /// Reads the schedules of a store of so many partitions. What has ended while the host was down, they know.
    ///
    /// # Errors
    ///
    /// Where the store can't be read. A schedule that can't be is left out, and the log tells of it.
    pub(crate) fn load(store: &dyn Store, partitions: u16) -> Result<Self, ReadError> {
        let mut known = Known::default();
        for partition in (0..partitions).map(Partition) {
            let range = key::schedules(partition);
            for (key, value) in store.scan(&range, Direction::Ascending, usize::MAX)? {
                let Some((tenant, namespace, name)) = key::parse_schedule(&key) else {
                    continue;
                };
                let name = ScheduleName {
                    tenant,
                    namespace,
                    name,
                };
                match read(store, partitions, &name.tenant, &value) {
                    Ok(state) => known.set(name, Some(state)),
                    Err(error) => {
                        let tenant = &name.tenant;
                        tracing::error!(%tenant, workflow = %name, %error, "a schedule can't be read");
                    }
                }
            }
        }
        Ok(Self {
            partitions,
            known: Mutex::new(known),
            changed: Notify::new(),
            locks: Locks::default(),
        })
    }

    /// The right to change a schedule, once it is free.
    pub(crate) async fn lock(&self, name: &ScheduleName) -> Lock {
        self.locks.lock(name.clone()).await
    }

    /// The schedule's task of this number can't gather events. Whether that was not known, or was for another reason.
    fn stall(&self, name: &ScheduleName, epoch: u64, now: Timestamp, reason: String) -> bool {
        let mut known = self.known();
        let Some(entry) = known.schedules.get_mut(name).filter(|it| it.epoch == epoch) else {
            return false;
        };
        if entry.stalled.as_ref().is_some_and(|(_, it)| *it == reason) {
            return false;
        }
        entry.stalled = Some((now, reason));
        true
    }

    /// The schedule's task of this number gathers events.
    fn go_on(&self, name: &ScheduleName, epoch: u64) {
        let mut known = self.known();
        if let Some(entry) = known.schedules.get_mut(name).filter(|it| it.epoch == epoch) {
            entry.stalled = None;
        }
    }

    /// Why a schedule starts nothing just now, and since when: its events can't be gathered.
    pub(crate) fn stalled(&self, name: &ScheduleName) -> Option<(Timestamp, String)> {
        self.known().schedules.get(name)?.stalled.clone()
    }

    /// A schedule, as far as it is durable.
    pub(crate) fn get(&self, name: &ScheduleName) -> Option<ScheduleState> {
        let known = self.known();
        known.schedules.get(name).map(|entry| entry.state.clone())
    }

    /// The schedule for which the task of this number gathers events; none where another does by now, or none.
    fn gathered_by(&self, name: &ScheduleName, epoch: u64) -> Option<ScheduleState> {
        let known = self.known();
        let entry = known.schedules.get(name)?;
        (entry.epoch == epoch).then(|| entry.state.clone())
    }

    /// A tenant's schedules behind `after`, by namespace and name, `limit` at most.
    pub(crate) fn list(
        &self,
        tenant: &TenantId,
        after: Option<(String, String)>,
        limit: usize,
    ) -> Vec<(ScheduleName, ScheduleState)> {
        let (namespace, name) = after.unwrap_or_default();
        let from = ScheduleName {
            tenant: tenant.clone(),
            namespace,
            name,
        };
        let known = self.known();
        known
            .from(&from)
            .filter(|(name, _)| **name != from)
            .take(limit)
            .map(|(name, entry)| (name.clone(), entry.state.clone()))
            .collect()
    }

    /// How many schedules a tenant has.
    pub(crate) fn count(&self, tenant: &TenantId) -> usize {
        let first = ScheduleName {
            tenant: tenant.clone(),
            namespace: String::new(),
            name: String::new(),
        };
        self.known().from(&first).count()
    }

    /// What stores a schedule, or that there is none.
    pub(crate) fn store(
        &self,
        name: &ScheduleName,
        state: Option<&ScheduleState>,
        batch: &mut Batch,
    ) {
        let key = name.key(self.partitions);
        match state {
            Some(state) => batch.put(key, record::to_record(state).encode()),
            None => batch.delete(key),
        }
    }

    /// Takes what is durable now.
    pub(crate) fn set(&self, name: ScheduleName, state: Option<ScheduleState>) {
        self.known().set(name, state);
        self.changed.notify_one();
    }

    /// A run that a schedule has started has ended, durably.
    pub(crate) fn ended(&self, name: ScheduleName, run: RunId, at: Timestamp) {
        self.known().ended.push(Ended { name, run, at });
        self.changed.notify_one();
    }

    /// When something is due next.
    #[cfg(test)]
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.known().due.first().map(|(due, _)| *due)
    }

    /// Has the driver look at the clock.
    #[cfg(test)]
    pub(crate) fn look(&self) {
        self.changed.notify_one();
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The schedules of a tenant from one on.
    fn from<'a>(
        &'a self,
        first: &'a ScheduleName,
    ) -> impl Iterator<Item = (&'a ScheduleName, &'a Entry)> {
        let schedules = self.schedules.range(first..);
        schedules.take_while(|(name, _)| name.tenant == first.tenant)
    }

    fn set(&mut self, name: ScheduleName, state: Option<ScheduleState>) {
        let gathers = |state: &ScheduleState| {
            let gathers = state.gathers_from().is_some();
            gathers.then(|| state.version.clone())
        };
        let before = self.schedules.get(&name).and_then(|it| gathers(&it.state));
        let known = self.schedules.get(&name);
        let mut epoch = known.map_or(0, |it| it.epoch);
        let mut stalled = known.and_then(|it| it.stalled.clone());
        if before != state.as_ref().and_then(gathers) {
            self.epoch += 1;
            epoch = self.epoch;
            stalled = None;
            self.regather.insert(name.clone());
        }
        self.forget(&name);
        if let Some(state) = state {
            let looked_at = state.next();
            self.due.extend(looked_at.map(|due| (due, name.clone())));
            let entry = Entry {
                state,
                looked_at,
                epoch,
                stalled,
            };
            self.schedules.insert(name, entry);
        }
    }

    fn forget(&mut self, name: &ScheduleName) {
        if let Some(due) = self.schedules.remove(name).and_then(|it| it.looked_at) {
            self.due.remove(&(due, name.clone()));
        }
    }

    /// Looks at a schedule again at this time, instead of when something is due.
    fn look_at(&mut self, name: &ScheduleName, at: Timestamp) {
        if let Some(entry) = self.schedules.get_mut(name) {
            if let Some(before) = entry.looked_at.replace(at) {
                self.due.remove(&(before, name.clone()));
            }
            self.due.insert((at, name.clone()));
        }
    }

    /// Takes those that are due at `now`. They are looked at again when they are set.
    fn take_due(&mut self, now: Timestamp) -> Vec<ScheduleName> {
        let mut taken = Vec::new();
        while self.due.first().is_some_and(|(due, _)| *due <= now) {
            let name = self.due.pop_first().map(|(_, name)| name);
            taken.extend(name);
        }
        for name in &taken {
            if let Some(entry) = self.schedules.get_mut(name) {
                entry.looked_at = None;
            }
        }
        taken
    }
}

/// A stored schedule, with the end of the run for which it waits, where that has come.
fn read(
    store: &dyn Store,
    partitions: u16,
    tenant: &TenantId,
    value: &[u8],
) -> Result<ScheduleState, ReadError> {
    let mut state = record::from_record(ScheduleRecord::decode(value)?)?;
    for run in state.awaited() {
        let end = store.get(&key::end(run.partition(partitions), tenant, &run))?;
        if let Some(end) = end {
            let end = baton_store::record::EndRecord::decode(&end)?;
            state.ended(&run, Timestamp::from_millis(end.at_ms));
        } else if store
            .get(&key::run(run.partition(partitions), tenant, &run))?
            .is_none()
        {
            // It had ended for long, and is not kept any more: when it ended, nobody knows but that it is overdue.
            let started = state.last.as_ref().map(|last| last.at);
            state.ended(&run, started.unwrap_or(Timestamp::from_millis(0)));
        }
    }
    Ok(state)
}

#[cfg(test)]
mod tests {
    use baton_store::MemoryStore;
    use baton_workflow::schedule::Schedule;

    use super::*;

    #[test]
    fn what_stalls_a_schedule_is_news_once() {
        let schedules = Schedules::load(&MemoryStore::new(), 1).expect("empty");
        let name = ScheduleName {
            tenant: TenantId::default(),
            namespace: "test".to_owned(),
            name: "react".to_owned(),
        };
        let on = Schedule {
            on: Some(serde_json::json!({ "on": { "any": [] } })),
            ..Schedule::default()
        };
        let at = Timestamp::from_millis;
        let state = |version| ScheduleState::new(version, &on, at(0), 1);
        schedules.set(name.clone(), Some(state("1.0.0")));
        let stall =
            |epoch, now, reason: &str| schedules.stall(&name, epoch, at(now), reason.to_owned());
        assert!(stall(1, 1, "no such function") && !stall(1, 2, "no such function"));
        assert!(stall(1, 3, "no such connector") && !stall(2, 4, "it is another's"));
        let said = Some((at(3), "no such connector".to_owned()));
        assert_eq!(schedules.stalled(&name), said);
        schedules.go_on(&name, 1);
        assert_eq!(schedules.stalled(&name), None);
        assert!(stall(1, 5, "no such connector"));
        // Another version may fit.
        schedules.set(name.clone(), Some(state("1.1.0")));
        assert_eq!(schedules.stalled(&name), None);
    }
}
