//! A run that can't be had from its journal holds up no other.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use baton_engine::{ListError, RunFilter, RunId, Status, TenantId, Unavailable};
use baton_store::{Batch, KeyRange, MemoryStore, ReadError, Store, key};
use serde_json::json;

use support::{Host, Interfere, Interfered, Script, start};

const WAIT: &str = "
document: { dsl: '1.0.3', namespace: test, name: wait, version: '1.0.0' }
do:
  - pause: { wait: { hours: 1 } }
  - done: { set: { done: true } }
";

/// Starts runs that wait for an hour, and stops the host.
async fn waiting(store: &Arc<MemoryStore>, count: usize) -> Vec<RunId> {
    let tenant = TenantId::default();
    let host = Host::open(store.clone(), &Script::default());
    host.engine.publish(&tenant, WAIT).await.expect("published");
    let mut runs = Vec::new();
    for _ in 0..count {
        let run = host.engine.start(&tenant, start("wait", json!({}))).await;
        let run = run.expect("started").id;
        host.until(&run, Status::Waiting).await;
        runs.push(run);
    }
    host.engine.shutdown().await;
    runs
}

/// A store on which the host fails when it reads the journal of one run.
struct Trap(Vec<u8>);

impl Interfere for Trap {
    fn before_scan(&self, range: &KeyRange) {
        assert!(!range.contains(&self.0), "the host fails on this run");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_the_host_fails_on_holds_up_no_other() {
    let store = Arc::new(MemoryStore::new());
    // With eight runs on two partitions, there is most likely one beside the first.
    let runs = waiting(&store, 8).await;
    let event = key::event(runs[0].partition(2), &TenantId::default(), &runs[0], 1);
    let by = Trap(event);
    let host = Host::open(Arc::new(Interfered { store, by }), &Script::default());
    support::until("recovered", async || host.engine.is_ready()).await;
    host.clock.advance(Duration::from_secs(3601));
    for run in &runs[1..] {
        assert_eq!(host.end(run).await.status, Status::Completed);
    }
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_run_hides_no_other_from_the_list() {
    let store = Arc::new(MemoryStore::new());
    let runs = waiting(&store, 3).await;
    let tenant = TenantId::default();
    for damaged in [
        key::run(runs[1].partition(2), &tenant, &runs[1]),
        key::event(runs[1].partition(2), &tenant, &runs[1], 1),
        key::open(runs[1].partition(2), &tenant, &runs[1]),
        key::run_index(&tenant, &runs[1]),
    ] {
        let good = store.get(&damaged).expect("read").expect("there");
        let put = |value: &[u8]| {
            let mut batch = Batch::new();
            batch.put(damaged.clone(), value.to_vec());
            store.commit(&batch).expect("written");
        };
        put(&[1, 0xff, 0xff]);
        let host = Host::open(store.clone(), &Script::default());
        let listed = host
            .engine
            .runs(&tenant, &RunFilter::default(), None, 9)
            .await;
        let listed: Vec<RunId> = listed
            .expect("listed")
            .items
            .iter()
            .map(|run| run.id)
            .collect();
        assert!(listed.contains(&runs[0]) && listed.contains(&runs[2]));
        host.engine.shutdown().await;
        put(&good);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_goes_on_behind_the_end_is_refused() {
    let store = Arc::new(MemoryStore::new());
    let run = waiting(&store, 1).await[0];
    let (tenant, partition) = (TenantId::default(), run.partition(2));
    let host = Host::open(store.clone(), &Script::default());
    let cancelled = host.engine.cancel(&tenant, &run, "ada", None).await;
    assert_eq!(cancelled.expect("cancelled").status, Status::Cancelled);
    let lines = host.engine.history(&tenant, &run, 0, 99).await;
    assert!(!lines.expect("read").expect("there").is_empty());

    let last = store
        .get(&key::event(partition, &tenant, &run, 2))
        .expect("read");
    let mut batch = Batch::new();
    batch.put(
        key::event(partition, &tenant, &run, 3),
        last.expect("the cancellation"),
    );
    store.commit(&batch).expect("written");
    let refused = host.engine.history(&tenant, &run, 0, 99).await;
    let Err(Unavailable::Broken(reason)) = refused else {
        panic!("{refused:?}")
    };
    assert!(reason.contains("before event 3 of its journal"), "{reason}");
    host.engine.shutdown().await;
}

/// A store that does not read the records of runs.
#[derive(Default)]
struct Blind(AtomicBool);

impl Interfere for Blind {
    fn before_get(&self, key: &[u8]) -> Result<(), ReadError> {
        // Behind the number of the partition stands the kind.
        if self.0.load(Ordering::SeqCst) && key[0] == 0 && key[2] == b'r' {
            return Err(ReadError::Io {
                detail: "the medium does not answer".into(),
            });
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_started_is_not_refused_because_it_cannot_be_read() {
    let store = Arc::new(Interfered::<Blind>::default());
    let host = Host::open(store.clone(), &Script::default());
    let tenant = TenantId::default();
    host.engine.publish(&tenant, WAIT).await.expect("published");
    store.by.0.store(true, Ordering::SeqCst);
    let mut request = start("wait", json!({ "a": 1 }));
    request.tags.insert("team".into(), "x".into());
    let started = host.engine.start(&tenant, request).await.expect("started");
    let refused = host
        .engine
        .runs(&tenant, &RunFilter::default(), None, 9)
        .await;
    assert!(
        matches!(
            refused,
            Err(ListError::Unavailable(Unavailable::Storage(_)))
        ),
        "a medium that does not answer is no empty list: {refused:?}"
    );
    store.by.0.store(false, Ordering::SeqCst);
    host.until(&started.id, Status::Waiting).await;
    let mut read = host.engine.run(&tenant, &started.id).await;
    let read = read.as_mut().expect("read").as_mut().expect("there");
    read.status = Status::Running;
    assert_eq!(*read, started);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_another_has_cleared_at_its_time_is_no_event() {
    let store = Arc::new(MemoryStore::new());
    let host = Host::open(store.clone(), &Script::default());
    let tenant = TenantId::default();
    let document = WAIT.replace(
        "pause: { wait: { hours: 1 } }",
        "pause: { wait: { hours: 1 }, timeout: { after: { hours: 1 } }, then: end }",
    );
    let document = document.replace("\n  - done: { set: { done: true } }", "");
    host.engine
        .publish(&tenant, &document)
        .await
        .expect("published");
    let run = host.engine.start(&tenant, start("wait", json!({}))).await;
    let run = run.expect("started").id;
    host.until(&run, Status::Waiting).await;
    host.clock.advance(Duration::from_secs(3601));
    host.end(&run).await;
    let event = |number| store.get(&key::event(run.partition(2), &tenant, &run, number));
    assert!(event(2).expect("read").is_some());
    assert!(event(3).expect("read").is_none());
    let lines = host.engine.history(&tenant, &run, 0, 99).await;
    assert!(lines.expect("read").is_some());
    host.engine.shutdown().await;
}
