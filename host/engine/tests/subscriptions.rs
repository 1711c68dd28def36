//! Subscriptions: what a call hands over is recorded message by message, and a crash loses none of it.

mod support;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use baton_engine::outside::{Answer, Call, Invoke};
use baton_engine::{EngineLimits, RunId, Status, TenantId};
use baton_store::{Fault, FaultyStore, MemoryStore, Store};
use baton_workflow::{Error, ErrorKind};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use support::{Host, shared_sandbox, start, until};

/// A broker that keeps each message until it has been recorded, and a service that each message is told to.
#[derive(Clone)]
struct Broker {
    state: Arc<Mutex<State>>,
    /// How many calls of the service may be answered.
    answers: Arc<Semaphore>,
    /// Set when the host counts as dead: its calls reach nobody.
    dead: Arc<AtomicBool>,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Value>,
    /// How many messages have been handed over, recorded or not.
    offered: usize,
    /// How many subscriptions have been made.
    opened: usize,
    /// How many of them have been told that no more is wanted.
    taken_leave: usize,
    /// How many calls of the service have been made.
    told: usize,
    /// Which of them fails, from 1; none where it is 0.
    fails: usize,
}

impl State {
    /// Whether the message that the service was told of last is off the queue.
    fn is_told_of_taken(&self) -> bool {
        let next = self.messages.front();
        next.is_none_or(|next| next["payload"] == json!(self.told + 1))
    }
}

impl Broker {
    /// With messages that have these payloads.
    fn new(payloads: &[Value]) -> Self {
        let message = |payload: &Value| json!({ "payload": payload, "headers": {} });
        let state = State {
            messages: payloads.iter().map(message).collect(),
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            answers: Arc::new(Semaphore::new(0)),
            dead: Arc::default(),
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().expect("not poisoned"))
    }

    async fn serve(self, call: Call) -> Result<Value, Error> {
        let Some(items) = call.items else {
            let fails = self.with(|state| {
                state.told += 1;
                state.told == state.fails
            });
            if fails {
                // The run ends with this, and the subscription with it: the broker has to know by then that what the run
                // has recorded need not come again.
                while !self.with(|state| state.is_told_of_taken()) {
                    tokio::task::yield_now().await;
                }
                let kind = ErrorKind::Communication;
                return Err(Error::new(kind, "Out of order", "503"));
            }
            let permit = self.answers.acquire().await;
            permit.expect("it is never closed").forget();
            return Ok(json!("told"));
        };
        self.with(|state| state.opened += 1);
        loop {
            let next = self.with(|state| state.messages.front().cloned());
            let Some(message) = next else {
                return std::future::pending().await;
            };
            self.with(|state| state.offered += 1);
            let Some(more) = items.push(message).await else {
                return std::future::pending().await;
            };
            if self.dead.load(Ordering::SeqCst) {
                return std::future::pending().await;
            }
            self.with(|state| state.messages.pop_front());
            if !more {
                self.with(|state| state.taken_leave += 1);
                return Ok(Value::Null);
            }
        }
    }

    fn host(&self, store: Arc<dyn Store>, limits: EngineLimits) -> Host {
        let invoke: Arc<dyn Invoke> = Arc::new(self.clone());
        Host::open_calling(store, shared_sandbox(), Some(invoke), limits)
    }
}

impl Invoke for Broker {
    fn invoke(&self, call: Call) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        if self.dead.load(Ordering::SeqCst) {
            return Box::pin(std::future::pending());
        }
        let answer = self.clone().serve(call);
        Box::pin(async move {
            Answer {
                result: answer.await.map(Arc::new),
                log: Vec::new(),
                refusals: Vec::new(),
            }
        })
    }
}

/// A workflow with a subscription.
fn hear(subscription: &str) -> String {
    format!(
        "
document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}
do:
  - hear:
      call: asyncapi
      with:
        document: {{ endpoint: 'https://example.org/api' }}
        operation: hear
        subscription: {subscription}
"
    )
}

