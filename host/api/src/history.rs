//! What happened in a run, line by line.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::run::RunError;

/// A line of a run's history. It is also what a server-sent event carries: `id` is `seq`, `event` is
/// `type`, and `data` is the line as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryItem {
    /// The line's number within the run, from 1 and without gaps.
    pub seq: u64,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// What, under the names of the specification's lifecycle events; a client must expect more of them.
    #[serde(rename = "type")]
    #[schema(examples(
        "workflow.started",
        "task.started",
        "task.retried",
        "task.completed",
        "task.faulted"
    ))]
    pub kind: String,
    /// The task, as a JSON pointer into the document; left out where the line is about the run itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Which of the run's visits to the task, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<u32>,
    /// Which attempt, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The transformed input of the run or the task that started.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub input: Option<Value>,
    /// The transformed output of the run or the task that completed.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub output: Option<Value>,
    /// What the run or the task failed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
    /// The function that the task calls, as `function@connector`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The workflow that the task runs, or that the run goes on under from now on, as `namespace/name version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// When a wait ends, or the next attempt begins.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Who asked for it, or has decided what the task asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why, if they said, or their comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The value of a secret that the task's connector was given; of `task.secret.revealed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reveal: Option<Reveal>,
}

/// The value of a secret that a connector was given: which, and to whom. The value itself is shown nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reveal {
    /// The secret's name.
    pub secret: String,
    /// Which of its members; left out where the secret is a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// The connector's name.
    pub connector: String,
}

impl HistoryItem {
    /// Whether the run has ended with this line. It is the last one, unless the run has been retried.
    pub fn ends_run(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "workflow.completed" | "workflow.faulted" | "workflow.cancelled"
        )
    }
}

/// A member that is there and `null` is something else than one that isn't there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_of_null_is_an_output() {
        let text =
            r#"{"seq":2,"at":"2026-11-24T08:00:00.000Z","type":"task.completed","output":null}"#;
        let item: HistoryItem = serde_json::from_str(text).unwrap();
        assert_eq!(item.output, Some(Value::Null));
        assert_eq!(item.input, None);
        assert_eq!(serde_json::to_string(&item).unwrap(), text);
    }
}
