//! Bounds hold: of what waits for a full disk, of warm instances, of what one reader holds.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use baton_engine::{EngineLimits, Lagged, NoteKind, Status, TenantId, Unavailable};
use baton_store::{Batch, CommitError, KeyRange, MemoryStore, key};
use serde_json::json;

use support::{Host, Interfere, Interfered, Script, sandbox, start};

/// A store whose disk can be filled. It remembers how much the commits that failed had to write.
#[derive(Default)]
struct Disk {
    full: AtomicBool,
    failed: Mutex<Vec<usize>>,
}

impl Interfere for Disk {
    fn before_commit(&self, batch: &Batch) -> Result<(), CommitError> {
        if !self.full.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut failed = self.failed.lock().expect("not poisoned");
        failed.push(batch.operations().len());
        Err(CommitError::Full)
    }
}

impl Disk {
    /// Whether nothing more has come to what waits, from one try to the next.
    fn is_settled(&self) -> bool {
        let failed = self.failed.lock().expect("not poisoned");
        matches!(failed[..], [.., before, last] if before == last)
    }
}

const LOOP: &str = "
document: { dsl: '1.0.3', namespace: test, name: loop, version: '1.0.0' }
do:
  - pause: { wait: { milliseconds: 0 } }
  - again: { set: { again: true }, then: pause }
";

