//! Tasks under way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::approval::Approval;
use super::command::{ChildRun, Command, Invocation};
use super::compensate::Ledger;
use super::event::TaskKey;
use super::lines::Lines;
use super::listen::ListenWork;
use super::subscription::SubscriptionWork;
use super::visits::FrameId;
use crate::data::{Data, Timestamp};
use crate::error::Error;
use crate::pack::{Damaged, Pack, Packer, Unpacker, packed};
use crate::plan::{Edge, NodeId};

/// A task under way, by the order in which the run came to it: what is inside a task has a greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskId(pub(super) u32);

packed!(struct TaskId(number));

/// A task under way.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) node: NodeId,
    pub(super) key: TaskKey,
    /// Which attempt of this visit it is, from 1.
    pub(super) attempt: u32,
    pub(super) place: Place,
    /// `$task.input`.
    pub(super) raw_input: Data,
    /// `$input`.
    pub(super) input: Data,
    pub(super) started_at: Timestamp,
    /// How long it may take, where its `timeout` says so.
    pub(super) limit: Option<Duration>,
    /// What its work has given and where that leads, where no output could be made of it.
    pub(super) done: Option<(Data, Option<Edge>)>,
    /// Who has decided what it asked, and what they said to it.
    pub(super) decided: Option<Box<Verdict>>,
    /// `$authorization`: null where the task has none, or not yet.
    pub(super) authorization: Data,
    pub(super) work: Work,
    /// How far the extensions around it are, where there are any.
    pub(super) extending: Option<Box<Extending>>,
}

packed!(struct Task {
    node,
    key,
    attempt,
    place,
    raw_input,
    input,
    started_at,
    limit,
    done,
    decided,
    authorization,
    work,
    extending,
});

/// A decision, as the task's end in the history tells of it, whatever becomes of the output.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) by: String,
    pub(super) comment: Option<String>,
}

packed!(struct Verdict { by, comment });

/// How far the extensions around a task are.
#[derive(Debug)]
pub(super) struct Extending {
    /// Whether they apply: of those that have been looked at, in their order.
    pub(super) applied: Vec<bool>,
    pub(super) stage: Stage,
}

packed!(struct Extending { applied, stage });

/// What an extended task is at.
#[derive(Debug)]
pub(super) enum Stage {
    /// What is to be done before its own work.
    Before,
    /// Its own work.
    Own,
    /// What is to be done after its own work.
    After {
        /// The extension that is to be looked at next.
        next: usize,
        /// What the task itself has come to.
        outcome: Outcome,
    },
}

packed!(enum Stage { Before, Own, After { next, outcome } });

/// What a task has come to.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// `$task.output`.
    pub(super) raw_output: Data,
    pub(super) output: Data,
    /// Where it leads.
    pub(super) edge: Edge,
}

packed!(struct Outcome { raw_output, output, edge });

impl Task {
    /// What says that no answer to what the task has asked for is wanted any more, where it waits for one.
    pub(super) fn abandonment(&self) -> Option<Command> {
        match &self.work {
            Work::Call(Invocation { attempt, .. }) | Work::Run(ChildRun { attempt, .. }) => {
                Some(Command::Abandon {
                    task: self.key.clone(),
                    attempt: *attempt,
                })
            }
            Work::Approval(_) => Some(Command::Withdraw {
                task: self.key.clone(),
            }),
            _ => None,
        }
    }
}

/// Where a task runs.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The task that it is inside of; none at the top.
    pub(super) parent: Option<TaskId>,
    /// Which of the parent's lines of work it belongs to: a branch of `fork`, an iteration of `for`.
    pub(super) slot: u32,
    /// The context that it reads and exports to.
    pub(super) context: ContextId,
    /// The variables that the tasks around it have set: an item, an index, an error.
    pub(super) variables: Variables,
    /// When the nearest timeout around it runs out.
    pub(super) deadline: Option<Timestamp>,
    /// What is around it that can be made again, so that its visits must keep their numbers.
    pub(super) frame: Option<FrameId>,
    /// The task that the extension around it extends, which is its `$task`.
    pub(super) extended: Option<TaskId>,
}

packed!(struct Place { parent, slot, context, variables, deadline, frame, extended });

impl Place {
    /// The place inside the task `parent`, which itself is here.
    pub(super) fn inside(&self, parent: TaskId) -> Self {
        Self {
            parent: Some(parent),
            slot: 0,
            ..self.clone()
        }
    }

    /// The place at the top of the workflow, under no time limit.
    pub(super) fn outermost(context: ContextId) -> Self {
        Self {
            parent: None,
            slot: 0,
            context,
            variables: Variables::default(),
            deadline: None,
            frame: None,
            extended: None,
        }
    }

    /// The same place, with one more variable.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: Data) -> Self {
        self.variables = self.variables.with(name, value);
        self
    }
}

