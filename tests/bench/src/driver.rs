//! What sends the requests: connections that are kept, each with one request under way.
//!
//! The clients of the tests would do, but the load generator shares the processors with the host: what
//! it takes for a request is missing there. So a connection is hyper's own, without a pool before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use baton_tests::Client;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Whom requests are for: a host, and the token of one of its tenants.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    authority: Arc<str>,
    token: Option<Arc<str>>,
}

impl Target {
    /// The host of a client, and this token where the host wants one.
    pub(crate) fn new(host: &Client, token: Option<&str>) -> Self {
        Self {
            authority: authority(host),
            token: token.map(|token| format!("Bearer {token}").into()),
        }
    }

    /// The same tenant of a host that has been started again.
    pub(crate) fn moved(&self, host: &Client) -> Self {
        Self {
            authority: authority(host),
            token: self.token.clone(),
        }
    }
}

fn authority(host: &Client) -> Arc<str> {
    host.url().trim_start_matches("http://").into()
}

/// A request that can be sent more than once.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: &'static str,
    path: String,
    content_type: &'static str,
    wait: bool,
    key: Option<String>,
    body: Bytes,
}

impl Request {
    /// Reads what is at a path.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            content_type: "application/json",
            path: path.into(),
            wait: false,
            key: None,
            body: Bytes::new(),
        }
    }

    /// Sends JSON.
    pub(crate) fn post(path: impl Into<String>, body: &Value) -> Self {
        Self {
            method: "POST",
            body: body.to_string().into(),
            ..Self::get(path)
        }
    }

    /// Starts a run of a workflow of the namespace `bench`.
    pub(crate) fn start(workflow: &str, input: &Value) -> Self {
        let path = format!("/v1/workflows/bench/{workflow}/runs");
        Self::post(path, &serde_json::json!({ "input": input }))
    }

    /// Waits for the run's end (`Prefer: wait`), for a minute at most.
    pub(crate) fn awaited(mut self) -> Self {
        self.wait = true;
        self
    }

    /// The same start comes to the same run (`Idempotency-Key`).
    pub(crate) fn key(mut self, key: String) -> Self {
        self.key = Some(key);
        self
    }

    /// The body is a batch of events.
    pub(crate) fn events(mut self) -> Self {
        self.content_type = "application/cloudevents-batch+json";
        self
    }
}

/// What was answered, and how long after.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Bytes,
    /// When to ask again, where the host has too much to do (`Retry-After`).
    pub(crate) again_after: Option<Duration>,
    /// From the request's first byte to the answer's last.
    pub(crate) took: Duration,
}

impl Answer {
    /// The body as JSON, where the status is this one.
    ///
    /// # Panics
    ///
    /// When the status is another, or the body no JSON.
    pub(crate) fn json(&self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "the host answered: {text}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The id of the run, which has ended with this output.
    ///
    /// # Panics
    ///
    /// When it has not.
    pub(crate) fn expect_output(&self, output: &Value) -> String {
        let run = self.json(200);
        assert_eq!(&run["output"], output, "{run:#}");
        run["id"].as_str().expect("a run has an id").to_owned()
    }
}

/// The connection broke before the answer was whole, or could not be made.
pub(crate) type Broken = Box<dyn std::error::Error + Send + Sync>;

/// A connection with at most one request under way.
pub(crate) struct Connection {
    target: Target,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(target: &Target) -> Result<Self, Broken> {
        let stream = TcpStream::connect(&*target.authority).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // What ends it is told to whom waits for an answer.
        tokio::spawn(connection);
        Ok(Self {
            target: target.clone(),
            sender,
        })
    }

    /// Whether the host has closed it.
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn send(&mut self, request: &Request) -> Result<Answer, Broken> {
        let since = Instant::now();
        self.sender.ready().await?;
        let mut message = hyper::Request::builder()
            .method(request.method)
            .uri(&request.path)
            .header("host", &*self.target.authority)
            .header("content-type", request.content_type);
        if let Some(token) = &self.target.token {
            message = message.header("authorization", &**token);
        }
        if request.wait {
            message = message.header("prefer", "wait=60");
        }
        if let Some(key) = &request.key {
            message = message.header("idempotency-key", key);
        }
        let message = message
            .body(Full::new(request.body.clone()))
            .expect("paths and headers are written here");
        let response = self.sender.send_request(message).await?;
        let status = response.status().as_u16();
        let again_after = response.headers().get("retry-after");
        let again_after = again_after.and_then(|it| it.to_str().ok()?.parse().ok());
        let body = response.into_body().collect().await?;
        Ok(Answer {
            status,
            body: body.to_bytes(),
            again_after: again_after.map(Duration::from_secs),
            took: since.elapsed(),
        })
    }
}

/// One request on a connection of its own.
///
/// # Panics
///
/// When there is no answer.
pub(crate) async fn once(target: &Target, request: &Request) -> Answer {
    let mut connection = Connection::open(target).await.expect("the host is there");
    connection.send(request).await.expect("the host answers")
}

/// Keeps so many requests under way, each client with the next when its last has been answered, until there
/// are no `more`; `answered` hears of each. Gives the time until the last was.
///
/// # Panics
///
/// When the host does not answer.
pub(crate) async fn drive(
    target: &Target,
    in_flight: usize,
    more: impl Fn() -> Option<Request> + Send + Sync + 'static,
    answered: impl Fn(&Request, Answer) + Send + Sync + 'static,
) -> Duration {
    let since = Instant::now();
    let work = Arc::new((more, answered));
    let clients: Vec<_> = (0..in_flight)
        .map(|_| {
            let (target, work) = (target.clone(), Arc::clone(&work));
            tokio::spawn(async move {
                let (more, answered) = &*work;
                let mut connection = Connection::open(&target).await.expect("the host is there");
                while let Some(request) = more() {
                    let answer = connection.send(&request).await.expect("the host answers");
                    answered(&request, answer);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.expect("no client fails");
    }
    since.elapsed()
}

/// Sends all of these, so many at once; see [`drive`].
pub(crate) async fn drive_all(
    target: &Target,
    in_flight: usize,
    requests: Vec<Request>,
    answered: impl Fn(&Request, Answer) + Send + Sync + 'static,
) -> Duration {
    let next = AtomicUsize::new(0);
    let more = move || requests.get(next.fetch_add(1, Ordering::Relaxed)).cloned();
    drive(target, in_flight, more, answered).await
}
