//! Runs that ended long ago go, with all that is stored of them; what others need stays.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use baton_engine::{
    ControlError, DeleteError, Engine, ManualClock, Retention, RetryError, RunFilter, RunId,
    RunView, Settings, StartRun, Status, TenantId, Timestamp, Unavailable,
};
use baton_store::record::{EventKindRecord, EventRecord, Record as _};
use baton_store::{Batch, Direction, Fault, FaultyStore, KeyRange, MemoryStore, Store, key};
use serde_json::json;

use support::{shared_sandbox, until};

const HOUR: Duration = Duration::from_secs(3600);

const WORK: &str = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do:
  - keep: { set: { done: true } }
";

const WAIT: &str = "
document: { dsl: '1.0.3', namespace: test, name: wait, version: '1.0.0' }
do:
  - pause: { wait: { days: 9 } }
";

const FAIL: &str = "
document: { dsl: '1.0.3', namespace: test, name: fail, version: '1.0.0' }
do:
  - fail: { raise: { error: { type: 'https://example.org/errors/no', status: 500 } } }
";

const ASK: &str = "
document: { dsl: '1.0.3', namespace: test, name: ask, version: '1.0.0' }
do:
  - ask: { call: approval, with: { title: Go? } }
";

/// Starts one run that it waits for and one that it does not, and then waits.
const PARENT: &str = "
document: { dsl: '1.0.3', namespace: test, name: parent, version: '1.0.0' }
do:
  - first: { run: { workflow: { namespace: test, name: work, version: '1.0.0' } } }
  - second: { run: { await: false, workflow: { namespace: test, name: work, version: '1.0.0' } } }
  - pause: { wait: { hours: 5 } }
";

/// Starts a run that goes on for long after its own end.
const FORERUNNER: &str = "
document: { dsl: '1.0.3', namespace: test, name: forerunner, version: '1.0.0' }
do:
  - start: { run: { await: false, workflow: { namespace: test, name: wait, version: '1.0.0' } } }
";

struct Host {
    engine: Engine,
    clock: Arc<ManualClock>,
}

fn tenant() -> TenantId {
    TenantId::default()
}

fn request(name: &str) -> StartRun {
    support::start(name, json!({ "n": 1 }))
}

impl Host {
    /// A host that keeps runs of the tenant for an hour, and those of all others for ever.
    async fn open(store: Arc<dyn Store>) -> Self {
        let keep = BTreeMap::from([(tenant(), Some(HOUR))]);
        Self::with(store, keep, 1_800_000_000_000).await
    }

    /// A host that keeps all.
    async fn keeping(store: Arc<dyn Store>, at: i64) -> Self {
        Self::with(store, BTreeMap::new(), at).await
    }

    async fn with(
        store: Arc<dyn Store>,
        tenants: BTreeMap<TenantId, Option<Duration>>,
        at: i64,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(at)));
        let settings = Settings {
            retention: Retention {
                default: None,
                tenants,
            },
            clock: clock.clone(),
            partitions: 2,
            ..Settings::default()
        };
        let engine = Engine::open(store, shared_sandbox().clone(), settings).expect("an engine");
        until("the engine is ready", async || engine.is_ready()).await;
        Self { engine, clock }
    }

    async fn publish(&self, tenant: &TenantId) {
        for document in [WORK, WAIT, FAIL, ASK, PARENT, FORERUNNER] {
            let published = self.engine.publish(tenant, document).await;
            published.expect("published");
        }
    }

    async fn start(&self, name: &str) -> RunId {
        let started = self.engine.start(&tenant(), request(name)).await;
        started.expect("started").id
    }

    async fn run(&self, run: &RunId) -> Option<RunView> {
        self.engine.run(&tenant(), run).await.expect("read")
    }

    async fn ended(&self, run: &RunId) {
        let patience = Duration::from_secs(30);
        let waited = self.engine.wait(&tenant(), run, patience).await;
        let run = waited.expect("read").expect("there");
        assert!(run.status.is_ended(), "{run:?}");
    }

    async fn in_phase(&self, run: &RunId, status: Status) {
        until("the phase is reached", async || {
            self.run(run).await.is_some_and(|it| it.status == status)
        })
        .await;
    }

    async fn gone(&self, run: &RunId) {
        until("the run is removed", async || self.run(run).await.is_none()).await;
    }

    async fn children(&self, of: &RunId) -> Vec<RunId> {
        let filter = RunFilter {
            parent: Some(*of),
            ..RunFilter::default()
        };
        let page = self.engine.runs(&tenant(), &filter, None, 99).await;
        page.expect("read").items.iter().map(|it| it.id).collect()
    }

    async fn delete(&self, run: &RunId) -> Result<(), DeleteError> {
        self.engine.delete(&tenant(), run).await
    }
}

