//! Between a schedule and what is stored of it.

use std::time::Duration;

use baton_store::record::{
    PauseRecord, ScheduleFailureRecord, ScheduleRecord, ScheduledStartRecord, TriggerKindRecord,
    TriggerRecord,
};
use baton_store::{ReadError, RunId};
use baton_workflow::Timestamp;
use baton_workflow::schedule::CronSchedule;

use crate::codec;

use super::state::{LastStart, ScheduleState, Trigger, TriggerKind};

/// A schedule as it is stored.
pub(super) fn to_record(state: &ScheduleState) -> ScheduleRecord {
    let trigger = |it: &Trigger| TriggerRecord {
        kind: match &it.kind {
            TriggerKind::Every(interval) => TriggerKindRecord::Every(milliseconds(*interval)),
            TriggerKind::Cron(cron) => TriggerKindRecord::Cron {
                expression: cron.text().to_owned(),
                zone: cron.zone().name().to_owned(),
            },
            TriggerKind::After(delay) => TriggerKindRecord::After(milliseconds(*delay)),
            TriggerKind::On { on, from, taken } => TriggerKindRecord::On {
                on: codec::json(on),
                from: *from,
                taken: taken.clone(),
            },
        },
        next_ms: it.next.map(Timestamp::as_millis),
        awaits: it.awaits.map(|run| *run.as_bytes()),
    };
    ScheduleRecord {
        version: state.version.clone(),
        triggers: state.triggers.iter().map(trigger).collect(),
        paused: state.paused.as_ref().map(|(by, at)| PauseRecord {
            by: by.clone(),
            at_ms: at.as_millis(),
        }),
        started: state.started,
        missed: state.missed,
        last: state.last.as_ref().map(|last| ScheduledStartRecord {
            run: *last.run.as_bytes(),
            at_ms: last.at.as_millis(),
            due_ms: last.due.as_millis(),
        }),
        failure: state
            .failure
            .as_ref()
            .map(|(at, reason)| ScheduleFailureRecord {
                at_ms: at.as_millis(),
                reason: reason.clone(),
            }),
    }
}

/// A stored schedule.
pub(super) fn from_record(record: ScheduleRecord) -> Result<ScheduleState, ReadError> {
    let trigger = |it: TriggerRecord| {
        Ok::<_, ReadError>(Trigger {
            kind: match it.kind {
                TriggerKindRecord::Every(ms) => TriggerKind::Every(Duration::from_millis(ms)),
                TriggerKindRecord::Cron { expression, zone } => {
                    let cron = CronSchedule::new(&expression, Some(&zone));
                    TriggerKind::Cron(cron.map_err(|error| ReadError::Corrupt {
                        detail: format!("a schedule: {error}"),
                    })?)
                }
                TriggerKindRecord::After(ms) => TriggerKind::After(Duration::from_millis(ms)),
                TriggerKindRecord::On { on, from, taken } => TriggerKind::On {
                    on: codec::value(&on)?,
                    from,
                    taken,
                },
            },
            next: it.next_ms.map(Timestamp::from_millis),
            awaits: it.awaits.map(RunId::from_bytes),
        })
    };
    Ok(ScheduleState {
        version: record.version,
        triggers: record
            .triggers
            .into_iter()
            .map(trigger)
            .collect::<Result<_, _>>()?,
        paused: record
            .paused
            .map(|it| (it.by, Timestamp::from_millis(it.at_ms))),
        started: record.started,
        missed: record.missed,
        last: record.last.map(|last| LastStart {
            run: RunId::from_bytes(last.run),
            at: Timestamp::from_millis(last.at_ms),
            due: Timestamp::from_millis(last.due_ms),
        }),
        failure: record
            .failure
            .map(|it| (Timestamp::from_millis(it.at_ms), it.reason)),
    })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use baton_workflow::schedule::Schedule;

    use super::*;

    #[test]
    fn every_schedule_comes_back_as_it_was() {
        let schedule = Schedule {
            every: Some(Duration::from_millis(1500)),
            cron: CronSchedule::new("0 8 * * MON", Some("Europe/Berlin")).ok(),
            after: Some(Duration::from_secs(60)),
            on: Some(serde_json::json!({ "on": { "any": [] } })),
        };
        let at = Timestamp::from_millis(1_800_000_000_000);
        let mut state = ScheduleState::new("1.0.0", &schedule, at, 7);
        let later = at.after(Duration::from_secs(7 * 24 * 3600));
        for n in 0..3 {
            let (index, due) = state.due(later).expect("due");
            state.started(index, &due, RunId::from_bytes([n; 16]), later);
        }
        state.pause("ada", later);
        state.failure = Some((later, "no".to_owned()));
        let back = from_record(to_record(&state));
        assert_eq!(back.expect("read back"), state);
    }
}
