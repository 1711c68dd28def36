//! Runs that wait leave memory, and what comes for them finds them.

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use baton_engine::{
    Answer, ApprovalFilter, Decision, EngineLimits, RunFilter, RunId, StartError, Status, TenantId,
};
use baton_store::record::{OpenRecord, Record};
use baton_store::{Direction, ReadError, Store, key};
use baton_workflow::CloudEvent;
use serde_json::{Value, json};

use support::{Host, Interfere, Interfered, Script, start, until};

const WORK: &str = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
input: { from: { order: '${ .order }' } }
do:
  - pause: { wait: { hours: 1 } }
  - paid:
      listen:
        to:
          one:
            with: { type: paid }
            correlate: { order: { from: '.data.order', expect: '${ .order }' } }
      output: { as: '${ .[0] }' }
  - check: { call: approval, with: { title: 'Send it?' } }
  - done: { set: { decided: '${ .decision }' } }
";

const NOTHING: &str = "
document: { dsl: '1.0.3', namespace: test, name: nothing, version: '1.0.0' }
do:
  - done: { set: { done: true } }
";

/// Counts what is read, by its key.
#[derive(Default)]
struct Reads(Mutex<BTreeMap<Vec<u8>, usize>>);

impl Interfere for Reads {
    fn before_get(&self, key: &[u8]) -> Result<(), ReadError> {
        let mut reads = self.0.lock().expect("not poisoned");
        *reads.entry(key.to_vec()).or_default() += 1;
        Ok(())
    }
}

type Stored = Arc<Interfered<Reads>>;

/// How often a run has been loaded: who loads one looks for its snapshot first.
fn loads(store: &Stored, run: &RunId) -> usize {
    let snapshot = key::snapshot(run.partition(2), &TenantId::default(), run);
    let reads = store.by.0.lock().expect("not poisoned");
    reads.get(&snapshot).copied().unwrap_or_default()
}

/// Waits until runs are asleep, each with so many events in its journal, and none is in memory.
async fn until_asleep(host: &Host, store: &Stored, runs: &[RunId], events: usize) {
    for run in runs {
        let (partition, tenant) = (run.partition(2), TenantId::default());
        let key = key::open(partition, &tenant, run);
        let journal = key::events(partition, &tenant, run);
        let is_stored = async || {
            let stored = store.get(&key).expect("read").expect("it is open");
            let record = OpenRecord::decode(&stored).expect("a record");
            let read = store.store.scan(&journal, Direction::Ascending, 99);
            record.asleep.is_some() && read.expect("read").len() == events
        };
        until("it is durable that the run is asleep", is_stored).await;
    }
    // It leaves memory after that. Then there is room for another one.
    let other = begin(host, "nothing", json!({})).await;
    host.end(&other).await;
}

