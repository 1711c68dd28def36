//! Workflows that events start, and what a crash leaves of it.

mod support;

use std::sync::Arc;
use std::time::Duration;

use baton_engine::{EngineLimits, RunFilter, RunView, ScheduleView, TenantId};
use baton_store::record::{Record, ScheduleRecord, TriggerKindRecord};
use baton_store::{Fault, FaultyStore, MemoryStore, Store, key};
use baton_workflow::CloudEvent;
use serde_json::{Value, json};

use support::{Host, Script};

/// Two readings of the same room start a run, with the lower one first or last.
const BOTH: &str = "{ on: { all: [
    { with: { type: reading, data: '${ .n < 10 }' }, correlate: { room: { from: .data.room } } },
    { with: { type: reading, data: '${ .n >= 10 }' }, correlate: { room: { from: .data.room } } } ] } }";

fn document(version: &str, schedule: &str) -> String {
    format!(
        "
document: {{ dsl: '1.0.3', namespace: test, name: react, version: '{version}' }}
schedule: {schedule}
do: [ {{ note: {{ set: {{ input: '${{ $workflow.input }}' }} }} }} ]
"
    )
}

async fn publish(host: &Host, document: &str) {
    let published = host.engine.publish(&TenantId::default(), document).await;
    published.expect("published");
}

async fn send(host: &Host, id: &str, data: Value) {
    let event =
        json!({"specversion": "1.0", "id": id, "source": "/test", "type": "reading", "data": data});
    let event = CloudEvent::new(event).expect("an event");
    let tenant = TenantId::default();
    let sent = host.engine.send_events(&tenant, vec![event]).await;
    // Where the host crashes meanwhile, whoever sends tries again.
    drop(sent);
}

async fn schedule(host: &Host) -> ScheduleView {
    let tenant = TenantId::default();
    let found = host.engine.schedule(&tenant, "test", "react").await;
    found.expect("read").expect("there")
}

async fn started(host: &Host, count: u64) {
    support::until("the runs are started", async || {
        schedule(host).await.started == count
    })
    .await;
}

