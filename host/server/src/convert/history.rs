use baton_api::history::{HistoryItem, Reveal};
use baton_engine::Note;
use serde_json::Value;

use super::run::error;
use super::time;

pub(crate) fn history_item(from: Note) -> HistoryItem {
    let detail = from.detail;
    HistoryItem {
        seq: from.seq,
        at: time(from.at),
        kind: from.kind.name().to_owned(),
        task: from.task.as_ref().map(|task| task.pointer.to_string()),
        visit: from.task.as_ref().map(|task| task.visit),
        attempt: from.attempt,
        input: detail.input.map(owned),
        output: detail.output.map(owned),
        error: detail.error.map(error),
        function: detail.function,
        workflow: detail.workflow,
        due: detail.due.map(time),
        by: detail.by,
        reason: detail.reason,
        reveal: detail.reveal.map(|reveal| Reveal {
            secret: reveal.secret,
            member: reveal.member,
            connector: reveal.connector,
        }),
    }
}

/// The value itself, which is usually shared with the run.
fn owned(data: std::sync::Arc<Value>) -> Value {
    std::sync::Arc::unwrap_or_clone(data)
}