/// Starts a run, once there is room in memory.
async fn begin(host: &Host, workflow: &str, input: Value) -> RunId {
    let begun = OnceLock::new();
    let is_admitted = async || {
        let (tenant, run) = (TenantId::default(), start(workflow, input.clone()));
        match host.engine.start(&tenant, run).await {
            Ok(run) => begun.set(run.id).is_ok(),
            Err(StartError::Busy { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    };
    until("there is room", is_admitted).await;
    *begun.get().expect("it has begun")
}

async fn begin_order(host: &Host, order: u64) -> RunId {
    begin(host, "work", json!({ "order": order })).await
}

async fn pay(host: &Host, order: Value) {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    let id = LAST.fetch_add(1, Ordering::SeqCst).to_string();
    let event = CloudEvent::new(json!({
        "specversion": "1.0", "id": id, "source": "/test", "type": "paid", "data": { "order": order }
    }));
    let sent = host
        .engine
        .send_events(&TenantId::default(), vec![event.expect("an event")])
        .await;
    sent.expect("sent");
}

async fn approve(host: &Host, run: &RunId) {
    let tenant = TenantId::default();
    let filter = ApprovalFilter {
        run: Some(*run),
        ..ApprovalFilter::default()
    };
    let asked = host.engine.approvals(&tenant, &filter, None, 9).await;
    let asked = asked.expect("listed").items;
    let answer = Answer {
        decision: Decision::Approved,
        by: "ada".into(),
        comment: None,
        data: Arc::new(Value::Null),
    };
    let decided = host.engine.decide(&tenant, &asked[0].id, answer).await;
    decided.expect("decided");
}

/// A host with room for one run in memory, beside those that are woken.
async fn host(store: &Stored) -> Host {
    let limits = EngineLimits {
        awake_runs_per_tenant: 1,
        ..support::limits()
    };
    let (sandbox, script) = (support::shared_sandbox(), Script::default());
    let host = Host::open_with(store.clone(), sandbox, Some(&script), limits);
    until("the host has recovered", async || host.engine.is_ready()).await;
    host
}

/// The first one on a store.
async fn first_host(store: &Stored) -> Host {
    let host = host(store).await;
    for workflow in [WORK, NOTHING] {
        let published = host.engine.publish(&TenantId::default(), workflow).await;
        published.expect("published");
    }
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn time_events_and_people_wake_a_run() {
    let store = Stored::default();
    let host = first_host(&store).await;
    let run = begin_order(&host, 17).await;
    until_asleep(&host, &store, &[run], 1).await;
    assert_eq!(loads(&store, &run), 0);
    host.clock.advance(Duration::from_secs(3601));
    until_asleep(&host, &store, &[run], 2).await;
    pay(&host, json!(17)).await;
    until_asleep(&host, &store, &[run], 3).await;
    assert_eq!(loads(&store, &run), 2);
    approve(&host, &run).await;
    let output = host.end(&run).await.output.expect("an output");
    assert_eq!(*output, json!({ "decided": "approved" }));
    assert_eq!(loads(&store, &run), 3);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_wakes_those_alone_whom_it_concerns() {
    let store = Stored::default();
    let host = first_host(&store).await;
    let runs = [begin_order(&host, 1).await, begin_order(&host, 2).await];
    until_asleep(&host, &store, &runs, 1).await;
    host.clock.advance(Duration::from_secs(3601));
    until_asleep(&host, &store, &runs, 2).await;
    assert_eq!(runs.map(|run| loads(&store, &run)), [1, 1]);
    pay(&host, json!(3)).await;
    // A text may stand for a number.
    pay(&host, json!("2")).await;
    until("it was woken", async || loads(&store, &runs[1]) == 2).await;
    assert_eq!(loads(&store, &runs[0]), 1);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_starts_leaves_them_asleep() {
    let (store, tenant) = (Stored::default(), TenantId::default());
    let first = first_host(&store).await;
    let runs = [begin_order(&first, 1).await, begin_order(&first, 2).await];
    until_asleep(&first, &store, &runs, 1).await;
    first.engine.shutdown().await;
    let second = host(&store).await;
    for run in &runs {
        let now = second.engine.run(&tenant, run).await.expect("read");
        assert_eq!(now.expect("there").status, Status::Waiting);
        assert_eq!(loads(&store, run), 0);
    }
    second.clock.advance(Duration::from_secs(3601));
    until_asleep(&second, &store, &runs, 2).await;
    assert_eq!(runs.map(|run| loads(&store, &run)), [1, 1]);
    second.engine.shutdown().await;
    let third = host(&store).await;
    pay(&third, json!(1)).await;
    until("it was woken", async || loads(&store, &runs[0]) == 2).await;
    assert_eq!(loads(&store, &runs[1]), 1);
    third.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_one_that_is_asleep_is_told_of_its_end() {
    let (store, tenant) = (Stored::default(), TenantId::default());
    let host = first_host(&store).await;
    let run = begin_order(&host, 1).await;
    until_asleep(&host, &store, &[run], 1).await;
    let mut lines = host.engine.subscribe(&tenant, &run, 0).await;
    let lines = lines.as_mut().expect("read").as_mut().expect("there");
    let engine = host.engine.clone();
    let waiter = tokio::spawn(async move {
        let ended = engine
            .wait(&TenantId::default(), &run, Duration::from_secs(60))
            .await;
        ended.expect("read").expect("there").status
    });
    let awaited = host.engine.awaited(&tenant, &run).await;
    assert_eq!(awaited.expect("it is open").len(), 1);
    let cancelled = host.engine.cancel(&tenant, &run, "ada", None).await;
    assert_eq!(cancelled.expect("cancelled").status, Status::Cancelled);
    assert_eq!(waiter.await.expect("done"), Status::Cancelled);
    let mut last = None;
    while let Some(line) = lines.next().await {
        last = Some(line.expect("no line is lost").kind);
    }
    assert_eq!(last, Some(baton_engine::NoteKind::WorkflowCancelled));
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_sleep_make_room_for_others_at_work() {
    let (store, tenant) = (Stored::default(), TenantId::default());
    let host = first_host(&store).await;
    for order in 0..8 {
        // The one before has to leave memory first.
        begin_order(&host, order).await;
    }
    let all = host
        .engine
        .runs(&tenant, &RunFilter::default(), None, 99)
        .await;
    let all = all.expect("listed").items;
    assert_eq!(all.len(), 8);
    host.engine.shutdown().await;
}
