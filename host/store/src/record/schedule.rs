//! Schedules of workflows. All times are milliseconds since the epoch.

use serde::{Deserialize, Serialize};

use super::{Json, records};

records! {
    ScheduleRecord = "schedule",
}

/// The schedule of a workflow's highest version, and how far it is. Written with the publication, and with each
/// start of a run, in the same batch as the run's first records: so that no crash starts a run twice or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleRecord {
    /// The version of the workflow.
    pub version: String,
    /// What starts runs, each for itself.
    pub triggers: Vec<TriggerRecord>,
    /// Who has paused it, and when; none where it is not paused.
    pub paused: Option<PauseRecord>,
    /// How many runs it has started.
    pub started: u64,
    /// How many starts were missed, and not made up for.
    pub missed: u64,
    /// The last run that it has started.
    pub last: Option<ScheduledStartRecord>,
    /// Why the last start that was due was not made, where it was not.
    pub failure: Option<ScheduleFailureRecord>,
}

/// Something that starts runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerRecord {
    /// What it is.
    pub kind: TriggerKindRecord,
    /// When the next start is due; none where there is none to come, or an end of a run to wait for.
    pub next_ms: Option<i64>,
    /// The run for whose end it waits.
    pub awaits: Option<[u8; 16]>,
}

/// What starts runs. New kinds are added at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TriggerKindRecord {
    /// `every`: an interval in milliseconds.
    Every(u64),
    /// `cron`: an expression, and the name of the time zone.
    Cron {
        /// The expression.
        expression: String,
        /// The zone.
        zone: String,
    },
    /// `after`: a delay in milliseconds.
    After(u64),
    /// `on`: events.
    On {
        /// `on` and `read`, as the document has them.
        on: Json,
        /// The position in the tenant's log of the first event that may start the next run.
        from: u64,
        /// The positions behind it of those that have started runs already.
        taken: Vec<u64>,
    },
}

/// Who has paused a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseRecord {
    /// Who.
    pub by: String,
    /// When.
    pub at_ms: i64,
}

/// A run that a schedule has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledStartRecord {
    /// The run.
    pub run: [u8; 16],
    /// When it was started.
    pub at_ms: i64,
    /// When it was due.
    pub due_ms: i64,
}

/// A start that was due and not made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleFailureRecord {
    /// When it was tried.
    pub at_ms: i64,
    /// Why it was not made.
    pub reason: String,
}
