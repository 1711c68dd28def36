//! Processes that no task waits for (`await: false`) begin whatever happens to the host.

mod support;

use std::sync::Arc;

use baton_engine::{EngineLimits, Status, TenantId};
use baton_store::{FaultyStore, MemoryStore};
use serde_json::json;
use support::crashing::{Crashing, faults};
use support::{Host, Script, shared_sandbox, start, until};

/// What nobody waits for is the last thing that the run does.
const WORK: &str = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do:
  - one: { call: http, with: { method: get, endpoint: 'https://example.org/1' } }
  - back: { run: { shell: { command: 'true' }, await: false } }
";

/// What nobody waits for is all that the run does.
const ONLY: &str = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do:
  - back: { run: { shell: { command: 'true' }, await: false } }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_commit_of_a_runs_last_turn_loses_no_process() {
    let mut crashes = 0;
    for fault in faults(5) {
        let script = Script::default();
        script.hold_only(&["one"]);
        let is_called = async |_: &Host, _: &_| !script.called().is_empty();
        let mut it = Crashing::start(WORK, script.clone(), fault, is_called).await;
        script.hold_only(&[]);
        it.until("the run has ended", async || {
            it.view().await.status.is_ended()
        })
        .await;
        crashes += usize::from(it.open_again().await);
        let end = it.host.end(&it.run).await;
        assert_eq!(end.status, Status::Completed, "{fault:?}: {:?}", end.error);
        let called = script.called();
        let different: std::collections::BTreeSet<_> = called.iter().collect();
        assert_eq!(different.len(), 2, "{fault:?}: {called:?}");
        it.host.engine.shutdown().await;
    }
    assert!(crashes > 2, "the faults have to hit the run: {crashes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_a_runs_first_turn_is_durable_loses_no_process() {
    let tenant = TenantId::default();
    let mut crashes = 0;
    for fault in faults(5) {
        let script = Script::default();
        let memory = Arc::new(MemoryStore::new());
        let host = Host::open(memory.clone(), &script);
        let published = host.engine.publish(&tenant, ONLY).await;
        published.expect("published");
        host.engine.shutdown().await;

        let faulty = Arc::new(FaultyStore::new(memory.clone(), fault));
        let host = Host::open(faulty.clone(), &script);
        let started = host.engine.start(&tenant, start("work", json!({}))).await;
        if let Ok(run) = started {
            until("the end, or the crash", async || {
                let now = host.engine.run(&tenant, &run.id).await;
                let ended = now.expect("read").is_some_and(|it| it.status.is_ended());
                ended || faulty.is_crashed()
            })
            .await;
        }
        crashes += usize::from(faulty.is_crashed());
        host.engine.shutdown().await;
        // What the host that has crashed may have done before, the next one is not told of.
        script.calls.lock().expect("not poisoned").clear();
        let was_open = is_open(&memory);
        let host = Host::open(memory, &script);
        let runs = host
            .engine
            .runs(&tenant, &Default::default(), None, 9)
            .await;
        for run in runs.expect("listed").items {
            assert_eq!(host.end(&run.id).await.status, Status::Completed);
            assert_eq!(script.called().len(), usize::from(was_open), "{fault:?}");
        }
        host.engine.shutdown().await;
    }
    assert!(crashes > 2, "the faults have to hit the run: {crashes}");
}

/// Whether a run has no end on record.
fn is_open(store: &MemoryStore) -> bool {
    use baton_store::{Direction, Partition, Store, key};
    (0..2).any(|number| {
        let open = key::opens(Partition(number));
        let read = store.scan(&open, Direction::Ascending, 9);
        !read.expect("memory can be read").is_empty()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_once_there_is_room_for_what_nobody_waits_for() {
    let tenant = TenantId::default();
    let script = Script::default();
    script.hold_only(&["one"]);
    let limits = EngineLimits {
        calls: 1,
        ..EngineLimits::default()
    };
    let store = Arc::new(MemoryStore::new());
    let host = Host::open_with(store, shared_sandbox(), Some(&script), limits);
    for document in [WORK, &ONLY.replace("name: work", "name: only")] {
        host.engine
            .publish(&tenant, document)
            .await
            .expect("published");
    }
    let first = host.engine.start(&tenant, start("work", json!({}))).await;
    let first = first.expect("started").id;
    until("the only permit is taken", async || {
        !script.called().is_empty()
    })
    .await;
    let second = host.engine.start(&tenant, start("only", json!({}))).await;
    let second = second.expect("started").id;
    let lines = async || {
        let lines = host.engine.history(&tenant, &second, 0, 99).await;
        lines.expect("read").expect("there").len()
    };
    until("the second run has come to its end", async || {
        lines().await == 4
    })
    .await;
    let now = host.engine.run(&tenant, &second).await;
    let now = now.expect("read").expect("there");
    assert!(!now.status.is_ended(), "its process waits: {now:?}");
    script.hold_only(&[]);
    assert_eq!(host.end(&second).await.status, Status::Completed);
    assert_eq!(host.end(&first).await.status, Status::Completed);
    host.engine.shutdown().await;
}
