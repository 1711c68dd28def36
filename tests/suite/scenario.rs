//! Plays scenarios in Gherkin against a running host: those of the specification's conformance kit and our
//! own, in the kit's words. Where the kit has no words for something (a run that waits, events, secrets, a
//! second workflow), the steps that we have added are in its style.

mod control;
mod petstore;

use std::path::{Path, PathBuf};

use baton_tests::{Client, Host, Stub, eventually};
use gherkin::{Feature, GherkinEnv, Scenario, Step};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fixtures::dedent;

pub(crate) use petstore::swagger;

/// A host, and the stub that it reaches under the names that the kit calls.
pub(crate) struct Stage {
    host: Host,
    services: Stub,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let services = petstore::stub().await;
        let host = petstore::host(&services).await;
        Self { host, services }
    }

    /// Plays a scenario. The test fails where the scenario does.
    pub(crate) async fn play(&self, scenario: &Scenario) {
        let mut play = Play {
            host: &self.host,
            services: &self.services,
            definition: String::new(),
            workflow: String::new(),
            input: None,
            run: Value::Null,
            history: Vec::new(),
        };
        for step in &scenario.steps {
            play.act(step).await;
        }
    }
}

/// Reads all feature files of a folder, in the order of their names.
pub(crate) fn features(folder: &Path) -> Vec<Feature> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry can be read").path())
        .filter(|file| {
            file.extension()
                .is_some_and(|extension| extension == "feature")
        })
        .collect();
    files.sort();
    let parse = |file: &PathBuf| {
        // Steps of the kit begin with `And given`, so that only the text after the keyword counts.
        Feature::parse_path(file, GherkinEnv::default())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    files.iter().map(parse).collect()
}

/// What a step carries below it: kept with the marker `yaml` in its first line and with its indentation.
pub(crate) fn text_of(step: &Step) -> Option<String> {
    let text = step.docstring.as_deref()?.trim_start_matches(['\n', '\r']);
    let text = text.strip_prefix("yaml").unwrap_or(text);
    Some(dedent(text))
}

fn yaml_of(step: &Step) -> Value {
    let text = text_of(step).expect("the step carries a text");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("no YAML: {error}\n{text}"))
}

/// A scenario while it is played.
struct Play<'a> {
    host: &'a Client,
    services: &'a Stub,
    definition: String,
    /// The workflow by namespace and name, once it is published.
    workflow: String,
    input: Option<Value>,
    run: Value,
    history: Vec<Value>,
}

