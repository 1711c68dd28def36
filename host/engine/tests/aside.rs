//! What the host does where it can't go on with a run, or has lost a thread.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use baton_engine::{
    Bundled, ControlError, Engine, ManualClock, NoteKind, RunId, Settings, Status, TenantId,
    Timestamp,
};
use baton_store::record::{OpenRecord, Record};
use baton_store::{Batch, CommitError, MemoryStore, ReadError, Store, key};
use serde_json::json;
use support::{Host, Interfere, Interfered, Script, shared_sandbox, start, until};

const ADD: &str = "
document: { dsl: '1.0.3', namespace: test, name: add, version: '1.0.0' }
do:
  - pause: { wait: { hours: 1 } }
  - add: { set: { sum: '${ [1, 2, 39] | add }' } }
";

/// A store that does not read one record while it is told so.
struct Blind {
    key: Vec<u8>,
    is_blind: AtomicBool,
    refused: AtomicUsize,
}

impl Interfere for Blind {
    fn before_get(&self, key: &[u8]) -> Result<(), ReadError> {
        if !self.is_blind.load(Ordering::SeqCst) || *key != self.key {
            return Ok(());
        }
        self.refused.fetch_add(1, Ordering::SeqCst);
        Err(ReadError::Io {
            detail: "the medium does not answer".into(),
        })
    }
}

/// A store with a run that is asleep before its expression, and where it has the language of that.
async fn asleep() -> (Arc<MemoryStore>, RunId, Vec<u8>) {
    let tenant = TenantId::default();
    let memory = Arc::new(MemoryStore::new());
    let host = Host::open(memory.clone(), &Script::default());
    host.engine.publish(&tenant, ADD).await.expect("published");
    let run = host.engine.start(&tenant, start("add", json!({}))).await;
    let run = run.expect("started").id;
    let key = key::open(run.partition(2), &tenant, &run);
    let is_stored = async || {
        let stored = memory.get(&key).expect("read").expect("it is open");
        let record = OpenRecord::decode(&stored).expect("a record");
        record.asleep.is_some()
    };
    until("it is durable that it is asleep", is_stored).await;
    host.engine.shutdown().await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/dist/jq.wasm");
    let language = Bundled::new(std::fs::read(path).expect("it is built")).digest();
    (memory, run, key::component(&language))
}

