//! Records of every version that a release has written stay readable.
//!
//! The files under `tests/golden` are never changed. A new version of a record gets a file of its own;
//! `BATON_GOLDEN=write cargo test -p baton-store --test golden` writes those that are missing.

use std::fmt::Debug;
use std::path::PathBuf;

use baton_store::record::{
    AnswerRecord, ApprovalRecord, AsleepRecord, BackupRecord, CallRecord, ChildRecord,
    ComponentRecord, ConnectorRecord, CorrectionRecord, DecisionRecord, DocumentRecord, EndRecord,
    EndingRecord, ErrorRecord, EventIdRecord, EventKindRecord, EventLogRecord, EventRecord,
    GrantRecord, IdempotencyRecord, Json, ListeningRecord, LoggedEventRecord, MarkRecord,
    MetaRecord, OpenRecord, OriginRecord, OutcomeRecord, ParentRecord, PauseRecord, PhaseRecord,
    PinRecord, Record, ResourceRecord, ResourcesRecord, RestartRecord, RevealRecord,
    RunIndexRecord, RunRecord, ScheduleFailureRecord, ScheduleRecord, ScheduledRecord,
    ScheduledStartRecord, SecretRecord, SeedKeyRecord, SinkRecord, SnapshotRecord, StatusRecord,
    TaskRecord, TimerKindRecord, TimerRecord, TopicRecord, TriggerKindRecord, TriggerRecord,
    WorkflowPinRecord, WorkflowRecord,
};

fn check<R: Record + PartialEq + Debug>(file: &str, record: &R) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "golden", file]
        .iter()
        .collect();
    let bytes = record.encode();
    if !path.exists() && std::env::var("BATON_GOLDEN").is_ok_and(|it| it == "write") {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, hex::encode(&bytes) + "\n").expect("written");
    }
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let golden = hex::decode(text.trim()).expect("hex");
    assert_eq!(R::decode(&golden).as_ref(), Ok(record), "{file}");
    assert_eq!(
        bytes, golden,
        "{file}: what is written now differs from what was"
    );
    assert!(R::decode(&[]).is_err());
    assert!(
        R::decode(&[9, 1])
            .expect_err("a later version")
            .to_string()
            .contains("version 9")
    );
}

/// A record of an earlier version, which is still read.
fn earlier<R: Record + PartialEq + Debug>(file: &str, record: &R) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "golden", file]
        .iter()
        .collect();
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let golden = hex::decode(text.trim()).expect("hex");
    assert_eq!(R::decode(&golden).as_ref(), Ok(record), "{file}");
}

fn task() -> TaskRecord {
    TaskRecord {
        pointer: "/do/0/greet".into(),
        visit: 2,
    }
}

fn error() -> ErrorRecord {
    ErrorRecord {
        type_uri: "https://serverlessworkflow.io/spec/1.0.0/errors/communication".into(),
        status: 503,
        instance: Some("/do/0/greet".into()),
        title: Some("Service Unavailable".into()),
        detail: None,
        data: Some(Json("{\"a\":1}".into())),
        retry_after_ms: Some(1500),
    }
}

fn schedule() -> ScheduleRecord {
    let trigger = |kind, next_ms, awaits| TriggerRecord {
        kind,
        next_ms,
        awaits,
    };
    let cron = TriggerKindRecord::Cron {
        expression: "0 8 * * *".into(),
        zone: "Europe/Berlin".into(),
    };
    ScheduleRecord {
        version: "1.0.0".into(),
        triggers: vec![
            trigger(
                TriggerKindRecord::Every(60_000),
                Some(1_800_000_060_000),
                None,
            ),
            trigger(cron, None, None),
            trigger(TriggerKindRecord::After(5_000), None, Some([8; 16])),
        ],
        paused: Some(PauseRecord {
            by: "ada".into(),
            at_ms: 1_800_000_000_001,
        }),
        started: 7,
        missed: 2,
        last: Some(ScheduledStartRecord {
            run: [8; 16],
            at_ms: 1_800_000_000_002,
            due_ms: 1_800_000_000_000,
        }),
        failure: Some(ScheduleFailureRecord {
            at_ms: 1_800_000_000_003,
            reason: "busy".into(),
        }),
    }
}

