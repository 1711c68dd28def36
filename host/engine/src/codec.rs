//! Between what a run is made of and what is stored of it. The only place that knows both.

use std::sync::Arc;

use baton_store::record::{
    AnswerRecord, ApprovalRecord, CallRecord, DecisionRecord, EndingRecord, ErrorRecord,
    EventKindRecord, EventRecord, Json, ListeningRecord, MarkRecord, OriginRecord, ParentRecord,
    PhaseRecord, RestartRecord, RevealRecord, ScheduledRecord, StatusRecord, TaskRecord,
    TimerKindRecord, TopicRecord,
};
use baton_store::{ReadError, RunId};
use baton_workflow::machine::{
    Answer as PersonsAnswer, Approval, Decision, Ending, Event, Listening, Occurrence, Reveal,
    Status, TaskKey, TimerKey,
};
use baton_workflow::plan::{Mark, Topic, Topics};
use baton_workflow::{CloudEvent, Data, Error, Timestamp};
use serde_json::Value;

use crate::origin::{Origin, Parent, Restart};
use crate::schedule::Scheduled;

/// A JSON value as it is stored.
pub(crate) fn json(value: &Value) -> Json {
    Json(value.to_string())
}

/// A stored JSON value.
pub(crate) fn value(json: &Json) -> Result<Value, ReadError> {
    serde_json::from_str(&json.0).map_err(|error| ReadError::Corrupt {
        detail: format!("a JSON value: {error}"),
    })
}

fn data(json: &Json) -> Result<Data, ReadError> {
    value(json).map(Arc::new)
}

/// An event as it is stored.
pub(crate) fn event_record(event: &Event, at: Timestamp) -> EventRecord {
    let kind = match event {
        Event::Started { input, events_from } => EventKindRecord::StartedAt {
            input: json(input),
            events_from: *events_from,
        },
        Event::Answered {
            task,
            attempt,
            answer,
        } => EventKindRecord::Answered {
            call: CallRecord {
                task: task_record(task),
                attempt: *attempt,
            },
            answer: match answer {
                Ok(result) => AnswerRecord::Result(json(result)),
                Err(error) => AnswerRecord::Error(error_record(error)),
            },
        },
        Event::Elapsed { timer } => EventKindRecord::Elapsed {
            timer: timer_record(timer),
        },
        Event::CancelRequested { by, reason } => EventKindRecord::CancelRequested {
            by: by.clone(),
            reason: reason.clone(),
        },
        Event::StopRequested { by, reason } => EventKindRecord::StopRequested {
            by: by.clone(),
            reason: reason.clone(),
        },
        Event::Received {
            task,
            position,
            event,
        } => EventKindRecord::Received {
            task: task_record(task),
            position: *position,
            event: json(event.envelope()),
        },
        Event::EventsPassed { task, next } => EventKindRecord::EventsPassed {
            task: task_record(task),
            next: *next,
        },
        Event::EventsDropped { task, first } => EventKindRecord::EventsDropped {
            task: task_record(task),
            first: *first,
        },
        Event::SuspendRequested { by, reason } => EventKindRecord::SuspendRequested {
            by: by.clone(),
            reason: reason.clone(),
        },
        Event::ResumeRequested { by, reason } => EventKindRecord::ResumeRequested {
            by: by.clone(),
            reason: reason.clone(),
        },
        Event::Decided {
            task,
            attempt,
            answer,
        } => EventKindRecord::Decided {
            task: task_record(task),
            attempt: *attempt,
            answer: decision_record(answer),
        },
        Event::Yielded {
            task,
            attempt,
            item,
        } => EventKindRecord::Yielded {
            call: CallRecord {
                task: task_record(task),
                attempt: *attempt,
            },
            item: json(item),
        },
        Event::RetryRequested {
            by,
            reason,
            correction,
        } => EventKindRecord::RetryRequested {
            by: by.clone(),
            reason: reason.clone(),
            correction: *correction,
        },
        Event::Revealed {
            task,
            attempt,
            reveal,
        } => EventKindRecord::Revealed {
            call: CallRecord {
                task: task_record(task),
                attempt: *attempt,
            },
            reveal: RevealRecord {
                secret: reveal.secret.clone(),
                member: reveal.member.clone(),
                connector: reveal.connector.clone(),
            },
        },
    };
    EventRecord {
        at_ms: at.as_millis(),
        kind,
    }
}

