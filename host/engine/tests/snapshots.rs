//! Snapshots: a run with a long journal is loaded without reading it from its start, and comes to the same.

mod support;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use baton_engine::{RunId, Status, TenantId};
use baton_store::record::{Record, SnapshotRecord};
use baton_store::{Batch, Direction, KeyRange, MemoryStore, ReadError, Store, key};
use serde_json::json;

use support::{Host, Interfere, Interfered, Script, start, until};

/// Calls one after the other and side by side, an error that is handled, and a wait before the last call.
const WORK: &str = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do:
  - each:
      for: { in: '${ [range(4)] }' }
      do:
        - one: { call: http, with: { method: get, endpoint: 'https://example.org/1' } }
  - both:
      fork:
        branches:
          - left: { call: http, with: { method: get, endpoint: 'https://example.org/2' } }
          - right:
              try:
                - broken: { call: http, with: { method: get, endpoint: 'https://example.org/3' } }
              catch:
                do:
                  - mended: { call: http, with: { method: get, endpoint: 'https://example.org/4' } }
      export: { as: '${ { before: . } }' }
  - pause: { wait: { hours: 1 } }
  - last:
      call: http
      with: { method: get, endpoint: 'https://example.org/5' }
      output: { as: '${ $context + { last: . } }' }
";

/// Starts a run and stops the host when it waits.
async fn waiting(store: &Arc<MemoryStore>, script: &Script) -> RunId {
    let tenant = TenantId::default();
    script.break_only(&["broken"]);
    let host = Host::open(store.clone(), script);
    host.engine.publish(&tenant, WORK).await.expect("published");
    let run = host.engine.start(&tenant, start("work", json!({}))).await;
    let run = run.expect("started").id;
    host.until(&run, Status::Waiting).await;
    host.engine.shutdown().await;
    run
}

/// What a run of [`WORK`] comes to.
fn output() -> serde_json::Value {
    let called = |pointer: &str| json!({ "called": pointer });
    let mended = "/do/1/both/fork/branches/1/right/catch/do/0/mended";
    json!({
        "before": [called("/do/1/both/fork/branches/0/left"), called(mended)],
        "last": called("/do/3/last"),
    })
}

fn snapshot(store: &MemoryStore, run: &RunId) -> Option<SnapshotRecord> {
    let stored = store.get(&snapshot_key(run)).expect("read")?;
    Some(SnapshotRecord::decode(&stored).expect("a snapshot"))
}

fn snapshot_key(run: &RunId) -> Vec<u8> {
    key::snapshot(run.partition(2), &TenantId::default(), run)
}

fn event_key(run: &RunId, number: u32) -> Vec<u8> {
    key::event(run.partition(2), &TenantId::default(), run, number)
}

/// A store on which nobody may read some events of a run.
struct Covered {
    run: RunId,
    events: RangeInclusive<u32>,
    is_armed: AtomicBool,
}

impl Covered {
    fn events(&self) -> impl Iterator<Item = Vec<u8>> {
        let events = self.events.clone();
        let is_armed = self.is_armed.load(Ordering::SeqCst);
        let events = events.filter(move |_| is_armed);
        events.map(|number| event_key(&self.run, number))
    }
}

impl Interfere for Covered {
    fn before_get(&self, key: &[u8]) -> Result<(), ReadError> {
        match self.events().any(|event| event == key) {
            true => panic!("an event is read that the snapshot has"),
            false => Ok(()),
        }
    }

    fn before_scan(&self, range: &KeyRange) {
        let reads = self.events().any(|event| range.contains(&event));
        assert!(!reads, "events are read that the snapshot has");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_snapshot_has_is_not_read_when_a_run_is_loaded() {
    let (store, script) = (Arc::new(MemoryStore::new()), Script::default());
    let run = waiting(&store, &script).await;
    let events = snapshot(&store, &run).expect("it is taken").events;
    assert!(events >= 3, "{events}");
    let behind = event_key(&run, events + 1);
    assert!(
        store.get(&behind).expect("read").is_some(),
        "something is behind it"
    );
    let by = Covered {
        run,
        events: 1..=events,
        is_armed: AtomicBool::new(true),
    };
    let store = Arc::new(Interfered { store, by });
    let host = Host::open(store.clone(), &script);
    until("recovered", async || host.engine.is_ready()).await;
    host.clock.advance(std::time::Duration::from_secs(3601));
    let ended = key::end(run.partition(2), &TenantId::default(), &run);
    let is_there = || store.store.get(&ended).expect("read").is_some();
    until("the run has ended", async || is_there()).await;
    // Who looks at the run sees its input, and its history from the beginning.
    store.by.is_armed.store(false, Ordering::SeqCst);
    let end = host.end(&run).await;
    assert_eq!(end.status, Status::Completed, "{:?}", end.error);
    assert_eq!(end.output.as_deref(), Some(&output()));
    let calls = script.called();
    let different: std::collections::BTreeSet<_> = calls.iter().collect();
    assert_eq!(
        different.len(),
        calls.len(),
        "nothing is called twice: {calls:?}"
    );
    assert_eq!(snapshot(&store.store, &run), None, "it goes with the end");
    let tenant = TenantId::default();
    let history = host.engine.history(&tenant, &run, 0, 999).await;
    let history = history.expect("read").expect("there");
    assert_eq!(history[0].seq, 1);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_of_no_use_is_passed_over() {
    let (store, script) = (Arc::new(MemoryStore::new()), Script::default());
    let run = waiting(&store, &script).await;
    let good = snapshot(&store, &run).expect("it is taken");
    let damaged = |damage: fn(&mut SnapshotRecord)| {
        let mut snapshot = good.clone();
        damage(&mut snapshot);
        snapshot.encode()
    };
    let useless = [
        ("of another form", damaged(|it| it.form[0] ^= 1)),
        ("of other corrections", damaged(|it| it.corrections += 1)),
        ("damaged", damaged(|it| it.state[9] ^= 1)),
        ("cut", damaged(|it| it.state.truncate(9))),
        ("no record", vec![1, 2]),
        ("of a later release", vec![9, 9]),
    ];
    for (what, bytes) in useless {
        let store = copy(&store);
        let mut batch = Batch::new();
        batch.put(snapshot_key(&run), bytes);
        store.commit(&batch).expect("written");
        let host = Host::open(store.clone(), &script);
        until("recovered", async || host.engine.is_ready()).await;
        host.clock.advance(std::time::Duration::from_secs(3601));
        let end = host.end(&run).await;
        assert_eq!(end.status, Status::Completed, "{what}: {:?}", end.error);
        assert_eq!(end.output.as_deref(), Some(&output()), "{what}");
        let left = store.get(&snapshot_key(&run)).expect("read");
        assert_eq!(left, None, "{what}: it goes with the end all the same");
        host.engine.shutdown().await;
    }
}

fn copy(store: &MemoryStore) -> Arc<MemoryStore> {
    let all = KeyRange {
        start: Vec::new(),
        end: vec![0xff; 64],
    };
    let copy = MemoryStore::new();
    let mut batch = Batch::new();
    for (key, value) in store
        .scan(&all, Direction::Ascending, usize::MAX)
        .expect("read")
    {
        batch.put(key, value);
    }
    copy.commit(&batch).expect("written");
    Arc::new(copy)
}
