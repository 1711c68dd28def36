//! Events: sent, listened to, emitted; and what a crash leaves of it.

mod support;

use std::sync::Arc;
use std::time::Duration;

use baton_engine::{EngineLimits, EventFilter, RunId, SendError, Sent, Status, TenantId};
use baton_store::{Batch, Fault, FaultyStore, MemoryStore, Store, key};
use baton_workflow::CloudEvent;
use serde_json::{Value, json};

use support::{Host, Script, start};

const LISTEN: &str = "
document: { dsl: '1.0.3', namespace: test, name: listen, version: '1.0.0' }
do:
  - wait:
      listen: { to: { any: [ { with: { type: reading, data: '${ .n > 0 }' } } ], until: { one: { with: { type: stop } } } } }
";

const EMIT: &str = "
document: { dsl: '1.0.3', namespace: test, name: emit, version: '1.0.0' }
do:
  - first: { emit: { event: { with: { type: reading, data: { n: 1 } } } } }
  - call: { call: http, with: { method: get, endpoint: 'https://example.org/1' } }
  - second: { emit: { event: { with: { type: reading, data: { n: 2 } } } } }
  - last: { emit: { event: { with: { type: stop } } } }
";

fn event(id: &str, kind: &str, data: Value) -> CloudEvent {
    CloudEvent::new(
        json!({"specversion": "1.0", "id": id, "source": "/test", "type": kind, "data": data}),
    )
    .expect("an event")
}

async fn send(host: &Host, id: &str, kind: &str, data: Value) -> Sent {
    let sent = host
        .engine
        .send_events(&TenantId::default(), vec![event(id, kind, data)])
        .await
        .expect("sent");
    sent.into_iter().next().expect("one")
}

async fn begin(host: &Host, name: &str) -> RunId {
    let run = host
        .engine
        .start(&TenantId::default(), start(name, json!({})))
        .await;
    run.expect("started").id
}

async fn publish(host: &Host, document: &str) {
    let published = host.engine.publish(&TenantId::default(), document).await;
    published.expect("published");
}

/// The data and types of all events of the log.
async fn log(host: &Host) -> Vec<Value> {
    let all = EventFilter::default();
    let page = host
        .engine
        .events(&TenantId::default(), &all, 0, 1_000, Duration::ZERO)
        .await;
    let items = page.expect("listed").items.into_iter();
    items
        .map(|it| json!([it.position, it.event["type"], it.event["data"]["n"]]))
        .collect()
}

