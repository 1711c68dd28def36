//! Requests, as the connector `http` makes them, against a server on loopback.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use baton_sandbox::{Connector, Failure, FailureKind, Outcome, Rewrite, Sandbox, Settings};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::guest::{context, grant, sandbox};

/// A server that answers by path and remembers what it was asked.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let seen = Arc::clone(&seen);
                let service = service_fn(move |request: Request<Incoming>| {
                    seen.lock()
                        .unwrap()
                        .push(format!("{} {}", request.method(), request.uri()));
                    async move { Ok::<_, Infallible>(answer(&request).await) }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn port(&self) -> u16 {
        self.address.port()
    }
}

async fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let json = |body: &str| {
        let body = Full::new(Bytes::from(body.to_owned()));
        Response::builder()
            .header("content-type", "application/json")
            .body(body)
            .unwrap()
    };
    match request.uri().path() {
        "/large" => json(&format!("\"{}\"", "x".repeat(2 << 20))),
        "/never" => std::future::pending().await,
        "/redirect" => {
            let to = request
                .uri()
                .query()
                .unwrap_or_default()
                .replace("%5B", "[")
                .replace("%5D", "]");
            Response::builder()
                .status(302)
                .header("location", to)
                .body(Full::default())
                .unwrap()
        }
        _ => json(r#"{"ok": true}"#),
    }
}

fn connector(sandbox: &Arc<Sandbox>) -> Connector {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/dist/http.wasm");
    let bytes = std::fs::read(path).expect("plugins/dist/http.wasm is part of the repository");
    sandbox.load(&bytes).unwrap()
}

pub(crate) async fn get_in(sandbox: &Arc<Sandbox>, url: &str, spec: Value) -> Outcome {
    let connector = connector(sandbox);
    let function = connector.function(None, "request").unwrap();
    let arguments = json!({"method": "get", "endpoint": url});
    connector
        .call(function, &arguments, &grant(&spec), context())
        .await
}

async fn get(url: &str, egress: &[String]) -> Outcome {
    get_in(&sandbox(), url, json!({"egress": egress})).await
}

async fn refused(url: &str, egress: &[String]) -> (Failure, Vec<String>) {
    let outcome = get(url, egress).await;
    let failure = outcome.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Authorization, "{failure}");
    assert_eq!(failure.status(), 403);
    assert!(!outcome.refusals.is_empty());
    (
        failure,
        outcome.refusals.iter().map(ToString::to_string).collect(),
    )
}

#[tokio::test]
async fn a_granted_request_is_made_and_is_impure() {
    let server = Server::start().await;
    let url = format!("http://127.0.0.1:{}/x?y=1", server.port());
    let outcome = get(&url, &[format!("http://127.0.0.1:{}", server.port())]).await;
    assert_eq!(outcome.result.unwrap(), json!({"ok": true}));
    assert!(!outcome.pure && outcome.refusals.is_empty());
    assert_eq!(server.asked(), ["GET /x?y=1"]);
}

#[tokio::test]
async fn the_name_localhost_is_the_loopback_addresses() {
    let server = Server::start().await;
    let port = server.port();
    for (host, rule) in [
        ("localhost", "127.0.0.1"),
        ("127.0.0.1", "localhost"),
        ("localhost", "localhost"),
    ] {
        let outcome = get(
            &format!("http://{host}:{port}/"),
            &[format!("http://{rule}:{port}")],
        )
        .await;
        assert!(
            outcome.result.is_ok(),
            "{host} by {rule}: {:?}",
            outcome.result
        );
    }
}

#[tokio::test]
async fn without_a_grant_nothing_leaves() {
    let server = Server::start().await;
    let port = server.port();
    let (failure, refusals) = refused(
        &format!("http://127.0.0.1:{port}/v1/users?token=s3cret"),
        &[],
    )
    .await;
    let rule = format!("`GET http://127.0.0.1:{port}/v1/` would allow it");
    assert!(
        refusals[0].contains("the grant has no egress rules") && refusals[0].contains(&rule),
        "{refusals:?}"
    );
    // The failure says it once, in few words; the connector's own ones would only repeat it.
    let said = format!(
        "request refused: GET http://127.0.0.1:{port}/v1/users: the grant has no egress rules"
    );
    assert_eq!(failure.to_string(), said);
    assert!(!refusals[0].contains("s3cret"));
    assert_eq!(server.asked(), [""; 0]);
}

