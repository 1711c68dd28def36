//! The engine on a real store and real expressions, with scripted calls.

mod support;

use std::sync::Arc;
use std::time::Duration;

use baton_engine::{ControlError, NoteKind, PublishError, RunFilter, StartError, Status, TenantId};
use baton_store::MemoryStore;
use serde_json::json;

use support::{Host, Script, start};

const SUM: &str = "
document: { dsl: '1.0.3', namespace: test, name: sum, version: '1.0.0' }
do:
  - add: { set: { total: '${ .numbers | add }' } }
";

const WAIT: &str = "
document: { dsl: '1.0.3', namespace: test, name: wait, version: '1.0.0' }
do:
  - pause: { wait: { hours: 1 } }
  - done: { set: { done: true } }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_computes_and_tells_its_history() {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    let tenant = TenantId::default();
    let first = host.engine.publish(&tenant, SUM).await.expect("published");
    assert!(first.created);
    assert!(
        !host
            .engine
            .publish(&tenant, SUM)
            .await
            .expect("published again")
            .created
    );
    let other = host
        .engine
        .publish(&tenant, &SUM.replace("add }", "length }"))
        .await;
    assert!(
        matches!(other, Err(PublishError::Conflict { .. })),
        "{other:?}"
    );

    let run = host
        .engine
        .start(&tenant, start("sum", json!({ "numbers": [1, 2, 39] })))
        .await
        .expect("started");
    let run = host
        .engine
        .wait(&tenant, &run.id, Duration::from_secs(30))
        .await
        .expect("read")
        .expect("there");
    assert_eq!(run.status, Status::Completed);
    assert_eq!(*run.output.expect("an output"), json!({ "total": 42 }));

    let notes = host
        .engine
        .history(&tenant, &run.id, 0, 100)
        .await
        .expect("read")
        .expect("there");
    assert!(notes.iter().map(|note| note.seq).eq(1..=notes.len() as u64));
    assert_eq!(
        notes.last().expect("lines").kind,
        NoteKind::WorkflowCompleted
    );
    let mut lines = host
        .engine
        .subscribe(&tenant, &run.id, 1)
        .await
        .expect("read")
        .expect("there");
    let mut followed = 1;
    while let Some(line) = lines.next().await {
        followed = line.expect("not behind").seq;
    }
    assert_eq!(followed, notes.len() as u64);

    let stranger = TenantId::new("stranger").expect("a tenant");
    assert!(
        host.engine
            .run(&stranger, &run.id)
            .await
            .expect("read")
            .is_none()
    );
    assert!(
        host.engine
            .history(&stranger, &run.id, 0, 9)
            .await
            .expect("read")
            .is_none()
    );
    let runs = host
        .engine
        .runs(&stranger, &RunFilter::default(), None, 10)
        .await
        .expect("listed");
    assert!(runs.items.is_empty());
    host.engine.shutdown().await;
}

/// They are over about when their journals have been read, and there is nothing to be heard of them any more.
#[tokio::test(flavor = "multi_thread")]
async fn who_follows_runs_that_are_over_at_once_comes_to_their_ends() {
    let host = Arc::new(Host::open(Arc::new(MemoryStore::new()), &Script::default()));
    let tenant = TenantId::default();
    let published = host.engine.publish(&tenant, SUM).await;
    published.expect("published");
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (host, tenant) = (host.clone(), tenant.clone());
        readers.spawn(async move {
            for _ in 0..500 {
                let request = start("sum", json!({ "numbers": [1, 2] }));
                let run = host.engine.start(&tenant, request).await.expect("started");
                let lines = host.engine.subscribe(&tenant, &run.id, 0).await;
                let mut lines = lines.expect("read").expect("there");
                let mut last = None;
                while let Some(line) = lines.next().await {
                    last = Some(line.expect("in time").kind);
                }
                assert_eq!(last, Some(NoteKind::WorkflowCompleted));
            }
        });
    }
    readers.join_all().await;
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_expression_is_refused_with_its_place() {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    let refused = host
        .engine
        .publish(&TenantId::default(), &SUM.replace("| add }", "| add + }"))
        .await;
    let Err(PublishError::Invalid(diagnostics)) = refused else {
        panic!("{refused:?}")
    };
    assert!(
        diagnostics[0].pointer.starts_with("/do/0/add/set"),
        "{diagnostics:?}"
    );
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_idempotency_key_starts_one_run() {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    let tenant = TenantId::default();
    host.engine.publish(&tenant, SUM).await.expect("published");
    let request = |numbers| {
        let mut request = start("sum", json!({ "numbers": numbers }));
        request.idempotency_key = Some("k".into());
        request
    };
    let one = host
        .engine
        .start(&tenant, request([1]))
        .await
        .expect("started");
    let again = host
        .engine
        .start(&tenant, request([1]))
        .await
        .expect("found");
    assert_eq!(one.id, again.id);
    let other = host.engine.start(&tenant, request([2])).await;
    assert!(matches!(other, Err(StartError::KeyReused)), "{other:?}");
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_run_outlives_the_host_and_wakes_in_time() {
    let store = Arc::new(MemoryStore::new());
    let host = Host::open(store.clone(), &Script::default());
    let tenant = TenantId::default();
    host.engine.publish(&tenant, WAIT).await.expect("published");
    let run = host
        .engine
        .start(&tenant, start("wait", json!({})))
        .await
        .expect("started");
    host.until(&run.id, Status::Waiting).await;
    host.engine.shutdown().await;

    let host = Host::open(store, &Script::default());
    host.until(&run.id, Status::Waiting).await;
    host.clock.advance(Duration::from_secs(3601));
    let run = host
        .engine
        .wait(&tenant, &run.id, Duration::from_secs(30))
        .await
        .expect("read")
        .expect("there");
    assert_eq!(*run.output.expect("an output"), json!({ "done": true }));
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_ends_once() {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    let tenant = TenantId::default();
    host.engine.publish(&tenant, WAIT).await.expect("published");
    let run = host
        .engine
        .start(&tenant, start("wait", json!({})))
        .await
        .expect("started");
    let cancelled = host
        .engine
        .cancel(&tenant, &run.id, "ada", Some("enough"))
        .await
        .expect("cancelled");
    assert_eq!(cancelled.status, Status::Cancelled);
    let again = host.engine.cancel(&tenant, &run.id, "ada", None).await;
    assert!(
        matches!(again, Err(ControlError::Ended(Status::Cancelled))),
        "{again:?}"
    );
    host.engine.shutdown().await;
}