/// Tells the service of each message; ends with the message 3.
const TELL: &str = "
          consume: { until: '${ .[-1].payload == 3 }' }
          foreach:
            item: message
            do:
              - tell: { call: http, with: { method: get, endpoint: 'https://example.org' }, output: { as: '${ $message }' } }
";

/// Publishes a workflow and starts a run of it.
async fn begin(host: &Host, document: &str) -> RunId {
    let tenant = TenantId::default();
    let published = host.engine.publish(&tenant, document).await;
    published.expect("published");
    let started = host.engine.start(&tenant, start("test", json!({}))).await;
    started.expect("started").id
}

fn payloads(output: Option<Arc<Value>>) -> Vec<Value> {
    let messages = output.expect("an output");
    let messages = messages.as_array().expect("an array").iter();
    messages.map(|it| it["payload"].clone()).collect()
}

/// Runs a workflow on a store that fails as `fault` says, then, where that was a crash, on what is left: the payloads
/// that came out, and how many subscriptions were made. Nothing where the run was not accepted before the crash.
async fn check(fault: Fault) -> Option<(Vec<Value>, usize)> {
    let tenant = TenantId::default();
    let memory = Arc::new(MemoryStore::new());
    let broker = Broker::new(&[json!(1), json!(2), json!(3), json!(4)]);
    broker.answers.add_permits(100);
    let host = broker.host(memory.clone(), EngineLimits::default());
    let published = host.engine.publish(&tenant, &hear(TELL)).await;
    published.expect("published");
    host.engine.shutdown().await;

    let faulty = Arc::new(FaultyStore::new(memory.clone(), fault));
    let host = broker.host(faulty.clone(), EngineLimits::default());
    let started = host.engine.start(&tenant, start("test", json!({}))).await;
    let run = started.ok()?.id;
    until("an end or a crash", async || {
        let run = host.engine.run(&tenant, &run).await;
        run.expect("read").expect("there").status.is_ended() || faulty.is_crashed()
    })
    .await;
    broker.dead.store(true, Ordering::SeqCst);
    host.engine.shutdown().await;
    broker.dead.store(false, Ordering::SeqCst);
    let host = broker.host(memory, EngineLimits::default());
    let end = host.end(&run).await;
    assert_eq!(end.status, Status::Completed, "{fault:?}: {:?}", end.error);
    host.engine.shutdown().await;
    Some((payloads(end.output), broker.with(|state| state.opened)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_commit_loses_no_message() {
    let (expected, opened) = check(Fault::None).await.expect("a run");
    assert_eq!((expected, opened), (vec![json!(1), json!(2), json!(3)], 1));
    let mut crashes = 0;
    for number in 1..20 {
        for fault in [Fault::CrashBefore(number), Fault::CrashAfter(number)] {
            let Some((mut heard, opened)) = check(fault).await else {
                continue;
            };
            crashes += usize::from(opened > 1);
            // What was recorded when the broker was not told yet comes once more.
            assert!(heard.len() <= 4, "{fault:?}: {heard:?}");
            heard.dedup();
            assert_eq!(heard, [json!(1), json!(2), json!(3)], "{fault:?}");
        }
    }
    assert!(crashes > 4, "the faults have to hit the run: {crashes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_read_while_a_message_is_worked_on_and_its_calls_find_room() {
    let broker = Broker::new(&[json!(1), json!(2), json!(3), json!(4)]);
    let limits = EngineLimits {
        calls: 1,
        calls_per_tenant: 1,
        subscriptions: 1,
        subscriptions_per_tenant: 1,
        ..EngineLimits::default()
    };
    let host = broker.host(Arc::new(MemoryStore::new()), limits);
    let run = begin(&host, &hear(TELL)).await;
    let told = async |count: usize| {
        let holds = async || broker.with(|state| state.told == count && state.offered == count + 1);
        until("the service is told", holds).await;
    };
    told(1).await;
    assert_eq!(broker.with(|state| state.messages.len()), 3);
    broker.answers.add_permits(1);
    told(2).await;
    assert_eq!(broker.with(|state| state.messages.len()), 2);
    broker.answers.add_permits(2);
    let end = host.end(&run).await;
    assert_eq!(payloads(end.output), [json!(1), json!(2), json!(3)]);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_which_no_more_is_wanted_may_take_its_leave() {
    let broker = Broker::new(&[json!(1), json!(2), json!(3)]);
    let host = broker.host(Arc::new(MemoryStore::new()), EngineLimits::default());
    let subscription = "{ filter: '${ .payload != 1 }', consume: { amount: 1 } }";
    let run = begin(&host, &hear(subscription)).await;
    let end = host.end(&run).await;
    assert_eq!(payloads(end.output), [json!(2)]);
    let left = async || broker.with(|state| state.taken_leave == 1);
    until("it has taken its leave", left).await;
    assert_eq!(broker.with(|state| state.messages.len()), 1);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_run_takes_what_was_handed_over_when_it_is_resumed() {
    let tenant = TenantId::default();
    let broker = Broker::new(&[json!(1), json!(2), json!(3)]);
    let host = broker.host(Arc::new(MemoryStore::new()), EngineLimits::default());
    let run = begin(&host, &hear(TELL)).await;
    until("the first is worked on", async || {
        broker.with(|state| state.told == 1 && state.offered == 2)
    })
    .await;
    let suspended = host.engine.suspend(&tenant, &run, "ada", None).await;
    suspended.expect("suspended");
    broker.answers.add_permits(3);
    host.until(&run, Status::Suspended).await;
    let resumed = host.engine.resume(&tenant, &run, "ada", None).await;
    resumed.expect("resumed");
    let end = host.end(&run).await;
    assert_eq!(payloads(end.output), [json!(1), json!(2), json!(3)]);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_could_not_be_recorded_is_an_error() {
    let mut deep = json!(1);
    for _ in 0..200 {
        deep = json!([deep]);
    }
    let broker = Broker::new(&[deep]);
    let host = broker.host(Arc::new(MemoryStore::new()), EngineLimits::default());
    let run = begin(&host, &hear("{ consume: { amount: 1 } }")).await;
    let end = host.end(&run).await;
    let error = end.error.expect("an error");
    assert!(error.type_uri.ends_with("/validation"), "{error:?}");
    let detail = error.detail.unwrap_or_default();
    assert!(detail.contains("100 deep"), "{detail}");
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_a_subscription_goes_on_while_the_host_is_down() {
    let broker = Broker::new(&[json!(1)]);
    let memory = Arc::new(MemoryStore::new());
    let host = broker.host(memory.clone(), EngineLimits::default());
    let subscription = "{ consume: { amount: 2, for: { minutes: 30 } } }";
    let run = begin(&host, &hear(subscription)).await;
    let heard = async || broker.with(|state| state.messages.is_empty());
    until("the first message is recorded", heard).await;
    host.engine.shutdown().await;
    let host = broker.host(memory, EngineLimits::default());
    host.clock.advance(Duration::from_secs(31 * 60));
    let end = host.end(&run).await;
    assert_eq!(payloads(end.output), [json!(1)]);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_subscription_keeps_what_it_has_and_hears_the_rest() {
    let tenant = TenantId::default();
    let broker = Broker::new(&[json!(1), json!(2), json!(3)]);
    broker.with(|state| state.fails = 2);
    broker.answers.add_permits(9);
    let store = Arc::new(MemoryStore::new());
    let host = broker.host(store.clone(), EngineLimits::default());
    let run = begin(&host, &hear(TELL)).await;
    // The second message is recorded, and the service fails on it.
    let end = host.end(&run).await;
    assert_eq!(end.status, Status::Faulted);
    host.engine.shutdown().await;

    let host = broker.host(store, EngineLimits::default());
    let retried = host.engine.retry(&tenant, &run, None, "ada", None).await;
    retried.expect("retried");
    let end = host.end(&run).await;
    assert_eq!(payloads(end.output), [json!(1), json!(2), json!(3)]);
    // One subscription again, and one more call for the message that it failed on: none came twice, none was lost.
    let (opened, told) = broker.with(|state| (state.opened, state.told));
    assert_eq!((opened, told), (2, 4));
    host.engine.shutdown().await;
}
