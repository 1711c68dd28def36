//! What a run wants done.

use serde::{Deserialize, Serialize};

use super::approval::Approval;
use super::event::{Reveal, TaskKey, TimerKey};
use crate::cloud_event::CloudEvent;
use crate::data::{Data, Timestamp};
use crate::error::Error;
use crate::pack::packed;
use crate::plan::Topics;

/// What a run wants done, in the order in which it wants it.
///
/// Only [`Command::Invoke`], [`Command::StartRun`] and [`Command::Emit`] can touch the world; they may go out only
/// after the event that brought them about is durable, or with it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Call a connector's function, and answer with [`super::Event::Answered`].
    Invoke(Invocation),
    /// Start another run and answer with [`super::Event::Answered`]: with its output or its error when it has
    /// ended or, where it is not awaited, with anything as soon as its start is durable.
    StartRun(ChildRun),
    /// Offer the task the next item that its call hands over, or has handed over: see [`super::Machine::weigh`]. From
    /// the call's beginning on it need not be said that the first one is wanted.
    Pull {
        /// The task that called.
        task: TaskKey,
        /// Which of its attempts.
        attempt: u32,
    },
    /// An answer is no longer wanted. The call may be stopped, the run that is awaited has to be cancelled; an
    /// answer changes nothing.
    Abandon {
        /// The task that called, or that ran the other run.
        task: TaskKey,
        /// Which of its attempts.
        attempt: u32,
    },
    /// Say [`super::Event::Elapsed`] at `due` or as soon after it as possible.
    SetTimer {
        /// Which timer.
        timer: TimerKey,
        /// When it comes due; may be past.
        due: Timestamp,
    },
    /// Forget a timer that has not come due.
    ClearTimer {
        /// Which timer.
        timer: TimerKey,
    },
    /// Something for the run's history.
    Note(Note),
    /// Ask a person, and say [`super::Event::Decided`] when they have decided. What was asked before for the
    /// same task is void.
    Ask(Approval),
    /// A person's decision is no longer wanted; a decision changes nothing.
    Withdraw {
        /// The task that asked.
        task: TaskKey,
    },
    /// The run has ended. The last command of each run, unless it is tried again.
    End(Ending),
    /// Put an event into the log. The same event in every replay.
    Emit(CloudEvent),
    /// Offer the task the events of the log, from a position on and in their order, until it
    /// [takes](super::Machine::takes) one; say [`super::Event::Received`] then, and offer no more.
    Listen(Listening),
    /// The task listens no longer.
    Unlisten {
        /// The task.
        task: TaskKey,
    },
}

/// A task that waits for an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Listening {
    /// The task.
    pub task: TaskKey,
    /// From which position of the log on.
    pub from: u64,
    /// Which types of events may be of interest. Others need not be offered.
    pub topics: Topics,
}

/// A call of a connector's function: the one way out of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// The task that calls.
    pub task: TaskKey,
    /// Which attempt of this visit of the task, from 1.
    pub attempt: u32,
    /// The connector's name, as installed.
    pub connector: String,
    /// The interface that exports the function, where the document names one.
    pub interface: Option<String>,
    /// The function's name.
    pub function: String,
    /// The function's arguments by parameter name.
    pub arguments: Data,
    /// When the answer must be there, where a timeout around the task says so.
    pub deadline: Option<Timestamp>,
    /// Whether the task waits for the answer. What nobody waits for goes on where the run ends by itself: it has to
    /// have begun before the run counts as ended.
    pub awaited: bool,
    /// Whether the items that the call hands over on its way are wanted, rather than its result: see
    /// [`super::Machine::weigh`].
    pub items: bool,
}

packed!(struct Invocation {
    task,
    attempt,
    connector,
    interface,
    function,
    arguments,
    deadline,
    awaited,
    items,
});

/// A run that a run starts (dsl-reference, "Workflow Process").
#[derive(Clone, Debug, PartialEq)]
pub struct ChildRun {
    /// The task that starts it.
    pub task: TaskKey,
    /// Which attempt of this visit of the task, from 1.
    pub attempt: u32,
    /// Of which attempt the run's identity is made: of this one, where it is awaited. What nobody waits for is started
    /// once for each visit, as a call has one idempotency key: of the first one then.
    pub first: u32,
    /// When that attempt began: the same in every replay, so that an identity can be made of it.
    pub at: Timestamp,
    /// The workflow's namespace.
    pub namespace: String,
    /// The workflow's name.
    pub name: String,
    /// The workflow's version; none for the highest one there is.
    pub version: Option<String>,
    /// The raw input.
    pub input: Data,
    /// Whether the task waits for its end.
    pub awaited: bool,
}

packed!(struct ChildRun {
    task,
    attempt,
    first,
    at,
    namespace,
    name,
    version,
    input,
    awaited,
});

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// It ran to completion, with this output.
    Completed(Data),
    /// An error left the workflow.
    Faulted(Error),
    /// Somebody cancelled it.
    Cancelled,
}