#[test]
fn every_version_of_every_record() {
    let json = Json("{\"name\":\"Ada\"}".into());
    let workflow = WorkflowPinRecord {
        namespace: "examples".into(),
        name: "hello".into(),
        version: "1.0.0".into(),
        digest: [1; 32],
    };
    let pin = PinRecord {
        name: "http".into(),
        version: Some("1.0.0".into()),
        digest: [2; 32],
        bundled: false,
    };
    let run = |origin| RunRecord {
        workflow: workflow.clone(),
        language: [3; 32],
        connectors: vec![pin.clone()],
        tags: vec![("team".into(), "a".into())],
        started_at_ms: 1_800_000_000_000,
        runtime: json.clone(),
        origin,
        secrets: Json("{}".into()),
        corrections: Vec::new(),
        event_bytes: u64::MAX,
        idempotency_key: None,
    };
    earlier("run.1.hex", &run(OriginRecord::Request));
    earlier("run.2.hex", &run(OriginRecord::Request));
    let parent = ParentRecord {
        run: [7; 16],
        call: CallRecord {
            task: task(),
            attempt: 3,
        },
        awaited: true,
        depth: 2,
    };
    let scheduled = ScheduledRecord {
        kind: "cron".into(),
        due_ms: 1_800_000_000_000,
        missed: 3,
    };
    earlier(
        "run-scheduled.3.hex",
        &run(OriginRecord::Schedule(scheduled)),
    );
    earlier("run-child.2.hex", &run(OriginRecord::Run(parent.clone())));
    let secrets = Json("{\"token\":\"baton-secret-00112233445566778899aabbccddeeff\"}".into());
    let run = RunRecord {
        secrets,
        ..run(OriginRecord::Run(parent))
    };
    check("schedule.1.hex", &schedule());
    let on = TriggerKindRecord::On {
        on: Json("{\"on\":{\"one\":{\"with\":{\"type\":\"a\"}}}}".into()),
        from: 7,
        taken: vec![8, 11],
    };
    let mut of_events = schedule();
    of_events.triggers[0].kind = on;
    check("schedule-on.1.hex", &of_events);
    earlier("run.3.hex", &run);
    let correction = CorrectionRecord {
        workflow: WorkflowPinRecord {
            version: "1.0.1".into(),
            ..workflow
        },
        connectors: vec![pin],
        secrets: Json("{}".into()),
    };
    let restart = RestartRecord {
        run: [8; 16],
        by: "ada".into(),
    };
    check("restart.1.hex", &restart);
    let run = RunRecord {
        origin: OriginRecord::Restart(restart),
        corrections: vec![correction],
        ..run
    };
    earlier("run.4.hex", &run);
    let shipped = PinRecord {
        bundled: true,
        ..run.connectors[0].clone()
    };
    let run = RunRecord {
        connectors: vec![shipped],
        event_bytes: 1 << 20,
        ..run
    };
    earlier("run.5.hex", &run);
    let run = RunRecord {
        idempotency_key: Some("order-7".into()),
        ..run
    };
    check("run.6.hex", &run);
    let child = ChildRecord {
        task: "/do/0/greet".into(),
    };
    check("child.1.hex", &child);
    let event = |kind| EventRecord {
        at_ms: 1_800_000_000_000,
        kind,
    };
    let call = CallRecord {
        task: task(),
        attempt: 3,
    };
    check(
        "event-started.1.hex",
        &event(EventKindRecord::Started {
            input: json.clone(),
        }),
    );
    check(
        "event-started-at.1.hex",
        &event(EventKindRecord::StartedAt {
            input: json.clone(),
            events_from: 300,
        }),
    );
    check(
        "event-log.1.hex",
        &EventLogRecord {
            first: 2,
            next: 300,
            bytes: 70_000,
        },
    );
    check(
        "logged-event.1.hex",
        &LoggedEventRecord {
            at_ms: 1_800_000_000_000,
            event: json.clone(),
        },
    );
    check("sink.1.hex", &SinkRecord { position: 300 });
    check("event-id.1.hex", &EventIdRecord { position: 300 });
    check(
        "event-received.1.hex",
        &event(EventKindRecord::Received {
            task: task(),
            position: 300,
            event: json.clone(),
        }),
    );
    check(
        "event-events-dropped.1.hex",
        &event(EventKindRecord::EventsDropped {
            task: task(),
            first: 300,
        }),
    );
    let answer = AnswerRecord::Result(json.clone());
    check(
        "event-answered.1.hex",
        &event(EventKindRecord::Answered {
            call: call.clone(),
            answer,
        }),
    );
    let answer = AnswerRecord::Error(error());
    check(
        "event-failed.1.hex",
        &event(EventKindRecord::Answered { call, answer }),
    );
    for (file, timer) in [
        ("wait", TimerKindRecord::Wait(task())),
        ("timeout", TimerKindRecord::Timeout(task())),
        ("retry", TimerKindRecord::Retry(task())),
        ("run-timeout", TimerKindRecord::RunTimeout),
        ("attempt", TimerKindRecord::Attempt(task())),
        ("consume", TimerKindRecord::Consume(task())),
    ] {
        check(
            &format!("event-elapsed-{file}.1.hex"),
            &event(EventKindRecord::Elapsed {
                timer: timer.clone(),
            }),
        );
        check(&format!("timer-{file}.1.hex"), &TimerRecord { timer });
    }
    let cancel = EventKindRecord::CancelRequested {
        by: "ada".into(),
        reason: Some("enough".into()),
    };
    check("event-cancel-requested.1.hex", &event(cancel));
    let stop = EventKindRecord::StopRequested {
        by: "ada".into(),
        reason: None,
    };
    check("event-stop-requested.1.hex", &event(stop));
    let suspend = EventKindRecord::SuspendRequested {
        by: "ada".into(),
        reason: Some("maintenance".into()),
    };
    check("event-suspend-requested.1.hex", &event(suspend));
    let resume = EventKindRecord::ResumeRequested {
        by: "bob".into(),
        reason: None,
    };
    check("event-resume-requested.1.hex", &event(resume));
    let retry = EventKindRecord::RetryRequested {
        by: "ada".into(),
        reason: Some("it answers again".into()),
        correction: Some(0),
    };
    check("event-retry-requested.1.hex", &event(retry));
    let decision = DecisionRecord {
        approved: true,
        by: "ada".into(),
        comment: Some("go".into()),
        data: json.clone(),
    };
    let decided = EventKindRecord::Decided {
        task: task(),
        attempt: 1,
        answer: decision.clone(),
    };
    check("event-decided.1.hex", &event(decided));
    let passed = EventKindRecord::EventsPassed {
        task: task(),
        next: 300,
    };
    check("event-events-passed.1.hex", &event(passed));
    let call = CallRecord {
        task: task(),
        attempt: 2,
    };
    let item = json.clone();
    let yielded = EventKindRecord::Yielded { call, item };
    check("event-yielded.1.hex", &event(yielded));
    let call = CallRecord {
        task: task(),
        attempt: 1,
    };
    let reveal = RevealRecord {
        secret: "login".into(),
        member: Some("password".into()),
        connector: "mail".into(),
    };
    let revealed = EventKindRecord::Revealed { call, reveal };
    check("event-revealed.1.hex", &event(revealed));
    let approval = |outcome| ApprovalRecord {
        namespace: "examples".into(),
        workflow: "release".into(),
        task: task(),
        attempt: 1,
        title: "Release?".into(),
        description: None,
        assignees: vec!["ada".into()],
        form: Some(json.clone()),
        asked_at_ms: 1_800_000_000_000,
        due_ms: Some(1_800_000_003_600),
        outcome,
    };
    check("approval-open.1.hex", &approval(None));
    let at_ms = 1_800_000_000_001;
    let decided = OutcomeRecord::Decided { at_ms, decision };
    check("approval-decided.1.hex", &approval(Some(decided)));
    let withdrawn = OutcomeRecord::Withdrawn { at_ms };
    check("approval-withdrawn.1.hex", &approval(Some(withdrawn)));
    let end = |ending| EndRecord {
        at_ms: 1_800_000_000_001,
        ending,
    };
    check(
        "end-completed.1.hex",
        &end(EndingRecord::Completed(json.clone())),
    );
    check("end-faulted.1.hex", &end(EndingRecord::Faulted(error())));
    check("end-cancelled.1.hex", &end(EndingRecord::Cancelled));
    let open = |phase, asleep| OpenRecord { phase, asleep };
    earlier("open.1.hex", &open(PhaseRecord::Waiting, None));
    check("open-running.2.hex", &open(PhaseRecord::Running, None));
    check("open-waiting.2.hex", &open(PhaseRecord::Waiting, None));
    check("open-suspended.2.hex", &open(PhaseRecord::Suspended, None));
    let mark = MarkRecord {
        path: vec!["data".into(), "order".into()],
        text: "17".into(),
    };
    let topic = |mark| TopicRecord {
        kind: "com.example.paid".into(),
        mark,
    };
    let listening = |topics| ListeningRecord {
        task: task(),
        next: 12,
        recorded: 7,
        topics,
    };
    let asleep = AsleepRecord {
        has_kin: true,
        listening: vec![
            listening(None),
            listening(Some(vec![topic(None), topic(Some(mark))])),
        ],
    };
    check(
        "open-asleep.2.hex",
        &open(PhaseRecord::Waiting, Some(asleep)),
    );
    check(
        "snapshot.1.hex",
        &SnapshotRecord {
            form: [7; 32],
            events: 300,
            last_at_ms: 1_800_000_000_123,
            corrections: 1,
            state: vec![1, 2, 3],
        },
    );
    for (file, status) in [
        ("open", StatusRecord::Open),
        ("completed", StatusRecord::Completed),
        ("faulted", StatusRecord::Faulted),
        ("cancelled", StatusRecord::Cancelled),
    ] {
        check(
            &format!("run-index-{file}.1.hex"),
            &RunIndexRecord {
                namespace: "examples".into(),
                name: "hello".into(),
                version: "1.0.0".into(),
                status,
                tags: vec![("team".into(), "a".into())],
            },
        );
    }
    check(
        "workflow.1.hex",
        &WorkflowRecord {
            namespace: "examples".into(),
            name: "hello".into(),
            version: "1.0.0".into(),
            digest: [1; 32],
            title: Some("Hello".into()),
            summary: None,
            connectors: vec!["http".into()],
            published_at_ms: 1_800_000_000_000,
        },
    );
    check("document.1.hex", &DocumentRecord("document: {}\n".into()));
    check(
        "connector.1.hex",
        &ConnectorRecord {
            name: "greeter".into(),
            version: None,
            digest: [2; 32],
            installed_at_ms: 1_800_000_000_000,
        },
    );
    check(
        "grant.1.hex",
        &GrantRecord {
            spec: json,
            granted_at_ms: 1_800_000_000_000,
        },
    );
    check(
        "idempotency.1.hex",
        &IdempotencyRecord {
            run: [4; 16],
            request: [5; 32],
        },
    );
    check(
        "secret.1.hex",
        &SecretRecord {
            name: "smtp".into(),
            key: [7; 8],
            nonce: [8; 24],
            sealed: vec![9; 20],
            hosts: vec!["*.example.org".into()],
            members: Some(vec!["password".into(), "username".into()]),
            public: vec!["username".into()],
            created_at_ms: 1_800_000_000_000,
            updated_at_ms: 1_800_000_000_001,
        },
    );
    check(
        "resources.1.hex",
        &ResourcesRecord {
            home: Some("file:///flows/hello.yaml".into()),
            resources: vec![ResourceRecord {
                uri: "https://example.org/schema.json".into(),
                text: "{}".into(),
            }],
        },
    );
    check("seed-key.1.hex", &SeedKeyRecord { secret: [6; 32] });
    check("component.1.hex", &ComponentRecord(vec![0, 1, 2]));
    check(
        "backup.1.hex",
        &BackupRecord {
            format: 1,
            partitions: 8,
            made_by: "baton 0.1.0".into(),
            at_ms: 1_800_000_000_000,
        },
    );
    check(
        "meta.1.hex",
        &MetaRecord {
            format: 1,
            partitions: 8,
            created_by: "baton 0.1.0".into(),
            created_at_ms: 1_800_000_000_000,
        },
    );
}
