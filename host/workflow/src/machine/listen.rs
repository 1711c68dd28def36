//! `listen`: waits for events, those of the log from the run's start on.
//!
//! Events are taken one at a time: the log itself is the queue of those that wait while one is worked on. An
//! event that a `listen` of the run has consumed is not taken again by one that starts after it has completed;
//! one that failed or was cancelled has consumed nothing. Those that listen at the same time each get it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::command::{Command, Detail, Listening, NoteKind};
use super::consumption::{Consumption, Take};
use super::evaluate::TaskFill;
use super::event::TaskKey;
use super::iteration::Iteration;
use super::task::{Task, TaskId, Work};
use super::{Machine, Turn};
use crate::cloud_event::CloudEvent;
use crate::data::Data;
use crate::error::{Error, ErrorKind};
use crate::expression::Evaluate;
use crate::pack::packed;
use crate::plan::{Kind, Listen, Strategy, Topics, Until, truthy};

/// How far a `listen` is.
#[derive(Debug)]
pub(super) struct ListenWork {
    consumption: Consumption,
    /// The position from which on it takes events.
    next: u64,
    /// The positions of those that it has taken.
    taken: Vec<u64>,
    /// What the run had consumed before it began.
    before: Arc<BTreeSet<u64>>,
    /// Which events it waits for, rather than working on one; none where it does not.
    topics: Option<Topics>,
    pub(super) iteration: Iteration,
}

packed!(struct ListenWork { consumption, next, taken, before, topics, iteration });

/// Which events of the log a run can still listen to.
#[derive(Debug, Default)]
pub(super) struct ListenedEvents {
    /// All before this position are none of it.
    from: u64,
    /// Those behind it that have been consumed.
    consumed: Arc<BTreeSet<u64>>,
}

packed!(struct ListenedEvents { from, consumed });

impl ListenWork {
    /// Whether it waits for an event, with nothing to do for the ones before.
    pub(super) fn is_waiting(&self) -> bool {
        self.topics.is_some()
    }

    /// How far its strategy is.
    pub(super) fn consumption(&self) -> &Consumption {
        &self.consumption
    }
}

impl ListenedEvents {
    /// The run starts, and listens from there on.
    pub(super) fn begin(&mut self, from: u64) {
        self.from = from;
    }

    /// Events at these positions have been consumed.
    fn consume(&mut self, taken: Vec<u64>) {
        let consumed = Arc::make_mut(&mut self.consumed);
        consumed.extend(taken);
        while consumed.first() == Some(&self.from) {
            consumed.pop_first();
            self.from += 1;
        }
    }
}

impl Machine {
    /// Whether a task that [listens](Command::Listen) takes the event at that position of the log. Changes
    /// nothing, so that only the events that a run takes need be recorded. A suspended run takes none, and
    /// listens from where it was when it is resumed.
    pub fn takes(
        &self,
        task: &TaskKey,
        position: u64,
        event: &CloudEvent,
        evaluator: &mut dyn Evaluate,
    ) -> bool {
        let Some(id) = self.keys.get(task).filter(|_| self.held.is_none()) else {
            return false;
        };
        self.judge(*id, position, event, evaluator).is_some()
    }

    fn judge(
        &self,
        id: TaskId,
        position: u64,
        event: &CloudEvent,
        evaluator: &mut dyn Evaluate,
    ) -> Option<Take> {
        let task = &self.tasks[&id];
        let Work::Listen(work) = &task.work else {
            return None;
        };
        if !work.is_waiting() || position < work.next || work.before.contains(&position) {
            return None;
        }
        // A run that took what tells of itself would tell of that too, and so without end.
        if event.is_lifecycle() && event.subject() == Some(&*self.facts.id) {
            return None;
        }
        let mut fill = TaskFill::new(self, task, evaluator);
        work.consumption
            .judge(&self.listen(task).strategy, event, &mut fill)
    }

    /// What a task waits for, where it waits for an event.
    pub(super) fn listening(&self, task: &Task) -> Option<Listening> {
        match &task.work {
            Work::Listen(work) => Some(Listening {
                task: task.key.clone(),
                from: work.next,
                topics: work.topics.clone()?,
            }),
            _ => None,
        }
    }

    fn listen(&self, task: &Task) -> &Listen {
        match &self.plan.node(task.node).kind {
            Kind::Listen(listen) => listen,
            _ => unreachable!("only a `listen` listens"),
        }
    }
}