fn output(run: &baton_engine::RunView) -> Value {
    Value::clone(run.output.as_ref().unwrap_or_else(|| panic!("{run:?}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_listens_from_its_start_on_and_each_that_listens_gets_an_event() {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    publish(&host, LISTEN).await;
    send(&host, "0", "reading", json!({"n": 9})).await;
    let (one, two) = (begin(&host, "listen").await, begin(&host, "listen").await);
    host.until(&one, Status::Waiting).await;
    send(&host, "1", "reading", json!({"n": 1})).await;
    send(&host, "2", "reading", json!({"n": 0})).await;
    send(&host, "3", "other", json!({"n": 7})).await;
    send(&host, "4", "reading", json!({"n": 2})).await;
    send(&host, "5", "stop", json!(null)).await;
    for run in [one, two] {
        assert_eq!(output(&host.end(&run).await), json!([{"n": 1}, {"n": 2}]));
    }
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_again_changes_nothing() {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    let first = send(&host, "1", "reading", json!({"n": 1})).await;
    assert!(!first.was_there);
    let again = send(&host, "1", "reading", json!({"n": 2})).await;
    assert!(again.was_there && again.position == first.position);
    let batch = vec![
        event("2", "reading", json!({"n": 3})),
        event("2", "reading", json!({"n": 4})),
    ];
    let sent = host.engine.send_events(&TenantId::default(), batch).await;
    let sent: Vec<_> = sent.expect("sent").iter().map(|it| it.was_there).collect();
    assert_eq!(sent, [false, true]);
    assert_eq!(
        log(&host).await,
        [json!([1, "reading", 1]), json!([2, "reading", 3])]
    );
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_another_tenant_reaches_nobody() {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    publish(&host, LISTEN).await;
    let run = begin(&host, "listen").await;
    let other = TenantId::new("other").expect("a tenant");
    let events = vec![event("1", "reading", json!({"n": 1}))];
    host.engine.send_events(&other, events).await.expect("sent");
    // Nor can it be read by its id, or what the run waits for be seen.
    let mine = TenantId::default();
    for source in [None, Some("/test")] {
        let read = async |tenant| host.engine.event(tenant, "1", source).await.expect("read");
        assert_eq!((read(&mine).await.len(), read(&other).await.len()), (0, 1));
    }
    assert_eq!(host.engine.awaited(&other, &run).await, None);
    let awaited = host.engine.awaited(&mine, &run).await;
    assert_eq!(awaited.map(|it| it.len()), Some(1));
    send(&host, "1", "stop", json!(null)).await;
    assert_eq!(output(&host.end(&run).await), json!([]));
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_through_a_restart_and_reads_on_where_it_was() {
    let store = Arc::new(MemoryStore::new());
    let script = Script::default();
    let host = Host::open(store.clone(), &script);
    publish(&host, LISTEN).await;
    let run = begin(&host, "listen").await;
    send(&host, "1", "reading", json!({"n": 1})).await;
    host.engine.shutdown().await;
    let host = Host::open(store.clone(), &script);
    send(&host, "2", "reading", json!({"n": 2})).await;
    host.engine.shutdown().await;
    let host = Host::open(store, &script);
    send(&host, "3", "stop", json!(null)).await;
    assert_eq!(output(&host.end(&run).await), json!([{"n": 1}, {"n": 2}]));
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_emits_is_there_once_whatever_crashes() {
    let tenant = TenantId::default();
    let expected = [
        json!([1, "reading", 1]),
        json!([2, "reading", 2]),
        json!([3, "stop", null]),
    ];
    let mut crashes = 0;
    for number in 1..12 {
        for fault in [Fault::CrashBefore(number), Fault::CrashAfter(number)] {
            let memory = Arc::new(MemoryStore::new());
            let script = Script::default();
            let host = Host::open(memory.clone(), &script);
            publish(&host, EMIT).await;
            publish(&host, LISTEN).await;
            let listener = begin(&host, "listen").await;
            host.until(&listener, Status::Waiting).await;
            host.engine.shutdown().await;

            let faulty = Arc::new(FaultyStore::new(memory.clone(), fault));
            let host = Host::open(faulty.clone() as Arc<dyn Store>, &script);
            let started = host.engine.start(&tenant, start("emit", json!({}))).await;
            let done = async || {
                let now = host.engine.run(&tenant, &listener).await;
                faulty.is_crashed() || now.expect("read").expect("there").status.is_ended()
            };
            if started.is_ok() {
                support::until("an end or a crash", done).await;
            }
            crashes += usize::from(faulty.is_crashed());
            host.engine.shutdown().await;

            let host = Host::open(memory.clone(), &script);
            let runs = baton_engine::RunFilter::default();
            let runs = host.engine.runs(&tenant, &runs, None, 9).await;
            if runs.expect("listed").items.len() == 1 {
                // The crash came before the start was durable.
                host.engine
                    .start(&tenant, start("emit", json!({})))
                    .await
                    .expect("started");
            }
            let end = host.end(&listener).await;
            assert_eq!(output(&end), json!([{"n": 1}, {"n": 2}]), "{fault:?}");
            assert_eq!(log(&host).await, expected, "{fault:?}");
            host.engine.shutdown().await;
        }
    }
    assert!(crashes > 4, "the faults have to hit the run: {crashes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_needs_what_was_dropped_faults_and_says_why() {
    let limits = EngineLimits {
        event_log_bytes: 1_000,
        event_bytes: 600,
        ..EngineLimits::default()
    };
    let sandbox = support::sandbox(baton_sandbox::Settings::default());
    let script = Script::default();
    let store = Arc::new(MemoryStore::new());
    let host = Host::open_with(store, &sandbox, Some(&script), limits);
    let late = LISTEN
        .replace("name: listen", "name: late")
        .replace("do:\n", "do:\n  - pause: { wait: { minutes: 1 } }\n");
    publish(&host, &late).await;
    let run = begin(&host, "late").await;
    host.until(&run, Status::Waiting).await;
    for id in 0..20 {
        send(&host, &id.to_string(), "other", json!("x".repeat(100))).await;
    }
    let kept = log(&host).await;
    assert!(kept.len() < 8, "{kept:?}");
    host.clock.advance(Duration::from_secs(60));
    let end = host.end(&run).await;
    assert_eq!(end.status, Status::Faulted);
    let error = end.error.expect("an error");
    assert!(
        error
            .detail
            .as_deref()
            .is_some_and(|it| it.contains("begins with event")),
        "{error:?}"
    );
    let large = vec![event("large", "other", json!("x".repeat(1_000)))];
    let refused = host.engine.send_events(&TenantId::default(), large).await;
    assert!(matches!(refused, Err(SendError::TooLarge { index: 0, .. })));
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_event_that_can_t_be_read_stops_nobody() {
    let limits = EngineLimits {
        event_log_bytes: 1_000,
        ..EngineLimits::default()
    };
    let sandbox = support::sandbox(baton_sandbox::Settings::default());
    let script = Script::default();
    let store = Arc::new(MemoryStore::new());
    let host = Host::open_with(store.clone(), &sandbox, Some(&script), limits);
    send(&host, "0", "other", json!("x".repeat(100))).await;
    let mut batch = Batch::new();
    let first = key::logged_event(&TenantId::default(), 1);
    batch.put(first.clone(), b"no record".to_vec());
    store.commit(&batch).expect("the store is in memory");
    for id in 1..20 {
        send(&host, &id.to_string(), "other", json!("x".repeat(100))).await;
    }
    let kept = log(&host).await;
    assert!((1..8).contains(&kept.len()), "{kept:?}");
    assert_eq!(store.get(&first).expect("it is in memory"), None);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_events_is_told() {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    let tenant = TenantId::default();
    let stops = EventFilter {
        kind: Some("stop".into()),
        ..EventFilter::default()
    };
    let engine = host.engine.clone();
    let waiting = tokio::spawn(async move {
        engine
            .events(&TenantId::default(), &stops, 0, 10, Duration::from_secs(30))
            .await
    });
    send(&host, "1", "reading", json!({"n": 1})).await;
    send(&host, "2", "stop", json!(null)).await;
    let page = waiting.await.expect("joined").expect("listed");
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].position, 2);
    let none = host
        .engine
        .events(&tenant, &EventFilter::default(), 2, 10, Duration::ZERO)
        .await
        .expect("listed");
    assert!(none.items.is_empty() && none.next.is_none());
    host.engine.shutdown().await;
}
