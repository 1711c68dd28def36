//! Steps about what people do to a workflow that runs or has ended, and about what is told of it.

use baton_tests::{Answer, eventually};
use gherkin::Step;
use serde_json::{Value, json};

use super::{Play, text_of, yaml_of};

/// What the types of lifecycle events begin with.
const LIFECYCLE: &str = "io.serverlessworkflow.";

impl Play<'_> {
    /// Plays a step, if it is one of these.
    pub(super) async fn control(&mut self, words: &str, step: &Step) -> bool {
        match words {
            "the approval is decided with" => self.decide(&yaml_of(step)).await,
            "the workflow is cancelled" => self.ask("cancel", json!({})).await,
            "the workflow is cancelled without compensation" => {
                self.ask("cancel", json!({ "compensate": false })).await;
            }
            "the workflow is suspended" => self.ask("suspend", json!({})).await,
            "the workflow is resumed" => self.ask("resume", json!({})).await,
            "the workflow should be suspended" => {
                self.becomes("suspended").await;
                self.history = self.host.history(&self.id()).await;
            }
            "the workflow is retried" => self.ask("retry", json!({})).await,
            "the workflow is retried with definition" => {
                let corrected = self.corrected(step).await;
                self.ask("retry", corrected).await;
            }
            "the workflow can not be retried with definition" => {
                let other = self.corrected(step).await;
                self.request("retry", &other).await.problem(409);
            }
            "the workflow is restarted" => self.ask("restart", json!({})).await,
            "the lifecycle events should be" => self.told(&yaml_of(step)).await,
            _ => return false,
        }
        true
    }

    async fn request(&self, what: &str, body: &Value) -> Answer {
        let path = format!("/v1/runs/{}/{what}", self.id());
        self.host.post(&path, body).await
    }

    /// Asks something of the run; it is looked at afterwards as it is then.
    async fn ask(&mut self, what: &str, body: Value) {
        let answer = self.request(what, &body).await;
        assert!(matches!(answer.status, 200 | 202), "{}", answer.text());
        self.run = answer.json();
        self.history.clear();
    }

    /// Publishes the definition as another version, and asks for that.
    async fn corrected(&mut self, step: &Step) -> Value {
        self.definition = text_of(step).expect("a definition");
        let (_, version) = self.publish().await;
        json!({ "version": version })
    }

    /// Decides what the run asks a person.
    async fn decide(&self, decision: &Value) {
        let path = format!("/v1/approvals?run={}", self.id());
        let asked = eventually("the run asks a person", async || {
            self.host.all(&path).await.into_iter().next()
        })
        .await;
        let id = asked["id"].as_str().expect("an approval has an id");
        let path = format!("/v1/approvals/{id}");
        self.host.post(&path, decision).await.expect(200);
    }

    /// Compares all lifecycle events of the run, in their order, with what is said of each.
    async fn told(&self, expected: &Value) {
        let path = format!("/v1/events?subject={}", self.id());
        let all = self.host.all(&path).await;
        let events = all.iter().map(|item| &item["event"]);
        let of_lifecycle = |event: &&Value| {
            let kind = event["type"].as_str().unwrap_or_default();
            kind.starts_with(LIFECYCLE)
        };
        let told: Vec<&Value> = events.filter(of_lifecycle).collect();
        let expected = expected.as_array().expect("a list of events");
        let types = |events: &[&Value]| -> Vec<Value> {
            events.iter().map(|event| event["type"].clone()).collect()
        };
        let wanted: Vec<&Value> = expected.iter().collect();
        assert_eq!(types(&told), types(&wanted));
        for (event, wanted) in told.iter().zip(expected) {
            assert!(has(event, wanted), "{event:#} is not {wanted:#}");
        }
    }
}

/// Whether a value has all that is wanted of it; an object may have more.
fn has(value: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Object(members) => members
            .iter()
            .all(|(name, wanted)| value.get(name).is_some_and(|value| has(value, wanted))),
        _ => value == wanted,
    }
}
