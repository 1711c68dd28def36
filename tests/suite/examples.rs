//! The specification's examples, run as they are against real servers on loopback: what they call by name
//! (a pet store, a hospital, the planets of a film) is a json-server with their data, which the host reaches
//! by the authority rewrite that only tests can switch on. Only the version is made their own, since several
//! have the same name.
//!
//! Each example is in the table: how it runs, or the reason why it does not.

mod table;

use std::collections::BTreeSet;

use baton_tests::{AssetServer, Client, Docker, Host, Start, Stub, eventually, paths};
use serde_json::{Value, json};

use crate::scenario::swagger;
use table::How::{self, Calls, Completes, Due, Elsewhere, Faults, Hears, Not, StartedBy};
use table::table;

/// The hosts that the examples call, all of them played by one server: their paths do not collide.
const HOSTS: [&str; 8] = [
    "https://petstore.swagger.io",
    "https://swapi.dev",
    "https://superbet-casinos.com",
    "https://fake-hospital.com",
    "https://fake.com",
    "https://fake-chat-api.com",
    "https://hospital.example.com",
    "https://virtual-wf-powered-race.com",
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
    let failing = Stub::start().await;
    failing.on("*", "/").answer(503, json!({}));
    let hosts = HOSTS.map(|host| (host, stub.url()));
    stub.on("GET", "/v2/swagger.json").answer(200, swagger());
    stub.on("POST", "/room/7").answer(200, json!({}));
    let notify = stub.on("POST", "/api/v1/notify");
    notify.answer_by(|seen| (200, seen.json()));
    let start_car = stub.on("POST", "/api/v4/cars//start");
    start_car.answer(200, json!({ "started": true }));
    let others = [("https://external-service.example.com", failing.url())];
    let start = hosts.into_iter().chain(others);
    let start = start.fold(Start::default(), |start, (host, server)| {
        start
            .allow(host)
            .argument("--testing-rewrite")
            .argument(&format!("{host}={server}"))
    });
    // A stand-in for the engine's command line runs the containers.
    let docker = Docker::new();
    let host = start
        .argument("--allow-shell")
        .argument("--allow-container")
        .argument("--process-path")
        .argument(&docker.path())
        .start()
        .await;
    host.publish(SUBFLOW).await.expect(201);
    for (index, (name, how)) in table.iter().enumerate() {
        println!("example {name}");
        let text = std::fs::read_to_string(folder.join(format!("{name}.yaml")))
            .expect("the example can be read");
        Play {
            host: &host,
            stub: &stub,
            name,
            text: &with_version(&text, index),
        }
        .as_said(how)
        .await;
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

/// An example, and who plays it.
struct Play<'a> {
    host: &'a Host,
    stub: &'a Stub,
    name: &'a str,
    text: &'a str,
}

impl Play<'_> {
    async fn as_said(&self, how: &How) {
        match how {
            Elsewhere(test) => self.is_there(test),
            Not(reason) => println!("{} did not run: {reason}", self.name),
            Due => {
                let schedule = self.scheduled().await;
                assert!(schedule["nextDue"].is_string(), "{schedule:#}");
            }
            StartedBy(events, expected) => self.is_started_by(events, expected).await,
            Hears(events, how) => self.run(how, events).await,
            how => self.run(how, &[]).await,
        }
    }

    async fn run(&self, how: &How, events: &[Value]) {
        let nothing = json!({});
        let (Completes(input, _) | Faults(input, _) | Calls(input, ..)) = how else {
            let id = started(self.host, self.text, &nothing).await;
            self.waits(&id).await;
            return self.cancel(&id).await;
        };
        let id = started(self.host, self.text, input).await;
        if !events.is_empty() {
            self.waits(&id).await;
            self.send(events).await;
        }
        self.comes_to(&id, how).await;
    }

    /// Publishes it, and gives its schedule.
    async fn scheduled(&self) -> Value {
        let published = self.host.publish(self.text).await.expect(201).json();
        let name = |member: &str| published[member].as_str().expect("it is named").to_owned();
        let path = format!("/v1/schedules/{}/{}", name("namespace"), name("name"));
        let schedule = self.host.get(&path).await.expect(200).json();
        assert_eq!(schedule["version"], published["version"], "{}", self.name);
        schedule
    }

    async fn is_started_by(&self, events: &[Value], expected: &Value) {
        let schedule = self.scheduled().await;
        let name = |member: &str| schedule[member].as_str().expect("it is named").to_owned();
        self.send(events).await;
        let runs = format!("/v1/runs?workflow={}/{}", name("namespace"), name("name"));
        let id = eventually("the example is started", async || {
            let runs = self.host.all(&runs).await;
            let mut runs = runs.into_iter();
            let run = runs.find(|run| run["workflow"]["version"] == schedule["version"])?;
            Some(run["id"].as_str()?.to_owned())
        })
        .await;
        let run = self.host.ended(&id).await;
        assert_eq!(run["status"], "completed", "{}: {run:#}", self.name);
        assert!(contains(&run["output"], expected), "{}: {run:#}", self.name);
    }

    async fn comes_to(&self, id: &str, how: &How) {
        let name = self.name;
        if let Calls(_, method, path) = how {
            eventually("the example calls", async || {
                (!self.stub.seen_on(method, path).is_empty()).then_some(())
            })
            .await;
            self.waits(id).await;
            return self.cancel(id).await;
        }
        let run = self.host.ended(id).await;
        match how {
            Completes(_, expected) => {
                assert_eq!(run["status"], "completed", "{name}: {run:#}");
                let output = &run["output"];
                assert!(
                    contains(output, expected),
                    "{name}: no {expected} in {output}"
                );
            }
            Faults(_, status) => {
                assert_eq!(run["status"], "faulted", "{name}: {run:#}");
                assert_eq!(run["error"]["status"], *status, "{name}: {run:#}");
            }
            _ => unreachable!("{name}: nothing else ends"),
        }
    }

    async fn waits(&self, id: &str) {
        eventually("the example waits", async || {
            (self.host.run(id).await["status"] == "waiting").then_some(())
        })
        .await;
    }

    async fn cancel(&self, id: &str) {
        let cancelled = self
            .host
            .post(&format!("/v1/runs/{id}/cancel"), &json!({}))
            .await;
        assert!(
            cancelled.status < 300,
            "{}: {}",
            self.name,
            cancelled.text()
        );
    }

    /// Sends these events in order, as new ones.
    async fn send(&self, events: &[Value]) {
        for (index, event) in events.iter().enumerate() {
            let mut event = event.clone();
            event["id"] = json!(format!("{} {index}", self.name));
            let headers = [("content-type", "application/cloudevents+json")];
            self.host
                .send("POST", "/v1/events", &headers, event.to_string())
                .await
                .expect(202);
        }
    }

    fn is_there(&self, test: &str) {
        let (path, function) = test.split_once("::").expect("path::name");
        let text = std::fs::read_to_string(paths::file(path)).unwrap_or_default();
        assert!(
            text.contains(&format!("fn {function}(")),
            "{}: no {test}",
            self.name
        );
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