#[tokio::test]
async fn rules_bind_method_path_port_and_scheme() {
    let server = Server::start().await;
    let port = server.port();
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    for (path, rule) in [
        ("/v1/x", format!("POST http://127.0.0.1:{port}")),
        ("/v2/x", format!("http://127.0.0.1:{port}/v1/")),
        ("/v1/%2e%2e/v2/x", format!("http://127.0.0.1:{port}/v1/")),
        ("/v1/x", "http://127.0.0.1".to_owned()),
        ("/v1/x", format!("https://127.0.0.1:{port}")),
    ] {
        refused(&url(path), &[rule]).await;
    }
    assert_eq!(server.asked(), [""; 0]);
}

#[tokio::test]
async fn private_addresses_are_refused_under_any_name() {
    for url in [
        "http://app.localhost:1/",
        "http://2130706433:1/",
        "http://0x7f.1:1/",
        "http://127.1:1/",
        "http://[::1]:1/",
        "http://[::ffff:127.0.0.1]:1/",
        "http://169.254.169.254:1/",
    ] {
        refused(url, &["http://*:*".to_owned()]).await;
    }
    let (_, refusals) = refused("http://localhost:1/", &["http://*:*".to_owned()]).await;
    assert!(
        refusals[0].contains("the egress rule `GET http://localhost:1/` would allow it"),
        "{refusals:?}"
    );
}

#[tokio::test]
async fn what_an_address_is_granted_for_holds_under_the_name_localhost() {
    let server = Server::start().await;
    let port = server.port();
    let rules = [
        "http://*:*".to_owned(),
        format!("http://127.0.0.1:{port}/public"),
    ];
    let url = |path: &str| format!("http://localhost:{port}{path}");
    refused(&url("/admin"), &rules).await;
    let outcome = get(&url("/public"), &rules).await;
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    assert_eq!(server.asked(), ["GET /public"]);
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_first_request() {
    let server = Server::start().await;
    let port = server.port();
    let rule = format!("http://127.0.0.1:{port}");
    let followed = get_follow(&format!("http://127.0.0.1:{port}/redirect?/x"), &rule).await;
    assert_eq!(followed.result.unwrap(), json!({"ok": true}));
    let outcome = get_follow(
        &format!("http://127.0.0.1:{port}/redirect?http://%5B::1%5D:{port}/x"),
        &rule,
    )
    .await;
    let failure = outcome.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Authorization, "{failure}");
    assert!(
        outcome.refusals[0].request.contains("http://[::1]"),
        "{:?}",
        outcome.refusals
    );
    assert_eq!(server.asked().len(), 3);
}

async fn get_follow(url: &str, rule: &str) -> Outcome {
    let connector = connector(&sandbox());
    let function = connector.function(None, "request").unwrap();
    let arguments = json!({"method": "get", "endpoint": url, "redirect": true});
    connector
        .call(
            function,
            &arguments,
            &grant(&json!({"egress": [rule]})),
            context(),
        )
        .await
}

#[tokio::test]
async fn an_answer_that_is_too_large_names_the_limit() {
    let server = Server::start().await;
    let rule = format!("http://127.0.0.1:{}", server.port());
    let url = format!("{rule}/large");
    let spec = json!({"egress": [rule], "limits": {"response": "1MiB"}});
    let failure = get_in(&sandbox(), &url, spec).await.result.unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("larger than the limit of 1 MiB (`limits.response`"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_server_that_never_answers_meets_the_time_limit() {
    let server = Server::start().await;
    let rule = format!("http://127.0.0.1:{}", server.port());
    let url = format!("{rule}/never");
    let spec = json!({"egress": [rule], "limits": {"time": "100ms"}});
    let failure = get_in(&sandbox(), &url, spec).await.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout, "{failure}");
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_a_communication_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = get(&url, std::slice::from_ref(&url))
        .await
        .result
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Communication, "{failure}");
}

#[tokio::test]
async fn tests_may_rewrite_an_origin_and_nothing_else() {
    let server = Server::start().await;
    let origins = BTreeMap::from([(
        "https://petstore.swagger.io".to_owned(),
        format!("http://127.0.0.1:{}", server.port()),
    )]);
    let settings = Settings {
        calls: Some(8),
        testing_rewrite: Some(Rewrite::new(&origins).unwrap()),
        ..Settings::default()
    };
    let sandbox = Sandbox::new(settings).unwrap();
    let outcome = get_in(&sandbox, "https://petstore.swagger.io/v2/pet/1", json!({})).await;
    assert_eq!(outcome.result.unwrap(), json!({"ok": true}));
    assert_eq!(server.asked(), ["GET /v2/pet/1"]);
    let outcome = get_in(
        &sandbox,
        &format!("http://127.0.0.1:{}/", server.port()),
        json!({}),
    )
    .await;
    assert_eq!(outcome.result.unwrap_err().kind, FailureKind::Authorization);
    assert!(
        Rewrite::new(&BTreeMap::from([(
            "https://x/path".to_owned(),
            "http://y".to_owned()
        )]))
        .is_err()
    );
}
