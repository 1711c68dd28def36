//! Stores of every version of a run's record are opened by this host, and their runs go on.
//!
//! The files under `tests/stores` are never changed: each is a whole store, as redb and the host had it, of the version
//! that its name says. A new version gets a file of its own; `BATON_STORES=write cargo test -p baton-engine --test
//! stored` writes those that are missing.

mod support;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use baton_engine::{
    Answer, ApprovalFilter, Decision, Engine, ManualClock, RunFilter, RunId, RunView, Settings,
    StartRun, Status, TenantId, Timestamp,
};
use baton_store::record::{EventKindRecord, EventRecord, Record as _};
use baton_store::{
    Batch, Direction, FILE_NAME, KeyRange, RedbOptions, RedbStore, Store, compact, key,
};
use baton_workflow::CloudEvent;
use serde_json::json;

use support::{shared_sandbox, start, until};

/// The version that this release writes.
const PRESENT: u8 = 6;

/// When the stores were written.
const WRITTEN: i64 = 1_800_000_000_000;

const DOCUMENTS: [&str; 4] = [
    "
document: { dsl: '1.0.3', namespace: test, name: done, version: '1.0.0' }
do:
  - keep: { set: { done: true } }
",
    "
document: { dsl: '1.0.3', namespace: test, name: fail, version: '1.0.0' }
do:
  - before: { set: { before: true } }
  - fail: { raise: { error: { type: 'https://example.org/errors/no', status: 500 } } }
",
    "
document: { dsl: '1.0.3', namespace: test, name: pause, version: '1.0.0' }
do:
  - before: { set: { before: true } }
  - pause: { wait: { hours: 1 } }
  - after: { set: { after: true } }
",
    "
document: { dsl: '1.0.3', namespace: test, name: ask, version: '1.0.0' }
do:
  - ask: { call: approval, with: { title: 'Go on?' } }
",
];

const LISTEN: &str = "
document: { dsl: '1.0.3', namespace: test, name: listen, version: '1.0.0' }
do:
  - wait: { listen: { to: { one: { with: { type: go } } } } }
";

fn tenant() -> TenantId {
    TenantId::default()
}

fn file(version: u8) -> PathBuf {
    let name = format!("{version}.redb");
    [env!("CARGO_MANIFEST_DIR"), "tests", "stores", &name]
        .iter()
        .collect()
}

/// A host on a store. Its documents need no expression language and no connector.
async fn open(data: &Path) -> (Engine, Arc<ManualClock>) {
    // The engine before may still be reading.
    let store = RefCell::new(None);
    let is_open = async || {
        *store.borrow_mut() = RedbStore::open(data, RedbOptions::default()).ok();
        store.borrow().is_some()
    };
    until("the store is free", is_open).await;
    let store = store.into_inner().expect("a store");
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(WRITTEN)));
    let settings = Settings {
        clock: clock.clone(),
        partitions: 2,
        ..Settings::default()
    };
    let engine = Engine::open(Arc::new(store), shared_sandbox().clone(), settings);
    let engine = engine.expect("an engine");
    until("the engine is ready", async || engine.is_ready()).await;
    (engine, clock)
}

fn named(name: &str) -> StartRun {
    let mut request = start(name, json!({ "name": "Ada" }));
    request.tags.insert("team".into(), name.into());
    request
}

/// The one run of a workflow.
async fn run_of(engine: &Engine, name: &str) -> RunView {
    let filter = RunFilter {
        workflow: Some(("test".into(), name.into())),
        ..RunFilter::default()
    };
    let page = engine
        .runs(&tenant(), &filter, None, 9)
        .await
        .expect("read");
    assert_eq!(page.items.len(), 1, "{name}");
    page.items[0].clone()
}

async fn end(engine: &Engine, run: &RunId) -> RunView {
    let waited = engine.wait(&tenant(), run, Duration::from_secs(30)).await;
    let run = waited.expect("read").expect("there");
    assert!(run.status.is_ended(), "{run:?}");
    run
}

