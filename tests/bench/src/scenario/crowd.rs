//! Many runs that wait, of several tenants: started, woken, and looked at afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::driver::{Connection, Request, Target, drive_all, once};
use crate::workflow;

/// Requests under way while runs are started and woken.
const IN_FLIGHT: usize = 128;

/// Events in a request.
const BATCH: usize = 500;

/// The largest page of a list.
const PAGE: usize = 1_000;

/// Runs that wait.
pub(crate) struct Crowd {
    /// How many wait for a time, for an event and for a person, of each tenant.
    each: Vec<[usize; 3]>,
    /// When the timers come due.
    due: SystemTime,
    /// How long it took to start them all.
    pub(crate) took: Duration,
}

/// What they are runs of.
pub(crate) fn documents() -> Vec<String> {
    vec![
        workflow::timer("timer"),
        workflow::event("event"),
        workflow::approval("approval"),
    ]
}

impl Crowd {
    /// Starts so many, spread over the tenants: those that wait for events and people first, so that it is known how
    /// long the others will take, whose timers all come due at one moment, at least `patience` after that.
    pub(crate) async fn gather(tenants: &[Target], count: usize, patience: Duration) -> Self {
        let since = Instant::now();
        let each: Vec<_> = (0..tenants.len())
            .map(|tenant| {
                let own = share(count, tenants.len(), tenant);
                [0, 1, 2].map(|kind| share(own, 3, kind))
            })
            .collect();
        for (tenant, [_, events, approvals]) in tenants.iter().zip(&each) {
            start(tenant, *events, |number| {
                Request::start("event", &json!({ "order": number }))
            })
            .await;
            start(tenant, *approvals, |_| {
                Request::start("approval", &json!({}))
            })
            .await;
        }
        // Timers are a third, and take half as long as the rest did; they may take as long as that.
        let due = SystemTime::now() + since.elapsed() + patience;
        for (tenant, [timers, _, _]) in tenants.iter().zip(&each) {
            start(tenant, *timers, move |_| {
                let left = due.duration_since(SystemTime::now()).unwrap_or_default();
                let pause = format!("PT{}.{:03}S", left.as_secs(), left.subsec_millis());
                Request::start("timer", &json!({ "for": pause }))
            })
            .await;
        }
        Self {
            each,
            due,
            took: since.elapsed(),
        }
    }

    /// Waits until the timers have come due. Gives how many runs they woke, and how long it took until the last
    /// of them had ended.
    pub(crate) async fn elapse(&self, tenants: &[Target]) -> (usize, Duration) {
        let left = self.due.duration_since(SystemTime::now());
        tokio::time::sleep(left.unwrap_or_default()).await;
        self.ended(tenants, 0, "timer", self.due).await
    }

    /// Sends the events that are waited for; see [`Crowd::elapse`].
    pub(crate) async fn tell(&self, tenants: &[Target]) -> (usize, Duration) {
        let since = SystemTime::now();
        for (tenant, [_, events, _]) in tenants.iter().zip(&self.each) {
            let orders: Vec<_> = (0..*events).collect();
            let batches = orders.chunks(BATCH).map(batch).collect();
            drive_all(tenant, 4, batches, |_, answer| {
                answer.json(202);
            })
            .await;
        }
        self.ended(tenants, 1, "event", since).await
    }

    /// Approves what is asked; see [`Crowd::elapse`].
    pub(crate) async fn decide(&self, tenants: &[Target]) -> (usize, Duration) {
        let mut asked = Vec::new();
        for tenant in tenants {
            asked.push(all(tenant, "/v1/approvals?status=open").await);
        }
        let since = SystemTime::now();
        for (tenant, asked) in tenants.iter().zip(asked) {
            let decisions = asked.iter().map(|approval| {
                let id = approval["id"].as_str().expect("an approval has an id");
                Request::post(
                    format!("/v1/approvals/{id}"),
                    &json!({ "decision": "approved" }),
                )
            });
            drive_all(tenant, IN_FLIGHT, decisions.collect(), |_, answer| {
                answer.json(200);
            })
            .await;
        }
        self.ended(tenants, 2, "approval", since).await
    }