/// A stored event.
pub(crate) fn occurrence(record: EventRecord) -> Result<Occurrence, ReadError> {
    let event = match record.kind {
        EventKindRecord::Started { input } => Event::Started {
            input: data(&input)?,
            // There was no log then, and so all of it came later.
            events_from: 0,
        },
        EventKindRecord::Answered { call, answer } => Event::Answered {
            task: task_key(call.task),
            attempt: call.attempt,
            answer: match answer {
                AnswerRecord::Result(result) => Ok(data(&result)?),
                AnswerRecord::Error(record) => Err(error(record)?),
            },
        },
        EventKindRecord::Elapsed { timer } => Event::Elapsed {
            timer: timer_key(timer),
        },
        EventKindRecord::CancelRequested { by, reason } => Event::CancelRequested { by, reason },
        EventKindRecord::StopRequested { by, reason } => Event::StopRequested { by, reason },
        EventKindRecord::StartedAt { input, events_from } => Event::Started {
            input: data(&input)?,
            events_from,
        },
        EventKindRecord::Received {
            task,
            position,
            event,
        } => Event::Received {
            task: task_key(task),
            position,
            event: cloud_event(&event)?,
        },
        EventKindRecord::EventsPassed { task, next } => Event::EventsPassed {
            task: task_key(task),
            next,
        },
        EventKindRecord::EventsDropped { task, first } => Event::EventsDropped {
            task: task_key(task),
            first,
        },
        EventKindRecord::SuspendRequested { by, reason } => Event::SuspendRequested { by, reason },
        EventKindRecord::ResumeRequested { by, reason } => Event::ResumeRequested { by, reason },
        EventKindRecord::Decided {
            task,
            attempt,
            answer,
        } => Event::Decided {
            task: task_key(task),
            attempt,
            answer: decision(answer)?,
        },
        EventKindRecord::Yielded { call, item } => Event::Yielded {
            task: task_key(call.task),
            attempt: call.attempt,
            item: data(&item)?,
        },
        EventKindRecord::RetryRequested {
            by,
            reason,
            correction,
        } => Event::RetryRequested {
            by,
            reason,
            correction,
        },
        EventKindRecord::Revealed { call, reveal } => Event::Revealed {
            task: task_key(call.task),
            attempt: call.attempt,
            reveal: Reveal {
                secret: reveal.secret,
                member: reveal.member,
                connector: reveal.connector,
            },
        },
    };
    Ok(Occurrence {
        at: Timestamp::from_millis(record.at_ms),
        event,
    })
}

/// What started a run, as it is stored.
pub(crate) fn origin_record(origin: &Origin) -> OriginRecord {
    match origin {
        Origin::Request => OriginRecord::Request,
        Origin::Run(parent) => OriginRecord::Run(ParentRecord {
            run: *parent.run.as_bytes(),
            call: CallRecord {
                task: task_record(&parent.task),
                attempt: parent.attempt,
            },
            awaited: parent.awaited,
            depth: parent.depth,
        }),
        Origin::Schedule(scheduled) => OriginRecord::Schedule(ScheduledRecord {
            kind: scheduled.kind.clone(),
            due_ms: scheduled.due.as_millis(),
            missed: scheduled.missed,
        }),
        Origin::Restart(Restart { run, by }) => OriginRecord::Restart(RestartRecord {
            run: *run.as_bytes(),
            by: by.clone(),
        }),
    }
}

/// What started a run.
pub(crate) fn origin(record: OriginRecord) -> Origin {
    match record {
        OriginRecord::Request => Origin::Request,
        OriginRecord::Run(parent) => Origin::Run(Parent {
            run: RunId::from_bytes(parent.run),
            task: task_key(parent.call.task),
            attempt: parent.call.attempt,
            awaited: parent.awaited,
            depth: parent.depth,
        }),
        OriginRecord::Schedule(scheduled) => Origin::Schedule(Scheduled {
            kind: scheduled.kind,
            due: Timestamp::from_millis(scheduled.due_ms),
            missed: scheduled.missed,
        }),
        OriginRecord::Restart(RestartRecord { run, by }) => Origin::Restart(Restart {
            run: RunId::from_bytes(run),
            by,
        }),
    }
}

