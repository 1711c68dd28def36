//! Values of secrets that calls are given: whatever a connector has been given is in the run's history, and a crash
//! changes nothing of that.

mod support;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use baton_engine::outside::{Answer, Call, Invoke};
use baton_engine::{EngineLimits, Note, NoteKind, RunId, Status, TenantId};
use baton_sandbox::Reveal;
use baton_store::{Fault, FaultyStore, MemoryStore, Store};
use serde_json::json;
use tokio::sync::Semaphore;

use support::{Host, shared_sandbox, start, until};

const DOCUMENT: &str = "
document: { dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }
do:
  - sign: { call: http, with: { method: get, endpoint: 'https://example.org' } }
  - send: { call: http, with: { method: get, endpoint: 'https://example.org' } }
";

/// What each call asks for, in this order.
const SECRETS: [(&str, Option<&str>); 2] = [("key", None), ("login", Some("password"))];

/// A connector that asks for values of secrets.
#[derive(Clone)]
struct Curious {
    /// How many values were given, over all hosts of a test.
    given: Arc<AtomicUsize>,
    /// Set when the host counts as dead: its calls reach nobody.
    dead: Arc<AtomicBool>,
    /// How many calls may ask; others wait.
    may_ask: Arc<Semaphore>,
}

impl Curious {
    fn new(may_ask: usize) -> Self {
        Self {
            given: Arc::default(),
            dead: Arc::default(),
            may_ask: Arc::new(Semaphore::new(may_ask)),
        }
    }

    fn host(&self, store: Arc<dyn Store>) -> Host {
        let invoke: Arc<dyn Invoke> = Arc::new(self.clone());
        Host::open_calling(
            store,
            shared_sandbox(),
            Some(invoke),
            EngineLimits::default(),
        )
    }

    async fn serve(self, call: Call) {
        let reveals = call.reveals.expect("a run's call is recorded");
        let permit = self.may_ask.acquire().await;
        permit.expect("it is never closed").forget();
        for (secret, member) in SECRETS {
            let reveal = Reveal {
                secret: secret.to_owned(),
                member: member.map(str::to_owned),
            };
            if reveals.record(reveal).await {
                self.given.fetch_add(1, Ordering::SeqCst);
            }
        }
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}

impl Invoke for Curious {
    fn invoke(&self, call: Call) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        if self.dead.load(Ordering::SeqCst) {
            return Box::pin(std::future::pending());
        }
        let served = self.clone().serve(call);
        Box::pin(async move {
            served.await;
            Answer {
                result: Ok(Arc::new(json!("done"))),
                log: Vec::new(),
                refusals: Vec::new(),
            }
        })
    }
}

/// The lines of a run's history that tell of values that were given.
async fn told(host: &Host, run: &RunId) -> Vec<Note> {
    let tenant = TenantId::default();
    let history = host.engine.history(&tenant, run, 0, 1_000).await;
    let mut lines = history.expect("read").expect("there");
    lines.retain(|line| line.kind == NoteKind::TaskSecretRevealed);
    lines
}

async fn begin(host: &Host) -> RunId {
    let tenant = TenantId::default();
    let published = host.engine.publish(&tenant, DOCUMENT).await;
    published.expect("published");
    let started = host.engine.start(&tenant, start("test", json!({}))).await;
    started.expect("started").id
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_says_what_was_given_to_whom() {
    let host = Curious::new(2).host(Arc::new(MemoryStore::new()));
    let run = begin(&host).await;
    assert_eq!(host.end(&run).await.status, Status::Completed);
    let told = told(&host, &run).await;
    let told: Vec<String> = told
        .iter()
        .map(|line| {
            let task = line.task.as_ref().expect("a task");
            let reveal = line.detail.reveal.as_ref().expect("a reveal");
            let (secret, member) = (&reveal.secret, reveal.member.as_deref());
            let member = member.map(|it| format!(".{it}")).unwrap_or_default();
            format!("{} {secret}{member} {}", task.pointer, reveal.connector)
        })
        .collect();
    assert_eq!(
        told,
        [
            "/do/0/sign key http",
            "/do/0/sign login.password http",
            "/do/1/send key http",
            "/do/1/send login.password http",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_is_in_the_history_whatever_crashes() {
    let tenant = TenantId::default();
    let mut crashes = 0;
    for number in 1..16 {
        for fault in [Fault::CrashBefore(number), Fault::CrashAfter(number)] {
            let memory = Arc::new(MemoryStore::new());
            let curious = Curious::new(100);
            let host = curious.host(memory.clone());
            let published = host.engine.publish(&tenant, DOCUMENT).await;
            published.expect("published");
            host.engine.shutdown().await;

            let faulty = Arc::new(FaultyStore::new(memory.clone(), fault));
            let host = curious.host(faulty.clone());
            let started = host.engine.start(&tenant, start("test", json!({}))).await;
            let Ok(started) = started else { continue };
            let run = started.id;
            until("an end or a crash", async || {
                let run = host.engine.run(&tenant, &run).await;
                run.expect("read").expect("there").status.is_ended() || faulty.is_crashed()
            })
            .await;
            curious.dead.store(true, Ordering::SeqCst);
            host.engine.shutdown().await;
            let given = curious.given.load(Ordering::SeqCst);
            crashes += usize::from(given > 0 && given < 4);

            curious.dead.store(false, Ordering::SeqCst);
            let host = curious.host(memory);
            let end = host.end(&run).await;
            assert_eq!(end.status, Status::Completed, "{fault:?}: {:?}", end.error);
            let (told, given) = (
                told(&host, &run).await,
                curious.given.load(Ordering::SeqCst),
            );
            // One more may have been recorded when the crash came before it was given.
            assert!(
                (given..=given + 1).contains(&told.len()),
                "{fault:?}: {given} given, {} told",
                told.len()
            );
            host.engine.shutdown().await;
        }
    }
    assert!(crashes > 3, "the faults have to hit the calls: {crashes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_run_tells_at_once() {
    let tenant = TenantId::default();
    let curious = Curious::new(0);
    let host = curious.host(Arc::new(MemoryStore::new()));
    let run = begin(&host).await;
    host.until(&run, Status::Running).await;
    let suspended = host.engine.suspend(&tenant, &run, "ada", None).await;
    suspended.expect("suspended");
    curious.may_ask.add_permits(2);
    until("the history tells", async || {
        told(&host, &run).await.len() == 2
    })
    .await;
    host.until(&run, Status::Suspended).await;
    let resumed = host.engine.resume(&tenant, &run, "ada", None).await;
    resumed.expect("resumed");
    assert_eq!(host.end(&run).await.status, Status::Completed);
    assert_eq!(told(&host, &run).await.len(), 4);
}
