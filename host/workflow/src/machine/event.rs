//! What can happen to a run.

use serde::{Deserialize, Serialize};

use super::approval::Answer;
use crate::cloud_event::CloudEvent;
use crate::data::{Data, Timestamp};
use crate::error::Error;
use crate::pack::packed;

/// A task's identity within a run: where it stands in the document, and how often the run has come to
/// it (`then` can loop, `for` does), from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskKey {
    /// The task's JSON pointer (RFC 6901) into the document: `/do/0/createAccount`.
    pub pointer: std::sync::Arc<str>,
    /// Which of the run's visits to the task, from 1.
    pub visit: u32,
}

packed!(struct TaskKey { pointer, visit });

/// A timer's identity within a run. At most one timer of an identity is set at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TimerKey {
    /// The end of a `wait` task.
    Wait(TaskKey),
    /// The time limit of a task.
    Timeout(TaskKey),
    /// The delay before a `try` task tries again.
    Retry(TaskKey),
    /// The time limit of one attempt of a `try` task (`retry.limit.attempt.duration`).
    Attempt(TaskKey),
    /// The time limit of the run itself.
    RunTimeout,
    /// The end of the time for which a subscription consumes messages (`consume.for`).
    Consume(TaskKey),
}

packed!(
    enum TimerKey {
        Wait(task),
        Timeout(task),
        Retry(task),
        Attempt(task),
        RunTimeout,
        Consume(task),
    }
);

/// What happens to a run. The sequence of its events, each with its time, is a run's journal: the same
/// events make the same run again.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The run starts. The first event of each run, and never another.
    Started {
        /// The workflow's raw input.
        input: Data,
        /// From where on in the log of events the run listens: the position of the next event at its start.
        events_from: u64,
    },
    /// A call, or the run that a task has started, has ended; or, where its end is not awaited, that run has
    /// started.
    Answered {
        /// The task that called, or that ran the other run.
        task: TaskKey,
        /// Which of the task's attempts, from 1. An answer to an earlier attempt than the current one
        /// changes nothing.
        attempt: u32,
        /// The function's result or the run's output, or what it failed with. Of a run that is not awaited only
        /// whether it could be started counts.
        answer: Result<Data, Error>,
    },
    /// A timer has come due.
    Elapsed {
        /// Which one. A timer that is no longer set changes nothing.
        timer: TimerKey,
    },
    /// Somebody wants the run to end: nothing of it goes on, and what it has done is undone.
    CancelRequested {
        /// Who asks.
        by: String,
        /// Why, if they say.
        reason: Option<String>,
    },
    /// Somebody wants the run to end now, whatever is or is not undone.
    StopRequested {
        /// Who asks.
        by: String,
        /// Why, if they say.
        reason: Option<String>,
    },
    /// An event has come that a `listen` takes: see [`super::Machine::takes`].
    Received {
        /// The task that listens.
        task: TaskKey,
        /// The event's position in the log, the same for all runs. An event at a position that the task has gone
        /// past changes nothing.
        position: u64,
        /// The event.
        event: CloudEvent,
    },
    /// The log has dropped events that a `listen` would have had to see.
    EventsDropped {
        /// The task that listens.
        task: TaskKey,
        /// Where the log begins now.
        first: u64,
    },
    /// Somebody wants nothing of the run to go on until they say so.
    SuspendRequested {
        /// Who asks.
        by: String,
        /// Why, if they say.
        reason: Option<String>,
    },
    /// Somebody wants a suspended run to go on.
    ResumeRequested {
        /// Who asks.
        by: String,
        /// Why, if they say.
        reason: Option<String>,
    },
    /// Somebody wants a faulted run to be tried again, from the task that failed: see
    /// [`super::Machine::retriable`]. The one event that comes after the end.
    RetryRequested {
        /// Who asks.
        by: String,
        /// Why, if they say.
        reason: Option<String>,
        /// Under which of the versions that the run has been corrected to, from 0, where it goes on under
        /// another. Who applies the event lets the machine [adopt](super::Machine::adopt) that one before.
        correction: Option<u32>,
    },
    /// A person has decided what a task has asked.
    Decided {
        /// The task that asked.
        task: TaskKey,
        /// Which of the task's attempts, from 1.
        attempt: u32,
        /// What they have decided. That they may and that the data fits has been checked.
        answer: Answer,
    },
    /// A call has handed over an item that its task takes: see [`super::Machine::weigh`].
    Yielded {
        /// The task that called.
        task: TaskKey,
        /// Which of its attempts, from 1. An item of an earlier one changes nothing.
        attempt: u32,
        /// The item: a message.
        item: Data,
    },
    /// A `listen` has been offered all events before a position, and has taken none of those that it was offered
    /// since it last took one: it need not see them again, and they may be dropped.
    EventsPassed {
        /// The task that listens.
        task: TaskKey,
        /// The position of the next event for it. One that the task has gone past changes nothing.
        next: u64,
    },
    /// A call is about to be given the value of a secret. It changes nothing but the history, and is recorded before
    /// the value is given.
    Revealed {
        /// The task that called.
        task: TaskKey,
        /// Which of its attempts, from 1.
        attempt: u32,
        /// What is given to whom.
        reveal: Reveal,
    },
}

packed!(enum Event {
    Started { input, events_from },
    Answered { task, attempt, answer },
    Elapsed { timer },
    CancelRequested { by, reason },
    StopRequested { by, reason },
    Received { task, position, event },
    EventsDropped { task, first },
    SuspendRequested { by, reason },
    ResumeRequested { by, reason },
    RetryRequested { by, reason, correction },
    Decided { task, attempt, answer },
    Yielded { task, attempt, item },
    EventsPassed { task, next },
    Revealed { task, attempt, reveal },
});

/// The value of a secret that a connector was given (`secrets.reveal` in `wit/connector.wit`). Never the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reveal {
    /// The secret's name.
    pub secret: String,
    /// Which of its members, where it has such.
    pub member: Option<String>,
    /// The connector's name.
    pub connector: String,
}

packed!(struct Reveal { secret, member, connector });

/// An event and its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// When it happened, by the clock of the host that recorded it. Never before the one before it.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}