/// The inputs of all runs, in the order of their texts: runs of one moment have no order.
async fn inputs(host: &Host) -> Vec<Value> {
    let (tenant, filter) = (TenantId::default(), RunFilter::default());
    let listed = host.engine.runs(&tenant, &filter, None, 99);
    let mut inputs = Vec::new();
    for RunView { id, trigger, .. } in listed.await.expect("listed").items {
        assert_eq!(trigger.expect("scheduled").kind, "on");
        let output = host.end(&id).await.output.expect("an output");
        inputs.push(output["input"].clone());
    }
    inputs.sort_by_key(ToString::to_string);
    inputs
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_starts_a_run_and_is_its_input() {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    send(&host, "before", json!({ "n": 0 })).await;
    let one = "{ on: { one: { with: { type: reading, data: '${ .n > 0 }' } } } }";
    publish(&host, &document("1.0.0", one)).await;
    for n in [1, -1, 2] {
        send(&host, &n.to_string(), json!({ "n": n })).await;
    }
    started(&host, 2).await;
    assert_eq!(
        inputs(&host).await,
        [json!([{ "n": 1 }]), json!([{ "n": 2 }])]
    );
    let trigger = &schedule(&host).await.triggers[0];
    assert_eq!((trigger.kind, trigger.next_due), ("on", None));
    assert!(trigger.spec.contains("reading"), "{}", trigger.spec);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_belong_together_wait_for_one_another_over_a_restart() {
    let memory = Arc::new(MemoryStore::new());
    let host = Host::open(memory.clone(), &Script::default());
    publish(&host, &document("1.0.0", BOTH)).await;
    send(&host, "1", json!({ "room": "a", "n": 1 })).await;
    send(&host, "2", json!({ "room": "b", "n": 20 })).await;
    host.engine.shutdown().await;

    let host = Host::open(memory.clone(), &Script::default());
    send(&host, "3", json!({ "room": "b", "n": 2 })).await;
    started(&host, 1).await;
    host.engine.shutdown().await;

    // The room that is still open is from before the one that has started a run.
    let host = Host::open(memory, &Script::default());
    send(&host, "4", json!({ "room": "a", "n": 10 })).await;
    started(&host, 2).await;
    let pair = |room: &str, one: i32, other: i32| json!([{ "room": room, "n": one }, { "room": room, "n": other }]);
    assert_eq!(inputs(&host).await, [pair("a", 1, 10), pair("b", 20, 2)]);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_pause_are_passed_over_and_a_higher_version_goes_on() {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    let tenant = TenantId::default();
    let any = "{ on: { any: [] } }";
    publish(&host, &document("1.0.0", any)).await;
    send(&host, "1", json!(1)).await;
    started(&host, 1).await;
    let paused = host.engine.pause_schedule(&tenant, "test", "react", "ada");
    paused.await.expect("paused");
    send(&host, "2", json!(2)).await;
    let resumed = host.engine.resume_schedule(&tenant, "test", "react");
    resumed.await.expect("resumed");
    send(&host, "3", json!(3)).await;
    started(&host, 2).await;
    publish(&host, &document("1.1.0", any)).await;
    send(&host, "4", json!(4)).await;
    started(&host, 3).await;
    let expected = [json!([1]), json!([3]), json!([4])];
    assert_eq!(inputs(&host).await, expected);
    let now = schedule(&host).await;
    assert_eq!(now.version, "1.1.0");
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_commit_starts_one_run_for_each_event() {
    let mut crashes = 0;
    for number in 1..10 {
        for fault in [Fault::CrashBefore(number), Fault::CrashAfter(number)] {
            let memory = Arc::new(MemoryStore::new());
            let host = Host::open(memory.clone(), &Script::default());
            publish(&host, &document("1.0.0", "{ on: { any: [] } }")).await;
            host.engine.shutdown().await;

            let faulty = Arc::new(FaultyStore::new(memory.clone(), fault));
            let host = Host::open(faulty.clone(), &Script::default());
            for id in ["1", "2", "3"] {
                send(&host, id, json!(id)).await;
            }
            support::until("the runs or a crash", async || {
                faulty.is_crashed() || schedule(&host).await.started == 3
            })
            .await;
            crashes += usize::from(faulty.is_crashed());
            host.engine.shutdown().await;

            let host = Host::open(memory, &Script::default());
            for id in ["1", "2", "3", "4"] {
                send(&host, id, json!(id)).await;
            }
            started(&host, 4).await;
            let expected = ["1", "2", "3", "4"].map(|id| json!([id]));
            assert_eq!(inputs(&host).await, expected, "{fault:?}");
            host.engine.shutdown().await;
        }
    }
    assert!(crashes > 6, "the faults have to hit the starts: {crashes}");
}

/// The position from which on the schedule's record says that events count.
fn stored_place(store: &MemoryStore) -> u64 {
    let tenant = TenantId::default();
    let partition = key::schedule_partition(&tenant, "test", "react", 2);
    let key = key::schedule(partition, &tenant, "test", "react");
    let stored = store.get(&key).expect("read").expect("there");
    let record = ScheduleRecord::decode(&stored).expect("a schedule");
    match &record.triggers[0].kind {
        TriggerKindRecord::On { from, .. } => *from,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_schedule_has_seen_may_be_dropped() {
    let memory = Arc::new(MemoryStore::new());
    let limits = EngineLimits {
        event_log_age: Duration::from_secs(3600),
        ..EngineLimits::default()
    };
    let sandbox = support::shared_sandbox();
    let script = Script::default();
    let host = Host::open_with(memory.clone(), sandbox, Some(&script), limits);
    let high = "{ on: { one: { with: { type: reading, data: '${ .n > 9 }' } } } }";
    publish(&host, &document("1.0.0", high)).await;
    for n in 0..3 {
        send(&host, &n.to_string(), json!({ "n": n })).await;
    }
    assert_eq!(
        stored_place(&memory),
        1,
        "nothing is written for each event"
    );
    support::until("the place is written", async || {
        host.clock.advance(Duration::from_secs(3600));
        stored_place(&memory) == 4
    })
    .await;
    send(&host, "10", json!({ "n": 10 })).await;
    started(&host, 1).await;
    assert_eq!(schedule(&host).await.missed, 0);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_no_longer_fits_its_connectors_says_so_and_misses_nothing() {
    let tenant = TenantId::default();
    let dist = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/dist/");
    let component = |name: &str| std::fs::read(format!("{dist}{name}.wasm")).expect("a component");
    let memory = Arc::new(MemoryStore::new());
    let host = Host::open(memory.clone(), &Script::default());
    let install = async |host: &Host, name: &str| {
        let installed = host.engine.install(&tenant, Some("shop"), component(name));
        installed.await.expect("installed");
    };
    install(&host, "http").await;
    let calls = document("1.0.0", "{ on: { any: [] } }").replace(
        "do: [",
        "do: [ { ask: { call: request@shop, with: { method: get, endpoint: 'https://example.org/' } } },",
    );
    publish(&host, &calls).await;
    host.engine.shutdown().await;

    let host = Host::open(memory.clone(), &Script::default());
    install(&host, "scim").await;
    host.engine.shutdown().await;

    let host = Host::open(memory, &Script::default());
    send(&host, "1", json!(1)).await;
    let says_so = async || schedule(&host).await.failure.is_some();
    support::until("the schedule says so", says_so).await;
    let stalled = schedule(&host).await;
    let reason = &stalled.failure.as_ref().expect("a failure").reason;
    assert!(reason.contains("request"), "{reason}");
    assert_eq!((stalled.started, stalled.missed), (0, 0));
    // Its event waits in the log until it fits again.
    install(&host, "http").await;
    started(&host, 1).await;
    let is_well = async || schedule(&host).await.failure.is_none();
    support::until("nothing is said of it any more", is_well).await;
    host.engine.shutdown().await;
}
