//! Clients on real sockets that would take the server away from others.

use std::net::SocketAddr;
use std::time::Duration;

use baton_engine::EngineLimits;
use baton_server::{ServerSettings, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::harness::{authenticator, engine};

/// A time that no test waits for.
const NEVER: Duration = Duration::from_secs(3600);

/// A server that stops when this is dropped.
struct Server {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Server {
    /// A server that leaves clients all the time they want, but for what `change` says.
    async fn new(change: impl FnOnce(&mut ServerSettings)) -> Self {
        let mut settings = ServerSettings {
            head_timeout: NEVER,
            write_timeout: NEVER,
            body_grace: NEVER,
            ..ServerSettings::new(authenticator())
        };
        change(&mut settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let engine = engine(EngineLimits::default());
        tokio::spawn(serve(listener, engine, settings, async {
            let _ = stopped.await;
        }));
        Self {
            address,
            _stop: stop,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        stream
    }
}

/// The head of a request.
fn head(request: &str, token: &str, more: &str) -> Vec<u8> {
    format!("{request} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n{more}\r\n")
        .into_bytes()
}

/// What comes until the connection ends.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // What was there before a connection broke is what this is about.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

/// What comes until the head of an answer is there, or the connection ends.
async fn answer_on(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            break;
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_without_a_token_keep_nobody_out() {
    let server = Server::new(|settings| {
        settings.connections_max = 8;
        settings.strangers_max = 4;
    })
    .await;
    let mut silent = Vec::new();
    for _ in 0..32 {
        silent.push(server.connect().await);
    }
    let mut health = server.send(&head("GET /healthz", "", "")).await;
    let answer = answer_on(&mut health).await;
    assert!(answer.contains("200 OK"), "{answer}");
    let mut known = server.send(&head("GET /v1/runs", "red", "")).await;
    let answer = answer_on(&mut known).await;
    assert!(answer.contains("200 OK"), "{answer}");
    assert_eq!(rest(silent.remove(0)).await, "", "the oldest gave way");
    // Whoever has shown a token stays, however many come.
    for _ in 0..32 {
        silent.push(server.connect().await);
    }
    known
        .write_all(&head("GET /v1/runs", "red", ""))
        .await
        .unwrap();
    let answer = answer_on(&mut known).await;
    assert!(answer.contains("200 OK"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_is_left() {
    let server = Server::new(|settings| settings.write_timeout = Duration::from_millis(50)).await;
    let mut stream = server.connect().await;
    let requests = head("GET /openapi.json", "", "").repeat(100);
    // The server takes no more requests while answers wait to be read, so that only its end ends this.
    while stream.write_all(&requests).await.is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_does_not_take_all_connections() {
    let server = Server::new(|settings| settings.connections_per_tenant = 2).await;
    let ask = |token| head("GET /v1/runs", token, "");
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = server.send(&ask("red")).await;
        assert!(answer_on(&mut stream).await.contains("200 OK"));
        held.push(stream);
    }
    let answer = rest(server.send(&ask("red")).await).await;
    assert!(answer.contains("429 Too Many Requests"), "{answer}");
    assert!(answer.contains("2 connections of this tenant"), "{answer}");
    assert!(answer.contains("retry-after: 1"), "{answer}");
    let mut other = server.send(&ask("blue")).await;
    let answer = answer_on(&mut other).await;
    assert!(answer.contains("200 OK"), "{answer}");
}

/// The head of a request with a body of so many bytes of JSON.
fn post(path: &str, token: &str, length: usize) -> Vec<u8> {
    let more = format!(
        "connection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
    );
    head(&format!("POST {path}"), token, &more)
}

/// Where nothing is: whose body has been read is told so.
const NOWHERE: &str = "/v1/workflows/it/none/runs";

#[tokio::test(flavor = "multi_thread")]
async fn a_body_takes_room_as_it_comes_and_no_tenant_all_of_it() {
    let server = Server::new(|settings| settings.body_bytes_max = 1 << 20).await;
    // What is announced alone keeps nobody out.
    let mut announced = Vec::new();
    for _ in 0..4 {
        announced.push(server.send(&post(NOWHERE, "red", 4 << 20)).await);
    }
    let ask = async |length: usize| {
        let mut request = post(NOWHERE, "red", length);
        let json = format!("{{\"input\":\"{}\"}}", "x".repeat(length - 12));
        request.extend_from_slice(json.as_bytes());
        let mut stream = server.send(&request).await;
        answer_on(&mut stream).await
    };
    let answer = ask(1 << 10).await;
    assert!(answer.contains("404 Not Found"), "{answer}");
    let answer = ask(2 << 20).await;
    assert!(answer.contains("429 Too Many Requests"), "{answer}");
    assert!(answer.contains("retry-after: 1"), "{answer}");
    let answer = ask(256 << 10).await;
    assert!(
        answer.contains("404 Not Found"),
        "it is given back: {answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_keep_the_pace_is_refused() {
    let server = Server::new(|settings| {
        settings.body_grace = Duration::from_millis(50);
        settings.body_bytes_per_second = 1 << 30;
    })
    .await;
    let mut stream = server.send(&post(NOWHERE, "red", 1 << 10)).await;
    stream.write_all(b"{\"input\":").await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.contains("400 Bad Request"), "{answer}");
    assert!(answer.contains("too slowly"), "{answer}");
}

/// Hands its input on from task to task, so that it is in each line of the history.
const TALKER: &str = "document: { dsl: '1.0.3', namespace: it, name: talker, version: '1.0.0' }
do:
  - one: { wait: { milliseconds: 1 } }
  - two: { wait: { milliseconds: 1 } }
  - three: { wait: { milliseconds: 1 } }
  - four: { wait: { milliseconds: 1 } }
  - five: { wait: { milliseconds: 1 } }
  - six: { wait: { milliseconds: 1 } }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_events_that_reads_nothing_is_left() {
    let server = Server::new(|settings| {
        settings.write_timeout = Duration::from_millis(50);
        settings.connections_per_tenant = 2;
    })
    .await;
    let mut control = server.connect().await;
    let mut ask = async |path: &str, kind: &str, body: &str| {
        let more = format!("content-type: {kind}\r\ncontent-length: {}\r\n", body.len());
        let mut request = head(&format!("POST {path}"), "red", &more);
        request.extend_from_slice(body.as_bytes());
        control.write_all(&request).await.unwrap();
        answer_on(&mut control).await
    };
    let answer = ask("/v1/workflows", "application/yaml", TALKER).await;
    assert!(answer.contains("201 Created"), "{answer}");
    // More in all than a system keeps for a client that does not read.
    let start = format!("{{\"input\":\"{}\"}}", "x".repeat(3 << 20));
    let answer = ask("/v1/workflows/it/talker/runs", "application/json", &start).await;
    let location = answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "));
    let location = location.unwrap_or_else(|| panic!("{answer}"));

    let mut reader = server
        .send(&head(&format!("GET {location}/events"), "red", ""))
        .await;
    let answer = answer_on(&mut reader).await;
    assert!(answer.contains("200 OK"), "{answer}");
    // The server reads no more of it either, so that only its end ends this.
    while reader.write_all(&[b'x'; 1 << 16]).await.is_ok() {}
    // As soon as its connection is over, the tenant may have another one.
    loop {
        let mut other = server.send(&head("GET /v1/runs", "red", "")).await;
        let answer = answer_on(&mut other).await;
        if answer.contains("200 OK") {
            break;
        }
        assert!(answer.contains("429 Too Many Requests"), "{answer}");
    }
}