/// A host that came without the language of the runs on its store, which it reads from there.
fn open_without_language(store: Arc<Interfered<impl Interfere + 'static>>) -> Host {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_800_000_000_000)));
    let settings = Settings {
        bundled: BTreeMap::new(),
        clock: clock.clone(),
        ..Settings::default()
    };
    let engine = Engine::open_with(store, shared_sandbox().clone(), settings, None);
    Host {
        engine: engine.expect("an engine"),
        clock,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_expressions_cannot_be_evaluated_just_now_is_tried_again() {
    let tenant = TenantId::default();
    let (store, run, key) = asleep().await;
    let store = Arc::new(Interfered {
        store,
        by: Blind {
            key,
            is_blind: AtomicBool::new(true),
            refused: AtomicUsize::new(0),
        },
    });
    let host = open_without_language(store.clone());
    until("recovered", async || host.engine.is_ready()).await;
    host.clock.advance(Duration::from_secs(3601));
    let refused = async |times| store.by.refused.load(Ordering::SeqCst) >= times;
    until("the language was wanted", async || refused(1).await).await;
    let busy = host.engine.cancel(&tenant, &run, "ada", None).await;
    assert!(matches!(busy, Err(ControlError::Busy { .. })), "{busy:?}");

    host.clock.advance(Duration::from_secs(6));
    until("it was tried again", async || refused(2).await).await;
    store.by.is_blind.store(false, Ordering::SeqCst);
    host.clock.advance(Duration::from_secs(6));
    let end = host.end(&run).await;
    assert_eq!(end.output.as_deref(), Some(&json!({ "sum": 42 })));
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_come_due_does_so_after_a_restart() {
    let (memory, run, key) = asleep().await;
    let by = Blind {
        key,
        is_blind: AtomicBool::new(true),
        refused: AtomicUsize::new(0),
    };
    let store = Arc::new(Interfered {
        store: memory.clone(),
        by,
    });
    let host = open_without_language(store.clone());
    until("recovered", async || host.engine.is_ready()).await;
    host.clock.advance(Duration::from_secs(3601));
    let is_refused = async || store.by.refused.load(Ordering::SeqCst) > 0;
    until("the language was wanted", is_refused).await;
    host.engine.shutdown().await;

    let host = Host::open(memory, &Script::default());
    host.clock.advance(Duration::from_secs(3601));
    let end = host.end(&run).await;
    assert_eq!(end.output.as_deref(), Some(&json!({ "sum": 42 })));
    host.engine.shutdown().await;
}

/// A store on which the thread that asks for one record fails.
#[derive(Default)]
struct Trap(std::sync::Mutex<Option<Vec<u8>>>);

impl Interfere for Trap {
    fn before_get(&self, key: &[u8]) -> Result<(), ReadError> {
        let trap = self.0.lock().expect("not poisoned").clone();
        assert_ne!(trap.as_deref(), Some(key), "the host fails on this record");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_run_that_the_host_fails_on_hears_that_no_more_comes() {
    let tenant = TenantId::default();
    let (store, run, key) = asleep().await;
    let by = Trap(Some(key).into());
    let host = open_without_language(Arc::new(Interfered { store, by }));
    let lines = host.engine.subscribe(&tenant, &run, 0).await;
    let mut lines = lines.expect("read").expect("there");
    until("recovered", async || host.engine.is_ready()).await;
    let mut last = lines.next().await.expect("a line").expect("in time");
    host.clock.advance(Duration::from_secs(3601));
    while let Some(line) = lines.next().await {
        last = line.expect("in time");
    }
    assert_eq!(
        last.kind,
        NoteKind::TaskStarted,
        "it waits, as far as is durable"
    );
    let later = host.engine.subscribe(&tenant, &run, 0).await;
    let mut later = later.expect("read").expect("there");
    while later.next().await.is_some() {}
    let found = host.engine.run(&tenant, &run).await;
    assert_eq!(found.expect("read").expect("there").status, Status::Waiting);
    host.engine.shutdown().await;
}

/// A store on which the journal's thread fails once it is told so.
#[derive(Default)]
struct Snare(AtomicBool);

impl Interfere for Snare {
    fn before_commit(&self, _: &Batch) -> Result<(), CommitError> {
        assert!(!self.0.load(Ordering::SeqCst), "the host fails to write");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_journal_that_is_lost() {
    let (store, run, _) = asleep().await;
    let by = Snare::default();
    let store = Arc::new(Interfered { store, by });
    let host = Host::open(store.clone(), &Script::default());
    until("recovered", async || host.engine.is_ready()).await;
    store.by.0.store(true, Ordering::SeqCst);
    let tenant = TenantId::default();
    let lost = host.engine.cancel(&tenant, &run, "ada", None).await;
    assert!(lost.is_err(), "nobody can write: {lost:?}");
    until("the host knows", async || !host.engine.is_ready()).await;
    let late = host.engine.start(&tenant, start("add", json!({}))).await;
    assert!(late.is_err(), "nobody can write: {late:?}");
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_has_lost_a_thread_is_not_ready() {
    let document = "
document: { dsl: '1.0.3', namespace: test, name: call, version: '1.0.0' }
do:
  - one: { call: http, with: { method: get, endpoint: 'https://example.org/1' } }
";
    let tenant = TenantId::default();
    let store = Arc::new(Interfered::<Trap>::default());
    let script = Script::default();
    script.break_only(&["one"]);
    let host = Host::open(store.clone(), &script);
    host.engine
        .publish(&tenant, document)
        .await
        .expect("published");
    let run: RunId = host
        .engine
        .start(&tenant, start("call", json!({})))
        .await
        .expect("started")
        .id;
    assert_eq!(host.end(&run).await.status, Status::Faulted);
    assert!(host.engine.is_ready());
    // The partition looks whether somebody else was quicker.
    let next = key::event(run.partition(2), &tenant, &run, 3);
    *store.by.0.lock().expect("not poisoned") = Some(next);
    let lost = host.engine.retry(&tenant, &run, None, "ada", None).await;
    assert!(lost.is_err(), "nobody answers: {lost:?}");
    until("the host knows", async || !host.engine.is_ready()).await;
    host.engine.shutdown().await;
}
