//! Runs: workflows under way, and what became of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::schedule::Scheduled;
use crate::workflow::WorkflowReference;

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// What lists show of it.
    #[serde(flatten)]
    pub summary: RunSummary,
    /// What it was started with.
    pub input: Value,
    /// What it ended with; `null` until it has completed.
    pub output: Value,
    /// The connectors that it keeps to.
    pub connectors: Vec<ConnectorReference>,
    /// The calls under way that have told of their progress. Kept in memory only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub progress: Vec<CallProgress>,
    /// What its tasks wait for, in the order in which it came to them: 100 at most. Where the run is read, and has not ended;
    /// left out where it has too much to do to say so within a second.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<WaitsFor>,
}

/// What a task of a run waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitsFor {
    /// The task, as a JSON pointer.
    pub task: String,
    /// Which of the run's visits to the task, from 1.
    pub visit: u32,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// For what: `time`, `retry` (the delay before the next try), `events`, `approval`, `call` (an answer), `message`
    /// (of a subscription) or `run`. A client must expect more of them.
    #[serde(rename = "type")]
    #[schema(examples("time", "events", "approval"))]
    pub kind: String,
    /// When the attempt began.
    #[schema(format = DateTime)]
    pub since: String,
    /// When the wait ends in any case: the end of the pause, or of the nearest time limit around the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// Which events are still wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<WantedEvents>,
    /// Who is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<AwaitedApproval>,
    /// The function that is called, as `function@connector`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The run that has to end, or to start where the task does not wait for its end. It may not be there yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<AwaitedRun>,
}

/// The events that a task still wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WantedEvents {
    /// From which position of the log on.
    pub from: u64,
    /// In the form of `listen.to`, without the filters of `all` that have had their event. An expression stands as its value
    /// where that does not hang on the event; `expect` says what a correlation must have by now.
    pub to: Value,
}

/// An approval that a run waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AwaitedApproval {
    /// The approval's id.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// Who may decide; empty where whoever may see it may.
    pub assignees: Vec<String>,
}

/// A run that another one waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AwaitedRun {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// Its workflow: `namespace/name`.
    pub workflow: String,
}

/// A run, as it stands in lists: without its input and its output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunSummary {
    /// Its id, a UUID of version 7, so that ids sort by the time of the start.
    #[schema(format = "uuid")]
    pub id: String,
    /// The version of the workflow that it keeps to, from its first step to its last unless it is retried under a
    /// corrected one.
    pub workflow: WorkflowReference,
    /// Where it is.
    pub status: RunStatus,
    /// The error that it faulted with.
    pub error: Option<RunError>,
    /// When it was started.
    #[schema(format = DateTime)]
    pub started_at: String,
    /// When it ended; `null` until then.
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    /// What it was tagged with at its start.
    pub tags: BTreeMap<String, String>,
    /// The run that started it, if one did.
    pub parent: Option<Parent>,
    /// What of the workflow's schedule started it, if that did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Scheduled>,
    /// The run that it does once more, if it was started so.
    pub restart_of: Option<RestartOf>,
}

/// The run that another one does once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestartOf {
    /// Its id.
    #[schema(format = "uuid")]
    pub run: String,
    /// Who wanted it: the name of their token.
    pub by: String,
}

/// The run that started another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Parent {
    /// Its id.
    #[schema(format = "uuid")]
    pub run: String,
    /// The task that did, as a JSON pointer.
    pub task: String,
}

/// The phases of a run (Open Workflow Specification, "Status Phases").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Not yet begun.
    Pending,
    /// A task is under way.
    Running,
    /// Nothing is under way but a wait.
    Waiting,
    /// Paused from outside.
    Suspended,
    /// Ended from outside.
    Cancelled,
    /// Ended with an error.
    Faulted,
    /// Ended with an output.
    Completed,
}

impl RunStatus {
    /// All of them, in the order of a run's life.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Running,
        Self::Waiting,
        Self::Suspended,
        Self::Cancelled,
        Self::Faulted,
        Self::Completed,
    ];

    /// The name, as the API writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Suspended => "suspended",
            Self::Cancelled => "cancelled",
            Self::Faulted => "faulted",
            Self::Completed => "completed",
        }
    }

    /// Whether nothing happens to the run any more by itself: a run that has faulted can be retried.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Cancelled | Self::Faulted | Self::Completed)
    }
}

/// An error as a workflow sees it: a problem detail with the specification's types.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunError {
    /// A URI that says what type of error this is.
    #[serde(rename = "type")]
    #[schema(examples("https://serverlessworkflow.io/spec/1.0.0/errors/communication"))]
    pub type_uri: String,
    /// An HTTP status, or what stands for one.
    pub status: u16,
    /// The JSON pointer of the task that the error comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// A summary of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What happened this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What a connector gave along. Left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// Which content of which connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorReference {
    /// The name that it is installed under.
    pub name: String,
    /// The version of its WIT package, if that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The SHA-256 of the component: `sha256:` and 64 hex digits.
    pub digest: String,
}

/// What a call under way has told of its progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallProgress {
    /// The task that calls, as a JSON pointer.
    pub task: String,
    /// Which of the run's visits to the task, from 1.
    pub visit: u32,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// How often it has said that it is alive.
    pub heartbeats: u64,
    /// What it told; `null` where it said only that it is alive.
    pub progress: Value,
}

/// A request to start a run. Without a body, a run starts with an empty object as its input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartRun {
    /// The workflow's raw input; an empty object without it.
    #[serde(default = "empty_object")]
    #[schema(default = json!({}))]
    pub input: Value,
    /// The version to run; the highest published one without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What to find the run by later: at most 32, each key and each value of at most 256 bytes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl Default for StartRun {
    fn default() -> Self {
        Self {
            input: empty_object(),
            version: None,
            tags: BTreeMap::new(),
        }
    }
}

/// A request to cancel a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelRun {
    /// Why, for the run's history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether what the run has done is undone before it ends, where the workflow says how (`compensate`).
    /// Without that the run ends now, also where it is undoing already.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    #[schema(default = true)]
    pub compensate: bool,
}

impl Default for CancelRun {
    fn default() -> Self {
        Self {
            reason: None,
            compensate: true,
        }
    }
}

/// A request to suspend or resume a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ControlRun {
    /// Why, for the run's history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A request to try a faulted run again, from the task that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RetryRun {
    /// The version of its workflow under which it goes on; without it, the one that it keeps to. What has been
    /// performed must be the same in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why, for the run's history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A request to start a new run with what an ended run was started with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestartRun {
    /// The version of the workflow to run; without it, the one that the ended run kept to in the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Which runs a list shows: those for which all of this holds, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct RunFilter {
    /// In this status.
    pub status: Option<RunStatus>,
    /// Of this workflow: `namespace/name`.
    pub workflow: Option<String>,
    /// With this tag: `key=value`.
    pub tag: Option<String>,
    /// Started by this run.
    pub parent: Option<String>,
    /// Doing once more what this run has done.
    pub restart_of: Option<String>,
    /// Started at this time (RFC 3339) or later.
    pub started_after: Option<String>,
    /// Started before this time (RFC 3339).
    pub started_before: Option<String>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_yes(flag: &bool) -> bool {
    *flag
}

fn empty_object() -> Value {
    Value::Object(serde_json::Map::new())
}