#[tokio::test(flavor = "multi_thread")]
async fn while_the_disk_is_full_what_waits_is_bounded() {
    let disk = Arc::new(Interfered::<Disk>::default());
    let host = Host::open(disk.clone(), &Script::default());
    let tenant = TenantId::default();
    host.engine.publish(&tenant, LOOP).await.expect("published");
    let run = host.engine.start(&tenant, start("loop", json!({}))).await;
    let run = run.expect("started").id;
    disk.by.full.store(true, Ordering::SeqCst);
    support::until("the run stands still", async || disk.by.is_settled()).await;
    let most = *disk
        .by
        .failed
        .lock()
        .expect("not poisoned")
        .iter()
        .max()
        .expect("tries");
    let turns = EngineLimits::default().uncommitted_turns;
    assert!(most <= (turns + 1) * 8, "{most} writes wait");
    let cancelled = tokio::spawn({
        let (engine, tenant) = (host.engine.clone(), tenant.clone());
        async move { engine.cancel(&tenant, &run, "ada", None).await }
    });

    disk.by.full.store(false, Ordering::SeqCst);
    support::until("there is room again", async || host.engine.is_ready()).await;
    let cancelled = cancelled.await.expect("joined").expect("cancelled");
    assert_eq!(cancelled.status, Status::Cancelled);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_runs_of_more_versions_than_there_are_instances_all_go_on() {
    let sandbox = sandbox(baton_sandbox::Settings {
        evaluators: Some(3),
        ..baton_sandbox::Settings::default()
    });
    let limits = EngineLimits {
        evaluators: 2,
        ..EngineLimits::default()
    };
    let store = Arc::new(MemoryStore::new());
    let host = Host::open_with(store, &sandbox, Some(&Script::default()), limits);
    let tenant = TenantId::default();
    let mut runs = Vec::new();
    for number in 0..6 {
        let document = format!(
            "
document: {{ dsl: '1.0.3', namespace: test, name: v{number}, version: '1.0.0' }}
do:
  - before: {{ set: {{ sum: '${{ [.a, {number}] | add }}' }} }}
  - pause: {{ wait: {{ hours: 1 }} }}
  - after: {{ set: {{ sum: '${{ [.sum, 1] | add }}' }} }}
"
        );
        host.engine
            .publish(&tenant, &document)
            .await
            .expect("published");
        let name = format!("v{number}");
        let run = host
            .engine
            .start(&tenant, start(&name, json!({ "a": 10 })))
            .await;
        let run = run.expect("started").id;
        host.until(&run, Status::Waiting).await;
        runs.push(run);
    }
    host.clock.advance(std::time::Duration::from_secs(3601));
    for (number, run) in runs.iter().enumerate() {
        let run = host.end(run).await;
        assert_eq!(run.status, Status::Completed, "{:?}", run.error);
        assert_eq!(
            *run.output.expect("an output"),
            json!({ "sum": 11 + number })
        );
    }
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_comes_whole_and_goes_on() {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    let tenant = TenantId::default();
    let document = "
document: { dsl: '1.0.3', namespace: test, name: long, version: '1.0.0' }
do:
  - each:
      for: { each: n, in: '${ [range(300)] }' }
      do:
        - count: { set: { n: '${ $n }' } }
  - pause: { wait: { hours: 1 } }
";
    host.engine
        .publish(&tenant, document)
        .await
        .expect("published");
    let run = host.engine.start(&tenant, start("long", json!({}))).await;
    let run = run.expect("started").id;
    host.until(&run, Status::Waiting).await;
    for after in [0, 250] {
        let mut lines = host.engine.subscribe(&tenant, &run, after).await;
        let lines = lines.as_mut().expect("read").as_mut().expect("there");
        for expected in after + 1..600 {
            let line = lines.next().await.expect("a line").expect("in time");
            assert_eq!(line.seq, expected);
        }
    }
    let mut lines = host.engine.subscribe(&tenant, &run, 0).await;
    let lines = lines.as_mut().expect("read").as_mut().expect("there");
    let mut expected = 1;
    loop {
        // Looked at twice for each line, as who also waits for something else does.
        let seen = tokio::time::timeout(std::time::Duration::ZERO, lines.next()).await;
        let next = match seen {
            Ok(next) => next,
            Err(_) if expected > 600 => {
                host.clock.advance(std::time::Duration::from_secs(3601));
                lines.next().await
            }
            Err(_) => lines.next().await,
        };
        let Some(line) = next else { break };
        let line = line.expect("in time");
        assert_eq!(line.seq, expected);
        expected += 1;
        if line.kind == NoteKind::WorkflowCompleted {
            assert!(lines.next().await.is_none());
            break;
        }
    }
    let all = host
        .engine
        .history(&tenant, &run, 0, usize::MAX)
        .await
        .expect("read");
    assert_eq!(all.expect("there").len() as u64, expected - 1);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_falls_behind_is_dropped_and_may_read_on() {
    let limits = EngineLimits {
        subscriber_lag: 16,
        ..EngineLimits::default()
    };
    let store = Arc::new(MemoryStore::new());
    let host = Host::open_with(
        store,
        support::shared_sandbox(),
        Some(&Script::default()),
        limits,
    );
    let tenant = TenantId::default();
    let document = "
document: { dsl: '1.0.3', namespace: test, name: talker, version: '1.0.0' }
do:
  - pause: { wait: { hours: 1 } }
  - each:
      for: { each: n, in: '${ [range(100)] }' }
      do:
        - count: { set: { n: '${ $n }' } }
";
    host.engine
        .publish(&tenant, document)
        .await
        .expect("published");
    let run = host.engine.start(&tenant, start("talker", json!({}))).await;
    let run = run.expect("started").id;
    host.until(&run, Status::Waiting).await;
    let subscribed = host.engine.subscribe(&tenant, &run, 0).await;
    let mut lines = subscribed.expect("read").expect("there");
    let mut last = lines.next().await.expect("a line").expect("in time").seq;
    // From now on the run tells this reader of each line, which does not take them.
    host.clock.advance(std::time::Duration::from_secs(3601));
    assert_eq!(host.end(&run).await.status, Status::Completed);
    let dropped = loop {
        match lines.next().await.expect("it is dropped before the end") {
            Ok(line) => last = line.seq,
            Err(dropped) => break dropped,
        }
    };
    assert_eq!(dropped, Lagged);
    assert!(lines.next().await.is_none(), "nothing comes behind that");
    let read_on = host.engine.subscribe(&tenant, &run, last).await;
    let mut read_on = read_on.expect("read").expect("there");
    while let Some(line) = read_on.next().await {
        last += 1;
        assert_eq!(line.expect("in time").seq, last);
    }
    let all = host.engine.history(&tenant, &run, 0, usize::MAX).await;
    assert_eq!(all.expect("read").expect("there").len() as u64, last);
    host.engine.shutdown().await;
}

/// A store that keeps those waiting who read one journal.
#[derive(Default)]
struct Gate {
    /// A key of that journal, while the gate is closed.
    closed: Mutex<Option<Vec<u8>>>,
    opened: Condvar,
}

impl Interfere for Gate {
    fn before_scan(&self, range: &KeyRange) {
        let waits = |closed: &mut Option<Vec<u8>>| {
            let key = closed.as_ref();
            key.is_some_and(|key| range.contains(key))
        };
        let closed = self.closed.lock().expect("not poisoned");
        drop(self.opened.wait_while(closed, waits).expect("not poisoned"));
    }
}

const WAIT: &str = "
document: { dsl: '1.0.3', namespace: test, name: wait, version: '1.0.0' }
do:
  - pause: { wait: { hours: 1 } }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_reads_too_much_is_refused_and_slows_no_other() {
    let store = Arc::new(Interfered::<Gate>::default());
    let host = Host::open(store.clone(), &Script::default());
    let (flood, other) = (
        TenantId::default(),
        TenantId::new("other").expect("a tenant"),
    );
    for tenant in [&flood, &other] {
        host.engine.publish(tenant, WAIT).await.expect("published");
    }
    let run = host.engine.start(&flood, start("wait", json!({}))).await;
    let run = run.expect("started").id;
    host.engine
        .cancel(&flood, &run, "ada", None)
        .await
        .expect("cancelled");
    let event = key::event(run.partition(2), &flood, &run, 1);
    *store.by.closed.lock().expect("not poisoned") = Some(event);

    let mut reads = tokio::task::JoinSet::new();
    for _ in 0..65 {
        let (engine, tenant) = (host.engine.clone(), flood.clone());
        reads.spawn(async move { engine.history(&tenant, &run, 0, 9).await });
    }
    // All others wait at the gate, or for those who do.
    let refused = reads
        .join_next()
        .await
        .expect("one of them")
        .expect("joined");
    assert!(
        matches!(refused, Err(Unavailable::Busy { .. })),
        "{refused:?}"
    );
    let theirs = host.engine.start(&other, start("wait", json!({}))).await;
    let theirs = theirs.expect("started").id;
    let ours = host.engine.start(&flood, start("wait", json!({}))).await;
    let ours = ours.expect("a start waits behind no reader").id;
    let lines = host.engine.history(&other, &theirs, 0, 9).await;
    assert!(lines.expect("read").is_some());

    *store.by.closed.lock().expect("not poisoned") = None;
    store.by.opened.notify_all();
    while let Some(read) = reads.join_next().await {
        assert!(read.expect("joined").expect("read").is_some());
    }
    for (tenant, run) in [(&flood, ours), (&other, theirs)] {
        host.engine
            .cancel(tenant, &run, "ada", None)
            .await
            .expect("cancelled");
    }
    host.engine.shutdown().await;
}
