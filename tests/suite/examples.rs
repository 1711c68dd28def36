//! The specification's examples, run as they are against real servers on loopback: what they call by name
//! (a pet store, a hospital, the planets of a film) is a json-server with their data, which the host reaches
//! by the authority rewrite that only tests can switch on. Only the version is made their own, since several
//! have the same name.
//!
//! Each example is in the table below: how it runs, or the reason why it does not.

use std::collections::BTreeSet;

use baton_tests::{AssetServer, Client, Host, Start, Stub, eventually, paths};
use serde_json::{Value, json};

use crate::scenario::swagger;

/// What becomes of an example.
enum How {
    /// It is run with this input, and its output has this in it.
    Completes(Value, Value),
    /// It is run with this input, and ends with an error of this status.
    Faults(Value, u16),
    /// It is started and waits for longer than a test should.
    Waits,
    /// Another test runs it or the same thing, since it takes more than a document: `path::name`.
    Elsewhere(&'static str),
    /// It is published: it waits for events, or for a time, that only the tests of these things bring.
    Published,
    /// It is not run, and why.
    Not(&'static str),
}

use How::{Completes, Elsewhere, Faults, Not, Published, Waits};

/// Every example by the name of its file, without `.yaml`.
fn table() -> Vec<(&'static str, How)> {
    let pet = || json!({ "petId": 1, "token": "a-token" });
    let search = || json!({ "searchQuery": "Skywalker" });
    let milou = || json!({ "name": "milou" });
    let pets = || json!([{ "name": "milou" }, { "name": "idefix" }, { "name": "argos" }]);
    let luke = || json!([{ "name": "Luke Skywalker" }]);
    vec![
        (
            "accumulate-room-readings",
            Not("the OpenAPI document that it calls by is nowhere"),
        ),
        ("authentication-bearer", Completes(pet(), milou())),
        (
            "authentication-bearer-uri-format",
            Completes(pet(), milou()),
        ),
        (
            "authentication-oauth2",
            Not("its authority is nowhere: the tests of authentication bring their own"),
        ),
        (
            "authentication-oauth2-secret",
            Not("its authority is nowhere: the tests of authentication bring their own"),
        ),
        (
            "authentication-oidc",
            Not("its authority is nowhere: the tests of authentication bring their own"),
        ),
        (
            "authentication-oidc-secret",
            Not("its authority is nowhere: the tests of authentication bring their own"),
        ),
        ("authentication-reusable", Completes(pet(), milou())),
        (
            "call-asyncapi-publish",
            Not("its AsyncAPI document is nowhere: fake.com has none"),
        ),
        (
            "call-asyncapi-subscribe-consume-amount",
            Not("its AsyncAPI document is nowhere: fake.com has none"),
        ),
        (
            "call-asyncapi-subscribe-consume-forever-foreach",
            Not("its AsyncAPI document is nowhere: fake.com has none"),
        ),
        (
            "call-asyncapi-subscribe-consume-until",
            Not("its AsyncAPI document is nowhere: fake.com has none"),
        ),
        (
            "call-asyncapi-subscribe-consume-while",
            Not("its AsyncAPI document is nowhere: fake.com has none"),
        ),
        (
            "call-custom-function-cataloged",
            Elsewhere("tests/suite/language.rs::the_example_of_a_cataloged_function_runs"),
        ),
        (
            "call-custom-function-inline",
            Completes(json!({}), json!({ "name": "argos" })),
        ),
        (
            "call-grpc",
            Elsewhere("tests/suite/grpc.rs::messages_and_streams_go_both_ways"),
        ),
        (
            "call-http-endpoint-interpolation",
            Completes(pet(), milou()),
        ),
        (
            "call-http-endpoint-interpolation-shorthand",
            Completes(pet(), milou()),
        ),
        (
            "call-http-query-headers-expressions",
            Completes(search(), luke()),
        ),
        ("call-http-query-parameters", Completes(search(), luke())),
        ("call-http-redirect", Completes(search(), luke())),
        (
            "call-mcp",
            Not(
                "it starts a server with npx, from the network; `tests/suite/mcp.rs` calls one that is installed",
            ),
        ),
        ("call-openapi", Completes(json!({}), pets())),
        ("call-openapi-redirect", Completes(json!({}), pets())),
        (
            "conditional-task",
            Faults(json!({ "customer": { "age": 17 } }), 400),
        ),
        (
            "do-multiple",
            Completes(pet(), json!({ "name": "milou", "status": "sold" })),
        ),
        ("do-single", Completes(pet(), milou())),
        ("emit", Completes(json!({}), json!({}))),
        ("for", Published),
        (
            "for-inline-array",
            Completes(
                json!({}),
                json!({ "processed": [{ "name": "red" }, { "name": "green" }, { "hex": "#0000FF" }] }),
            ),
        ),
        (
            "fork",
            Completes(
                json!({ "patient": { "fullName": "Ada Lovelace" }, "room": { "number": 7 } }),
                json!({ "patientId": "Ada Lovelace", "room": 7 }),
            ),
        ),
        ("listen-to-all read-envelope", Published),
        ("listen-to-all", Published),
        ("listen-to-any", Published),
        ("listen-to-any-filter", Published),
        ("listen-to-any-forever-foreach", Published),
        ("listen-to-any-until-condition", Published),
        ("listen-to-any-until-consumed", Published),
        ("listen-to-one", Published),
        (
            "mock-service-extension",
            Elsewhere("tests/suite/language.rs::the_example_of_a_mocked_service_runs"),
        ),
        ("raise-inline", Faults(json!({}), 500)),
        ("raise-reusable", Faults(json!({}), 500)),
        (
            "run-container",
            Not("it takes a container engine and an image from the network"),
        ),
        (
            "run-container-cleanup-always",
            Not("it takes a container engine and an image from the network"),
        ),
        (
            "run-container-cleanup-eventually",
            Not("it takes a container engine and an image from the network"),
        ),
        (
            "run-container-stdin-and-arguments",
            Not("it takes a container engine and an image from the network"),
        ),
        (
            "run-container-with-name",
            Not("it takes a container engine and an image from the network"),
        ),
        (
            "run-container-with-pull-policy",
            Not("it takes a container engine and an image from the network"),
        ),
        (
            "run-return-all",
            Not("it takes a container engine and an image from the network"),
        ),
        (
            "run-return-code",
            Not("it takes a container engine and an image from the network"),
        ),
        (
            "run-return-none",
            Not("it takes a container engine and an image from the network"),
        ),
        (
            "run-return-stderr",
            Not("it takes a container engine and an image from the network"),
        ),
        (
            "run-script-with-stdin-and-arguments",
            Not("it reads standard input by way of Node.js, which the sandbox has not"),
        ),
        (
            "run-shell-stdin-and-arguments",
            Not("a shell is for the operator to turn on: the tests of processes do"),
        ),
        (
            "run-subflow",
            Completes(json!({}), json!({ "registered": ".user" })),
        ),
        (
            "schedule-cron",
            Not("it starts by its schedule alone: the tests of schedules have shorter ones"),
        ),
        (
            "schedule-event-driven",
            Not("it starts by its schedule alone: the tests of schedules have shorter ones"),
        ),
        (
            "set",
            Not("it starts by its schedule alone: the tests of schedules have shorter ones"),
        ),
        (
            "set-expression",
            Not("it starts by its schedule alone: the tests of schedules have shorter ones"),
        ),
        (
            "star-wars-homeworld",
            Completes(json!({ "id": 1 }), json!({ "name": "Tatooine" })),
        ),
        (
            "switch-then-string",
            Completes(
                json!({ "orderType": "electronic" }),
                json!({ "status": "fulfilled" }),
            ),
        ),
        (
            "try-catch",
            Completes(json!({ "petId": 404 }), json!({ "petId": 404 })),
        ),
        ("try-catch-retry-inline", Completes(pet(), milou())),
        ("try-catch-retry-reusable", Completes(pet(), milou())),
        (
            "try-catch-then",
            Completes(json!({ "petId": 404 }), json!({})),
        ),
        (
            "try-catch-then-directive",
            Completes(json!({}), json!({ "status": "failed" })),
        ),
        ("wait-duration-inline", Waits),
        ("wait-duration-iso8601", Waits),
    ]
}

/// The hosts that the examples call, all of them played by one server: their paths do not collide.
const HOSTS: [&str; 5] = [
    "https://petstore.swagger.io",
    "https://swapi.dev",
    "https://superbet-casinos.com",
    "https://fake-hospital.com",
    "https://fake.com",
];

/// The workflow that an example runs.
const SUBFLOW: &str = "
document: { dsl: '1.0.3', namespace: test, name: register-customer, version: '0.1.0' }
do: [ { register: { set: { registered: '${ .customer }' } } } ]
";

/// What the servers of the examples have.
async fn services() -> AssetServer {
    let pet =
        |id: u64, name: &str| json!({ "id": id, "petId": id, "name": name, "status": "available" });
    let data = json!({
        "pet": [pet(1, "milou"), pet(2, "idefix"), pet(69, "argos")],
        "people": [
            { "id": 1, "name": "Luke Skywalker", "homeworld": "https://swapi.dev/api/planets/1" },
            { "id": 2, "name": "C-3PO", "homeworld": "https://swapi.dev/api/planets/1" },
        ],
        "planets": [{ "id": 1, "name": "Tatooine" }],
        "bets": [],
        "nurses": {},
        "doctor": {},
        "sample": { "sample": true },
    });
    let routes = json!({
        "/v2/pet/findByStatus?status=:status": "/pet?status=:status",
        "/v2/pet/:id": "/pet/:id",
        "/api/people/?search=:words": "/people?q=:words",
        "/api/people/:id": "/people/:id",
        "/api/planets/:id": "/planets/:id",
        "/api/bet/on/football": "/bets",
        "/api/v3/alert/nurses": "/nurses",
        "/api/v3/alert/doctor": "/doctor",
    });
    AssetServer::start_with_routes(&data, &routes).await
}

#[tokio::test]
async fn every_example_runs_or_says_why_not() {
    let Some(folder) = paths::specification().map(|spec| spec.join("examples")) else {
        println!("the examples did not run: there is no folder of the specification (BATON_SPEC)");
        return;
    };
    let table = table();
    let names: BTreeSet<&str> = table.iter().map(|(name, _)| *name).collect();
    let files: BTreeSet<String> = std::fs::read_dir(&folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("an entry can be read").file_name())
        .filter_map(|name| Some(name.to_str()?.strip_suffix(".yaml")?.to_owned()))
        .collect();
    let files: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(names, files, "the table names each example, and no other");

    let server = services().await;
    let stub = Stub::before(server.url()).await;
    stub.on("GET", "/v2/swagger.json").answer(200, swagger());
    let failing = Stub::start().await;
    failing.on("*", "/").answer(503, json!({}));
    let hosts = HOSTS.map(|host| (host, stub.url()));
    let others = [("https://external-service.example.com", failing.url())];
    let start = hosts.into_iter().chain(others);
    let start = start.fold(Start::default(), |start, (host, server)| {
        start
            .allow(host)
            .argument("--testing-rewrite")
            .argument(&format!("{host}={server}"))
    });
    let host = start.start().await;
    host.publish(SUBFLOW).await.expect(201);
    for (index, (name, how)) in table.iter().enumerate() {
        println!("example {name}");
        let text = std::fs::read_to_string(folder.join(format!("{name}.yaml")))
            .expect("the example can be read");
        play(&host, name, &with_version(&text, index), how).await;
    }
    let tokens: Vec<_> = stub.seen_on("GET", "/v2/pet/1");
    let bearer = tokens
        .iter()
        .filter(|seen| seen.header("authorization") == Some("Bearer a-token"));
    assert_eq!(
        bearer.count(),
        3,
        "each example with a bearer token has sent it"
    );
}

/// The document with a version that no other has: the host keeps what it has under a version for ever.
fn with_version(text: &str, index: usize) -> String {
    let mut seen = false;
    let lines = text.lines().map(|line| {
        if seen || !line.trim_start().starts_with("version:") {
            return line.to_owned();
        }
        seen = true;
        format!("  version: '1.0.{index}'")
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

async fn play(host: &Host, name: &str, text: &str, how: &How) {
    match how {
        Completes(input, expected) => {
            let run = run(host, text, input).await;
            assert_eq!(run["status"], "completed", "{name}: {run:#}");
            let output = &run["output"];
            assert!(
                contains(output, expected),
                "{name}: no {expected} in {output}"
            );
        }
        Faults(input, status) => {
            let run = run(host, text, input).await;
            assert_eq!(run["status"], "faulted", "{name}: {run:#}");
            assert_eq!(run["error"]["status"], *status, "{name}: {run:#}");
        }
        Waits => {
            let id = started(host, text, &json!({})).await;
            eventually("the example waits", async || {
                (host.run(&id).await["status"] == "waiting").then_some(())
            })
            .await;
            let cancel = format!("/v1/runs/{id}/cancel");
            let cancelled = host.post(&cancel, &json!({})).await;
            assert!(cancelled.status < 300, "{name}: {}", cancelled.text());
        }
        Published => drop(host.publish(text).await.expect(201)),
        Elsewhere(test) => {
            let (path, function) = test.split_once("::").expect("path::name");
            let text = std::fs::read_to_string(paths::file(path)).unwrap_or_default();
            assert!(
                text.contains(&format!("fn {function}(")),
                "{name}: no {test}"
            );
        }
        Not(reason) => println!("{name} did not run: {reason}"),
    }
}

async fn started(host: &Client, text: &str, input: &Value) -> String {
    let published = host.publish(text).await.expect(201).json();
    let name = |member: &str| published[member].as_str().expect("it is named").to_owned();
    let path = format!("/v1/workflows/{}/{}/runs", name("namespace"), name("name"));
    let body = json!({ "input": input, "version": name("version") });
    let run = host.post(&path, &body).await.expect(202).json();
    run["id"].as_str().expect("a run has an id").to_owned()
}

async fn run(host: &Client, text: &str, input: &Value) -> Value {
    let id = started(host, text, input).await;
    host.ended(&id).await
}

/// Whether everything of `part` is in `whole`: of objects each member, of lists each item in its place.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part))),
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len()
                && whole
                    .iter()
                    .zip(part)
                    .all(|(whole, part)| contains(whole, part))
        }
        _ => whole == part,
    }
}
