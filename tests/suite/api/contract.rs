//! The contract as a whole: the OpenAPI document describes what the server serves, and refusals have one
//! form.

use std::collections::BTreeMap;

use baton_tests::Host;
use serde_json::Value;

const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "PATCH"];

/// The paths of the OpenAPI document with their methods.
fn routes(openapi: &Value) -> BTreeMap<String, Vec<&'static str>> {
    let paths = openapi["paths"].as_object().expect("paths");
    let methods = |item: &Value| {
        METHODS
            .into_iter()
            .filter(|method| item.get(method.to_lowercase()).is_some())
            .collect()
    };
    paths
        .iter()
        .map(|(path, item)| (path.clone(), methods(item)))
        .collect()
}

#[tokio::test]
async fn what_is_documented_is_served_and_nothing_else() {
    let host = Host::dev(&[]).await;
    let openapi = host.get("/openapi.json").await.expect(200).json();
    let routes = routes(&openapi);
    for promised in [
        "/v1/workflows",
        "/v1/validate",
        "/v1/runs/{id}/events",
        "/v1/runs/{id}/cancel",
        "/healthz",
        "/readyz",
    ] {
        assert!(
            routes.contains_key(promised),
            "{promised} is not documented"
        );
    }
    for (path, methods) in &routes {
        let at = path.replace(['{', '}'], "");
        for method in METHODS {
            let answer = host.send(method, &at, &[], "").await;
            if methods.contains(&method) {
                assert_ne!(answer.status, 405, "{method} {path} is documented");
            } else {
                let allowed = answer.header("allow").unwrap_or_default().to_owned();
                assert!(
                    methods.iter().all(|method| allowed.contains(method)),
                    "{path} allows {methods:?}, and says {allowed:?}"
                );
                answer.problem(405);
            }
        }
    }
}

#[tokio::test]
async fn the_openapi_document_is_whole() {
    let host = Host::dev(&[]).await;
    let answer = host.get("/openapi.json").await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let openapi = answer.json();
    assert!(
        openapi["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1")),
        "{}",
        openapi["openapi"]
    );
    let mut ids = Vec::new();
    for (path, methods) in routes(&openapi) {
        for method in methods {
            let operation = &openapi["paths"][&path][method.to_lowercase()];
            let responses = operation["responses"]
                .as_object()
                .unwrap_or_else(|| panic!("{method} {path} has no responses"));
            assert!(
                responses.keys().any(|status| status.starts_with('2')),
                "{method} {path} never succeeds"
            );
            assert!(
                operation["summary"].is_string() || operation["description"].is_string(),
                "{method} {path} says nothing"
            );
            ids.push(
                operation["operationId"]
                    .as_str()
                    .unwrap_or_else(|| panic!("{method} {path} has no id"))
                    .to_owned(),
            );
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "ids of operations are unique");
    for reference in references(&openapi) {
        let pointer = reference
            .strip_prefix('#')
            .unwrap_or_else(|| panic!("{reference} leads out of the document"));
        assert!(
            openapi.pointer(pointer).is_some(),
            "{reference} leads nowhere"
        );
    }
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Object(members) => {
            let own = members
                .get("$ref")
                .and_then(Value::as_str)
                .map(str::to_owned);
            own.into_iter()
                .chain(members.values().flat_map(references))
                .collect()
        }
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn health_is_told_to_everybody() {
    let host = Host::dev(&[]).await;
    assert_eq!(
        host.get("/healthz").await.expect(200).json()["status"],
        "alive"
    );
    assert_eq!(
        host.get("/readyz").await.expect(200).json()["status"],
        "ready"
    );
}

#[tokio::test]
async fn every_answer_has_an_id_that_the_log_knows() {
    let host = Host::dev(&[]).await;
    let answer = host.get("/v1/runs/nonsense").await;
    let id = answer.header("x-request-id").expect("an id").to_owned();
    let problem = answer.problem(404);
    assert_eq!(problem["requestId"], id.as_str());
    assert_ne!(
        host.get("/healthz").await.header("x-request-id"),
        Some(id.as_str())
    );
}

#[tokio::test]
async fn what_is_no_http_harms_nobody() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let host = Host::dev(&[]).await;
    let address = host.url().trim_start_matches("http://").to_owned();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        let mut socket = tokio::net::TcpStream::connect(&address)
            .await
            .expect("it listens");
        socket.write_all(bytes).await.expect("it reads");
        socket.shutdown().await.expect("it is open");
        let mut answer = Vec::new();
        drop(socket.read_to_end(&mut answer).await);
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    // A request whose body is cut short starts nothing.
    let mut socket = tokio::net::TcpStream::connect(&address)
        .await
        .expect("it listens");
    let cut = b"POST /v1/workflows HTTP/1.1\r\nhost: x\r\ncontent-type: application/yaml\r\ncontent-length: 100\r\n\r\ndocument:";
    socket.write_all(cut).await.expect("it reads");
    drop(socket);
    host.get("/healthz").await.expect(200);
}
