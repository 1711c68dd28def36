//! Schedules: workflows that start by themselves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The schedule of a workflow: that of its highest version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// The workflow's namespace.
    pub namespace: String,
    /// The workflow's name.
    pub name: String,
    /// The version that it starts runs of.
    pub version: String,
    /// What starts runs, each for itself.
    pub triggers: Vec<Trigger>,
    /// When the next run is due; `null` while it is paused, waits for the end of a run, or has no time to come.
    #[schema(format = DateTime)]
    pub next_due: Option<String>,
    /// Who has paused it, and when; `null` where it is not paused.
    pub paused: Option<Pause>,
    /// How many runs it has started.
    pub started: u64,
    /// How many starts were missed, while the host was down or because a run could not be started.
    pub missed: u64,
    /// The last run that it has started.
    pub last: Option<LastStart>,
    /// Why the last start that was due could not be made, or why the events that start runs can't be looked at just now
    /// (they wait, and none is missed); `null` where it could.
    pub failure: Option<ScheduleFailure>,
}

/// Something that starts runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trigger {
    /// The key of the document's `schedule`: `every`, `cron`, `after` or `on`; a client must expect more of them.
    #[serde(rename = "type")]
    #[schema(examples("every", "cron", "after"))]
    pub kind: String,
    /// An ISO 8601 duration, a cron expression, or `on` and `read` as JSON.
    #[schema(examples("PT15M", "0 8 * * MON-FRI"))]
    pub spec: String,
    /// The IANA time zone of a cron expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// When the next run is due.
    #[schema(format = DateTime)]
    pub next_due: Option<String>,
    /// The run for whose end it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
}

/// Who has paused a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// Who.
    pub by: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
}

/// The last run that a schedule has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastStart {
    /// The run.
    pub run: String,
    /// When it was started.
    #[schema(format = DateTime)]
    pub at: String,
    /// When it was due.
    #[schema(format = DateTime)]
    pub due: String,
}

/// A start that was due and could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleFailure {
    /// When it was tried.
    #[schema(format = DateTime)]
    pub at: String,
    /// Why it was not made.
    pub reason: String,
}

/// What of a schedule started a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scheduled {
    /// The key of the document's `schedule`: `every`, `cron`, `after` or `on`; a client must expect more of them.
    #[serde(rename = "type")]
    #[schema(examples("every", "cron", "after"))]
    pub kind: String,
    /// When the run was due; where events have started it, when they had come together.
    #[schema(format = DateTime)]
    pub due: String,
    /// How many starts before it were due and missed; this run makes up for them.
    pub missed: u32,
}
