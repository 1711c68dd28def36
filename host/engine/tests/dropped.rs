//! Whoever asks may go away at any time: what has been begun is done whole all the same.

mod support;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use baton_engine::{GrantSpec, RunFilter, Status, TenantId};
use baton_store::MemoryStore;
use serde_json::json;

use support::{Host, Script, sandbox, start};

const SUM: &str = "
document: { dsl: '1.0.3', namespace: test, name: sum, version: '1.0.0' }
do:
  - add: { set: { total: '${ .numbers | add }' } }
";

/// How often to poll at most. Nothing here awaits as often.
const POLLS: usize = 8;

/// Polls a future so many times, whenever it has something new to say, and drops it.
async fn drop_after<T>(polls: usize, future: impl Future<Output = T>) {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|context| {
        polled += 1;
        match future.as_mut().poll(context) {
            Poll::Pending if polled < polls => Poll::Pending,
            _ => Poll::Ready(()),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_whose_client_has_gone_is_one_run_that_is_driven() {
    let tenant = TenantId::default();
    let ways = (1..=POLLS).flat_map(|polls| [(polls, false), (polls, true)]);
    for (polls, is_at_hand) in ways {
        let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
        host.engine.publish(&tenant, SUM).await.expect("published");
        let mut request = start("sum", json!({ "numbers": [1, 2, 39] }));
        if is_at_hand {
            let before = host.engine.start(&tenant, request.clone()).await;
            before.expect("started");
        }
        request.idempotency_key = Some("once".into());
        drop_after(polls, host.engine.start(&tenant, request.clone())).await;
        let again = host.engine.start(&tenant, request).await.expect("started");
        assert_eq!(
            host.end(&again.id).await.status,
            Status::Completed,
            "{polls}"
        );
        let count = 1 + usize::from(is_at_hand);
        assert_eq!(runs(&host, &tenant).await, count, "{polls}");
        host.engine.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_for_which_all_is_at_hand_needs_nobody_else() {
    let tenant = TenantId::default();
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    host.engine.publish(&tenant, SUM).await.expect("published");
    let request = start("sum", json!({ "numbers": [1, 2, 39] }));
    let first = host.engine.start(&tenant, request.clone()).await;
    first.expect("started");
    // It is with the journal when it first waits.
    drop_after(1, host.engine.start(&tenant, request)).await;
    support::until("both are there", async || runs(&host, &tenant).await == 2).await;
    host.engine.shutdown().await;
}

/// How many runs there are, up to nine.
async fn runs(host: &Host, tenant: &TenantId) -> usize {
    let filter = RunFilter::default();
    let runs = host.engine.runs(tenant, &filter, None, 9).await;
    runs.expect("listed").items.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_whose_client_has_gone_counts() {
    let tenant = TenantId::default();
    let sandbox = sandbox(baton_sandbox::Settings::default());
    // A port that nobody listens at: a call that is granted fails in another way than one that is not.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let grant: GrantSpec = serde_json::from_value(json!({ "egress": [origin] })).expect("a grant");
    for polls in 1..=POLLS {
        let store = Arc::new(MemoryStore::new());
        let host = Host::open_with(store, &sandbox, None, Default::default());
        let refusals = async || {
            let arguments = json!({ "method": "get", "endpoint": origin });
            let call = host.engine.call(&tenant, "http", "request", arguments);
            call.await.expect("called").refusals.len()
        };
        assert_eq!(refusals().await, 1, "what holds is at hand from now on");
        drop_after(polls, host.engine.grant(&tenant, "http", grant.clone())).await;
        let is_stored = async || {
            let shown = host.engine.connector(&tenant, "http").await;
            !shown
                .expect("read")
                .expect("there")
                .grants
                .egress
                .is_empty()
        };
        support::until("the grant is stored", is_stored).await;
        // Grants are given one at a time: behind this one, the first has been given.
        let other = host.engine.grant(&tenant, "no-such", GrantSpec::default());
        assert!(other.await.is_err());
        assert_eq!(refusals().await, 0, "{polls}");
        host.engine.shutdown().await;
    }
}
