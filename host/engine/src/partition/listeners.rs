//! The runs of a partition that listen to events.
//!
//! A listener is told that there may be something for it; then it reads the log from where it is, until it takes
//! an event or has seen all. Who waits for types that nobody sends is never looked at.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use baton_store::record::ListeningRecord;
use baton_store::{ReadError, RunId, TenantId};
use baton_workflow::Timestamp;
use baton_workflow::machine::{Event, Listening, TaskKey};
use baton_workflow::plan::Topics;

use super::passing::Passing;
use super::topics::ByTopic;
use super::turn::Turn;
use super::unread::{Missed, Unread};
use super::{AT_A_TIME, Message, Partition, Recorded};
use crate::codec;
use crate::events::Logged;

/// How many events of the log a listener is offered at a time.
const EVENTS_AT_A_TIME: usize = 256;

pub(super) type ListenerId = (RunId, TaskKey);

/// The runs of a partition that listen to events.
#[derive(Default)]
pub(super) struct Listeners {
    pub(super) all: BTreeMap<ListenerId, Listener>,
    by_topic: HashMap<TenantId, ByTopic>,
    /// Those for which there may be something.
    queue: VecDeque<ListenerId>,
    /// Those who are to be told that they have gone past what is in a log.
    pub(super) passing: VecDeque<Passing>,
    /// The logs that could not be read for some of them.
    pub(super) unread: Unread,
}

pub(super) struct Listener {
    pub(super) tenant: TenantId,
    topics: Topics,
    /// The position of the next event that it has not been offered.
    pub(super) next: u64,
    /// The same, as the run's journal has it.
    pub(super) recorded: u64,
    pub(super) is_queued: bool,
    /// Whether it was told which event there is for it: it looks at that one first.
    is_told: bool,
    /// Whether the log could not be read for it, so that it may not have seen all.
    pub(super) is_behind: bool,
    /// Whether the partition is told of what it listens to.
    is_attended: bool,
}

/// Those of a tenant.
pub(super) struct MovedListeners {
    all: BTreeMap<ListenerId, Listener>,
    by_topic: Option<ByTopic>,
    queue: VecDeque<ListenerId>,
    passing: VecDeque<Passing>,
    unread: Option<(Missed, Timestamp)>,
}

impl Listeners {
    /// Takes those of a tenant out.
    pub(super) fn take_out(&mut self, tenant: &TenantId) -> MovedListeners {
        let all = self.all.extract_if(.., |_, it| it.tenant == *tenant);
        let all: BTreeMap<_, _> = all.collect();
        let (queue, left) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition(|id| all.contains_key(id));
        self.queue = left;
        let (passing, left) = std::mem::take(&mut self.passing)
            .into_iter()
            .partition(|it| it.tenant() == tenant);
        self.passing = left;
        MovedListeners {
            all,
            by_topic: self.by_topic.remove(tenant),
            queue,
            passing,
            unread: self.unread.take_out(tenant),
        }
    }

    /// Adds those of a tenant that others had.
    pub(super) fn take_in(&mut self, tenant: &TenantId, moved: MovedListeners) {
        let MovedListeners {
            mut all,
            by_topic,
            queue,
            passing,
            unread,
        } = moved;
        self.all.append(&mut all);
        if let Some(by_topic) = by_topic {
            self.by_topic.insert(tenant.clone(), by_topic);
        }
        self.queue.extend(queue);
        self.passing.extend(passing);
        if let Some(unread) = unread {
            self.unread.take_in(tenant, unread);
        }
    }

    /// A task of a run listens. Whether there is something for it is seen later.
    fn add(
        &mut self,
        tenant: &TenantId,
        run: RunId,
        listening: Listening,
        recorded: u64,
        is_attended: bool,
    ) {
        let Listening {
            task,
            from,
            mut topics,
        } = listening;
        let id = (run, task);
        let by_topic = self.by_topic.entry(tenant.clone()).or_default();
        by_topic.add(&mut topics, &id);
        let listener = Listener {
            tenant: tenant.clone(),
            topics,
            next: from,
            recorded,
            is_queued: false,
            is_told: false,
            is_behind: !is_attended,
            is_attended,
        };
        self.all.insert(id, listener);
    }

    fn enqueue(&mut self, id: &ListenerId) {
        if let Some(listener) = self.all.get_mut(id) {
            listener.is_queued = true;
            self.queue.push_back(id.clone());
        }
    }

