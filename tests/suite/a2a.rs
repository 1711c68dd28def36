//! `call: a2a` against a real agent.

use baton_tests::{Host, Service};
use serde_json::{Value, json};

use crate::fixtures::{fresh, is_error};

async fn call(host: &Host, agent: &Service, method: &str, parameters: &Value) -> Value {
    let tasks = "
        - ask:
            call: a2a
            with:
              method: METHOD
              agentCard: { endpoint: '{agent}/.well-known/agent-card.json' }
              parameters: ${ .parameters }
        ";
    let text = fresh(&tasks.replace("METHOD", method));
    // As a URI template fills it in, an address is one segment; this one is the whole beginning.
    let text = text.replace("{agent}", &agent.url());
    host.run_document(&text, &json!({ "parameters": parameters }))
        .await
}

fn message(text: &str) -> Value {
    json!({ "message": { "parts": [{ "kind": "text", "text": text }] } })
}

#[tokio::test]
async fn an_agent_is_found_by_its_card_and_does_its_task() {
    let agent = Service::agent().await;
    let host = Host::dev(&[&agent.url()]).await;
    let run = call(&host, &agent, "message/send", &message("hi")).await;
    let task = &run["output"];
    assert_eq!(task["status"]["state"], "completed", "{run:#}");
    assert_eq!(task["artifacts"][0]["parts"][0]["text"], "HI");
    let sent = task["history"][0]["messageId"].as_str();
    assert_eq!(sent.map(str::len), Some(36), "a UUID by default");

    let again = call(&host, &agent, "tasks/get", &json!({ "id": task["id"] })).await;
    assert_eq!(again["output"]["id"], task["id"], "{again:#}");
}

#[tokio::test]
async fn a_stream_is_the_array_of_its_results() {
    let agent = Service::agent().await;
    let host = Host::dev(&[&agent.url()]).await;
    let run = call(&host, &agent, "message/stream", &message("go on")).await;
    let results = run["output"].as_array().expect("an array");
    let kinds: Vec<&str> = results
        .iter()
        .filter_map(|it| it["kind"].as_str())
        .collect();
    assert_eq!(
        kinds,
        ["task", "status-update", "artifact-update", "status-update"],
        "{run:#}"
    );
    assert_eq!(results[3]["final"], true);
}

#[tokio::test]
async fn an_error_of_the_agent_has_its_code() {
    let agent = Service::agent().await;
    let host = Host::dev(&[&agent.url()]).await;
    let run = call(&host, &agent, "tasks/get", &json!({ "id": "nowhere" })).await;
    assert!(is_error(&run["error"], "runtime"), "{run:#}");
    assert_eq!(run["error"]["data"]["code"], -32001, "{run:#}");
}
