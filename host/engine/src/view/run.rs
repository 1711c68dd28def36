//! Runs, as the engine shows them.

use std::collections::BTreeMap;

use baton_store::RunId;
use baton_workflow::machine::{Status, TaskKey};
use baton_workflow::{Data, Error, Timestamp};
use serde_json::Value;

use super::{ConnectorReference, ScheduledView, WorkflowReference};

/// A request to start a run.
#[derive(Clone, Debug)]
pub struct StartRun {
    /// The workflow's namespace.
    pub namespace: String,
    /// The workflow's name.
    pub name: String,
    /// The version to run; the highest published one where there is none. Versions that are
    /// pre-releases count only where there are no others.
    pub version: Option<String>,
    /// The workflow's raw input.
    pub input: Value,
    /// What to find the run by later.
    pub tags: BTreeMap<String, String>,
    /// The client's name for this request: a repetition under the same key gives the same run.
    pub idempotency_key: Option<String>,
}

/// A run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunView {
    /// Its id.
    pub id: RunId,
    /// The workflow version that it runs: from its first step to its last, unless it is tried again under a
    /// corrected one.
    pub workflow: WorkflowReference,
    /// Its phase, as far as it is durable.
    pub status: Status,
    /// The raw input.
    pub input: Data,
    /// The output, where it has completed.
    pub output: Option<Data>,
    /// What it ended with, where it has faulted.
    pub error: Option<Error>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The connectors that it uses, as they were when it started.
    pub connectors: Vec<ConnectorReference>,
    /// What the client has tagged it with.
    pub tags: BTreeMap<String, String>,
    /// The run that started it, where a run did.
    pub parent: Option<ParentView>,
    /// What of the workflow's schedule started it, where that did.
    pub trigger: Option<ScheduledView>,
    /// The run that it does once more, where it was started so.
    pub restart_of: Option<RestartView>,
    /// What the calls that are under way have told of their progress.
    pub progress: Vec<CallProgress>,
}

/// The run that started another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParentView {
    /// The run.
    pub run: RunId,
    /// Its task that did.
    pub task: TaskKey,
}

/// The run that another one does once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartView {
    /// The run.
    pub run: RunId,
    /// Who wanted it.
    pub by: String,
}

/// What a call that is under way has told of its progress. Kept in memory only.
#[derive(Clone, Debug, PartialEq)]
pub struct CallProgress {
    /// The task that calls.
    pub task: TaskKey,
    /// Which attempt.
    pub attempt: u32,
    /// How often it has said that it is alive.
    pub heartbeats: u64,
    /// What it has told, if anything.
    pub progress: Option<Value>,
}

/// Which runs a list shows: those for which all of this holds, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// In this phase.
    pub status: Option<Status>,
    /// Of this workflow: namespace and name.
    pub workflow: Option<(String, String)>,
    /// With this tag: key and value.
    pub tag: Option<(String, String)>,
    /// Started by this run.
    pub parent: Option<RunId>,
    /// Doing once more what this run has done.
    pub restart_of: Option<RunId>,
    /// Started at this time or later.
    pub started_after: Option<Timestamp>,
    /// Started before this time.
    pub started_before: Option<Timestamp>,
}

/// The name of a phase, as the specification has it.
pub(crate) fn status_name(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Running => "running",
        Status::Waiting => "waiting",
        Status::Suspended => "suspended",
        Status::Cancelled => "cancelled",
        Status::Faulted => "faulted",
        Status::Completed => "completed",
    }
}
