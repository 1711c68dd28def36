//! Calls over TLS, to servers whose certificates an authority of the tests has signed. HTTP itself is in the tests of the
//! sandbox; gRPC, NATS and websockets are here.

use baton_tests::{Authority, Host, Service, Start, Stub, cli, paths};
use serde_json::{Value, json};

use crate::asyncapi;
use crate::fixtures::{fresh, is_error};

/// A host that trusts an authority, if one is given, and may go to these places.
async fn host(trusted: Option<&Authority>, rules: &[&str]) -> Host {
    let start = rules
        .iter()
        .fold(Start::default(), |it, rule| it.allow(rule));
    match trusted {
        None => start.start().await,
        Some(authority) => {
            let start = start.argument("--certificate-authorities");
            start.argument(&authority.file()).start().await
        }
    }
}

/// What a host says of a certificate that it does not trust.
#[track_caller]
fn distrusts(run: &Value) {
    assert!(is_error(&run["error"], "communication"), "{run:#}");
    let detail = run["error"]["detail"].as_str().unwrap_or_default();
    for expected in [
        "its certificate is not trusted: ",
        "(`certificate-authorities`)",
    ] {
        assert!(detail.contains(expected), "{expected} in {detail}");
    }
}

#[tokio::test]
async fn grpc() {
    let authority = Authority::new();
    let service = Service::secured_greeter(&authority).await;
    let (port, files) = (service.port(), Stub::start().await);
    for name in ["greeter.proto", "place.proto"] {
        let text = std::fs::read_to_string(paths::file("tests/servers").join(name));
        let plain = [("content-type", "text/plain")];
        let text = text.expect("the file can be read");
        let path = format!("/{name}");
        files.on("GET", &path).answer_with(200, &plain, &text);
    }
    let url = files.url();
    let document = fresh(&format!(
        "
        - greet:
            call: grpc
            with:
              proto: {{ endpoint: '{url}/greeter.proto' }}
              service: {{ name: greet.Greeter, host: 'https://localhost', port: {port} }}
              method: SayHello
              arguments: {{ name: '${{ .name }}' }}
        "
    ));
    let rule = format!("https://localhost:{port}");
    let ada = json!({ "name": "Ada" });
    let trusting = host(Some(&authority), &[url, &rule]).await;
    let run = trusting.run_document(&document, &ada).await;
    assert_eq!(run["output"]["text"], "Hello, Ada!", "{run:#}");
    let other = host(None, &[url, &rule]).await;
    distrusts(&other.run_document(&document, &ada).await);
}

/// Publishes to a server of a protocol, on a host that trusts its authority and on one that doesn't.
async fn publishes(authority: &Authority, protocol: &str, port: u16) {
    let files = Stub::start().await;
    let text = asyncapi::document(protocol, &format!("localhost:{port}"), "orders");
    let yaml = [("content-type", "application/yaml")];
    files.on("GET", "/api.yaml").answer_with(200, &yaml, &text);
    let document = asyncapi::publish(&files);
    let rule = format!("tcp://localhost:{port}");
    let order = json!({ "order": "one" });
    let trusting = host(Some(authority), &[files.url(), &rule]).await;
    let run = trusting.run_document(&document, &order).await;
    assert_eq!(run["status"], "completed", "{run:#}");
    let other = host(None, &[files.url(), &rule]).await;
    distrusts(&other.run_document(&document, &order).await);
}

#[tokio::test]
async fn nats() {
    let authority = Authority::new();
    let nats = Service::secured_nats(&authority).await;
    publishes(&authority, "nats", nats.port()).await;
}

#[tokio::test]
async fn websockets() {
    let authority = Authority::new();
    let server = Service::secured_websocket(&authority).await;
    publishes(&authority, "wss", server.port()).await;
}

#[tokio::test]
async fn a_file_that_holds_no_certificates_is_refused_at_the_start() {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let (file, data) = (folder.path().join("ca.pem"), folder.path().join("data"));
    std::fs::write(&file, "hello").expect("the file can be written");
    let (file, data) = (file.to_string_lossy(), data.to_string_lossy());
    let arguments = [
        "dev",
        "--data",
        &data,
        "--listen",
        "127.0.0.1:0",
        "--certificate-authorities",
        &file,
    ];
    let ran = cli::baton(&arguments).await.expect(2);
    let expected = format!("error: the certificate authorities in {file} can't be used");
    assert!(ran.stderr.starts_with(&expected), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("there is no certificate in it"),
        "{}",
        ran.stderr
    );
}