/// A stored event of the world.
pub(crate) fn cloud_event(json: &Json) -> Result<CloudEvent, ReadError> {
    CloudEvent::new(value(json)?).map_err(|error| ReadError::Corrupt {
        detail: format!("an event: {error}"),
    })
}

/// A person's decision as it is stored.
pub(crate) fn decision_record(answer: &PersonsAnswer) -> DecisionRecord {
    DecisionRecord {
        approved: answer.decision == Decision::Approved,
        by: answer.by.clone(),
        comment: answer.comment.clone(),
        data: json(&answer.data),
    }
}

/// A person's decision.
pub(crate) fn decision(record: DecisionRecord) -> Result<PersonsAnswer, ReadError> {
    Ok(PersonsAnswer {
        decision: match record.approved {
            true => Decision::Approved,
            false => Decision::Rejected,
        },
        by: record.by,
        comment: record.comment,
        data: data(&record.data)?,
    })
}

/// What a task of a run of that workflow asks a person, as it is stored.
pub(crate) fn approval_record(namespace: &str, workflow: &str, it: &Approval) -> ApprovalRecord {
    ApprovalRecord {
        namespace: namespace.to_owned(),
        workflow: workflow.to_owned(),
        task: task_record(&it.task),
        attempt: it.attempt,
        title: it.title.clone(),
        description: it.description.clone(),
        assignees: it.assignees.clone(),
        form: it.form.as_deref().map(json),
        asked_at_ms: it.asked_at.as_millis(),
        due_ms: it.due.map(Timestamp::as_millis),
        outcome: None,
    }
}

/// What a task asks a person.
pub(crate) fn approval(record: ApprovalRecord) -> Result<Approval, ReadError> {
    Ok(Approval {
        task: task_key(record.task),
        attempt: record.attempt,
        title: record.title,
        description: record.description,
        assignees: record.assignees,
        form: record.form.as_ref().map(data).transpose()?,
        asked_at: Timestamp::from_millis(record.asked_at_ms),
        due: record.due_ms.map(Timestamp::from_millis),
    })
}

fn task_record(task: &TaskKey) -> TaskRecord {
    TaskRecord {
        pointer: task.pointer.to_string(),
        visit: task.visit,
    }
}

fn task_key(record: TaskRecord) -> TaskKey {
    TaskKey {
        pointer: record.pointer.into(),
        visit: record.visit,
    }
}

/// What a run is doing that has not ended, as it is stored.
pub(crate) fn phase(status: Status) -> PhaseRecord {
    match status {
        Status::Waiting => PhaseRecord::Waiting,
        Status::Suspended => PhaseRecord::Suspended,
        _ => PhaseRecord::Running,
    }
}

/// What a run is doing that has not ended.
pub(crate) fn open_status(phase: PhaseRecord) -> Status {
    match phase {
        PhaseRecord::Running => Status::Running,
        PhaseRecord::Waiting => Status::Waiting,
        PhaseRecord::Suspended => Status::Suspended,
    }
}

/// A task that listens, as it is stored: what it has not been offered is from `next` on.
pub(crate) fn listening_record(
    task: &TaskKey,
    topics: &Topics,
    next: u64,
    recorded: u64,
) -> ListeningRecord {
    let topic = |topic: &Topic| TopicRecord {
        kind: topic.kind.to_string(),
        mark: topic.mark.as_ref().map(|mark| MarkRecord {
            path: mark.path.to_vec(),
            text: mark.text.to_string(),
        }),
    };
    ListeningRecord {
        task: task_record(task),
        next,
        recorded,
        topics: match topics {
            Topics::Any => None,
            Topics::Types(types) => Some(types.iter().map(topic).collect()),
        },
    }
}

/// A task that listens, and from which position on the run's journal has it listen.
pub(crate) fn listening(record: ListeningRecord) -> (Listening, u64) {
    let topic = |topic: TopicRecord| {
        let mark = topic.mark.map(|mark| Mark {
            path: mark.path.into(),
            text: mark.text.into(),
        });
        Topic {
            kind: topic.kind.into(),
            mark,
        }
    };
    let listening = Listening {
        task: task_key(record.task),
        from: record.next,
        topics: match record.topics {
            None => Topics::Any,
            Some(topics) => Topics::Types(topics.into_iter().map(topic).collect()),
        },
    };
    (listening, record.recorded)
}

