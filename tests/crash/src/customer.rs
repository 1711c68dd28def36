//! Clients: each starts a run, does what the run waits for, waits for its end, and remembers what it was told. Where
//! the host does not answer, or answers that it can't just now, the same is asked again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use baton_tests::{Answer, Client};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::order::{Kind, Order};

/// How long to wait before the same is asked again of a host that could not do it.
const PAUSE: Duration = Duration::from_millis(20);

/// Of a request that sends an event.
const EVENT: [(&str, &str); 1] = [("content-type", "application/cloudevents+json")];

/// An order, and what its customer knows of it.
#[derive(Clone, Debug)]
pub struct Known {
    /// The order.
    pub order: Order,
    /// The run's id, once the host has accepted it.
    pub run: Option<String>,
    /// The run as it was when the host first said that it has ended.
    pub ended: Option<Value>,
}

/// Where customers go, and what they have seen there.
#[derive(Debug)]
pub struct Shop {
    /// The host; none while it is down.
    door: watch::Receiver<Option<Client>>,
    orders: Mutex<Vec<Known>>,
    open: AtomicBool,
    next: AtomicU64,
    refusals: Mutex<Vec<Value>>,
    ballast: usize,
}

impl Shop {
    /// One that takes orders with up to so many bytes of ballast.
    pub fn new(door: watch::Receiver<Option<Client>>, ballast: usize) -> Arc<Self> {
        Arc::new(Self {
            door,
            orders: Mutex::default(),
            open: AtomicBool::new(true),
            next: AtomicU64::new(1),
            refusals: Mutex::default(),
            ballast,
        })
    }

    /// What the customers know.
    ///
    /// # Panics
    ///
    /// Never, as long as no customer does.
    pub fn orders(&self) -> Vec<Known> {
        self.orders.lock().expect(UNHARMED).clone()
    }

    /// The problems with which the host has said that it can't do something just now (5xx).
    ///
    /// # Panics
    ///
    /// Never, as long as no customer does.
    pub fn refusals(&self) -> Vec<Value> {
        self.refusals.lock().expect(UNHARMED).clone()
    }

    /// Takes no new orders; those that are under way are still brought to their ends.
    pub fn close(&self) {
        self.open.store(false, Ordering::SeqCst);
    }

    /// A customer with this seed, who orders one run after the other until the shop closes.
    pub async fn visit(self: Arc<Self>, seed: u64) {
        let mut random = StdRng::seed_from_u64(seed);
        while self.open.load(Ordering::SeqCst) {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            let order = Order::some(number, self.ballast, &mut random);
            let place = self.note(&order);
            self.serve(&order, place).await;
        }
    }

    async fn serve(&self, order: &Order, place: usize) {
        let path = format!("/v1/workflows/crash/{}/runs", order.kind.name());
        let key = format!("order-{}", order.number);
        let body = json!({ "input": order.input() });
        let run = self.ask("POST", &path, Some(&key), &body).await.json();
        let id = run["id"].as_str().expect("a run has an id").to_owned();
        self.orders.lock().expect(UNHARMED)[place].run = Some(id.clone());
        match order.kind {
            Kind::Listen => self.pay(order).await,
            Kind::Approval => self.decide(order, &id).await,
            _ => {}
        }
        let path = format!("/v1/runs/{id}");
        loop {
            let run = self.ask("GET", &path, None, &Value::Null).await.json();
            if run["endedAt"].is_string() {
                self.orders.lock().expect(UNHARMED)[place].ended = Some(run);
                return;
            }
        }
    }

    /// Sends the event that the run listens for. Sending it again changes nothing, since it has the same id.
    async fn pay(&self, order: &Order) {
        let event = paid(order.number, order.n + 100);
        self.ask("POST", "/v1/events", None, &event).await;
    }

    /// Sends an event that no run listens for, once: where all customers wait for something, the host is asked nothing
    /// else that it could refuse.
    pub(crate) async fn pay_for_nothing(&self) {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let event = paid(number, 0);
        let host = self.host().await;
        let answer = host.try_send("POST", "/v1/events", &EVENT, event.to_string());
        self.note_refusal(answer.await.as_ref());
    }

    /// Approves what the run asks, once it does.
    async fn decide(&self, order: &Order, run: &str) {
        let path = format!("/v1/approvals?run={run}");
        let decision = json!({ "decision": "approved", "data": { "n": order.n + 100 } });
        loop {
            let asked = self.ask("GET", &path, None, &Value::Null).await.json();
            match asked["items"][0]["id"].as_str() {
                Some(id) => {
                    // Where the answer to a decision was lost, the same one again is refused: it has been decided.
                    let path = format!("/v1/approvals/{id}");
                    self.ask("POST", &path, None, &decision).await;
                    return;
                }
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Asks until there is an answer that is no excuse.
    async fn ask(&self, method: &str, path: &str, key: Option<&str>, body: &Value) -> Answer {
        let mut headers = match path {
            "/v1/events" => EVENT.to_vec(),
            _ => vec![("content-type", "application/json")],
        };
        headers.extend(key.map(|key| ("idempotency-key", key)));
        // What is read is waited for; a start that waited would keep its run from what that waits for.
        headers.extend((method == "GET").then_some(("prefer", "wait=5")));
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        loop {
            let host = self.host().await;
            match host.try_send(method, path, &headers, body.clone()).await {
                Some(answer) if answer.status < 500 && answer.status != 429 => return answer,
                answer => self.note_refusal(answer.as_ref()),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The host, once there is one.
    async fn host(&self) -> Client {
        let mut door = self.door.clone();
        let host = door.wait_for(Option::is_some).await;
        host.expect("the harness outlives its customers")
            .clone()
            .expect("it was waited for")
    }

    fn note_refusal(&self, answer: Option<&Answer>) {
        if let Some(answer) = answer.filter(|answer| answer.status >= 500) {
            let problem = answer.json();
            self.refusals.lock().expect(UNHARMED).push(problem);
        }
    }

    fn note(&self, order: &Order) -> usize {
        let mut orders = self.orders.lock().expect(UNHARMED);
        orders.push(Known {
            order: order.clone(),
            run: None,
            ended: None,
        });
        orders.len() - 1
    }
}

fn paid(order: u64, n: i64) -> Value {
    json!({
        "specversion": "1.0", "id": order.to_string(), "source": "/crash",
        "type": "crash.paid", "data": { "order": order, "n": n },
    })
}

const UNHARMED: &str = "no holder of this lock panics";