    /// Looks again whether there is something for a listener whose run was asleep when there seemed to be. Whether it
    /// listens at all.
    pub(super) fn queue_again(&mut self, id: &ListenerId) -> bool {
        let Some(listener) = self.all.get(id) else {
            return false;
        };
        if listener.is_queued {
            self.enqueue(id);
        }
        true
    }

    /// Has those of a tenant look at its log again for which it could not be read.
    pub(super) fn queue_behind(&mut self, tenant: &TenantId) {
        let of_tenant = self.all.iter().filter(|(_, it)| it.tenant == *tenant);
        let behind = of_tenant.filter(|(_, it)| it.is_behind && !it.is_queued);
        let behind: Vec<_> = behind.map(|(id, _)| id.clone()).collect();
        behind.iter().for_each(|id| self.enqueue(id));
    }

    /// How the tasks of a run listen, as it is stored while the run is asleep.
    pub(super) fn records(&self, run: &RunId) -> Vec<ListeningRecord> {
        let of_run = self.of_run(run).into_iter();
        let record = |id: ListenerId| {
            let Listener {
                topics,
                next,
                recorded,
                ..
            } = self.all.get(&id)?;
            Some(codec::listening_record(&id.1, topics, *next, *recorded))
        };
        of_run.filter_map(record).collect()
    }

    fn remove(&mut self, id: &ListenerId) -> Option<Listener> {
        let listener = self.all.remove(id)?;
        if let Some(by_topic) = self.by_topic.get_mut(&listener.tenant) {
            by_topic.remove(&listener.topics, id);
            if by_topic.is_empty() {
                self.by_topic.remove(&listener.tenant);
            }
        }
        Some(listener)
    }

    /// Events have been added to a tenant's log.
    pub(super) fn wake(&mut self, tenant: &TenantId, events: &[Arc<Logged>]) {
        for logged in events {
            let by_topic = self.by_topic.get(tenant);
            let concerned = by_topic.map(|it| it.listening_to(&logged.event));
            for id in concerned.unwrap_or_default() {
                let Some(listener) = self.all.get_mut(&id).filter(|it| !it.is_queued) else {
                    continue;
                };
                if logged.position >= listener.next {
                    // What stands between was of no interest, or it would have been woken.
                    listener.next = logged.position;
                    listener.is_told = true;
                    self.enqueue(&id);
                }
            }
        }
    }

    /// From which position on those of a tenant are to look for what came while they were asleep; none where nobody is.
    /// Those that would have had to see what is before `first` are told so.
    fn behind(&mut self, tenant: &TenantId, first: u64) -> Option<u64> {
        let of_tenant = self.all.iter().filter(|(_, it)| it.tenant == *tenant);
        let idle: Vec<_> = of_tenant.filter(|(_, it)| !it.is_queued).collect();
        let from = idle.iter().map(|(_, it)| it.next).min()?;
        let too_late = idle.into_iter().filter(|(_, it)| it.next.max(1) < first);
        let too_late: Vec<_> = too_late.map(|(id, _)| id.clone()).collect();
        too_late.iter().for_each(|id| self.enqueue(id));
        Some(from.max(first))
    }

    /// Whether there may be something for somebody.
    pub(super) fn are_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Whose there may be something for, or who is to be told that they have gone past something, if anybody.
    pub(super) fn whose_is_queued(&self) -> Option<&TenantId> {
        let mut queued = self.queue.iter().filter_map(|id| self.all.get(id));
        let queued = queued.next().map(|it| &it.tenant);
        queued.or_else(|| self.passing.front().map(Passing::tenant))
    }

    /// The listeners of a run.
    fn of_run(&self, run: &RunId) -> Vec<ListenerId> {
        let first = TaskKey {
            pointer: "".into(),
            visit: 0,
        };
        self.all
            .range((*run, first)..)
            .map(|(id, _)| id)
            .take_while(|(of, _)| of == run)
            .cloned()
            .collect()
    }
}

/// What came of offering events to a listener.
enum Offered {
    /// It takes this one.
    Taken(Arc<Logged>),
    /// The log begins behind what it would have had to see.
    Dropped(u64),
    /// It has seen all that is there.
    Nothing,
    /// It has seen all before this position, and the log is about to drop what its run does not know to be past.
    Passed(u64),
    /// There is more.
    More,
    /// Its expressions can't be evaluated just now: why.
    Unavailable(String),
    /// The host failed on it.
    Failed,
}

impl Partition {
    /// A task of a run listens.
    pub(super) fn listen(&mut self, run: &RunId, tenant: &TenantId, listening: Listening) {
        // One that is resumed listens already, and looks at what has gone past meanwhile.
        self.unlisten(run, listening.task.clone());
        let id = (*run, listening.task.clone());
        let recorded = listening.from;
        // From here on it is told of what comes; then it looks at what is there.
        self.listen_asleep(*run, tenant, listening, recorded);
        self.listeners.enqueue(&id);
    }