impl Turn<'_> {
    pub(super) fn begin_listen(&mut self, id: TaskId, listen: &Listen) {
        let work = ListenWork {
            consumption: Consumption::new(&listen.strategy),
            next: self.run.events.from,
            taken: Vec::new(),
            before: self.run.events.consumed.clone(),
            topics: None,
            iteration: Iteration::default(),
        };
        let task = self.task_mut(id);
        task.work = Work::Listen(work);
        let (key, attempt) = (task.key.clone(), task.attempt);
        if listen.strategy.correlates() {
            let kind = NoteKind::WorkflowCorrelationStarted;
            self.note(kind, Some(key), Some(attempt), Detail::default());
        }
        self.subscribe_or_complete(id, &listen.strategy);
    }

    /// An event has come that the task takes.
    pub(super) fn received(&mut self, key: &TaskKey, position: u64, event: &CloudEvent) {
        let Some(&id) = self.run.keys.get(key) else {
            return;
        };
        let Some(take) = self.run.judge(id, position, event, self.evaluator) else {
            return;
        };
        let plan = self.run.plan.clone();
        let Kind::Listen(listen) = &plan.node(self.run.tasks[&id].node).kind else {
            return;
        };
        let is_of_until = take.is_of_until();
        let work = self.listen_work(id);
        work.topics = None;
        work.next = position.saturating_add(1);
        work.taken.push(position);
        work.consumption.take(take);
        if is_of_until {
            self.subscribe_or_complete(id, &listen.strategy);
        } else {
            self.feed(id, event.read(listen.read));
        }
    }

    /// An event has been worked on. Whether the task goes on.
    pub(super) fn listen_further(&mut self, id: TaskId) -> bool {
        let plan = self.run.plan.clone();
        let Kind::Listen(listen) = &plan.node(self.run.tasks[&id].node).kind else {
            unreachable!("only a `listen` listens")
        };
        let Strategy::Any {
            until: Some(Until::Condition(condition)),
            ..
        } = &listen.strategy
        else {
            return self.subscribe_or_complete(id, &listen.strategy);
        };
        let so_far = self.listen_work(id).iteration.outputs().clone();
        let place = self.run.tasks[&id].place.clone();
        match self.fill_on(id, condition, &so_far, &place) {
            Ok(holds) if truthy(&holds) => {
                self.complete_listen(id);
                false
            }
            Ok(_) => self.subscribe_or_complete(id, &listen.strategy),
            Err(error) => {
                self.fail(id, error);
                false
            }
        }
    }

    /// Waits for the next event, unless there have been enough. Whether the task goes on.
    fn subscribe_or_complete(&mut self, id: TaskId, strategy: &Strategy) -> bool {
        let work = self.listen_work(id);
        if work.consumption.is_complete(strategy) {
            self.complete_listen(id);
            return false;
        }
        let consumption = work.consumption.clone();
        let mut fill = TaskFill::new(self.run, &self.run.tasks[&id], self.evaluator);
        let topics = consumption.topics(strategy, &mut fill);
        self.listen_work(id).topics = Some(topics);
        let listening = self.run.listening(&self.run.tasks[&id]);
        self.commands
            .push(Command::Listen(listening.expect("it has just subscribed")));
        true
    }

    fn complete_listen(&mut self, id: TaskId) {
        let task = &self.run.tasks[&id];
        if self.run.listen(task).strategy.correlates() {
            let (key, attempt) = (task.key.clone(), task.attempt);
            let keys = self.listen_work(id).consumption.keys();
            let keys: serde_json::Map<String, Value> = keys
                .iter()
                .map(|(name, key)| (name.clone(), key.clone()))
                .collect();
            let detail = Detail {
                correlation_keys: Some(Data::new(Value::Object(keys))),
                ..Detail::default()
            };
            let kind = NoteKind::WorkflowCorrelationCompleted;
            self.note(kind, Some(key), Some(attempt), detail);
        }
        let outputs = self.listen_work(id).iteration.outputs().clone();
        self.complete(id, outputs, None);
    }

    /// Events that the task would have had to see are gone.
    pub(super) fn events_dropped(&mut self, key: &TaskKey, first: u64) {
        let Some(&id) = self.run.keys.get(key) else {
            return;
        };
        let next = match &self.run.tasks[&id].work {
            Work::Listen(work) if work.is_waiting() && work.next < first => work.next,
            _ => return,
        };
        self.fail(
            id,
            Error::new(
                ErrorKind::Runtime,
                "Events have been dropped that the task would have had to see",
                format!(
                    "it listens from event {next} of the log on, which begins with event {first} now: events are kept \
                     for a time and up to a size that the operator sets; let runs that listen late start later"
                ),
            ),
        );
    }

    /// Events have come that the task has not taken.
    pub(super) fn events_passed(&mut self, key: &TaskKey, next: u64) {
        let Some(&id) = self.run.keys.get(key) else {
            return;
        };
        if let Work::Listen(work) = &mut self.task_mut(id).work
            && work.is_waiting()
        {
            work.next = work.next.max(next);
        }
    }

    /// A task has completed: where it is a `listen`, its events are consumed.
    pub(super) fn consume(&mut self, id: TaskId) {
        if let Work::Listen(work) = &mut self.task_mut(id).work {
            // Its own view of the past need not be kept apart any more.
            work.before = Arc::default();
            let taken = std::mem::take(&mut work.taken);
            self.run.events.consume(taken);
        }
    }

    /// A task's work is over: where it waits for an event, it does so no longer.
    pub(super) fn unlisten(&mut self, key: &TaskKey, work: &Work) {
        if let Work::Listen(work) = work
            && work.is_waiting()
        {
            self.commands.push(Command::Unlisten { task: key.clone() });
        }
    }

    fn listen_work(&mut self, id: TaskId) -> &mut ListenWork {
        match &mut self.task_mut(id).work {
            Work::Listen(work) => work,
            _ => unreachable!("only a `listen` listens"),
        }
    }
}
