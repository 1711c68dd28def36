//! Subscriptions: calls that bring one message after another.
//!
//! Messages are taken one at a time. What comes while one is worked on waits outside, with whoever makes the call,
//! so that only what a task takes is in the run's journal. A call whose task needs no more of it is abandoned; one that
//! ends by itself leaves the task with what it has brought.

use super::command::{Command, Invocation};
use super::evaluate::TaskFill;
use super::event::{TaskKey, TimerKey};
use super::iteration::Iteration;
use super::task::{TaskId, Work};
use super::{Machine, Turn};
use crate::data::{Data, Timestamp};
use crate::error::Error;
use crate::expression::Evaluate;
use crate::machine::consumption::Fill as _;
use crate::pack::packed;
use crate::plan::{Enough, Kind, Node, Subscription, truthy};

/// How far a subscription is.
#[derive(Debug)]
pub(super) struct SubscriptionWork {
    call: Invocation,
    source: Source,
    /// How many messages have been taken.
    taken: u64,
    pub(super) iteration: Iteration,
}

packed!(struct SubscriptionWork { call, source, taken, iteration });

/// Where the messages come from.
#[derive(Debug)]
enum Source {
    /// The call is under way.
    Open,
    /// It has ended, or no more is wanted of it.
    Closed,
    /// It has failed.
    Failed(Error),
}

packed!(
    enum Source {
        Open,
        Closed,
        Failed(error),
    }
);

impl SubscriptionWork {
    /// The call, where it is under way.
    pub(super) fn call(&self) -> Option<&Invocation> {
        matches!(self.source, Source::Open).then_some(&self.call)
    }

    /// Whether the call has failed.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.source, Source::Failed(_))
    }

    /// The call as it is made again, as that attempt; none where it had come to its end.
    pub(super) fn call_again(
        &mut self,
        attempt: u32,
        deadline: Option<Timestamp>,
    ) -> Option<&Invocation> {
        if let Source::Closed = self.source {
            return None;
        }
        self.source = Source::Open;
        self.call.attempt = attempt;
        self.call.deadline = deadline;
        Some(&self.call)
    }
}

/// What is to become of an item that a call has handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The task takes it: say [`super::Event::Yielded`].
    Taken,
    /// The task's filter does not let it through. The next one is wanted.
    PassedOver,
    /// The task is at work on another one, or the run is suspended: offer it again when
    /// [`Command::Pull`](super::Command::Pull) asks for it.
    Later,
    /// Nothing is wanted of the call any more.
    Unwanted,
}

impl Machine {
    /// What is to become of an item that a task's call has handed over. Changes nothing, so that only the items that
    /// a run takes need be recorded.
    pub fn weigh(
        &self,
        task: &TaskKey,
        attempt: u32,
        item: &Data,
        evaluator: &mut dyn Evaluate,
    ) -> Weight {
        let Some(task) = self.keys.get(task).map(|id| &self.tasks[id]) else {
            return Weight::Unwanted;
        };
        let Work::Subscription(work) = &task.work else {
            return Weight::Unwanted;
        };
        if work.call().is_none_or(|call| call.attempt != attempt) {
            return Weight::Unwanted;
        }
        if self.held.is_some() || !work.iteration.is_idle() {
            return Weight::Later;
        }
        let Some(filter) = &subscription(self.plan.node(task.node)).filter else {
            return Weight::Taken;
        };
        // As with events, an expression that fails on it does not let it through: messages of another form are
        // nobody's fault.
        let said = TaskFill::new(self, task, evaluator).on(filter, item);
        match said.is_ok_and(|said| truthy(&said)) {
            true => Weight::Taken,
            false => Weight::PassedOver,
        }
    }
}

