//! Logs drop events, and those that wait for long know that they have gone past them.

mod support;

use std::sync::Arc;
use std::time::Duration;

use baton_engine::{EngineLimits, EventFilter, LifecycleEvents, RunId, Status, TenantId};
use baton_store::record::{EventKindRecord, EventRecord, Record};
use baton_store::{Direction, Fault, FaultyStore, MemoryStore, Store, key};
use baton_workflow::CloudEvent;
use serde_json::{Value, json};

use support::{Host, Script, start};

const LISTEN: &str = "
document: { dsl: '1.0.3', namespace: test, name: listen, version: '1.0.0' }
do:
  - wait:
      listen: { to: { any: [ { with: { type: reading } } ], until: { one: { with: { type: stop } } } } }
";

const WAIT: &str = "
document: { dsl: '1.0.3', namespace: test, name: wait, version: '1.0.0' }
do:
  - wait: { wait: { days: 30 } }
";

/// As many partitions as the hosts of these tests have.
const PARTITIONS: u16 = 2;

fn open(store: Arc<dyn Store>, limits: EngineLimits) -> Host {
    let invoke = Arc::new(Script::default());
    let lifecycle = LifecycleEvents::Off;
    Host::open_set(
        store,
        support::shared_sandbox(),
        Some(invoke),
        limits,
        lifecycle,
    )
}

/// A log that keeps events for an hour.
fn an_hour() -> EngineLimits {
    EngineLimits {
        event_log_age: Duration::from_secs(3600),
        ..EngineLimits::default()
    }
}

async fn send(host: &Host, id: &str, kind: &str, data: Value) {
    let event = CloudEvent::new(
        json!({"specversion": "1.0", "id": id, "source": "/test", "type": kind, "data": data}),
    );
    let events = vec![event.expect("an event")];
    let sent = host.engine.send_events(&TenantId::default(), events).await;
    sent.expect("sent");
}

async fn begin(host: &Host, document: &str, name: &str) -> RunId {
    let tenant = TenantId::default();
    let published = host.engine.publish(&tenant, document).await;
    published.expect("published");
    let run = host.engine.start(&tenant, start(name, json!({}))).await;
    let run = run.expect("started").id;
    host.until(&run, Status::Waiting).await;
    run
}

/// The types of the events that the log keeps.
async fn log(host: &Host) -> Vec<String> {
    let (tenant, all) = (TenantId::default(), EventFilter::default());
    let page = host.engine.events(&tenant, &all, 0, 1_000, Duration::ZERO);
    let items = page.await.expect("listed").items.into_iter();
    let kind = |it: &Value| it.as_str().expect("a text").to_owned();
    items.map(|it| kind(&it.event["type"])).collect()
}

/// Lets hours go by until the log is empty, or something else holds.
async fn until_dropped(host: &Host, or: impl Fn() -> bool) {
    let holds = async || {
        host.clock.advance(Duration::from_secs(3600));
        or() || log(host).await.is_empty()
    };
    support::until("old events are dropped", holds).await;
}

/// How often the journal of a run says that it has gone past events.
fn passed(store: &MemoryStore, run: &RunId) -> usize {
    let range = key::events(run.partition(PARTITIONS), &TenantId::default(), run);
    let stored = store.scan(&range, Direction::Ascending, usize::MAX);
    let events = stored.expect("read").into_iter();
    let kinds = events.map(|(_, value)| EventRecord::decode(&value).expect("an event").kind);
    kinds
        .filter(|kind| matches!(kind, EventKindRecord::EventsPassed { .. }))
        .count()
}