/// How far a task is.
#[derive(Debug)]
pub(super) enum Work {
    /// Between entering and its own beginning, and behind its own end.
    Beginning,
    Approval(Box<Approval>),
    Call(Invocation),
    Do,
    For(ForWork),
    Fork(Lines),
    Listen(ListenWork),
    Run(ChildRun),
    Subscription(Box<SubscriptionWork>),
    Try(TryWork),
    Wait,
}

packed!(
    enum Work {
        Beginning,
        Approval(approval),
        Call(call),
        Do,
        For(work),
        Fork(lines),
        Listen(work),
        Run(child),
        Subscription(work),
        Try(work),
        Wait,
    }
);

/// How far a loop is.
#[derive(Debug)]
pub(super) struct ForWork {
    /// An array.
    pub(super) items: Data,
    /// The iteration under way, from 0; side by side, the next one to begin.
    pub(super) index: usize,
    /// What the iteration under way was given.
    pub(super) last: Data,
    /// The iterations, where they run side by side.
    pub(super) lines: Option<Lines>,
}

packed!(struct ForWork { items, index, last, lines });

/// How far a `try` is.
#[derive(Debug)]
pub(super) struct TryWork {
    /// How many times it has tried again.
    pub(super) retries: u32,
    /// Since when it has tried.
    pub(super) since: Timestamp,
    /// How long an attempt may take.
    pub(super) limit: Option<Duration>,
    pub(super) phase: TryPhase,
    /// The numbers of the visits inside the body, where each call keeps its identity over all attempts; then of those
    /// inside the handler.
    pub(super) frame: FrameId,
    /// What has completed inside and could be undone.
    pub(super) ledger: Ledger,
}

packed!(struct TryWork { retries, since, limit, phase, frame, ledger });

/// What a `try` is at.
#[derive(Debug, PartialEq)]
pub(super) enum TryPhase {
    /// The body is under way.
    Trying,
    /// Between two attempts.
    Pausing,
    /// What the body has done is being undone.
    Undoing {
        /// The error that left the body or the handler.
        error: Error,
        /// Whether it is handled then; else it goes on.
        handled: bool,
    },
    /// `catch.do` is under way.
    Handling,
}

packed!(enum TryPhase { Trying, Pausing, Undoing { error, handled }, Handling });

/// A context, by number: each branch of a fork works on its own copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ContextId(u32);

packed!(struct ContextId(number));

/// The contexts of a run.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    values: BTreeMap<ContextId, Data>,
    next: u32,
}

packed!(struct Contexts { values, next });

impl Contexts {
    pub(super) fn get(&self, id: ContextId) -> &Data {
        &self.values[&id]
    }

    pub(super) fn set(&mut self, id: ContextId, value: Data) {
        self.values.insert(id, value);
    }

    pub(super) fn add(&mut self, value: Data) -> ContextId {
        let id = ContextId(self.next);
        self.next += 1;
        self.values.insert(id, value);
        id
    }

    pub(super) fn remove(&mut self, id: ContextId) {
        self.values.remove(&id);
    }
}

/// Variables, the innermost first. Cheap to copy: what is around a task is shared with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(Option<Arc<Variable>>);

#[derive(Debug)]
struct Variable {
    name: String,
    value: Data,
    outer: Variables,
}

impl Variables {
    /// These variables, and one more that hides one of the same name.
    pub(super) fn with(&self, name: &str, value: Data) -> Self {
        Self(Some(Arc::new(Variable {
            name: name.to_owned(),
            value,
            outer: self.clone(),
        })))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let mut next = self;
        while let Some(variable) = &next.0 {
            if variable.name == name {
                return Some(&variable.value);
            }
            next = &variable.outer;
        }
        None
    }
}

/// Not by recursion: functions that call one another make a chain far longer than any document is deep.
impl Pack for Variables {
    fn pack(&self, out: &mut Packer) {
        let mut new = Vec::new();
        let mut next = self;
        let known = loop {
            let Some(variable) = &next.0 else {
                break None;
            };
            if let Some(number) = out.known(variable) {
                break Some(number);
            }
            new.push(variable);
            next = &variable.outer;
        };
        known.pack(out);
        new.len().pack(out);
        for variable in new.into_iter().rev() {
            variable.name.pack(out);
            variable.value.pack(out);
            out.remember(variable);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged> {
        let mut variables = match Option::unpack(from)? {
            None => Self::default(),
            Some(number) => Self(Some(from.shared(number)?)),
        };
        for _ in 0..usize::unpack(from)? {
            let name = String::unpack(from)?;
            variables = variables.with(&name, Data::unpack(from)?);
            variables.0.iter().for_each(|it| from.remember(it));
        }
        Ok(variables)
    }
}
