use baton_api::schedule::{LastStart, Pause, Schedule, ScheduleFailure, Scheduled, Trigger};
use baton_engine::{ScheduleView, ScheduledView, TriggerView};

use super::time;

pub(crate) fn schedule(from: ScheduleView) -> Schedule {
    Schedule {
        namespace: from.namespace,
        name: from.name,
        version: from.version,
        triggers: from.triggers.into_iter().map(trigger).collect(),
        next_due: from.next_due.map(time),
        paused: from.paused.map(|pause| Pause {
            by: pause.by,
            at: time(pause.at),
        }),
        started: from.started,
        missed: from.missed,
        last: from.last.map(|last| LastStart {
            run: last.run.to_string(),
            at: time(last.at),
            due: time(last.due),
        }),
        failure: from.failure.map(|failure| ScheduleFailure {
            at: time(failure.at),
            reason: failure.reason,
        }),
    }
}

fn trigger(from: TriggerView) -> Trigger {
    Trigger {
        kind: from.kind.to_owned(),
        spec: from.spec,
        timezone: from.timezone,
        next_due: from.next_due.map(time),
        waits_for: from.waits_for.map(|run| run.to_string()),
    }
}

pub(super) fn scheduled(from: ScheduledView) -> Scheduled {
    Scheduled {
        kind: from.kind,
        due: time(from.due),
        missed: from.missed,
    }
}