/// A line of a run's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// The line's number within the run, from 1 and without gaps: the same in every replay.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: NoteKind,
    /// Which task, and which visit of it; none where the line is about the run itself.
    pub task: Option<TaskKey>,
    /// Which attempt of the task, where it calls or tries.
    pub attempt: Option<u32>,
    /// What else there is to say.
    pub detail: Detail,
}

/// What a line of a run's history says beyond its kind. Data is shared with the run, not copied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detail {
    /// The transformed input of the run or the task that started.
    pub input: Option<Data>,
    /// The transformed output of the run or the task that completed.
    pub output: Option<Data>,
    /// What the run or the task failed with.
    pub error: Option<Error>,
    /// The function that the task calls, as `function@connector`.
    pub function: Option<String>,
    /// The workflow that the task runs, or that the run goes on under from now on, as `namespace/name version`.
    pub workflow: Option<String>,
    /// When a wait ends, or the next attempt begins.
    pub due: Option<Timestamp>,
    /// Who asked for it, or has decided.
    pub by: Option<String>,
    /// Why, if they said.
    pub reason: Option<String>,
    /// What the events had in common that were correlated, by the correlation's name.
    pub correlation_keys: Option<Data>,
    /// The value of a secret that the task's connector was given. Rare, and so kept apart.
    pub reveal: Option<Box<Reveal>>,
}

/// What a line of a run's history says, under the names of the specification's lifecycle events
/// (dsl.md, "Lifecycle Events").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NoteKind {
    /// The run began.
    #[serde(rename = "workflow.started")]
    WorkflowStarted,
    /// The run ended with an output.
    #[serde(rename = "workflow.completed")]
    WorkflowCompleted,
    /// The run ended with an error.
    #[serde(rename = "workflow.faulted")]
    WorkflowFaulted,
    /// The run was cancelled.
    #[serde(rename = "workflow.cancelled")]
    WorkflowCancelled,
    /// The run was suspended.
    #[serde(rename = "workflow.suspended")]
    WorkflowSuspended,
    /// The run was resumed.
    #[serde(rename = "workflow.resumed")]
    WorkflowResumed,
    /// The run had faulted, and is tried again.
    #[serde(rename = "workflow.retried")]
    WorkflowRetried,
    /// The run came to a task.
    #[serde(rename = "task.started")]
    TaskStarted,
    /// A task failed and will be tried again.
    #[serde(rename = "task.retried")]
    TaskRetried,
    /// A task ended with an output.
    #[serde(rename = "task.completed")]
    TaskCompleted,
    /// A task ended with an error.
    #[serde(rename = "task.faulted")]
    TaskFaulted,
    /// A task was ended from outside: by a timeout around it, a lost race or a cancellation.
    #[serde(rename = "task.cancelled")]
    TaskCancelled,
    /// A task's condition (`if`) did not hold. Not among the specification's events, which have no
    /// name for it.
    #[serde(rename = "task.skipped")]
    TaskSkipped,
    /// A task that had completed is being undone (`compensate`). Not among the specification's events, nor
    /// are the other two about this.
    #[serde(rename = "task.compensation.started")]
    TaskCompensationStarted,
    /// A task has been undone.
    #[serde(rename = "task.compensation.completed")]
    TaskCompensationCompleted,
    /// A task could not be undone. What is to be undone besides still is.
    #[serde(rename = "task.compensation.faulted")]
    TaskCompensationFaulted,
    /// A task began to listen for events that have something in common.
    #[serde(rename = "workflow.correlation-started")]
    WorkflowCorrelationStarted,
    /// It has them.
    #[serde(rename = "workflow.correlation-completed")]
    WorkflowCorrelationCompleted,
    /// A task was under way when the run was suspended.
    #[serde(rename = "task.suspended")]
    TaskSuspended,
    /// A task was under way when the run was resumed.
    #[serde(rename = "task.resumed")]
    TaskResumed,
    /// The task's connector was given the value of a secret. Not among the specification's events.
    #[serde(rename = "task.secret.revealed")]
    TaskSecretRevealed,
}

impl NoteKind {
    /// The name, as the history shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::WorkflowStarted => "workflow.started",
            Self::WorkflowCompleted => "workflow.completed",
            Self::WorkflowFaulted => "workflow.faulted",
            Self::WorkflowCancelled => "workflow.cancelled",
            Self::WorkflowSuspended => "workflow.suspended",
            Self::WorkflowResumed => "workflow.resumed",
            Self::WorkflowRetried => "workflow.retried",
            Self::TaskStarted => "task.started",
            Self::TaskRetried => "task.retried",
            Self::TaskCompleted => "task.completed",
            Self::TaskFaulted => "task.faulted",
            Self::TaskCancelled => "task.cancelled",
            Self::TaskSkipped => "task.skipped",
            Self::TaskCompensationStarted => "task.compensation.started",
            Self::TaskCompensationCompleted => "task.compensation.completed",
            Self::TaskCompensationFaulted => "task.compensation.faulted",
            Self::WorkflowCorrelationStarted => "workflow.correlation-started",
            Self::WorkflowCorrelationCompleted => "workflow.correlation-completed",
            Self::TaskSuspended => "task.suspended",
            Self::TaskResumed => "task.resumed",
            Self::TaskSecretRevealed => "task.secret.revealed",
        }
    }
}