/// The keys of all records that a run's id is in.
fn leading_to(store: &dyn Store, run: &RunId) -> Vec<Vec<u8>> {
    let all = KeyRange {
        start: Vec::new(),
        end: vec![0xff; 9],
    };
    let pairs = store.scan(&all, Direction::Ascending, usize::MAX);
    let names = |bytes: &[u8]| bytes.windows(16).any(|it| it == run.as_bytes());
    let found = pairs.expect("read").into_iter();
    let found = found.filter(|(key, value)| names(key) || names(value));
    found.map(|(key, _)| key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_goes_with_all_that_is_stored_of_it() {
    let store = Arc::new(MemoryStore::new());
    let host = Host::open(store.clone()).await;
    host.publish(&tenant()).await;
    let mut keyed = request("work");
    keyed.idempotency_key = Some("order-7".into());
    let first = host.engine.start(&tenant(), keyed.clone()).await;
    let first = first.expect("started").id;
    host.ended(&first).await;
    let asked = host.start("ask").await;
    host.in_phase(&asked, Status::Waiting).await;
    let cancelled = host.engine.cancel(&tenant(), &asked, "ada", None).await;
    cancelled.expect("cancelled");
    host.ended(&asked).await;
    let restarted = host
        .engine
        .restart(&tenant(), &first, None, "ada", None)
        .await;
    let restarted = restarted.expect("restarted").id;
    host.ended(&restarted).await;
    let open = host.start("wait").await;
    host.in_phase(&open, Status::Waiting).await;
    for run in [&first, &asked, &restarted] {
        assert!(leading_to(&*store, run).len() >= 4, "{run}");
    }
    let again = host.engine.start(&tenant(), keyed.clone()).await;
    assert_eq!(again.expect("found").id, first);

    host.clock.advance(HOUR / 2);
    let young = host.start("work").await;
    host.ended(&young).await;
    host.clock.advance(HOUR / 2 + Duration::from_millis(1));
    for run in [&first, &asked, &restarted] {
        host.gone(run).await;
        until("nothing is left", async || {
            leading_to(&*store, run).is_empty()
        })
        .await;
    }
    assert!(host.run(&young).await.is_some());
    assert!(host.run(&open).await.is_some());
    let listed = host
        .engine
        .runs(&tenant(), &RunFilter::default(), None, 99)
        .await;
    assert_eq!(listed.expect("read").items.len(), 2);
    // The key is free again.
    let again = host.engine.start(&tenant(), keyed).await.expect("started");
    assert_ne!(again.id, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_has_a_time_of_its_own() {
    let store = Arc::new(MemoryStore::new());
    let host = Host::open(store).await;
    let other = TenantId::new("other").expect("a tenant");
    host.publish(&tenant()).await;
    host.publish(&other).await;
    let theirs = host.engine.start(&other, request("work")).await;
    let theirs = theirs.expect("started").id;
    let ours = host.start("work").await;
    host.ended(&ours).await;
    let wait = host.engine.wait(&other, &theirs, Duration::from_secs(30));
    assert!(wait.await.expect("read").expect("there").status.is_ended());
    host.clock.advance(HOUR * 100);
    host.gone(&ours).await;
    let theirs = host.engine.run(&other, &theirs).await;
    assert!(theirs.expect("read").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_has_started_stays_as_long_as_the_run() {
    let store = Arc::new(MemoryStore::new());
    let host = Host::open(store.clone()).await;
    host.publish(&tenant()).await;
    let parent = host.start("parent").await;
    host.in_phase(&parent, Status::Waiting).await;
    let children = host.children(&parent).await;
    assert_eq!(children.len(), 2);
    for child in &children {
        host.ended(child).await;
    }
    let beside = host.start("work").await;
    host.ended(&beside).await;

    host.clock.advance(HOUR * 2);
    // A sweep has been through all that started before.
    host.gone(&beside).await;
    for child in &children {
        assert!(host.run(child).await.is_some());
        let refused = host.delete(child).await;
        assert!(matches!(refused, Err(DeleteError::HasParent(it)) if it == parent));
    }
    host.clock.advance(HOUR * 4);
    host.ended(&parent).await;
    host.clock.advance(HOUR * 2);
    for run in children.iter().chain([&parent]) {
        host.gone(run).await;
        until("nothing is left", async || {
            leading_to(&*store, run).is_empty()
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_stays_until_what_it_has_started_has_ended() {
    let store = Arc::new(MemoryStore::new());
    let host = Host::open(store).await;
    host.publish(&tenant()).await;
    let forerunner = host.start("forerunner").await;
    host.ended(&forerunner).await;
    let children = host.children(&forerunner).await;
    let [child] = children.as_slice() else {
        panic!("{children:?}")
    };
    let beside = host.start("work").await;
    host.ended(&beside).await;
    host.clock.advance(HOUR * 2);
    // A sweep has been through all that started before.
    host.gone(&beside).await;
    assert!(host.run(&forerunner).await.is_some());
    let refused = host.delete(&forerunner).await;
    assert!(matches!(refused, Err(DeleteError::HasOpenChild(it)) if it == *child));
    let cancelled = host.engine.cancel(&tenant(), child, "ada", None).await;
    cancelled.expect("cancelled");
    host.ended(child).await;
    host.clock.advance(HOUR * 2);
    host.gone(&forerunner).await;
    host.gone(child).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_goes_on_is_not_deleted_and_a_deleted_one_does_not_go_on() {
    let store = Arc::new(MemoryStore::new());
    let host = Host::keeping(store.clone(), 1_800_000_000_000).await;
    host.publish(&tenant()).await;
    let open = host.start("wait").await;
    let refused = host.delete(&open).await;
    assert!(matches!(refused, Err(DeleteError::Open(_))), "{refused:?}");
    let faulted = host.start("fail").await;
    host.ended(&faulted).await;
    // Whoever comes first: either the run has faulted once more, or it is gone. Never is it there in part.
    for _ in 0..50 {
        let run = host.start("fail").await;
        host.ended(&run).await;
        let (tenant, id) = (tenant(), run);
        let engine = host.engine.clone();
        let retry =
            tokio::spawn(async move { engine.retry(&tenant, &id, None, "ada", None).await });
        let deleted = host.delete(&run).await;
        let retried = retry.await.expect("no panic");
        match (&deleted, &retried) {
            (Ok(()), _) => {
                // It may have been tried again, and have faulted, before.
                assert!(host.run(&run).await.is_none());
                assert!(leading_to(&*store, &run).is_empty());
            }
            (Err(error), Ok(_)) => {
                let is_told = matches!(
                    error,
                    DeleteError::Open(_) | DeleteError::Unavailable(Unavailable::Busy { .. })
                );
                assert!(is_told, "{error:?}");
                host.ended(&run).await;
            }
            both => panic!("{both:?}"),
        }
    }
    host.delete(&faulted).await.expect("deleted");
    let gone = host.delete(&faulted).await;
    assert!(matches!(gone, Err(DeleteError::NotFound(_))), "{gone:?}");
    let retried = host
        .engine
        .retry(&tenant(), &faulted, None, "ada", None)
        .await;
    let not_found = RetryError::Control(ControlError::NotFound(faulted));
    assert_eq!(
        retried.expect_err("refused").to_string(),
        not_found.to_string()
    );
}

/// A run of a great many events goes in several steps. A crash behind any of them leaves nothing to see, and what is
/// left goes when it is deleted again.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_run_goes_also_where_the_host_does_not_come_to_the_end() {
    for crash in 0..4_u64 {
        let store = Arc::new(MemoryStore::new());
        let run = {
            let host = Host::keeping(store.clone(), 1_800_000_000_000).await;
            host.publish(&tenant()).await;
            let run = host.start("work").await;
            host.ended(&run).await;
            host.engine.shutdown().await;
            run
        };
        lengthen(&*store, &run, 2_500);
        let fault = match crash {
            0 => Fault::None,
            at => Fault::CrashAfter(at),
        };
        let faulty = Arc::new(FaultyStore::new(store.clone(), fault));
        let host = Host::keeping(faulty.clone(), 1_800_000_100_000).await;
        // Where the commit fails, it is tried again for ever.
        let deleting = tokio::spawn({
            let (engine, run) = (host.engine.clone(), run);
            async move { engine.delete(&tenant(), &run).await }
        });
        if crash == 0 {
            deleting.await.expect("no panic").expect("deleted");
        } else {
            until("the host has crashed", async || faulty.is_crashed()).await;
            host.engine.shutdown().await;
            deleting.abort();
            let host = Host::keeping(store.clone(), 1_800_000_200_000).await;
            assert!(host.run(&run).await.is_none());
            let listed = host
                .engine
                .runs(&tenant(), &RunFilter::default(), None, 99)
                .await;
            assert!(listed.expect("read").items.is_empty());
            let left = !leading_to(&*store, &run).is_empty();
            let again = host.delete(&run).await;
            assert_eq!(again.is_ok(), left, "{crash}: {again:?}");
        }
        assert!(leading_to(&*store, &run).is_empty(), "{crash}");
    }
}

/// Adds events to a run's journal.
fn lengthen(store: &dyn Store, run: &RunId, events: u32) {
    let record = EventRecord {
        at_ms: 1_800_000_000_000,
        kind: EventKindRecord::CancelRequested {
            by: "ada".into(),
            reason: None,
        },
    };
    let mut batch = Batch::new();
    for number in 2..=events {
        batch.put(
            key::event(run.partition(2), &tenant(), run, number),
            record.encode(),
        );
    }
    store.commit(&batch).expect("committed");
}
