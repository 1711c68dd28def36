//! A scripted HTTP server.
//!
//! It records every request on arrival. What it answers follows from rules, the newest that fits first;
//! where none fits it passes the request on to a real server, or answers 404. A rule can hold requests
//! behind a [`Gate`], before or after the real server has done its part, so that a test kills the host at
//! a moment that it knows.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, header};
use bytes::Bytes;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The largest body that is taken, in bytes.
const BODY_MAX: usize = 16 << 20;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The method, in capitals.
    pub method: String,
    /// The path with the query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Seen {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A running stub. It stops when it is dropped.
#[derive(Debug)]
pub struct Stub {
    url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Stub {
    /// Starts a stub that answers 404 where no rule fits.
    pub async fn start() -> Self {
        Self::launch(None).await
    }

    /// Starts a stub that passes on to the server at this address what no rule answers.
    pub async fn before(upstream: &str) -> Self {
        Self::launch(Some(upstream.to_owned())).await
    }

    /// Its address, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a rule for requests with this method (`*`: any) whose path starts so.
    pub fn on(&self, method: &str, path: &str) -> Rule<'_> {
        Rule {
            stub: self,
            method: method.to_owned(),
            path: path.to_owned(),
            times: usize::MAX,
        }
    }

    /// All requests so far, in the order of arrival.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen().clone()
    }

    /// The requests so far with this method (`*`: any) whose path starts so.
    pub fn seen_on(&self, method: &str, path: &str) -> Vec<Seen> {
        self.seen()
            .into_iter()
            .filter(|seen| fits(method, path, seen))
            .collect()
    }

    async fn launch(upstream: Option<String>) -> Self {
        let shared = Arc::new(Shared {
            upstream,
            http: crate::client::http(),
            seen: Mutex::default(),
            rules: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let app = Router::new()
            .fallback(arrive)
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            axum::serve(listener, app)
                .await
                .expect("a stub serves until it is aborted");
        });
        Self {
            url: format!("http://{address}"),
            shared,
            server,
        }
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A rule being written: ends with what is to be done.
#[must_use = "a rule does nothing until it is told what to do"]
#[derive(Debug)]
pub struct Rule<'a> {
    stub: &'a Stub,
    method: String,
    path: String,
    times: usize,
}

impl Rule<'_> {
    /// Only the next so many requests; after that the rule is void.
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Answer with this status and JSON.
    pub fn answer(self, status: u16, body: Value) {
        self.answer_by(move |_| (status, body.clone()));
    }

    /// Answer with this status, these headers and this body. The content type is `application/json` unless
    /// the headers say otherwise.
    pub fn answer_with(self, status: u16, headers: &[(&str, &str)], body: &str) {
        let reply = Reply::new(status, headers, body.as_bytes().to_vec());
        self.reply(move |_| reply.clone());
    }

    /// Answer with a status and JSON that depend on the request.
    pub fn answer_by(self, answer: impl Fn(&Seen) -> (u16, Value) + Send + Sync + 'static) {
        self.reply(move |seen| {
            let (status, body) = answer(seen);
            Reply::new(status, &[], body.to_string().into_bytes())
        });
    }

    /// Hold each request before anything is done with it.
    pub fn hold(self) -> Gate {
        self.gate(Action::HoldBefore)
    }

    /// Let the real server do its part, then hold its answer.
    pub fn hold_answer(self) -> Gate {
        self.gate(Action::HoldAfter)
    }

    fn gate(self, action: fn(Arc<Passage>) -> Action) -> Gate {
        let passage = Arc::new(Passage {
            waiting: watch::Sender::new(0),
            open: watch::Sender::new(false),
        });
        self.add(action(Arc::clone(&passage)));
        Gate(passage)
    }

    fn reply(self, reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static) {
        self.add(Action::Answer(Arc::new(reply)));
    }

    fn add(self, action: Action) {
        let Self {
            stub,
            method,
            path,
            times,
        } = self;
        stub.shared.rules().push(Scripted {
            method,
            path,
            times,
            action,
        });
    }
}