impl Turn<'_> {
    pub(super) fn begin_subscription(&mut self, id: TaskId, it: &Subscription) {
        let invocation = self.invocation(id, &it.call);
        let time = it.time.as_ref();
        let time = time.map(|time| self.duration(id, time)).transpose();
        let (invocation, time) = match (invocation, time) {
            (Ok(invocation), Ok(time)) => (invocation, time),
            (Err(error), _) | (_, Err(error)) => return self.fail(id, error),
        };
        let call = Invocation {
            items: true,
            ..invocation
        };
        if let Some(time) = time {
            let due = self.at.after(time);
            self.set_timer(TimerKey::Consume(call.task.clone()), due);
        }
        self.commands.push(Command::Invoke(call.clone()));
        self.task_mut(id).work = Work::Subscription(Box::new(SubscriptionWork {
            call,
            source: Source::Open,
            taken: 0,
            iteration: Iteration::default(),
        }));
    }

    /// The call has brought a message that the task takes.
    pub(super) fn yielded(&mut self, key: &TaskKey, attempt: u32, item: Data) {
        let Some(&id) = self.run.keys.get(key) else {
            return;
        };
        let Work::Subscription(work) = &mut self.task_mut(id).work else {
            return;
        };
        let is_wanted = work.call().is_some_and(|call| call.attempt == attempt);
        if !is_wanted || !work.iteration.is_idle() {
            return;
        }
        work.taken += 1;
        let taken = work.taken;
        let plan = self.run.plan.clone();
        // The last one is known beforehand: no more is read while it is worked on.
        if let Enough::Amount(amount) = subscription(plan.node(self.run.tasks[&id].node)).enough
            && taken >= amount
        {
            self.close_source(id);
        }
        self.feed(id, item);
    }

    /// A message has been worked on. Whether the task goes on.
    pub(super) fn consume_further(&mut self, id: TaskId) -> bool {
        match self.is_enough(id) {
            Ok(false) => self.pull_or_end(id),
            Ok(true) => {
                self.complete_subscription(id);
                false
            }
            Err(error) => {
                self.fail(id, error);
                false
            }
        }
    }

    /// The call has ended by itself. What it has brought is worked on to its end.
    pub(super) fn source_ended(&mut self, id: TaskId, attempt: u32, answer: Result<Data, Error>) {
        let work = self.subscription_work(id);
        if work.call().is_none_or(|call| call.attempt != attempt) {
            return;
        }
        work.source = match answer {
            Ok(_) => Source::Closed,
            Err(error) => Source::Failed(error.bounded()),
        };
        if work.iteration.is_idle() {
            self.pull_or_end(id);
        }
    }

    /// The time for which the task consumes is over. What it is at work on it ends.
    pub(super) fn consumed_long_enough(&mut self, id: TaskId) {
        self.close_source(id);
        if self.subscription_work(id).iteration.is_idle() {
            self.pull_or_end(id);
        }
    }

    /// The run goes on: what has been handed over meanwhile is wanted.
    pub(super) fn pull_all(&mut self) {
        let tasks = self.run.tasks.values();
        let pulls = tasks.filter_map(|task| match &task.work {
            Work::Subscription(work) if work.iteration.is_idle() => work.call().map(pull),
            _ => None,
        });
        let pulls: Vec<Command> = pulls.collect();
        self.commands.extend(pulls);
    }

    /// A task's work is over: where its call is still under way, no more is wanted of it.
    pub(super) fn unsubscribe(&mut self, work: &Work) {
        if let Work::Subscription(work) = work
            && let Some(call) = work.call()
        {
            self.commands.push(Command::Abandon {
                task: call.task.clone(),
                attempt: call.attempt,
            });
        }
    }

    /// Whether there have been enough messages.
    fn is_enough(&mut self, id: TaskId) -> Result<bool, Error> {
        let plan = self.run.plan.clone();
        let work = self.subscription_work(id);
        let (taken, so_far) = (work.taken, work.iteration.outputs().clone());
        let place = self.run.tasks[&id].place.clone();
        match &subscription(plan.node(self.run.tasks[&id].node)).enough {
            Enough::Amount(amount) => Ok(taken >= *amount),
            Enough::While(condition) => {
                let holds = self.fill_on(id, condition, &so_far, &place)?;
                Ok(!truthy(&holds))
            }
            Enough::Until(condition) => {
                let holds = self.fill_on(id, condition, &so_far, &place)?;
                Ok(truthy(&holds))
            }
        }
    }

    /// Asks for the next message, where there can be one. Whether the task goes on.
    fn pull_or_end(&mut self, id: TaskId) -> bool {
        let work = self.subscription_work(id);
        match &work.source {
            Source::Open => {
                let pull = pull(&work.call);
                self.commands.push(pull);
                return true;
            }
            Source::Closed => self.complete_subscription(id),
            Source::Failed(error) => {
                let error = error.clone();
                self.fail(id, error);
            }
        }
        false
    }

    fn complete_subscription(&mut self, id: TaskId) {
        self.close_source(id);
        let outputs = self.subscription_work(id).iteration.outputs().clone();
        self.complete(id, outputs, None);
    }

    /// Wants no more of the call, where it is under way.
    fn close_source(&mut self, id: TaskId) {
        let work = &mut self.subscription_work(id);
        let Source::Open = work.source else { return };
        work.source = Source::Closed;
        let abandon = Command::Abandon {
            task: work.call.task.clone(),
            attempt: work.call.attempt,
        };
        self.commands.push(abandon);
    }

    fn subscription_work(&mut self, id: TaskId) -> &mut SubscriptionWork {
        match &mut self.task_mut(id).work {
            Work::Subscription(work) => work,
            _ => unreachable!("only a subscription consumes"),
        }
    }
}

fn pull(call: &Invocation) -> Command {
    Command::Pull {
        task: call.task.clone(),
        attempt: call.attempt,
    }
}

fn subscription(node: &Node) -> &Subscription {
    match &node.kind {
        Kind::Subscription(it) => it,
        _ => unreachable!("only a subscription consumes"),
    }
}
