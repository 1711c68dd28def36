//! The scenarios of the specification's conformance kit, run against a running host.
//!
//! They are read from the specification's folder (see [`paths::specification`]) when it is there; the
//! project commits none of it. What they call on the network is a stub on loopback, by the authority
//! rewrite that only tests can switch on.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use baton_tests::{Client, Host, Start, Stub, paths};
use gherkin::{Feature, GherkinEnv, Scenario, Step};
use serde_json::{Value, json};

use crate::fixtures::dedent;

/// Kinds of call that the host does not know yet. A scenario that uses one is skipped, by name and aloud.
const NOT_YET: [&str; 5] = ["openapi", "grpc", "asyncapi", "mcp", "a2a"];

#[tokio::test]
async fn every_scenario_that_is_supported_passes() {
    let Some(folder) = paths::specification()
        .map(|spec| spec.join("conformance"))
        .filter(|folder| folder.is_dir())
    else {
        println!(
            "the conformance scenarios did not run: there is no folder of the specification (BATON_SPEC)"
        );
        return;
    };
    let petstore = petstore().await;
    let host = host(&petstore).await;
    let (mut passed, mut skipped) = (Vec::new(), Vec::new());
    for feature in features(&folder) {
        for scenario in &feature.scenarios {
            let name = format!("{}: {}", feature.name, scenario.name);
            if let Some(kind) = not_yet(scenario) {
                skipped.push(format!("{name} (call: {kind})"));
                continue;
            }
            println!("scenario {name}");
            Play::default().act(&host, scenario).await;
            passed.push(name);
        }
    }
    println!("{} scenarios passed; skipped: {skipped:#?}", passed.len());
    assert!(
        passed.len() >= 8,
        "the kit has more scenarios than these: {passed:#?}"
    );
}

/// Reads all feature files, in the order of their names.
fn features(folder: &Path) -> Vec<Feature> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "feature")
    });
    files.sort();
    let parse = |file: &std::path::PathBuf| {
        // Steps of the kit begin with `And given`, so that only the text after the keyword counts.
        Feature::parse_path(file, GherkinEnv::default())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    files.iter().map(parse).collect()
}

/// The kind of call that keeps a scenario from running, if there is one.
fn not_yet(scenario: &Scenario) -> Option<&'static str> {
    let texts: Vec<String> = scenario.steps.iter().filter_map(text_of).collect();
    NOT_YET.into_iter().find(|kind| {
        texts.iter().any(|text| {
            text.lines()
                .any(|line| line.trim() == format!("call: {kind}"))
        })
    })
}

/// What a step carries below it: kept with the marker `yaml` in its first line and with its indentation.
fn text_of(step: &Step) -> Option<String> {
    let text = step.docstring.as_deref()?.trim_start_matches(['\n', '\r']);
    let text = text.strip_prefix("yaml").unwrap_or(text);
    Some(dedent(text))
}

fn yaml_of(step: &Step) -> Value {
    let text = text_of(step).expect("the step carries a text");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("no YAML: {error}\n{text}"))
}

/// A scenario while it is played.
#[derive(Default)]
struct Play {
    definition: String,
    input: Option<Value>,
    run: Value,
    history: Vec<Value>,
}

impl Play {
    async fn act(&mut self, host: &Client, scenario: &Scenario) {
        for step in &scenario.steps {
            let words = step.value.trim().trim_end_matches(':');
            match words {
                "a workflow with definition" => {
                    self.definition = text_of(step).expect("a definition");
                }
                "given the workflow input is" | "the workflow input is" => {
                    self.input = Some(yaml_of(step));
                }
                "the workflow is executed" => self.execute(host).await,
                "the workflow should complete" => self.status("completed"),
                "the workflow should be cancelled" => self.status("cancelled"),
                "the workflow should fault" => self.status("faulted"),
                "the workflow should complete with output" => {
                    self.status("completed");
                    assert_eq!(self.run["output"], yaml_of(step), "{:#}", self.run);
                }
                "the workflow should fault with error" => {
                    self.status("faulted");
                    self.error_has(&yaml_of(step));
                }
                _ => self.other(words),
            }
        }
    }

