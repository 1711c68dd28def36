use baton_api::run::{AwaitedApproval, AwaitedRun, WaitsFor, WantedEvents};
use baton_engine::{AwaitedView, AwaitedWhatView};

use super::time;

pub(crate) fn waits_for(from: AwaitedView) -> WaitsFor {
    let mut to = WaitsFor {
        task: from.task.pointer.to_string(),
        visit: from.task.visit,
        attempt: from.attempt,
        kind: kind(&from.what).to_owned(),
        since: time(from.since),
        until: from.until.map(time),
        events: None,
        approval: None,
        function: None,
        run: None,
    };
    match from.what {
        AwaitedWhatView::Time | AwaitedWhatView::Retry => {}
        AwaitedWhatView::Events { from, to: wanted } => {
            to.events = Some(WantedEvents { from, to: wanted });
        }
        AwaitedWhatView::Decision {
            id,
            title,
            assignees,
        } => {
            to.approval = Some(AwaitedApproval {
                id: id.to_string(),
                title,
                assignees,
            });
        }
        AwaitedWhatView::Answer { function } | AwaitedWhatView::Message { function } => {
            to.function = Some(function);
        }
        AwaitedWhatView::Run {
            run,
            workflow: (namespace, name),
        } => {
            to.run = Some(AwaitedRun {
                id: run.to_string(),
                workflow: format!("{namespace}/{name}"),
            });
        }
    }
    to
}

fn kind(what: &AwaitedWhatView) -> &'static str {
    match what {
        AwaitedWhatView::Time => "time",
        AwaitedWhatView::Retry => "retry",
        AwaitedWhatView::Events { .. } => "events",
        AwaitedWhatView::Decision { .. } => "approval",
        AwaitedWhatView::Answer { .. } => "call",
        AwaitedWhatView::Message { .. } => "message",
        AwaitedWhatView::Run { .. } => "run",
    }
}
