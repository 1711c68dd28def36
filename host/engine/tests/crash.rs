//! A run is killed after each of its commits, in turn, and must end as if nothing had been.

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use baton_engine::{RunFilter, Status, TenantId};
use baton_store::{Fault, FaultyStore, MemoryStore};
use serde_json::{Value, json};

use support::{Host, Script, start};

const CALLS: &str = "
document: { dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }
do:
  - one: { call: http, with: { method: get, endpoint: 'https://example.org/1' } }
  - both:
      fork:
        branches:
          - left: { call: http, with: { method: get, endpoint: 'https://example.org/2' } }
          - right: { call: http, with: { method: get, endpoint: 'https://example.org/3' } }
  - last: { call: http, with: { method: get, endpoint: 'https://example.org/4' } }
";

/// A workflow that ends in its first turn: its start and its end are two commits with nothing between.
const PURE: &str = "
document: { dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }
do:
  - add: { set: { total: '${ [1, 2, 39] | add }' } }
";

/// Runs the workflow on a store that fails as `fault` says, then, where that was a crash, on what is left.
/// Gives the output and the calls made, or nothing where the run was not accepted before the crash.
async fn check(document: &str, fault: Fault) -> Option<(Value, Vec<String>, bool)> {
    let tenant = TenantId::default();
    let memory = Arc::new(MemoryStore::new());
    // What is published before is not what is tested.
    let script = Script::default();
    let host = Host::open(memory.clone(), &script);
    host.engine
        .publish(&tenant, document)
        .await
        .expect("published");
    host.engine.shutdown().await;

    let faulty = Arc::new(FaultyStore::new(memory.clone(), fault));
    let host = Host::open(faulty.clone(), &script);
    let started = host.engine.start(&tenant, start("test", json!({}))).await;
    let run = match started {
        Ok(run) => run.id,
        Err(_) => {
            host.engine.shutdown().await;
            // A start that failed may be in the store, where the crash came after the commit.
            let host = Host::open(memory, &script);
            let runs = host
                .engine
                .runs(&tenant, &RunFilter::default(), None, 9)
                .await
                .expect("listed")
                .items;
            let run = runs.first()?.id;
            let end = host
                .engine
                .wait(&tenant, &run, Duration::from_secs(30))
                .await
                .expect("read")
                .expect("there");
            host.engine.shutdown().await;
            return outcome(end.output, &script, true);
        }
    };
    let ended = async {
        loop {
            let now = host
                .engine
                .wait(&tenant, &run, Duration::from_millis(5))
                .await
                .expect("read")
                .expect("there");
            if now.status.is_ended() || faulty.is_crashed() {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), ended)
        .await
        .expect("an end or a crash");
    let crashed = faulty.is_crashed();
    script.dead.store(true, Ordering::SeqCst);
    host.engine.shutdown().await;
    script.dead.store(false, Ordering::SeqCst);
    let host = Host::open(memory, &script);
    let end = host
        .engine
        .wait(&tenant, &run, Duration::from_secs(30))
        .await
        .expect("read")
        .expect("there");
    assert_eq!(end.status, Status::Completed, "{fault:?}: {:?}", end.error);
    host.engine.shutdown().await;
    outcome(end.output, &script, crashed)
}

fn outcome(
    output: Option<Arc<Value>>,
    script: &Script,
    crashed: bool,
) -> Option<(Value, Vec<String>, bool)> {
    let calls = script.calls.lock().expect("not poisoned").clone();
    Some((
        output.map(|it| (*it).clone()).unwrap_or_default(),
        calls,
        crashed,
    ))
}

/// The tasks that were called, without the runs' ids, which differ.
fn tasks(calls: &[String]) -> Vec<&str> {
    calls
        .iter()
        .map(|key| key.split_once('/').expect("run/task/visit").1)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_commit_changes_nothing() {
    let (expected, calls, _) = check(CALLS, Fault::None).await.expect("a run");
    assert_eq!(calls.len(), 4);
    let mut crashes = 0;
    for number in 1..40 {
        for fault in [Fault::CrashBefore(number), Fault::CrashAfter(number)] {
            let Some((output, made, crashed)) = check(CALLS, fault).await else {
                continue;
            };
            assert_eq!(output, expected, "{fault:?}");
            crashes += usize::from(crashed);
            let different: std::collections::BTreeSet<_> = tasks(&made).into_iter().collect();
            assert_eq!(different.len(), 4, "{fault:?}: {made:?}");
            // What was not recorded as answered may be made again, under the same key: at most the calls that
            // were under way at the crash, of which there are two at a time.
            assert!(made.len() <= 4 + 2, "{fault:?}: {made:?}");
            let runs: std::collections::BTreeSet<_> =
                made.iter().map(|key| key.split('/').next()).collect();
            assert_eq!(runs.len(), 1, "{fault:?}: {made:?}");
            if !crashed {
                assert_eq!(made.len(), 4, "{fault:?}: {made:?}");
            }
        }
    }
    assert!(crashes > 4, "the faults have to hit the run: {crashes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_in_its_first_turn_ends_after_a_crash_too() {
    let (expected, ..) = check(PURE, Fault::None).await.expect("a run");
    assert_eq!(expected, json!({ "total": 42 }));
    let mut crashes = 0;
    for number in 1..4 {
        for fault in [Fault::CrashBefore(number), Fault::CrashAfter(number)] {
            let Some((output, _, crashed)) = check(PURE, fault).await else {
                continue;
            };
            assert_eq!(output, expected, "{fault:?}");
            crashes += usize::from(crashed);
        }
    }
    assert!(crashes > 2, "the faults have to hit the run: {crashes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_delays_a_run_and_loses_nothing() {
    // The first three put the two components that the run keeps into the store, and begin it: those are refused.
    for from in 4..8 {
        let (output, calls, _) = check(CALLS, Fault::Full(from, from + 2))
            .await
            .expect("a run");
        assert_ne!(output, Value::Null);
        assert_eq!(calls.len(), 4, "{calls:?}");
    }
}