    /// A task of a run listens that was asleep when the host stopped. Whether there is something for it is seen
    /// [later](Self::catch_up).
    pub(super) fn listen_asleep(
        &mut self,
        run: RunId,
        tenant: &TenantId,
        listening: Listening,
        recorded: u64,
    ) {
        let (store, number) = (&*self.shared.store, self.number.0);
        let events = &self.shared.events;
        let attended = events.attend(store, tenant, &listening.topics, number);
        if let Err(error) = &attended {
            self.read_later(tenant, Missed::Told, error);
        }
        let is_attended = attended.is_ok();
        self.listeners
            .add(tenant, run, listening, recorded, is_attended);
    }

    /// Those of a tenant of whose events the partition could not be told before are told of them from now on, and look at
    /// what is there.
    pub(super) fn attend_again(&mut self, tenant: &TenantId) {
        let (store, number) = (&*self.shared.store, self.number.0);
        let listeners = self.listeners.all.values_mut();
        let unattended = listeners.filter(|it| it.tenant == *tenant && !it.is_attended);
        let mut failed = None;
        for listener in unattended {
            let events = &self.shared.events;
            match events.attend(store, tenant, &listener.topics, number) {
                // What came meanwhile nobody has told it of.
                Ok(()) => (listener.is_attended, listener.is_behind) = (true, true),
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            self.read_later(tenant, Missed::Told, &error);
        }
    }

    /// Sees to those that were asleep when the host stopped: there may be events for them that came before they fell
    /// asleep or after, and that nobody has told them of. The log is read once for all of a tenant.
    pub(super) fn catch_up(&mut self) {
        let tenants: Vec<_> = self.listeners.by_topic.keys().cloned().collect();
        tenants.iter().for_each(|it| self.catch_up_with(it));
    }

    pub(super) fn catch_up_with(&mut self, tenant: &TenantId) {
        if let Err(error) = self.read_for(tenant) {
            self.read_later(tenant, Missed::SinceAsleep, &error);
        }
    }

    fn read_for(&mut self, tenant: &TenantId) -> Result<(), ReadError> {
        let (store, events) = (&*self.shared.store, &self.shared.events);
        let first = events.first(store, tenant)?;
        let Some(mut from) = self.listeners.behind(tenant, first) else {
            return Ok(());
        };
        loop {
            let read = events.read(store, tenant, from, EVENTS_AT_A_TIME)?.events;
            let Some(last) = read.last() else {
                return Ok(());
            };
            from = last.position + 1;
            self.listeners.wake(tenant, &read);
        }
    }

    /// There are events in a tenant's log that runs may listen to: wakes those that do.
    pub(super) fn published(&mut self, tenant: TenantId) {
        let (store, number) = (&*self.shared.store, self.number.0);
        let events = &self.shared.events;
        let untold = match events.take(store, &tenant, number, EVENTS_AT_A_TIME) {
            Ok(untold) => untold,
            Err(error) => return self.read_later(&tenant, Missed::Told, &error),
        };
        let Some(untold) = untold else { return };
        // Of what they have not seen, nobody knows whether they would have taken it.
        if let Some(first) = untold.dropped_before {
            self.listeners.behind(&tenant, first);
        }
        self.listeners.wake(&tenant, &untold.events);
        if untold.are_more {
            self.mailbox.push(Message::Published { tenant });
        }
    }

    /// A task of a run listens no longer.
    pub(super) fn unlisten(&mut self, run: &RunId, task: TaskKey) {
        let listener = self.listeners.remove(&(*run, task));
        if let Some(listener) = listener.filter(|it| it.is_attended) {
            let events = &self.shared.events;
            events.neglect(&listener.tenant, &listener.topics, self.number.0);
        }
    }

    /// No task of a run listens any longer.
    pub(super) fn unlisten_all(&mut self, run: &RunId) {
        for (_, task) in self.listeners.of_run(run) {
            self.unlisten(run, task);
        }
    }

    /// Offers events to those for whom there may be some.
    pub(super) fn offer(&mut self, turn: &mut Turn) {
        for _ in 0..AT_A_TIME {
            if self.is_behind() {
                return;
            }
            let Some(id) = self.listeners.queue.pop_front() else {
                return;
            };
            let Some(listener) = self.listeners.all.get(&id) else {
                continue;
            };
            let tenant = listener.tenant.clone();
            self.turn_of(&tenant, turn);
            if !self.wake_listener(&id, turn) {
                continue;
            }
            match self.offer_to(&id, turn) {
                Offered::Taken(logged) => {
                    let (run, task) = id;
                    self.unlisten(&run, task.clone());
                    let event = Event::Received {
                        task,
                        position: logged.position,
                        event: logged.event.clone(),
                    };
                    self.tell(&run, event, turn);
                }
                Offered::Dropped(first) => {
                    let (run, task) = id;
                    self.unlisten(&run, task.clone());
                    self.tell(&run, Event::EventsDropped { task, first }, turn);
                }
                Offered::More => self.listeners.queue.push_back(id),
                Offered::Passed(next) => self.tell_passed(id, next, turn),
                Offered::Nothing => {}
                Offered::Unavailable(reason) => self.pause(&id.0, &reason),
                Offered::Failed => self.set_aside(&id.0, turn),
            }
            if turn.has_taken_long(&self.shared.platform) {
                return;
            }
        }
    }

    /// Wakes the run of a task for which there may be something. Whether it is in memory then: one that can't be loaded
    /// listens no longer, one that can't be read just now listens anew when it can, and one for which there is no room just
    /// now looks later.
    fn wake_listener(&mut self, (run, task): &ListenerId, turn: &mut Turn) -> bool {
        if self.runs.contains_key(run) {
            return true;
        }
        let id = (*run, task.clone());
        let Some(listener) = self.listeners.all.get(&id) else {
            return false;
        };
        let tenant = listener.tenant.clone();
        if self.shared.admission.is_crowded(&tenant) {
            // It is woken when there is.
            self.alarms.set(self.shared.clock.now(), *run, tenant);
            return false;
        }
        self.wake_or_forget(&tenant, run, turn)
    }

    /// Takes a run back into memory, if it is asleep. Whether it is in memory then: one that can't be loaded listens no longer.
    pub(super) fn wake_or_forget(
        &mut self,
        tenant: &TenantId,
        run: &RunId,
        turn: &mut Turn,
    ) -> bool {
        let is_awake = self.wake(tenant, run, turn);
        if !is_awake && !self.aside.has(run) {
            self.unlisten_all(run);
        }
        is_awake
    }

    pub(super) fn tell(&mut self, run: &RunId, event: Event, turn: &mut Turn) {
        let now = self.shared.clock.now();
        let Some(active) = self.runs.get_mut(run) else {
            return;
        };
        let at = active.time(now);
        let _ = self.apply(run, event, at, turn, Recorded::Now);
    }

    /// Offers the next events of the log to a listener.
    fn offer_to(&mut self, id: &ListenerId, turn: &Turn) -> Offered {
        let (Some(listener), Some(run)) = (self.listeners.all.get_mut(id), self.runs.get(&id.0))
        else {
            return Offered::Nothing;
        };
        let store = &*self.shared.store;
        let events = &self.shared.events;
        let limit = match std::mem::take(&mut listener.is_told) {
            true => 1,
            false => EVENTS_AT_A_TIME,
        };
        let slice = match events.read(store, &listener.tenant, listener.next, limit) {
            Ok(slice) => slice,
            Err(error) => {
                listener.is_queued = false;
                listener.is_behind = true;
                let tenant = listener.tenant.clone();
                self.read_later(&tenant, Missed::Told, &error);
                return Offered::Nothing;
            }
        };
        // One that starts at the beginning of all has missed nothing that there was for it.
        if listener.next.max(1) < slice.first {
            return Offered::Dropped(slice.first);
        }
        let count = slice.events.len();
        for logged in slice.events {
            listener.next = logged.position + 1;
            if !listener.topics.include(&logged.event) {
                continue;
            }
            let takes = catch_unwind(AssertUnwindSafe(|| {
                let mut evaluator = run.version.evaluator();
                let (position, event) = (logged.position, &logged.event);
                let takes = run.machine.takes(&id.1, position, event, &mut evaluator);
                evaluator.finish().map(|()| takes)
            }));
            match takes {
                Ok(Ok(false)) if turn.has_taken_long(&self.shared.platform) => {
                    return Offered::More;
                }
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => return Offered::Taken(logged),
                // What is no result of an expression decides nothing.
                Ok(Err(reason)) => return Offered::Unavailable(reason),
                Err(_) => return Offered::Failed,
            }
        }
        if count == limit {
            return Offered::More;
        }
        listener.is_queued = false;
        listener.is_behind = false;
        match listener.recorded < slice.passing.min(listener.next) {
            true => Offered::Passed(listener.next),
            false => Offered::Nothing,
        }
    }
}
