//! A host without sockets, and requests to it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use baton_api::routes;
use baton_engine::{Engine, EngineLimits, Settings, TenantId};
use baton_sandbox::Sandbox;
use baton_server::{Authenticator, ServerSettings, TokenDigest, Tokens, router};
use baton_store::MemoryStore;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::sync::watch;
use tower::ServiceExt;

/// A host with two tenants, `red` and `blue`, whose tokens are their names.
pub(crate) struct Host {
    router: axum::Router,
    /// As long as it lives, the server does not stop.
    _stopping: watch::Sender<bool>,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::with(EngineLimits::default())
    }

    pub(crate) fn with(limits: EngineLimits) -> Self {
        let (sender, stopping) = watch::channel(false);
        let settings = ServerSettings::new(authenticator());
        Self {
            router: router(engine(limits), settings, stopping),
            _stopping: sender,
        }
    }

    pub(crate) async fn send(&self, ask: Ask) -> Answer {
        let mut request = Request::builder()
            .method(ask.method.as_str())
            .uri(&ask.path);
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(ask.body)).unwrap();
        let (parts, body) = self
            .router
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn publish(&self, text: &str) {
        let answer = self.send(Ask::document(text)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    pub(crate) async fn start(&self, name: &str, body: Value) -> Value {
        let ask = Ask::new("POST", &routes::workflow_runs("it", name));
        let answer = self
            .send(ask.body("application/json", &body.to_string()))
            .await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.json()
    }
}

/// An engine with its store in memory.
pub(crate) fn engine(limits: EngineLimits) -> Engine {
    let sandbox = Sandbox::new(baton_sandbox::Settings::default()).unwrap();
    let settings = Settings {
        limits,
        ..Settings::default()
    };
    let engine = Engine::open(Arc::new(MemoryStore::new()), sandbox, settings).unwrap();
    // Recovery goes on behind `open`, on threads of its own; an empty store takes it no time.
    while !engine.is_ready() {
        std::thread::yield_now();
    }
    engine
}

/// Lets the tenants in.
pub(crate) fn authenticator() -> Authenticator {
    let mut tokens = Tokens::new();
    for (tenant, name) in [("red", "ci"), ("blue", "cd")] {
        tokens
            .add(
                TokenDigest::of(tenant),
                TenantId::new(tenant).unwrap(),
                name,
            )
            .unwrap();
    }
    Authenticator::Tokens(tokens)
}

/// A request, by the tenant `red` unless it says otherwise.
#[derive(Debug)]
pub(crate) struct Ask {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Ask {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let ask = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: String::new(),
        };
        ask.token("red")
    }

    /// The publication of a document.
    pub(crate) fn document(text: &str) -> Self {
        Self::new("POST", routes::WORKFLOWS).body("application/yaml", text)
    }

    pub(crate) fn to(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn anonymous(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "authorization");
        self
    }

    pub(crate) fn body(mut self, content_type: &str, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self.header("content-type", content_type)
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    headers: HeaderMap,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The status of an answer that is a problem of this name.
    pub(crate) fn problem(&self, name: &str) -> u16 {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{} {}",
            self.status,
            self.body
        );
        let problem = self.json();
        assert_eq!(
            problem["type"],
            format!("urn:baton:problem:{name}"),
            "{problem}"
        );
        assert_eq!(problem["status"], self.status);
        self.status
    }

    /// The data of each event, whose `id` and `event` must say the same.
    pub(crate) fn events(&self) -> Vec<Value> {
        let events = self
            .body
            .split("\n\n")
            .filter(|event| event.contains("data: "));
        events.map(event).collect()
    }
}

fn event(text: &str) -> Value {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_else(|| panic!("{text}"))
    };
    let data: Value = serde_json::from_str(field("data: ")).unwrap();
    assert_eq!(data["seq"].to_string(), field("id: "));
    assert_eq!(data["type"], field("event: "));
    data
}