/// A timer as it is stored.
pub(crate) fn timer_record(timer: &TimerKey) -> TimerKindRecord {
    match timer {
        TimerKey::Wait(task) => TimerKindRecord::Wait(task_record(task)),
        TimerKey::Timeout(task) => TimerKindRecord::Timeout(task_record(task)),
        TimerKey::Retry(task) => TimerKindRecord::Retry(task_record(task)),
        TimerKey::Attempt(task) => TimerKindRecord::Attempt(task_record(task)),
        TimerKey::Consume(task) => TimerKindRecord::Consume(task_record(task)),
        TimerKey::RunTimeout => TimerKindRecord::RunTimeout,
    }
}

fn timer_key(record: TimerKindRecord) -> TimerKey {
    match record {
        TimerKindRecord::Wait(task) => TimerKey::Wait(task_key(task)),
        TimerKindRecord::Timeout(task) => TimerKey::Timeout(task_key(task)),
        TimerKindRecord::Retry(task) => TimerKey::Retry(task_key(task)),
        TimerKindRecord::Attempt(task) => TimerKey::Attempt(task_key(task)),
        TimerKindRecord::Consume(task) => TimerKey::Consume(task_key(task)),
        TimerKindRecord::RunTimeout => TimerKey::RunTimeout,
    }
}

/// What tells the tasks of one run apart in keys: the first eight bytes of the SHA-256 of the pointer. Stored,
/// so that it must never change.
pub(crate) fn task_discriminator(task: &TaskKey) -> u64 {
    let digest = crate::digest::of(task.pointer.as_bytes());
    u64::from_be_bytes(digest.0[..8].try_into().expect("eight bytes"))
}

/// What tells the timers of one run that are due at one time apart in their keys: the first eight bytes
/// of a SHA-256. Stored, so that it must never change.
pub(crate) fn timer_discriminator(timer: &TimerKey) -> u64 {
    let (kind, task) = match timer {
        TimerKey::Wait(task) => ("wait", Some(task)),
        TimerKey::Timeout(task) => ("timeout", Some(task)),
        TimerKey::Retry(task) => ("retry", Some(task)),
        TimerKey::Attempt(task) => ("attempt", Some(task)),
        TimerKey::Consume(task) => ("consume", Some(task)),
        TimerKey::RunTimeout => ("run", None),
    };
    let task = task
        .map(|task| format!("{}\0{}", task.visit, task.pointer))
        .unwrap_or_default();
    let digest = crate::digest::of(format!("{kind}\0{task}").as_bytes());
    u64::from_be_bytes(digest.0[..8].try_into().expect("eight bytes"))
}

fn error_record(error: &Error) -> ErrorRecord {
    ErrorRecord {
        type_uri: error.type_uri.clone(),
        status: error.status,
        instance: error.instance.clone(),
        title: error.title.clone(),
        detail: error.detail.clone(),
        data: error.data.as_ref().map(json),
        retry_after_ms: error.retry_after,
    }
}

fn error(record: ErrorRecord) -> Result<Error, ReadError> {
    Ok(Error {
        type_uri: record.type_uri,
        status: record.status,
        instance: record.instance,
        title: record.title,
        detail: record.detail,
        data: record.data.as_ref().map(value).transpose()?,
        retry_after: record.retry_after_ms,
    })
}

/// How a run ended, as it is stored.
pub(crate) fn ending_record(ending: &Ending) -> EndingRecord {
    match ending {
        Ending::Completed(output) => EndingRecord::Completed(json(output)),
        Ending::Faulted(error) => EndingRecord::Faulted(error_record(error)),
        Ending::Cancelled => EndingRecord::Cancelled,
    }
}

/// How a run ended.
pub(crate) fn ending(record: EndingRecord) -> Result<Ending, ReadError> {
    Ok(match record {
        EndingRecord::Completed(output) => Ending::Completed(data(&output)?),
        EndingRecord::Faulted(record) => Ending::Faulted(error(record)?),
        EndingRecord::Cancelled => Ending::Cancelled,
    })
}

