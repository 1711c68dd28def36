//! An open run goes on under a host that comes with other components.

mod support;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use baton_engine::outside::{Answer, Call, Invoke};
use baton_engine::{Bundled, Engine, ManualClock, RunId, Settings, Status, TenantId, Timestamp};
use baton_store::{Digest, MemoryStore};
use serde_json::json;
use support::{Host, shared_sandbox, start};

const WORK: &str = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do:
  - pause: { wait: { hours: 1 } }
  - list: { run: { shell: { command: ls } } }
";

/// Notes which component was called, and whether it counts as one that came with the host.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<(Digest, bool)>>>);

impl Invoke for Seen {
    fn invoke(&self, call: Call) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        let mut seen = self.0.lock().expect("not poisoned");
        seen.push((call.digest, call.bundled));
        let result = Ok(Arc::new(json!({ "code": 0, "stdout": "", "stderr": "" })));
        Box::pin(std::future::ready(Answer {
            result,
            log: Vec::new(),
            refusals: Vec::new(),
        }))
    }
}

/// The connector `shell`, and the same as a later release has it.
fn releases() -> [Bundled; 2] {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/dist/shell.wasm");
    let bytes = std::fs::read(path).expect("it is built");
    // A custom section, without a meaning.
    let next = [&bytes[..], &[0, 2, 1, b'x']].concat();
    [Bundled::new(bytes), Bundled::new(next)]
}

fn open(store: &Arc<MemoryStore>, shell: Option<&Bundled>, seen: &Seen) -> Host {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_800_000_000_000)));
    let bundled = shell.map(|shell| ("shell".to_owned(), shell.clone()));
    let settings = Settings {
        bundled: BTreeMap::from_iter(bundled),
        clock: clock.clone(),
        partitions: 2,
        ..Settings::default()
    };
    let invoke: Arc<dyn Invoke> = Arc::new(seen.clone());
    let engine = Engine::open_with(
        store.clone(),
        shared_sandbox().clone(),
        settings,
        Some(invoke),
    );
    Host {
        engine: engine.expect("an engine"),
        clock,
    }
}

async fn begin(host: &Host) -> RunId {
    let run = host
        .engine
        .start(&TenantId::default(), start("work", json!({})))
        .await
        .expect("started")
        .id;
    host.until(&run, Status::Waiting).await;
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_with_the_host_at_a_runs_start_still_counts_as_that_after_an_upgrade() {
    let tenant = TenantId::default();
    let [former, next] = releases();
    let store = Arc::new(MemoryStore::new());
    let seen = Seen::default();
    let host = open(&store, Some(&former), &seen);
    host.engine.publish(&tenant, WORK).await.expect("published");
    let run = begin(&host).await;
    host.engine.shutdown().await;

    let host = open(&store, Some(&next), &seen);
    support::until("recovered", async || host.engine.is_ready()).await;
    host.clock.advance(Duration::from_secs(3601));
    assert_eq!(host.end(&run).await.status, Status::Completed);
    let later = begin(&host).await;
    host.clock.advance(Duration::from_secs(3601));
    assert_eq!(host.end(&later).await.status, Status::Completed);
    host.engine.shutdown().await;
    let seen = seen.0.lock().expect("not poisoned").clone();
    assert_eq!(seen, [(former.digest(), true), (next.digest(), true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tenant_has_installed_never_counts_as_coming_with_the_host() {
    let tenant = TenantId::default();
    let [former, next] = releases();
    let store = Arc::new(MemoryStore::new());
    let seen = Seen::default();
    let host = open(&store, Some(&next), &seen);
    let bytes = former.bytes().to_vec();
    host.engine
        .install(&tenant, Some("shell"), bytes)
        .await
        .expect("installed");
    host.engine.publish(&tenant, WORK).await.expect("published");
    let run = begin(&host).await;
    host.clock.advance(Duration::from_secs(3601));
    assert_eq!(host.end(&run).await.status, Status::Completed);
    host.engine.shutdown().await;
    let seen = seen.0.lock().expect("not poisoned").clone();
    assert_eq!(seen, [(former.digest(), false)]);
}
