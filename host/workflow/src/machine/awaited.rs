//! What a run waits for, for people to see: nothing of it decides anything.

use serde_json::Value;

use super::Machine;
use super::approval::Approval;
use super::command::{ChildRun, Invocation};
use super::consumption::{Consumption, Fill};
use super::evaluate::TaskFill;
use super::event::{TaskKey, TimerKey};
use super::task::{Task, Work};
use crate::data::{Data, Timestamp};
use crate::expression::Evaluate;
use crate::plan::{Filter, Kind, Matcher, Strategy, Until};

/// How many of the tasks that wait are told of. A loop side by side may have as many as it has items.
const AWAITED_MAX: usize = 100;

/// What a task waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Awaited {
    /// The task.
    pub task: TaskKey,
    /// Which attempt of this visit of the task, from 1.
    pub attempt: u32,
    /// When the attempt began.
    pub since: Timestamp,
    /// When the wait ends in any case: the end of a pause, or of the nearest time limit around the task.
    pub until: Option<Timestamp>,
    /// For what.
    pub what: AwaitedWhat,
}

/// Something to wait for.
#[derive(Clone, Debug, PartialEq)]
pub enum AwaitedWhat {
    /// The end of a `wait`.
    Time,
    /// The next try of a `try`.
    Retry,
    /// Events.
    Events {
        /// From which position of the log on.
        from: u64,
        /// Which ones are still wanted, in the form of `listen.to`: with what its expressions come to where that can be
        /// known before an event is there, and with what correlated events must have in common by now.
        to: Value,
    },
    /// A person's decision.
    Decision(Box<Approval>),
    /// The answer of a connector's function.
    Answer(Invocation),
    /// The next message of a subscription.
    Message(Invocation),
    /// The end of another run; its start, where it is not awaited.
    Run(ChildRun),
}

impl Machine {
    /// What the run waits for, in the order in which it came to the tasks; 100 at most. Changes nothing.
    pub fn awaited(&self, evaluator: &mut dyn Evaluate) -> Vec<Awaited> {
        let tasks = self.tasks.values();
        let awaited = tasks.filter_map(|task| self.awaited_by(task, evaluator));
        awaited.take(AWAITED_MAX).collect()
    }

    fn awaited_by(&self, task: &Task, evaluator: &mut dyn Evaluate) -> Option<Awaited> {
        let due =
            |timer: fn(TaskKey) -> TimerKey| self.timers.get(&timer(task.key.clone())).copied();
        let limit = due(TimerKey::Timeout)
            .into_iter()
            .chain(task.place.deadline)
            .min();
        let (what, until) = match &task.work {
            Work::Approval(approval) => (AwaitedWhat::Decision(approval.clone()), limit),
            Work::Call(call) => (AwaitedWhat::Answer(call.clone()), limit),
            Work::Run(child) => (AwaitedWhat::Run(child.clone()), limit),
            Work::Subscription(work) => (AwaitedWhat::Message(work.call()?.clone()), limit),
            Work::Listen(_) => {
                let from = self.listening(task)?.from;
                let to = self.wanted(task, evaluator)?;
                (AwaitedWhat::Events { from, to }, limit)
            }
            Work::Wait => (AwaitedWhat::Time, due(TimerKey::Wait)),
            Work::Try(_) => (AwaitedWhat::Retry, Some(due(TimerKey::Retry)?)),
            Work::Beginning | Work::Do | Work::For(_) | Work::Fork(_) => return None,
        };
        Some(Awaited {
            task: task.key.clone(),
            attempt: task.attempt,
            since: task.started_at,
            until,
            what,
        })
    }

    /// The events that a `listen` still wants.
    fn wanted(&self, task: &Task, evaluator: &mut dyn Evaluate) -> Option<Value> {
        let (Kind::Listen(listen), Work::Listen(work)) =
            (&self.plan.node(task.node).kind, &task.work)
        else {
            return None;
        };
        let mut to = self.plan.node(task.node).definition["listen"]["to"].clone();
        let mut fill = TaskFill::new(self, task, evaluator);
        let consumption = work.consumption();
        fill_in(&mut to, &listen.strategy, consumption, &mut fill);
        if let (Strategy::All(_), Some(Value::Array(filters))) =
            (&listen.strategy, to.get_mut("all"))
        {
            let mut satisfied = consumption.satisfied().iter();
            filters.retain(|_| satisfied.next() != Some(&true));
        }
        Some(to)
    }
}

/// Puts what is known into a strategy as the document has it.
fn fill_in(to: &mut Value, strategy: &Strategy, consumption: &Consumption, fill: &mut dyn Fill) {
    let filters = strategy.filters().iter();
    let given = match to {
        Value::Object(members) => members.iter_mut().filter(|(key, _)| *key != "until"),
        _ => return,
    };
    let given = given.flat_map(|(_, given)| match given {
        Value::Array(filters) => filters.as_mut_slice(),
        filter => std::slice::from_mut(filter),
    });
    for (given, filter) in given.zip(filters) {
        fill_in_filter(given, filter, consumption, fill);
    }
    if let Strategy::Any {
        until: Some(Until::Events(until)),
        ..
    } = strategy
        && let Some(given) = to.get_mut("until")
    {
        fill_in(given, until, consumption, fill);
    }
}

fn fill_in_filter(
    given: &mut Value,
    filter: &Filter,
    consumption: &Consumption,
    fill: &mut dyn Fill,
) {
    for (name, matcher) in &filter.attributes {
        let Matcher::Expression(template) = matcher else {
            continue;
        };
        // What is no condition on the attribute is its value, whatever the attribute is.
        let value = fill.on(template, &Data::default());
        if let Ok(value) = value.as_deref()
            && (value.is_string() || value.is_number())
            && let Some(given) = given.pointer_mut("/with").and_then(|it| it.get_mut(name))
        {
            *given = value.clone();
        }
    }
    for correlation in &filter.correlate {
        let known = consumption.keys().get(&correlation.name).cloned();
        let expected = known.or_else(|| {
            let expected = fill.expected(correlation.expect.as_ref()?);
            expected.ok().map(|it| Value::clone(&it))
        });
        let given = given.get_mut("correlate");
        if let (Some(expected), Some(given)) =
            (expected, given.and_then(|it| it.get_mut(&correlation.name)))
        {
            given["expect"] = expected;
        }
    }
}
