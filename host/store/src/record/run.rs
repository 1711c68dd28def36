//! What a run is made of. All times are milliseconds since 1970-01-01T00:00:00Z.

mod former;

use serde::{Deserialize, Serialize};

use super::{DecodeError, Json, Record, decode_form, encode_form, records};

records! {
    EventRecord = "event",
    EndRecord = "end",
    RestartRecord = "restart",
    TimerRecord = "timer",
}

/// What a run is and keeps. Written with the run's first event, and again only when it is corrected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The workflow version that it runs.
    pub workflow: WorkflowPinRecord,
    /// The digest of the expression language's component.
    pub language: [u8; 32],
    /// The connectors that the workflow names, as they were when the run started, by name.
    pub connectors: Vec<PinRecord>,
    /// What the client has tagged it with, by key.
    pub tags: Vec<(String, String)>,
    /// When it started.
    pub started_at_ms: i64,
    /// The runtime's descriptor (`$runtime`) of the host that started it.
    pub runtime: Json,
    /// What started it.
    pub origin: OriginRecord,
    /// `$secrets`: placeholders, and what is no secret of them; an object. Since version 3.
    pub secrets: Json,
    /// The corrected versions of the workflow under which it was tried again after a fault, in that order.
    /// Added to with the event that says so. Since version 4.
    pub corrections: Vec<CorrectionRecord>,
    /// The largest event that it may emit, in bytes of its JSON form. Since version 5; no bound before.
    pub event_bytes: u64,
    /// The client's key that its start can be sent again under: [`crate::key::idempotency`] goes with the run. Since
    /// version 6; not known before.
    pub idempotency_key: Option<String>,
}

/// A corrected version of its workflow, under which a run goes on, and what the run keeps with that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionRecord {
    /// The workflow version.
    pub workflow: WorkflowPinRecord,
    /// The connectors that it names: those that the run kept before, and what is new.
    pub connectors: Vec<PinRecord>,
    /// `$secrets`: what the run kept before, and what is new.
    pub secrets: Json,
}

impl RunRecord {
    /// The workflow version that it runs now.
    pub fn current_workflow(&self) -> &WorkflowPinRecord {
        self.corrections
            .last()
            .map_or(&self.workflow, |it| &it.workflow)
    }

    /// The connectors that it keeps now.
    pub fn current_connectors(&self) -> &[PinRecord] {
        self.corrections
            .last()
            .map_or(&self.connectors, |it| &it.connectors)
    }

    /// `$secrets` as it is now.
    pub fn current_secrets(&self) -> &Json {
        self.corrections
            .last()
            .map_or(&self.secrets, |it| &it.secrets)
    }
}

/// What started a run. New kinds are added at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OriginRecord {
    /// Somebody who asked for it.
    Request,
    /// Another run, its parent.
    Run(ParentRecord),
    /// The workflow's schedule.
    Schedule(ScheduledRecord),
    /// Somebody who wanted another run once more.
    Restart(RestartRecord),
}

/// What of a workflow's schedule started a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledRecord {
    /// The key of the schedule: `every`, `cron`, `after`, `on`.
    pub kind: String,
    /// When the run was due.
    pub due_ms: i64,
    /// How many starts before it were due and missed.
    pub missed: u32,
}

/// That a run does what another one has done once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartRecord {
    /// The other one, of the same tenant.
    pub run: [u8; 16],
    /// Who wanted it.
    pub by: String,
}

/// The task of another run that started a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentRecord {
    /// The run, of the same tenant.
    pub run: [u8; 16],
    /// The task, and which attempt of it.
    pub call: CallRecord,
    /// Whether the task waits for the run's end, and the run ends with the task.
    pub awaited: bool,
    /// How many runs have started one another down to this one: 1 for the child of a run that was asked for.
    pub depth: u32,
}

impl Record for RunRecord {
    const NAME: &'static str = "run";

    fn encode(&self) -> Vec<u8> {
        encode_form(former::LAST + 1, self)
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes.first() {
            Some(1..=former::LAST) => former::decode(Self::NAME, bytes),
            _ => decode_form(Self::NAME, former::LAST + 1, bytes),
        }
    }
}

/// A workflow version and its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowPinRecord {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The SHA-256 of the version: the document, and the resources that it was published with.
    pub digest: [u8; 32],
}

/// A connector as a run keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRecord {
    /// The name under which the workflow knows it.
    pub name: String,
    /// The version of its WIT package, where that has one.
    pub version: Option<String>,
    /// The SHA-256 of the component.
    pub digest: [u8; 32],
    /// Whether it came with the host under that name when the run began to keep it: it has what the operator gives
    /// such connectors, whatever comes with later releases. Since version 5 of the run's record; false before, where
    /// nobody knew.
    pub bundled: bool,
}

/// One event of a run: a line of its journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// When it happened; never before the one before it.
    pub at_ms: i64,
    /// What happened.
    pub kind: EventKindRecord,
}

