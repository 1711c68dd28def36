//! An HTTP service on this machine, which counts what it is asked.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::serve::ListenerExt as _;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A running service. It stops when it is dropped.
///
/// | request | is answered |
/// |---|---|
/// | `POST /add` | with the body's `n` and one |
/// | `POST /done` | with the body, at once |
/// | `POST /held` | with the body, once the service is told to let go |
pub(crate) struct Service {
    url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    connections: Arc<AtomicUsize>,
    requests: AtomicUsize,
    let_go: watch::Sender<bool>,
    done: Mutex<Calls>,
    held: Mutex<Calls>,
}

/// When requests arrived, by their idempotency keys.
pub(crate) type Calls = HashMap<String, Vec<Instant>>;

impl Service {
    /// Starts one on a free port.
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared {
            connections: Arc::default(),
            requests: AtomicUsize::new(0),
            let_go: watch::Sender::new(false),
            done: Mutex::default(),
            held: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let connections = Arc::clone(&shared.connections);
        let counted = listener.tap_io(move |stream| {
            connections.fetch_add(1, Ordering::Relaxed);
            // Without it the answers, not the host, would be what is waited for.
            let _ = stream.set_nodelay(true);
        });
        let routes = Router::new()
            .route("/add", post(add))
            .route("/done", post(done))
            .route("/held", post(held))
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            axum::serve(counted, routes)
                .await
                .expect("a service serves until it is aborted");
        });
        Self {
            url: format!("http://{address}"),
            shared,
            server,
        }
    }

    /// Its address, without a slash at its end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How many connections it has taken.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// How many requests to add it has had.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Answers what is held, and holds nothing from now on.
    pub(crate) fn let_go(&self) {
        self.shared.let_go.send_replace(true);
    }

    /// The requests to `/done`.
    pub(crate) fn done(&self) -> Calls {
        self.shared.done.lock().expect(UNHARMED).clone()
    }

    /// The requests to `/held`.
    pub(crate) fn held(&self) -> Calls {
        self.shared.held.lock().expect(UNHARMED).clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.server.abort();
    }
}

const UNHARMED: &str = "no holder of this lock panics";

async fn add(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Json<Value> {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    Json(json!({ "n": body["n"].as_i64().unwrap_or_default() + 1 }))
}

async fn done(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Json<Value> {
    note(&shared.done, &headers);
    Json(body)
}

async fn held(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Json<Value> {
    note(&shared.held, &headers);
    let mut let_go = shared.let_go.subscribe();
    // It can't fail while the service is there.
    let _ = let_go.wait_for(|it| *it).await;
    Json(body)
}

fn note(calls: &Mutex<Calls>, headers: &HeaderMap) {
    let key = headers.get("idempotency-key");
    let key = key.and_then(|key| key.to_str().ok()).unwrap_or_default();
    let mut calls = calls.lock().expect(UNHARMED);
    calls
        .entry(key.to_owned())
        .or_default()
        .push(Instant::now());
}