    async fn execute(&mut self, host: &Client) {
        // Scenarios share names and versions, and a published version is immutable: each runs alone, under
        // a version of its own.
        let digest = self.definition.bytes().fold(0_u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        let versioned = self
            .definition
            .replace("version: '1.0.0'", &format!("version: '1.0.{digest}'"));
        let published = host.publish(versioned).await.expect(201).json();
        let name = |member: &str| {
            published[member]
                .as_str()
                .expect("a published workflow is named")
                .to_owned()
        };
        let body = json!({ "input": self.input.clone().unwrap_or_else(|| json!({})), "version": name("version") });
        let path = format!("/v1/workflows/{}/{}/runs", name("namespace"), name("name"));
        let run = host.post(&path, &body).await.expect(202).json();
        let id = run["id"].as_str().expect("a run has an id");
        self.run = host.ended(id).await;
        self.history = host.history(id).await;
    }

    fn status(&self, expected: &str) {
        assert_eq!(self.run["status"], expected, "{:#}", self.run);
    }

    fn error_has(&self, expected: &Value) {
        for (member, value) in expected.as_object().expect("an error is an object") {
            assert_eq!(
                self.run["error"][member], *value,
                "{member} of {:#}",
                self.run
            );
        }
    }

    /// Steps with names in them.
    fn other(&self, words: &str) {
        if let Some(names) = words.strip_prefix("the workflow output should have properties ") {
            for name in names.split(',').map(|name| name.trim().trim_matches('\'')) {
                let pointer = format!("/{}", name.replace('.', "/"));
                assert!(
                    self.run["output"].pointer(&pointer).is_some(),
                    "no {name} in {:#}",
                    self.run["output"]
                );
            }
        } else if let Some(task) = words.strip_suffix(" should run first") {
            assert_eq!(self.order().first(), Some(&task), "{:?}", self.order());
        } else if let Some(task) = words.strip_suffix(" should run last") {
            assert_eq!(self.order().last(), Some(&task), "{:?}", self.order());
        } else {
            panic!("the kit has a step that this runner does not know: {words}");
        }
    }

    /// The names of the tasks in the order of their starts.
    fn order(&self) -> Vec<&str> {
        let started = self
            .history
            .iter()
            .filter(|item| item["type"] == "task.started");
        started
            .filter_map(|item| item["task"].as_str()?.rsplit('/').next())
            .collect()
    }
}

/// A host that reaches the stub under the names that the kit calls.
async fn host(stub: &Stub) -> Host {
    let services = ["https://petstore.swagger.io", "https://httpbin.org"];
    let start = services.iter().fold(Start::default(), |start, service| {
        start
            .allow(service)
            .argument("--testing-rewrite")
            .argument(&format!("{service}={}", stub.url()))
    });
    start.start().await
}

/// What the kit calls: a pet store, and a page behind basic authentication.
async fn petstore() -> Stub {
    fn pet(id: u64) -> Value {
        json!({ "id": id, "name": if id == 1 { "milou" } else { "idefix" }, "status": "available", "tags": [] })
    }
    let stub = Stub::start().await;
    stub.on("GET", "/v2/pet/").answer(
        404,
        json!({ "code": 1, "type": "error", "message": "Pet not found" }),
    );
    for id in [1, 2] {
        stub.on("GET", &format!("/v2/pet/{id}"))
            .answer(200, pet(id));
    }
    stub.on("GET", "/v2/pet/getPetByName/")
        .answer(404, json!({ "message": "Pet not found" }));
    stub.on("GET", "/v2/pet/findByStatus?status=available")
        .answer(200, json!([pet(1), pet(2)]));
    stub.on("GET", "/basic-auth/").answer_by(|seen| {
        let credentials: Vec<&str> = seen.path.split('/').skip(2).collect();
        let expected = format!("Basic {}", STANDARD.encode(credentials.join(":")));
        let known = seen.header("authorization") == Some(&expected);
        (
            if known { 200 } else { 401 },
            json!({ "authenticated": known }),
        )
    });
    stub
}
