//! What people do to runs, from outside: by the API and by the command line.

mod again;
mod cancel;
mod refused;
mod suspend;

use baton_tests::{Answer, Client, Host, Start, Stub, eventually};
use serde_json::{Value, json};

use crate::fixtures::document;

/// Two bookings, each of which can be taken back, and a wait.
const TRIP: &str = "
- flight:
    call: http
    with: { method: post, endpoint: 'URL/flight' }
    compensate: [ { cancelFlight: { call: http, with: { method: delete, endpoint: 'URL/flight/{id}' } } } ]
- hotel:
    call: http
    with: { method: post, endpoint: 'URL/hotel' }
    compensate: [ { cancelHotel: { call: http, with: { method: delete, endpoint: 'URL/hotel/{id}' } } } ]
- rest: { wait: { hours: 1 } }
";

/// Where bookings are made and taken back: a stub in front of one that does so, so that requests can be held.
struct Agency {
    front: Stub,
    _behind: Stub,
}

impl Agency {
    async fn start() -> Self {
        let behind = Stub::start().await;
        behind.on("GET", "/").answer(200, json!({ "n": 1 }));
        behind.on("POST", "/").answer(201, json!({ "id": 5 }));
        behind.on("DELETE", "/").answer(200, json!({}));
        let front = Stub::before(behind.url()).await;
        Self {
            front,
            _behind: behind,
        }
    }

    async fn host(&self) -> Host {
        Start::default().allow(self.front.url()).start().await
    }

    /// Tasks with its address in them.
    fn tasks(&self, tasks: &str) -> String {
        tasks.replace("URL", self.front.url())
    }

    /// All requests so far, as `METHOD path`.
    fn asked(&self) -> Vec<String> {
        let seen = self.front.seen();
        let line = |seen: &baton_tests::Seen| format!("{} {}", seen.method, seen.path);
        seen.iter().map(line).collect()
    }
}

/// Publishes a workflow of the namespace `test` and starts a run of it.
async fn started(host: &Host, name: &str, tasks: &str) -> String {
    host.publish(document(name, tasks)).await.expect(201);
    host.start(&format!("test/{name}"), &json!({ "n": 1 }))
        .await
}

/// Asks something of a run.
async fn ask(host: &Client, run: &str, what: &str, body: Value) -> Answer {
    host.post(&format!("/v1/runs/{run}/{what}"), &body).await
}

/// Waits until a run is in a phase, and returns it.
async fn until(host: &Client, run: &str, status: &str) -> Value {
    eventually("the run comes to the phase", async || {
        let now = host.run(run).await;
        (now["status"] == status).then_some(now)
    })
    .await
}

/// The lines of a history about the run as a whole: their types.
fn kinds(history: &[Value]) -> Vec<&str> {
    let kinds = history.iter().filter_map(|line| line["type"].as_str());
    kinds.filter(|kind| kind.starts_with("workflow.")).collect()
}

/// The first line of a type.
fn line<'a>(history: &'a [Value], kind: &str) -> &'a Value {
    let found = history.iter().find(|line| line["type"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} in {history:#?}"))
}