/// What happened to a run. New kinds are added at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKindRecord {
    /// It started, with this raw input.
    Started {
        /// The input.
        input: Json,
    },
    /// A call ended.
    Answered {
        /// Which call.
        call: CallRecord,
        /// How.
        answer: AnswerRecord,
    },
    /// A timer came due.
    Elapsed {
        /// Which one.
        timer: TimerKindRecord,
    },
    /// Somebody wanted it to end.
    CancelRequested {
        /// Who.
        by: String,
        /// Why.
        reason: Option<String>,
    },
    /// Somebody wanted it to end whatever was not undone.
    StopRequested {
        /// Who.
        by: String,
        /// Why.
        reason: Option<String>,
    },
    /// It started, and listens to the events of the tenant's log from a position on. What is written in place of
    /// `Started` since there is a log.
    StartedAt {
        /// The input.
        input: Json,
        /// The position of the next event of the log.
        events_from: u64,
    },
    /// A task that listens took an event.
    Received {
        /// The task.
        task: TaskRecord,
        /// The event's position in the tenant's log.
        position: u64,
        /// The event in its JSON form (CloudEvents).
        event: Json,
    },
    /// Events had been dropped from the log that a task would have had to see.
    EventsDropped {
        /// The task.
        task: TaskRecord,
        /// The position at which the log began then.
        first: u64,
    },
    /// Somebody suspended it.
    SuspendRequested {
        /// Who.
        by: String,
        /// Why.
        reason: Option<String>,
    },
    /// Somebody resumed it.
    ResumeRequested {
        /// Who.
        by: String,
        /// Why.
        reason: Option<String>,
    },
    /// A person decided what a task had asked.
    Decided {
        /// The task that asked.
        task: TaskRecord,
        /// Which of its attempts, from 1.
        attempt: u32,
        /// What they decided.
        answer: DecisionRecord,
    },
    /// A call handed over an item, such as a message of a subscription.
    Yielded {
        /// Which call.
        call: CallRecord,
        /// The item.
        item: Json,
    },
    /// Somebody wanted it to be tried again, after it had faulted.
    RetryRequested {
        /// Who.
        by: String,
        /// Why.
        reason: Option<String>,
        /// Under which of [`RunRecord::corrections`], from 0, where it goes on under another version.
        correction: Option<u32>,
    },
    /// A task that listens had been offered all events before a position.
    EventsPassed {
        /// The task.
        task: TaskRecord,
        /// The position of the next event for it.
        next: u64,
    },
    /// A call was given the value of a secret.
    Revealed {
        /// Which call.
        call: CallRecord,
        /// What was given to whom.
        reveal: RevealRecord,
    },
}

/// The value of a secret that a connector was given. Never the value itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevealRecord {
    /// The secret's name.
    pub secret: String,
    /// Which of its members, where it has such.
    pub member: Option<String>,
    /// The connector's name.
    pub connector: String,
}

/// What a person decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// Yes or no.
    pub approved: bool,
    /// Who decided.
    pub by: String,
    /// What they said to it.
    pub comment: Option<String>,
    /// What they filled in.
    pub data: Json,
}

/// An attempt of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The task that calls.
    pub task: TaskRecord,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// A visit of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRecord {
    /// The task's JSON pointer into the document.
    pub pointer: String,
    /// Which visit, from 1.
    pub visit: u32,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnswerRecord {
    /// With a result.
    Result(Json),
    /// With an error.
    Error(ErrorRecord),
}

/// A problem detail (RFC 9457), as a run carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// The type's URI.
    pub type_uri: String,
    /// The status.
    pub status: u16,
    /// The task that it comes from.
    pub instance: Option<String>,
    /// The summary of the type.
    pub title: Option<String>,
    /// What happened this time.
    pub detail: Option<String>,
    /// What a connector gave along.
    pub data: Option<Json>,
    /// How long to wait at least before the next attempt, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

/// A timer of a run. New kinds are added at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimerKindRecord {
    /// The end of a `wait` task.
    Wait(TaskRecord),
    /// The time limit of a task.
    Timeout(TaskRecord),
    /// The delay before a `try` task tries again.
    Retry(TaskRecord),
    /// The time limit of the run.
    RunTimeout,
    /// The time limit of one attempt of a `try` task.
    Attempt(TaskRecord),
    /// The end of the time for which a subscription consumes.
    Consume(TaskRecord),
}

/// How a run ended. Written with the event that ended it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndRecord {
    /// When.
    pub at_ms: i64,
    /// How.
    pub ending: EndingRecord,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndingRecord {
    /// With an output.
    Completed(Json),
    /// With an error.
    Faulted(ErrorRecord),
    /// From outside.
    Cancelled,
}

/// A timer that has not come due. Removed with the event that it brings about, or that makes it void.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimerRecord {
    /// Which timer.
    pub timer: TimerKindRecord,
}