/// What the index of runs says of an ending.
pub(crate) fn ended_status(ending: &Ending) -> (Status, StatusRecord) {
    match ending {
        Ending::Completed(_) => (Status::Completed, StatusRecord::Completed),
        Ending::Faulted(_) => (Status::Faulted, StatusRecord::Faulted),
        Ending::Cancelled => (Status::Cancelled, StatusRecord::Cancelled),
    }
}

#[cfg(test)]
mod tests {
    use baton_workflow::ErrorKind;
    use serde_json::json;

    use super::*;

    fn task(visit: u32) -> TaskKey {
        TaskKey {
            pointer: "/do/0/a".into(),
            visit,
        }
    }

    #[test]
    fn every_event_comes_back_as_it_was() {
        let mut error =
            Error::new(ErrorKind::Communication, "Not found", "GET /x said 404").at("/do/0/a");
        error.data = Some(json!({ "big": 18_446_744_073_709_551_615_u64, "z": 1, "a": 2 }));
        error.retry_after = Some(1500);
        let timers = [
            TimerKey::Wait(task(1)),
            TimerKey::Timeout(task(2)),
            TimerKey::Retry(task(3)),
            TimerKey::Attempt(task(4)),
            TimerKey::Consume(task(5)),
            TimerKey::RunTimeout,
        ];
        let mut events = vec![
            Event::Started {
                input: Arc::new(json!({ "name": "Ada", "n": [1, 2.5, null, true] })),
                events_from: 300,
            },
            Event::Received {
                task: task(1),
                position: 300,
                event: CloudEvent::new(
                    json!({ "specversion": "1.0", "id": "1", "source": "/a", "type": "t", "data": [1] }),
                )
                .expect("an event"),
            },
            Event::EventsDropped {
                task: task(1),
                first: 300,
            },
            Event::EventsPassed {
                task: task(1),
                next: 300,
            },
            Event::Answered {
                task: task(1),
                attempt: 3,
                answer: Ok(Arc::new(json!("done"))),
            },
            Event::Answered {
                task: task(1),
                attempt: 3,
                answer: Err(error),
            },
            Event::CancelRequested {
                by: "ada".into(),
                reason: None,
            },
            Event::CancelRequested {
                by: "ada".into(),
                reason: Some("enough".into()),
            },
            Event::StopRequested {
                by: "ada".into(),
                reason: None,
            },
            Event::SuspendRequested {
                by: "ada".into(),
                reason: None,
            },
            Event::ResumeRequested {
                by: "ada".into(),
                reason: Some("done".into()),
            },
            Event::Yielded {
                task: task(2),
                attempt: 3,
                item: Arc::new(json!({ "payload": 1, "headers": {} })),
            },
            Event::RetryRequested {
                by: "ada".into(),
                reason: None,
                correction: Some(3),
            },
            Event::Revealed {
                task: task(2),
                attempt: 3,
                reveal: Reveal {
                    secret: "login".into(),
                    member: Some("password".into()),
                    connector: "mail".into(),
                },
            },
            Event::Decided {
                task: task(2),
                attempt: 1,
                answer: PersonsAnswer {
                    decision: Decision::Rejected,
                    by: "ada".into(),
                    comment: Some("not yet".into()),
                    data: Arc::new(json!({ "n": 1 })),
                },
            },
        ];
        events.extend(timers.map(|timer| Event::Elapsed { timer }));
        for event in events {
            let at = Timestamp::from_millis(1_700_000_000_123);
            let back = occurrence(event_record(&event, at)).expect("read back");
            assert_eq!(back, Occurrence { at, event });
        }
    }

    #[test]
    fn timers_of_one_run_have_keys_of_their_own() {
        let timers = [
            TimerKey::Wait(task(1)),
            TimerKey::Wait(task(2)),
            TimerKey::Timeout(task(1)),
            TimerKey::Retry(task(1)),
            TimerKey::Attempt(task(1)),
            TimerKey::Consume(task(1)),
            TimerKey::RunTimeout,
        ];
        let different: std::collections::BTreeSet<_> =
            timers.iter().map(timer_discriminator).collect();
        assert_eq!(different.len(), timers.len());
    }
}
