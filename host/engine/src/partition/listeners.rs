//! The runs of a partition that listen to events.
//!
//! A listener is told that there may be something for it; then it reads the log from where it is, until it takes
//! an event or has seen all. Who waits for types that nobody sends is never looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use baton_store::{RunId, TenantId};
use baton_workflow::machine::{Event, Listening, TaskKey};
use baton_workflow::plan::Topics;

use super::passing::Passing;
use super::turn::Turn;
use super::{Partition, Recorded};
use crate::events::Logged;

/// How many listeners one turn looks at, so that an event which many wait for holds up nothing else for long.
const LISTENERS_PER_TURN: usize = 256;

/// How many events of the log a listener is offered at a time.
const EVENTS_AT_A_TIME: usize = 256;

pub(super) type ListenerId = (RunId, TaskKey);

/// The runs of a partition that listen to events.
#[derive(Default)]
pub(super) struct Listeners {
    pub(super) all: BTreeMap<ListenerId, Listener>,
    /// By what they listen to; none for any type.
    by_topic: HashMap<TenantId, HashMap<Option<String>, BTreeSet<ListenerId>>>,
    /// Those for which there may be something.
    queue: VecDeque<ListenerId>,
    /// Those who are to be told that they have gone past what is in a log.
    pub(super) passing: VecDeque<Passing>,
}

pub(super) struct Listener {
    pub(super) tenant: TenantId,
    topics: Topics,
    /// The position of the next event that it has not been offered.
    next: u64,
    /// The same, as the run's journal has it.
    pub(super) recorded: u64,
    pub(super) is_queued: bool,
    /// Whether the log could not be read for it, so that it may not have seen all.
    pub(super) is_behind: bool,
}

impl Listeners {
    fn add(&mut self, tenant: &TenantId, run: RunId, listening: Listening) {
        let id = (run, listening.task);
        let topics = self.by_topic.entry(tenant.clone()).or_default();
        for topic in topics_of(&listening.topics) {
            topics.entry(topic).or_default().insert(id.clone());
        }
        let listener = Listener {
            tenant: tenant.clone(),
            topics: listening.topics,
            next: listening.from,
            recorded: listening.from,
            is_queued: true,
            is_behind: false,
        };
        self.all.insert(id.clone(), listener);
        self.queue.push_back(id);
    }

    fn remove(&mut self, id: &ListenerId) -> Option<Listener> {
        let listener = self.all.remove(id)?;
        if let Some(topics) = self.by_topic.get_mut(&listener.tenant) {
            for topic in topics_of(&listener.topics) {
                if let Some(listeners) = topics.get_mut(&topic) {
                    listeners.remove(id);
                    if listeners.is_empty() {
                        topics.remove(&topic);
                    }
                }
            }
            if topics.is_empty() {
                self.by_topic.remove(&listener.tenant);
            }
        }
        Some(listener)
    }

    /// Events have been added to a tenant's log.
    pub(super) fn wake(&mut self, tenant: &TenantId, events: &[Arc<Logged>]) {
        let Some(topics) = self.by_topic.get(tenant) else {
            return;
        };
        for logged in events {
            let of_type = topics.get(&Some(logged.event.kind().to_owned()));
            for id in of_type.into_iter().chain(topics.get(&None)).flatten() {
                let Some(listener) = self.all.get_mut(id).filter(|it| !it.is_queued) else {
                    continue;
                };
                if logged.position >= listener.next {
                    // What stands between was of no interest, or it would have been woken.
                    listener.next = logged.position;
                    listener.is_queued = true;
                    self.queue.push_back(id.clone());
                }
            }
        }
    }

    /// Whether there may be something for somebody.
    pub(super) fn are_queued(&self) -> bool {
        !self.queue.is_empty()
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

fn topics_of(topics: &Topics) -> Vec<Option<String>> {
    match topics {
        Topics::Any => vec![None],
        Topics::Types(types) => types.iter().cloned().map(Some).collect(),
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
        // From here on it is told of what comes; then it looks at what is there.
        let attended = self.shared.events.attend(
            &*self.shared.store,
            tenant,
            &listening.topics,
            self.number.0,
        );
        if let Err(error) = attended {
            tracing::error!(%tenant, %run, %error, "a run can't listen until the host is restarted");
            return;
        }
        self.listeners.add(tenant, *run, listening);
    }

    /// A task of a run listens no longer.
    pub(super) fn unlisten(&mut self, run: &RunId, task: TaskKey) {
        if let Some(listener) = self.listeners.remove(&(*run, task)) {
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
        for _ in 0..LISTENERS_PER_TURN {
            if self.is_behind() {
                return;
            }
            let Some(id) = self.listeners.queue.pop_front() else {
                return;
            };
            match self.offer_to(&id) {
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
                Offered::Failed => self.set_aside(&id.0),
            }
        }
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
    fn offer_to(&mut self, id: &ListenerId) -> Offered {
        let (Some(listener), Some(run)) = (self.listeners.all.get_mut(id), self.runs.get(&id.0))
        else {
            return Offered::Nothing;
        };
        let store = &*self.shared.store;
        let events = &self.shared.events;
        let slice = match events.read(store, &listener.tenant, listener.next, EVENTS_AT_A_TIME) {
            Ok(slice) => slice,
            Err(error) => {
                tracing::error!(run = %id.0, %error, "the event log can't be read");
                listener.is_queued = false;
                listener.is_behind = true;
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
            if !listener.topics.include(logged.event.kind()) {
                continue;
            }
            let takes = catch_unwind(AssertUnwindSafe(|| {
                let mut evaluator = run.version.evaluator();
                let (position, event) = (logged.position, &logged.event);
                let takes = run.machine.takes(&id.1, position, event, &mut evaluator);
                evaluator.finish().map(|()| takes)
            }));
            match takes {
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => return Offered::Taken(logged),
                // What is no result of an expression decides nothing.
                Ok(Err(reason)) => return Offered::Unavailable(reason),
                Err(_) => return Offered::Failed,
            }
        }
        if count == EVENTS_AT_A_TIME {
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
