//! `call: grpc` against a real service, over HTTP/2 in clear text.

use baton_tests::{Host, Service, Stub, paths};
use serde_json::{Value, json};

use crate::fixtures::{fresh, is_error};

/// A host, the service, and who has its .proto files.
struct World {
    host: Host,
    service: Service,
    files: Stub,
}

impl World {
    async fn start() -> Self {
        let service = Service::greeter().await;
        let files = Stub::start().await;
        for name in ["greeter.proto", "place.proto"] {
            let text = std::fs::read_to_string(paths::file("tests/servers").join(name));
            let plain = [("content-type", "text/plain")];
            let text = text.expect("the file can be read");
            files
                .on("GET", &format!("/{name}"))
                .answer_with(200, &plain, &text);
        }
        let host = Host::dev(&[files.url(), &service.url()]).await;
        Self {
            host,
            service,
            files,
        }
    }

    async fn call(&self, method: &str, arguments: &Value) -> Value {
        let proto = format!("{}/greeter.proto", self.files.url());
        self.call_of(&proto, self.service.port(), method, arguments)
            .await
    }

    async fn call_of(&self, proto: &str, port: u16, method: &str, arguments: &Value) -> Value {
        let tasks = format!(
            "
            - greet:
                call: grpc
                with:
                  proto: {{ endpoint: '{proto}' }}
                  service:
                    name: greet.Greeter
                    host: 127.0.0.1
                    port: {port}
                    authentication: {{ bearer: {{ token: secret-token }} }}
                  method: {method}
                  arguments: {arguments}
                timeout: {{ after: PT30S }}
            "
        );
        let document = fresh(&tasks);
        self.host
            .run_document(&document, &json!({ "name": "Ada" }))
            .await
    }
}

#[tokio::test]
async fn messages_and_streams_go_both_ways() {
    let world = World::start().await;
    let run = world
        .call(
            "SayHello",
            &json!({ "name": "${ .name }", "at": "2026-01-02T03:04:05Z" }),
        )
        .await;
    let output = &run["output"];
    assert_eq!(output["text"], "Hello, Ada!", "{run:#}");
    assert_eq!(output["place"], json!({ "city": "Ulm" }));
    let seen = output["seen"].as_array().expect("a list");
    assert_eq!(seen[0], "authorization=Bearer secret-token", "{run:#}");
    assert!(
        seen[1]
            .as_str()
            .is_some_and(|it| it.starts_with("idempotency-key="))
    );
    assert_eq!(
        seen[2..],
        [json!("deadline"), json!("2026-01-02T03:04:05Z")]
    );

    let run = world
        .call("Watch", &json!({ "name": "n", "times": 3 }))
        .await;
    let texts: Vec<&Value> = run["output"]
        .as_array()
        .expect("an array")
        .iter()
        .map(|message| &message["text"])
        .collect();
    assert_eq!(texts, ["n 0", "n 1", "n 2"], "{run:#}");
    let none = world.call("Watch", &json!({})).await;
    assert_eq!(none["output"], json!([]));

    let two = json!([{ "name": "Ada" }, { "name": "Bo" }]);
    let run = world.call("Gather", &two).await;
    assert_eq!(run["output"]["text"], "Ada, Bo", "{run:#}");
    let run = world.call("Chat", &two).await;
    assert_eq!(run["output"][1]["text"], "Hello, Bo!", "{run:#}");
}

#[tokio::test]
async fn a_status_is_an_error_of_its_kind() {
    let world = World::start().await;
    for (name, kind, status) in [
        ("UNAUTHENTICATED", "authentication", 401),
        ("PERMISSION_DENIED", "authorization", 403),
        ("DEADLINE_EXCEEDED", "timeout", 504),
        ("INVALID_ARGUMENT", "validation", 400),
        ("NOT_FOUND", "communication", 404),
        ("UNAVAILABLE", "communication", 503),
    ] {
        let run = world.call("Fail", &json!({ "name": name })).await;
        let error = &run["error"];
        assert!(is_error(error, kind), "{name}: {run:#}");
        assert_eq!(error["status"], status);
        assert_eq!(error["data"]["status"], name);
        assert_eq!(error["data"]["message"], "as asked: ü");
    }
}

#[tokio::test]
async fn what_is_no_grpc_and_what_never_ends_are_errors() {
    let world = World::start().await;
    let run = world.call("Forever", &json!({})).await;
    assert!(is_error(&run["error"], "communication"), "{run:#}");
    let detail = run["error"]["detail"].as_str().unwrap_or_default();
    assert!(
        detail.contains("larger than the limit of 4 MiB"),
        "{detail}"
    );

    // A server of HTTP/1.1 in its place.
    let proto = format!("{}/greeter.proto", world.files.url());
    let port = world
        .files
        .url()
        .rsplit(':')
        .next()
        .and_then(|it| it.parse().ok());
    let run = world
        .call_of(&proto, port.expect("a port"), "SayHello", &json!({}))
        .await;
    assert!(is_error(&run["error"], "communication"), "{run:#}");
}

#[tokio::test]
async fn a_proto_that_does_not_parse_says_where() {
    let world = World::start().await;
    let plain = [("content-type", "text/plain")];
    let broken = "syntax = \"proto3\";\nmessage Hello {\n  string name = ;\n}\n";
    world
        .files
        .on("GET", "/broken.proto")
        .answer_with(200, &plain, broken);
    let proto = format!("{}/broken.proto", world.files.url());
    let run = world
        .call_of(&proto, world.service.port(), "SayHello", &json!({}))
        .await;
    assert!(is_error(&run["error"], "configuration"), "{run:#}");
    let detail = run["error"]["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("broken.proto:3:17"), "{detail}");

    let run = world.call("SayHallo", &json!({})).await;
    let detail = run["error"]["detail"].as_str().unwrap_or_default();
    assert!(
        detail.contains("`SayHallo`: there is `SayHello`"),
        "{run:#}"
    );

    let run = world
        .call_of(
            "file://app/greet.proto",
            world.service.port(),
            "SayHello",
            &json!({}),
        )
        .await;
    let detail = run["error"]["detail"].as_str().unwrap_or_default();
    assert!(
        is_error(&run["error"], "validation") && detail.contains("is a file"),
        "{run:#}"
    );
}
