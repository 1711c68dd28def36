//! What runs wait for, as the engine shows it.

use baton_store::RunId;
use baton_workflow::Timestamp;
use baton_workflow::machine::TaskKey;
use serde_json::Value;

use super::ApprovalId;

/// What a task of a run waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct AwaitedView {
    /// The task.
    pub task: TaskKey,
    /// Which attempt of this visit of the task, from 1.
    pub attempt: u32,
    /// When the attempt began.
    pub since: Timestamp,
    /// When the wait ends in any case: the end of a pause, or of the nearest time limit around the task.
    pub until: Option<Timestamp>,
    /// For what.
    pub what: AwaitedWhatView,
}

/// Something to wait for.
#[derive(Clone, Debug, PartialEq)]
pub enum AwaitedWhatView {
    /// The end of a `wait`.
    Time,
    /// The next try of a `try`.
    Retry,
    /// Events.
    Events {
        /// From which position of the log on.
        from: u64,
        /// Which ones are still wanted, in the form of `listen.to`, with what is known of it.
        to: Value,
    },
    /// A person's decision.
    Decision {
        /// The approval.
        id: ApprovalId,
        /// What it is about.
        title: String,
        /// Who may decide; empty where whoever may see it may.
        assignees: Vec<String>,
    },
    /// The answer of a connector's function, as `function@connector`.
    Answer {
        /// Which one.
        function: String,
    },
    /// The next message of a subscription.
    Message {
        /// Which function brings it, as `function@connector`.
        function: String,
    },
    /// The end of another run; its start, where it is not awaited.
    Run {
        /// The run. It may not be there yet.
        run: RunId,
        /// Its workflow: namespace and name.
        workflow: (String, String),
    },
}
