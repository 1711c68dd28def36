//! What people are asked.

use serde::{Deserialize, Serialize};

use super::{DecisionRecord, Json, TaskRecord, records};

records! {
    ApprovalRecord = "approval",
}

/// What a task asks a person. Written with the event that brought it about, and again with the one that
/// settled it. All times are milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRecord {
    /// The namespace of the run's workflow.
    pub namespace: String,
    /// The name of the run's workflow.
    pub workflow: String,
    /// The task that asks.
    pub task: TaskRecord,
    /// Which of its attempts, from 1.
    pub attempt: u32,
    /// What it is about.
    pub title: String,
    /// What there is to know.
    pub description: Option<String>,
    /// Who may decide; empty for everybody.
    pub assignees: Vec<String>,
    /// The JSON Schema of the data of the decision.
    pub form: Option<Json>,
    /// When it was asked.
    pub asked_at_ms: i64,
    /// When the task runs out of time.
    pub due_ms: Option<i64>,
    /// What became of it; none while it is open.
    pub outcome: Option<OutcomeRecord>,
}

/// What became of an approval. New kinds are added at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutcomeRecord {
    /// Somebody decided.
    Decided {
        /// When.
        at_ms: i64,
        /// What.
        decision: DecisionRecord,
    },
    /// It was no longer wanted: the task ran out of time, or the run ended.
    Withdrawn {
        /// When.
        at_ms: i64,
    },
}