impl Play<'_> {
    async fn act(&mut self, step: &Step) {
        let words = step.value.trim().trim_end_matches(':');
        if self.control(words, step).await {
            return;
        }
        match words {
            "a workflow with definition" => {
                self.definition = text_of(step).expect("a definition");
            }
            "given another workflow with definition" => {
                let text = text_of(step).expect("a definition");
                self.host.publish(text).await.expect(201);
            }
            "another workflow is executed with definition" => {
                let text = text_of(step).expect("a definition");
                let run = self.host.run_document(&text, &json!({})).await;
                assert_eq!(run["status"], "completed", "{run:#}");
            }
            "given the workflow input is" | "the workflow input is" => {
                self.input = Some(yaml_of(step));
            }
            "the workflow is executed" => {
                self.start().await;
                self.end().await;
            }
            "the workflow is published" => drop(self.publish().await),
            "the workflow should have been started" => self.has_been_started().await,
            "the workflow is started" => self.start().await,
            "the workflow should be waiting" => self.becomes("waiting").await,
            "the workflow should complete" => self.ends("completed").await,
            "the workflow should be cancelled" => self.ends("cancelled").await,
            "the workflow should fault" => self.ends("faulted").await,
            "the workflow should complete with output" => {
                self.ends("completed").await;
                assert_eq!(self.run["output"], yaml_of(step), "{:#}", self.run);
            }
            "the workflow should fault with error" => {
                self.ends("faulted").await;
                self.error_has(&yaml_of(step));
            }
            _ => {
                if let Some(rest) = words.strip_prefix("given the secret ") {
                    self.keep_secret(rest, &yaml_of(step)).await;
                } else if let Some(rest) = words.strip_prefix("given the resource ") {
                    self.serve(rest, &yaml_of(step));
                } else {
                    self.other(words);
                }
            }
        }
    }

    /// `'NAME' is`, with the value and the hosts that it may be sent to.
    async fn keep_secret(&self, words: &str, secret: &Value) {
        let name = words.strip_suffix(" is").expect("a secret is something");
        let path = format!("/v1/secrets/{}", name.trim_matches('\''));
        let answer = self.host.put(&path, secret).await;
        assert!(answer.status < 300, "{}", answer.text());
    }

    /// `'URL' is`, with what is there.
    fn serve(&self, words: &str, resource: &Value) {
        let url = words.strip_suffix(" is").expect("a resource is something");
        let path = url.trim_matches('\'').strip_prefix(petstore::URL);
        let path = path.expect("resources are with the pet store");
        self.services.on("GET", path).answer(200, resource.clone());
    }

    /// Publishes the workflow; gives its path and its version.
    async fn publish(&mut self) -> (String, Value) {
        // Scenarios share names and versions, and a published version is immutable: each runs alone, under
        // a version of its own.
        let digest = self.definition.bytes().fold(0_u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        let version = format!("version: '1.0.{digest}'");
        let versioned = self.definition.replacen("version: '1.0.0'", &version, 1);
        let published = self.host.publish(versioned).await.expect(201).json();
        let name = |member: &str| {
            published[member]
                .as_str()
                .expect("a published workflow is named")
                .to_owned()
        };
        self.workflow = format!("{}/{}", name("namespace"), name("name"));
        (self.workflow.clone(), published["version"].clone())
    }

    async fn start(&mut self) {
        let (workflow, version) = self.publish().await;
        let body =
            json!({ "input": self.input.clone().unwrap_or_else(|| json!({})), "version": version });
        let path = format!("/v1/workflows/{workflow}/runs");
        self.run = self.host.post(&path, &body).await.expect(202).json();
    }

    /// By its schedule.
    async fn has_been_started(&mut self) {
        let path = format!("/v1/runs?workflow={}", self.workflow);
        let runs = eventually("the workflow is started", async || {
            let runs = self.host.all(&path).await;
            (!runs.is_empty()).then_some(runs)
        })
        .await;
        self.run = runs[0].clone();
    }

    /// The id of the run that was started last.
    fn id(&self) -> String {
        self.run["id"].as_str().expect("a run has an id").to_owned()
    }

    async fn end(&mut self) {
        let id = self.id();
        self.run = self.host.ended(&id).await;
        self.history = self.host.history(&id).await;
    }

    async fn becomes(&mut self, status: &str) {
        let id = self.id();
        self.run = eventually("the run comes to the phase", async || {
            let run = self.host.run(&id).await;
            (run["status"] == status).then_some(run)
        })
        .await;
    }

    async fn ends(&mut self, expected: &str) {
        if self.history.is_empty() {
            self.end().await;
        }
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

    /// Steps with names or numbers in them.
    fn other(&self, words: &str) {
        if let Some(names) = words.strip_prefix("the workflow output should have properties ") {
            self.output_has(names);
        } else if let Some(rest) = words.strip_prefix("given the first ") {
            self.answer_first(rest);
        } else if let Some(waits) = words.strip_prefix("the retries should wait ") {
            self.waits(waits);
        } else if let Some((task, rest)) = words.split_once(" should run ") {
            self.ran(task, rest);
        } else {
            panic!("there is a step that this runner does not know: {words}");
        }
    }

    fn output_has(&self, names: &str) {
        for name in names.split(',').map(|name| name.trim().trim_matches('\'')) {
            let pointer = format!("/{}", name.replace('.', "/"));
            assert!(
                self.run["output"].pointer(&pointer).is_some(),
                "no {name} in {:#}",
                self.run["output"]
            );
        }
    }

    /// `2 requests to 'URL' are answered with status 503`.
    fn answer_first(&self, words: &str) {
        let parts: Vec<&str> = words.split_whitespace().collect();
        let [
            count,
            "requests",
            "to",
            url,
            "are",
            "answered",
            "with",
            "status",
            status,
        ] = parts[..]
        else {
            panic!("this step is not understood: given the first {words}");
        };
        let path = url.trim_matches('\'').strip_prefix(petstore::URL);
        let path = path.expect("the pet store is what is called");
        let status: u16 = status.parse().expect("a status");
        self.services
            .on("GET", path)
            .times(count.parse().expect("a number"))
            .answer(status, json!({}));
    }

    /// `first`, `last`, `N times` or `before TASK`.
    fn ran(&self, task: &str, how: &str) {
        let order = self.order();
        let place = |task: &str| order.iter().position(|other| *other == task);
        if how == "first" {
            assert_eq!(order.first(), Some(&task), "{order:?}");
        } else if how == "last" {
            assert_eq!(order.last(), Some(&task), "{order:?}");
        } else if let Some(count) = how.strip_suffix(" times") {
            let ran = order.iter().filter(|other| **other == task).count();
            assert_eq!(ran.to_string(), count, "{order:?}");
        } else if let Some(other) = how.strip_prefix("before ") {
            assert!(
                place(task).is_some() && place(task) < place(other),
                "{order:?}"
            );
        } else {
            panic!("this step is not understood: {task} should run {how}");
        }
    }

    /// `'5, 10' milliseconds`, one after the other, or `between 5 and 10 milliseconds`, each.
    fn waits(&self, words: &str) {
        let at = |item: &Value, member: &str| -> Timestamp {
            let text = item[member].as_str().expect("a line has a time");
            text.parse().expect("times are RFC 3339")
        };
        let retried = self
            .history
            .iter()
            .filter(|item| item["type"] == "task.retried");
        let waited: Vec<i64> = retried
            .map(|item| at(item, "due").as_millisecond() - at(item, "at").as_millisecond())
            .collect();
        let numbers = |text: &str| -> Vec<i64> {
            text.split(|c: char| !c.is_ascii_digit())
                .filter_map(|word| word.parse().ok())
                .collect()
        };
        let expected = numbers(words);
        match expected[..] {
            [from, to] if words.starts_with("between") => {
                assert!(!waited.is_empty(), "nothing was retried");
                let within = waited.iter().all(|wait| (from..=to).contains(wait));
                assert!(within, "{waited:?}");
            }
            _ => assert_eq!(waited, expected),
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