async fn check(version: u8) {
    let data = tempfile::tempdir().expect("a directory");
    std::fs::copy(file(version), data.path().join(FILE_NAME)).expect("copied");
    let (engine, clock) = open(data.path()).await;

    let done = run_of(&engine, "done").await;
    assert_eq!(done.status, Status::Completed);
    assert_eq!(done.output.as_deref(), Some(&json!({ "done": true })));
    assert_eq!(*done.input, json!({ "name": "Ada" }));
    assert_eq!(done.tags["team"], "done");
    let lines = engine.history(&tenant(), &done.id, 0, 99).await;
    assert!(lines.expect("read").expect("there").len() >= 4);
    // What ended may begin anew.
    let again = engine.restart(&tenant(), &done.id, None, "ada", None).await;
    let again = end(&engine, &again.expect("restarted").id).await;
    assert_eq!(again.output, done.output);
    let failed = run_of(&engine, "fail").await;
    let retried = engine.retry(&tenant(), &failed.id, None, "ada", None).await;
    retried.expect("retried");
    assert_eq!(end(&engine, &failed.id).await.status, Status::Faulted);

    // What was open goes on.
    let asked = engine
        .approvals(&tenant(), &ApprovalFilter::default(), None, 9)
        .await;
    let asked = asked.expect("read").items;
    assert_eq!(asked.len(), 1);
    let answer = Answer {
        decision: Decision::Approved,
        by: "ada".into(),
        comment: None,
        data: Arc::new(json!({})),
    };
    let decided = engine.decide(&tenant(), &asked[0].id, answer).await;
    decided.expect("decided");
    let ask = run_of(&engine, "ask").await;
    assert_eq!(end(&engine, &ask.id).await.status, Status::Completed);
    let pause = run_of(&engine, "pause").await;
    assert_eq!(pause.status, Status::Waiting);
    clock.advance(Duration::from_secs(3601));
    let ended = end(&engine, &pause.id).await;
    assert_eq!(ended.output.as_deref(), Some(&json!({ "after": true })));
    if version > 1 {
        let listen = run_of(&engine, "listen").await;
        assert_eq!(listen.status, Status::Waiting);
        let event = json!({ "specversion": "1.0", "id": "1", "source": "/test", "type": "go" });
        let event = CloudEvent::new(event).expect("an event");
        let sent = engine.send_events(&tenant(), vec![event]).await;
        sent.expect("sent");
        assert_eq!(end(&engine, &listen.id).await.status, Status::Completed);
    }

    // What was changed meanwhile is of this version, and is read beside what is not.
    engine.shutdown().await;
    drop(engine);
    let (engine, _) = open(data.path()).await;
    assert_eq!(run_of(&engine, "pause").await.output, ended.output);
    assert_eq!(run_of(&engine, "fail").await.status, Status::Faulted);
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_of_every_version_go_on() {
    for version in 1..=PRESENT {
        if !file(version).exists() && std::env::var("BATON_STORES").is_ok_and(|it| it == "write") {
            write(version).await;
        }
        check(version).await;
    }
}

/// Writes a store of a version: one of this host, with what later versions added taken away.
async fn write(version: u8) {
    let data = tempfile::tempdir().expect("a directory");
    let (engine, _clock) = open(data.path()).await;
    let listen = (version > 1).then_some(LISTEN);
    for document in DOCUMENTS.into_iter().chain(listen) {
        let published = engine.publish(&tenant(), document).await;
        published.expect("published");
    }
    for name in ["done", "fail"] {
        let run = engine.start(&tenant(), named(name)).await.expect("started");
        end(&engine, &run.id).await;
    }
    for name in ["pause", "ask"].into_iter().chain(listen.map(|_| "listen")) {
        let run = engine.start(&tenant(), named(name)).await.expect("started");
        until("the run waits", async || {
            let now = engine.run(&tenant(), &run.id).await;
            now.expect("read").expect("there").status == Status::Waiting
        })
        .await;
    }
    engine.shutdown().await;
    drop(engine);
    let store = RedbStore::open(data.path(), RedbOptions::default()).expect("a store");
    store.commit(&earlier(&store, version)).expect("committed");
    drop(store);
    compact(data.path(), &RedbOptions::default()).expect("compacted");
    std::fs::create_dir_all(file(version).parent().expect("a folder")).expect("made");
    std::fs::copy(data.path().join(FILE_NAME), file(version)).expect("copied");
}

/// What makes a store of this version one of an earlier version.
fn earlier(store: &RedbStore, version: u8) -> Batch {
    let all = KeyRange {
        start: Vec::new(),
        end: vec![0xff; 9],
    };
    let pairs = store.scan(&all, Direction::Ascending, usize::MAX);
    let mut batch = Batch::new();
    for (at, value) in pairs.expect("read") {
        if key::is_run(&at) {
            batch.put(at, earlier_run(value, version));
        } else if at[2] == b'j' && at[0] < 0xff && version == 1 {
            let event = EventRecord::decode(&value).expect("an event");
            if let EventKindRecord::StartedAt { input, .. } = event.kind {
                let kind = EventKindRecord::Started { input };
                batch.put(at, EventRecord { kind, ..event }.encode());
            }
        }
    }
    if version == 1 {
        batch.delete(key::seed_key());
    }
    batch
}

/// A run's record as a former version had it: each version added something at the end.
fn earlier_run(mut record: Vec<u8>, version: u8) -> Vec<u8> {
    let added: [(u8, &[u8]); 4] = [
        // No key of a client.
        (6, &[0]),
        // The largest event: 1 MiB.
        (5, &[0x80, 0x80, 0x40]),
        // No corrections.
        (4, &[0]),
        // No secrets. Version 2 said what had started a run where version 1 had nothing, and has the same bytes.
        (3, b"\x02{}"),
    ];
    for (since, suffix) in added {
        if since > version {
            assert!(record.ends_with(suffix), "{since}: {record:?}");
            record.truncate(record.len() - suffix.len());
        }
    }
    record[0] = version;
    record
}