/// Where held requests wait. Dropping it opens nothing: they wait until [`Gate::open`].
#[derive(Clone, Debug)]
pub struct Gate(Arc<Passage>);

impl Gate {
    /// Waits until so many requests have come here.
    ///
    /// # Panics
    ///
    /// After a minute.
    pub async fn arrived(&self, count: usize) {
        let mut waiting = self.0.waiting.subscribe();
        let wait = waiting.wait_for(|arrived| *arrived >= count);
        let waited = tokio::time::timeout(std::time::Duration::from_secs(60), wait).await;
        assert!(
            waited.is_ok(),
            "{count} requests were to come to this gate, and {} came",
            *self.0.waiting.borrow()
        );
    }

    /// Lets everything pass from now on.
    pub fn open(&self) {
        self.0.open.send_replace(true);
    }
}

#[derive(Debug)]
struct Passage {
    waiting: watch::Sender<usize>,
    open: watch::Sender<bool>,
}

impl Passage {
    async fn pass(&self) {
        self.waiting.send_modify(|waiting| *waiting += 1);
        let mut open = self.open.subscribe();
        open.wait_for(|open| *open)
            .await
            .expect("the passage holds the sender");
    }
}

struct Shared {
    upstream: Option<String>,
    http: reqwest::Client,
    seen: Mutex<Vec<Seen>>,
    rules: Mutex<Vec<Scripted>>,
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().expect("no holder of this lock panics")
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Scripted>> {
        self.rules.lock().expect("no holder of this lock panics")
    }

    /// The action of the newest rule that fits and is not used up.
    fn action(&self, seen: &Seen) -> Option<Action> {
        let mut rules = self.rules();
        let rule = rules
            .iter_mut()
            .rev()
            .find(|rule| rule.times > 0 && fits(&rule.method, &rule.path, seen))?;
        rule.times -= 1;
        Some(rule.action.clone())
    }

    async fn serve(&self, seen: &Seen) -> Reply {
        match self.action(seen) {
            Some(Action::Answer(reply)) => reply(seen),
            Some(Action::HoldBefore(passage)) => {
                passage.pass().await;
                self.pass_on(seen).await
            }
            Some(Action::HoldAfter(passage)) => {
                let reply = self.pass_on(seen).await;
                passage.pass().await;
                reply
            }
            None => self.pass_on(seen).await,
        }
    }

    async fn pass_on(&self, seen: &Seen) -> Reply {
        let Some(upstream) = &self.upstream else {
            return Reply::new(
                404,
                &[],
                br#"{"error":"the stub has no rule for this"}"#.to_vec(),
            );
        };
        let method = seen.method.parse().expect("it was a method when it came");
        let mut headers = seen.headers.clone();
        for own in [
            header::HOST,
            header::CONTENT_LENGTH,
            header::CONNECTION,
            header::TRANSFER_ENCODING,
        ] {
            headers.remove(own);
        }
        let request = self
            .http
            .request(method, format!("{upstream}{}", seen.path))
            .headers(headers)
            .body(seen.body.clone());
        let answer = async {
            let response = request.send().await?;
            let (status, mut headers) = (response.status().as_u16(), response.headers().clone());
            for own in [
                header::CONTENT_LENGTH,
                header::CONNECTION,
                header::TRANSFER_ENCODING,
            ] {
                headers.remove(own);
            }
            Ok::<_, reqwest::Error>(Reply {
                status,
                headers,
                body: response.bytes().await?,
            })
        };
        answer
            .await
            .unwrap_or_else(|error| Reply::new(502, &[], error.to_string().into_bytes()))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("upstream", &self.upstream)
            .finish_non_exhaustive()
    }
}

struct Scripted {
    method: String,
    path: String,
    times: usize,
    action: Action,
}

#[derive(Clone)]
enum Action {
    Answer(Arc<dyn Fn(&Seen) -> Reply + Send + Sync>),
    HoldBefore(Arc<Passage>),
    HoldAfter(Arc<Passage>),
}

