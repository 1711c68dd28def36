//! The service that the runs call: it counts, and answers the same call in the same way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running service. It stops when it is dropped.
///
/// | request | is answered |
/// |---|---|
/// | `POST /step` | with the body's `n` and one |
/// | `POST /flaky` | the first time with 503, then as `/step` |
/// | `POST /refuse` | with 409 |
///
/// Bodies have `order` and `step` too, which say which call of which run it is.
pub struct Service {
    url: String,
    calls: Arc<Mutex<Calls>>,
    server: JoinHandle<()>,
}

/// What has been seen, by order and step.
pub type Calls = BTreeMap<(u64, String), Vec<Seen>>;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it arrived.
    pub at: Timestamp,
    /// Its idempotency key; empty where it had none.
    pub key: String,
}

impl Service {
    /// Starts one on a free port.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub async fn start() -> Self {
        let calls = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let routes = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&calls));
        let server = tokio::spawn(async move {
            axum::serve(listener, routes)
                .await
                .expect("a service serves until it is aborted");
        });
        Self {
            url: format!("http://{address}"),
            calls,
            server,
        }
    }

    /// Its address, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many requests have been seen so far.
    ///
    /// # Panics
    ///
    /// Never, as long as no handler does.
    pub fn requests(&self) -> usize {
        let calls = self.calls.lock().expect(UNHARMED);
        calls.values().map(Vec::len).sum()
    }

    /// What has been seen so far.
    ///
    /// # Panics
    ///
    /// Never, as long as no handler does.
    pub fn calls(&self) -> Calls {
        self.calls.lock().expect(UNHARMED).clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.server.abort();
    }
}

const UNHARMED: &str = "no holder of this lock panics";

async fn answer(
    State(calls): State<Arc<Mutex<Calls>>>,
    uri: Uri,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let order = body["order"].as_u64().unwrap_or_default();
    let step = body["step"].as_str().unwrap_or_default().to_owned();
    let key = headers.get("idempotency-key");
    let seen = Seen {
        at: Timestamp::now(),
        key: key
            .and_then(|key| key.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
    };
    let earlier = {
        let mut calls = calls.lock().expect(UNHARMED);
        let all = calls.entry((order, step)).or_default();
        all.push(seen);
        all.len() - 1
    };
    // Some take a little longer, so that a crash finds calls in every state.
    tokio::time::sleep(Duration::from_millis(order % 7)).await;
    let next = json!({ "n": body["n"].as_i64().unwrap_or_default() + 1 });
    match uri.path() {
        "/refuse" => (StatusCode::CONFLICT, Json(json!({ "refused": true }))),
        "/flaky" if earlier == 0 => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({}))),
        _ => (StatusCode::OK, Json(next)),
    }
}