async fn ends_with_what_came(host: &Host, run: &RunId) {
    send(host, "reading", "reading", json!(7)).await;
    send(host, "stop", "stop", json!(null)).await;
    let end = host.end(run).await;
    let output = end.output.as_ref().unwrap_or_else(|| panic!("{end:?}"));
    assert_eq!(**output, json!([7]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_waited_for_longer_than_events_are_kept_has_missed_nothing() {
    let store = Arc::new(MemoryStore::new());
    let host = open(store.clone(), an_hour());
    let run = begin(&host, LISTEN, "listen").await;
    for round in 0..4 {
        for n in 0..3 {
            send(&host, &format!("{round}/{n}"), "other", json!(n)).await;
        }
        until_dropped(&host, || false).await;
    }
    // What comes to nobody costs a run an event each time that the whole log has gone by, at most.
    assert!((1..=4).contains(&passed(&store, &run)));
    host.engine.shutdown().await;
    let host = open(store, an_hour());
    ends_with_what_came(&host, &run).await;
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_wait_goes_on_whatever_crashes_while_events_are_dropped() {
    // The run says that it has gone past, and then the log drops what is before that. More commits there are only where some
    // of what happens meanwhile has one of its own.
    const AT_LEAST: u64 = 2;
    for number in 1..8 {
        for fault in [Fault::CrashBefore(number), Fault::CrashAfter(number)] {
            let memory = Arc::new(MemoryStore::new());
            let host = open(memory.clone(), an_hour());
            let run = begin(&host, LISTEN, "listen").await;
            for n in 0..3 {
                send(&host, &n.to_string(), "other", json!(n)).await;
            }
            host.engine.shutdown().await;

            let faulty = Arc::new(FaultyStore::new(memory.clone(), fault));
            let host = open(faulty.clone(), an_hour());
            until_dropped(&host, || faulty.is_crashed()).await;
            assert!(faulty.is_crashed() || number > AT_LEAST, "{fault:?}");
            host.engine.shutdown().await;

            let host = open(memory.clone(), an_hour());
            host.until(&run, Status::Waiting).await;
            until_dropped(&host, || false).await;
            host.engine.shutdown().await;

            let host = open(memory, an_hour());
            ends_with_what_came(&host, &run).await;
            host.engine.shutdown().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_wait_goes_on_where_many_events_push_others_out() {
    for by_size in [true, false] {
        let mut limits = EngineLimits::default();
        match by_size {
            true => limits.event_log_bytes = 20_000,
            false => limits.event_log_events = 100,
        }
        let store = Arc::new(MemoryStore::new());
        let host = open(store.clone(), limits.clone());
        let run = begin(&host, LISTEN, "listen").await;
        for n in 0..500 {
            send(&host, &n.to_string(), "other", json!("x".repeat(100))).await;
        }
        let kept = log(&host).await.len();
        assert!(kept <= 120, "{kept}");
        // The log has gone by some five times.
        let passed = passed(&store, &run);
        assert!((2..=12).contains(&passed), "{passed}");
        host.engine.shutdown().await;
        let host = open(store, limits);
        ends_with_what_came(&host, &run).await;
        host.engine.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_begins_to_wait_late_knows_too() {
    let late = LISTEN.replace("do:\n", "do:\n  - pause: { wait: { days: 1 } }\n");
    let limits = || EngineLimits {
        event_log_events: 100,
        ..EngineLimits::default()
    };
    let store = Arc::new(MemoryStore::new());
    let host = open(store.clone(), limits());
    let run = begin(&host, &late, "listen").await;
    // So many that the log is about to drop some, which the run has not been offered yet.
    for n in 0..80 {
        send(&host, &n.to_string(), "other", json!(n)).await;
    }
    host.clock.advance(Duration::from_secs(24 * 3600));
    let listens = async || passed(&store, &run) == 1;
    support::until("the run has looked at all of them", listens).await;
    for n in 80..140 {
        send(&host, &n.to_string(), "other", json!(n)).await;
    }
    host.engine.shutdown().await;
    let host = open(store, limits());
    ends_with_what_came(&host, &run).await;
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_run_looks_at_nothing_and_so_may_miss_something() {
    let tenant = TenantId::default();
    let store = Arc::new(MemoryStore::new());
    let host = open(store.clone(), an_hour());
    let run = begin(&host, LISTEN, "listen").await;
    let suspended = host.engine.suspend(&tenant, &run, "test", None).await;
    suspended.expect("suspended");
    send(&host, "0", "reading", json!(1)).await;
    until_dropped(&host, || false).await;
    assert_eq!(passed(&store, &run), 0);
    let resumed = host.engine.resume(&tenant, &run, "test", None).await;
    resumed.expect("resumed");
    let end = host.end(&run).await;
    assert_eq!(end.status, Status::Faulted);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_start_of_a_long_run_is_told_once() {
    let store = Arc::new(MemoryStore::new());
    let open = || {
        let invoke = Some(Arc::new(Script::default()) as _);
        let lifecycle = LifecycleEvents::Workflows;
        let sandbox = support::shared_sandbox();
        Host::open_set(store.clone(), sandbox, invoke, an_hour(), lifecycle)
    };
    let host = open();
    begin(&host, WAIT, "wait").await;
    let told = async || log(&host).await == ["io.serverlessworkflow.workflow.started.v1"];
    support::until("the start is told", told).await;
    host.engine.shutdown().await;
    // It is there, and is not told again.
    let host = open();
    send(&host, "0", "other", json!(0)).await;
    assert_eq!(log(&host).await.len(), 2);
    until_dropped(&host, || false).await;
    host.engine.shutdown().await;
    // It has been dropped, and is not told again either.
    let host = open();
    send(&host, "1", "other", json!(1)).await;
    assert_eq!(log(&host).await, ["other"]);
    host.engine.shutdown().await;
}