#[derive(Clone)]
struct Reply {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Reply {
    fn new(status: u16, headers: &[(&str, &str)], body: Vec<u8>) -> Self {
        let mut map = HeaderMap::new();
        map.insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("application/json"),
        );
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().expect("a header name");
            map.insert(name, value.parse().expect("a header value"));
        }
        Self {
            status,
            headers: map,
            body: body.into(),
        }
    }
}

fn fits(method: &str, path: &str, seen: &Seen) -> bool {
    (method == "*" || method == seen.method) && seen.path.starts_with(path)
}

async fn arrive(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return Response::builder()
            .status(400)
            .body(Body::empty())
            .expect("a status is a response");
    };
    let path = parts
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    let seen = Seen {
        method: parts.method.to_string(),
        path,
        headers: parts.headers,
        body,
    };
    shared.seen().push(seen.clone());
    // In a task of its own: the host may be killed while it waits, and what the real server has been
    // asked for must be done all the same.
    let served = tokio::spawn(async move { shared.serve(&seen).await });
    let reply = served
        .await
        .unwrap_or_else(|error| Reply::new(500, &[], error.to_string().into_bytes()));
    let mut response = Response::builder()
        .status(reply.status)
        .body(Body::from(reply.body))
        .expect("a status is a response");
    *response.headers_mut() = reply.headers;
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{AssetServer, Client, SCIM_TOKEN, ScimServer};

    #[tokio::test]
    async fn rules_are_tried_from_the_newest_and_used_up() {
        let stub = Stub::start().await;
        let client = Client::new(stub.url(), None);
        stub.on("*", "/a").answer(200, json!("old"));
        stub.on("GET", "/a").times(1).answer(503, json!("new"));
        assert_eq!(client.get("/a/b").await.status, 503);
        assert_eq!(client.get("/a/b").await.json(), "old");
        assert_eq!(client.get("/b").await.status, 404);
        assert_eq!(stub.seen_on("GET", "/a").len(), 2);
    }

    #[tokio::test]
    async fn a_held_request_is_passed_on_when_the_gate_opens() {
        let upstream = Stub::start().await;
        upstream
            .on("POST", "/")
            .answer(201, json!({ "made": true }));
        let stub = Stub::before(upstream.url()).await;
        let client = Client::new(stub.url(), None);
        let before = stub.on("POST", "/before").hold();
        let after = stub.on("POST", "/after").hold_answer();
        let requests = async {
            (
                client.post("/before", &json!(1)).await,
                client.post("/before", &json!(2)).await,
            )
        };
        let ((first, second), ()) = tokio::join!(requests, async {
            before.arrived(1).await;
            assert!(upstream.seen().is_empty());
            before.open();
        });
        assert_eq!(
            (first.status, second.json()),
            (201, json!({ "made": true }))
        );
        let body = json!(3);
        let (answer, ()) = tokio::join!(client.post("/after", &body), async {
            after.arrived(1).await;
            assert_eq!(
                upstream.seen_on("POST", "/after").len(),
                1,
                "it is done, and the answer is held"
            );
            after.open();
        });
        assert_eq!(answer.status, 201);
    }

    #[tokio::test]
    async fn the_real_servers_answer_through_a_stub() {
        let directory = ScimServer::start(&["everyone"]).await;
        let assets =
            AssetServer::start(&json!({ "laptops": [{ "id": 1, "assignedTo": "nobody" }] })).await;
        assert!(directory.users().await.is_empty());
        assert!(directory.members("everyone").await.is_empty());
        let stub = Stub::before(directory.url()).await;
        Client::new(stub.url(), None)
            .get("/v2/Users")
            .await
            .expect(401);
        Client::new(stub.url(), Some(SCIM_TOKEN))
            .get("/v2/Users")
            .await
            .expect(200);
        let stub = Stub::before(assets.url()).await;
        let patch = json!({ "assignedTo": "ada" }).to_string();
        let headers = [("content-type", "application/json")];
        Client::new(stub.url(), None)
            .send("PATCH", "/laptops/1", &headers, patch)
            .await
            .expect(200);
        assert_eq!(
            assets.all("laptops").await,
            [json!({ "id": 1, "assignedTo": "ada" })]
        );
    }
}