    /// How many of the runs are not there any more, or do not wait.
    pub(crate) async fn missing(&self, tenants: &[Target]) -> usize {
        let mut missing = 0;
        for (tenant, each) in tenants.iter().zip(&self.each) {
            for (kind, count) in ["timer", "event", "approval"].iter().zip(each) {
                let path = format!("/v1/runs?workflow=bench/{kind}&status=waiting");
                missing += count - all(tenant, &path).await.len();
            }
        }
        missing
    }

    /// How many runs there are of a kind.
    fn of_kind(&self, kind: usize) -> usize {
        self.each.iter().map(|each| each[kind]).sum()
    }

    /// Waits until all runs of a kind have ended, and gives how many they are and how long after `since` the last
    /// one did.
    async fn ended(
        &self,
        tenants: &[Target],
        kind: usize,
        workflow: &str,
        since: SystemTime,
    ) -> (usize, Duration) {
        let since = Timestamp::try_from(since).expect("it is about now");
        let mut last = since;
        for (tenant, each) in tenants.iter().zip(&self.each) {
            let ends = ends(tenant, workflow, each[kind]).await;
            last = ends.into_iter().fold(last, Timestamp::max);
        }
        let took = Duration::try_from(last.duration_since(since));
        (self.of_kind(kind), took.unwrap_or_default())
    }
}

/// When the runs of a workflow ended, once all have: so many completed, and none is missing.
async fn ends(tenant: &Target, workflow: &str, count: usize) -> Vec<Timestamp> {
    loop {
        let runs = all(tenant, &format!("/v1/runs?workflow=bench/{workflow}")).await;
        assert_eq!(runs.len(), count, "no run of {workflow} is lost");
        let ends: Vec<Timestamp> = runs
            .iter()
            .filter(|run| run["status"] == "completed")
            .map(|run| {
                let text = run["endedAt"].as_str().expect("it has ended");
                text.parse().expect("a time")
            })
            .collect();
        if ends.len() == count {
            return ends;
        }
        let open = runs.iter().find(|run| run["status"] != "completed");
        let id = open
            .and_then(|run| run["id"].as_str())
            .expect("one is open");
        // It is waited for without looking at all of them again and again.
        let run = once(tenant, &Request::get(format!("/v1/runs/{id}")).awaited()).await;
        let run = run.json(200);
        assert_ne!(run["status"], "faulted", "{run:#}");
    }
}

/// All items of a list, page by page.
pub(crate) async fn all(tenant: &Target, path: &str) -> Vec<Value> {
    let mut connection = Connection::open(tenant).await.expect("the host is there");
    let mut items = Vec::new();
    let mut cursor = String::new();
    let joint = if path.contains('?') { '&' } else { '?' };
    loop {
        let request = Request::get(format!("{path}{joint}limit={PAGE}{cursor}"));
        let answer = connection.send(&request).await.expect("the host answers");
        let mut page = answer.json(200);
        match page["items"].take() {
            Value::Array(more) => items.extend(more),
            other => panic!("no list: {other}"),
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

async fn start(
    tenant: &Target,
    count: usize,
    request: impl Fn(usize) -> Request + Send + Sync + 'static,
) {
    let work = Arc::new((AtomicUsize::new(0), request));
    let mut clients = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (tenant, work) = (tenant.clone(), work.clone());
        clients.spawn(async move {
            let (next, request) = &*work;
            let connection = Connection::open(&tenant).await;
            let mut connection = connection.expect("the host is there");
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                start_one(&mut connection, || request(number)).await;
            }
        });
    }
    clients.join_all().await;
}

/// Starts a run, and asks again where the host has too much to do: they come faster here than they fall asleep.
async fn start_one(connection: &mut Connection, request: impl Fn() -> Request) {
    loop {
        let answer = connection.send(&request()).await.expect("the host answers");
        match answer.again_after {
            Some(pause) if answer.status == 429 => tokio::time::sleep(pause).await,
            _ => {
                answer.json(202);
                return;
            }
        }
    }
}

fn batch(orders: &[usize]) -> Request {
    let events: Vec<_> = orders
        .iter()
        .map(|order| {
            json!({
                "specversion": "1.0", "id": order.to_string(), "source": "/bench",
                "type": "bench.order.paid", "data": { "order": order },
            })
        })
        .collect();
    Request::post("/v1/events", &events.into()).events()
}

/// The part of `whole` that the one of that number gets, of so many.
fn share(whole: usize, of: usize, number: usize) -> usize {
    whole / of + usize::from(number < whole % of)
}
