//! Schedules, as the engine shows them.

use baton_store::RunId;
use baton_workflow::Timestamp;

/// The schedule of a workflow: that of its highest version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleView {
    /// The workflow's namespace.
    pub namespace: String,
    /// The workflow's name.
    pub name: String,
    /// The version that it starts runs of.
    pub version: String,
    /// What starts runs, each for itself.
    pub triggers: Vec<TriggerView>,
    /// When the next run is due; none while it is paused, waits for the end of a run, or has no time to come.
    pub next_due: Option<Timestamp>,
    /// Who has paused it, and when.
    pub paused: Option<PauseView>,
    /// How many runs it has started.
    pub started: u64,
    /// How many starts were missed, while the host was down or because a run could not be started.
    pub missed: u64,
    /// The last run that it has started.
    pub last: Option<LastStartView>,
    /// Why the last start that was due could not be made, or why the events that start runs can't be looked at just now;
    /// none where it could.
    pub failure: Option<ScheduleFailureView>,
}

/// Something that starts runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerView {
    /// The key of the schedule: `every`, `cron`, `after` or `on`.
    pub kind: &'static str,
    /// An ISO 8601 duration, a cron expression, or `on` and `read` as JSON.
    pub spec: String,
    /// The time zone of a cron expression.
    pub timezone: Option<String>,
    /// When the next run is due.
    pub next_due: Option<Timestamp>,
    /// The run for whose end it waits.
    pub waits_for: Option<RunId>,
}

/// Who has paused a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PauseView {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The last run that a schedule has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastStartView {
    /// The run.
    pub run: RunId,
    /// When it was started.
    pub at: Timestamp,
    /// When it was due.
    pub due: Timestamp,
}

/// A start that was due and could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleFailureView {
    /// When it was tried.
    pub at: Timestamp,
    /// Why it was not made.
    pub reason: String,
}

/// What of a schedule started a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledView {
    /// The key of the schedule: `every`, `cron`, `after` or `on`.
    pub kind: String,
    /// When the run was due; where events have started it, when they had come together.
    pub due: Timestamp,
    /// How many starts before it were due and missed; this run makes up for them.
    pub missed: u32,
}
