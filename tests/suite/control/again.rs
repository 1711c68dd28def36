//! Runs that have ended, once more: tried again from the task that failed, and restarted.

use baton_tests::{Host, eventually};
use serde_json::{Value, json};

use super::kinds;
use crate::fixtures::document;

const BROKEN: &str = "
- one: { set: { n: '${ .n + 1 }' } }
- two: { raise: { error: { type: 'https://example.org/broken', status: 500, title: Broken } } }
- rest: { wait: { hours: 1 } }
";

/// The same workflow in another version.
fn version(number: &str, tasks: &str) -> String {
    document("work", tasks).replace("1.0.0", number)
}

/// A host with a run that has faulted, and with a corrected version and one that is another workflow from the start.
async fn faulted() -> (Host, String) {
    let host = Host::dev(&[]).await;
    let right = BROKEN.replace(
        "{ raise: { error: { type: 'https://example.org/broken', status: 500, title: Broken } } }",
        "{ set: { n: '${ .n * 10 }' } }",
    );
    let right = right.replace("- rest: { wait: { hours: 1 } }", "- rest: { wait: PT0.2S }");
    let other = right.replace(".n + 1", ".n + 2");
    for (number, tasks) in [("1.0.0", BROKEN), ("1.0.1", &right), ("1.0.2", &other)] {
        host.publish(version(number, tasks)).await.expect(201);
    }
    let path = "/v1/workflows/test/work/runs";
    let body = json!({ "input": { "n": 1 }, "version": "1.0.0", "tags": { "team": "it" } });
    let started = host.post(path, &body).await.expect(202).json();
    let id = started["id"].as_str().expect("an id").to_owned();
    assert_eq!(host.ended(&id).await["status"], "faulted");
    (host, id)
}

#[tokio::test]
async fn a_faulted_run_goes_on_under_a_corrected_version() {
    let (mut host, id) = faulted().await;
    let path = format!("/v1/runs/{id}/retry");
    let problem = host.post(&path, &json!({ "version": "1.0.2" })).await;
    let problem = problem.problem(409);
    assert_eq!(problem["type"], "urn:baton:problem:version-differs");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains("/do/0/one has been performed"), "{detail}");
    host.post(&path, &json!({ "version": "9.0.0" }))
        .await
        .problem(404);
    host.post(&path, &json!({ "verson": "1.0.1" }))
        .await
        .problem(400);

    host.kill9().await;
    host.restart().await;
    let asked = json!({ "version": "1.0.1", "reason": "it was broken" });
    let retried = host.post(&path, &asked).await.expect(200).json();
    assert_eq!(retried["workflow"]["version"], "1.0.1");
    assert_eq!(
        (&retried["error"], &retried["endedAt"]),
        (&json!(null), &json!(null))
    );
    host.post(&path, &json!({})).await.problem(409);
    host.kill9().await;
    host.restart().await;
    let ended = host.ended(&id).await;
    assert_eq!(
        (&ended["status"], &ended["output"]),
        (&json!("completed"), &json!({ "n": 20 }))
    );
    let history = host.history(&id).await;
    assert_eq!(
        kinds(&history),
        [
            "workflow.started",
            "workflow.faulted",
            "workflow.retried",
            "workflow.completed"
        ]
    );
    let retried = history
        .iter()
        .find(|line| line["type"] == "workflow.retried");
    let retried = retried.expect("a line says so");
    assert_eq!(
        (&retried["reason"], &retried["workflow"]),
        (&json!("it was broken"), &json!("test/work 1.0.1"))
    );
    assert!(retried["by"].is_string());
    let problem = host.post(&path, &json!({})).await.problem(409);
    assert_eq!(problem["type"], "urn:baton:problem:wrong-phase");
}

#[tokio::test]
async fn a_run_is_restarted_as_a_new_one() {
    let (host, id) = faulted().await;
    let path = format!("/v1/runs/{id}/restart");
    let answer = host
        .post(&path, &json!({ "version": "1.0.1" }))
        .await
        .expect(202);
    let run = answer.json();
    assert_ne!(run["id"], json!(id));
    assert_eq!(
        (&run["restartOf"]["run"], &run["tags"]["team"]),
        (&json!(id), &json!("it"))
    );
    let new = run["id"].as_str().expect("an id").to_owned();
    assert_eq!(host.ended(&new).await["output"], json!({ "n": 20 }));
    let listed = host.all(&format!("/v1/runs?restartOf={id}")).await;
    let ids: Vec<&Value> = listed.iter().map(|run| &run["id"]).collect();
    assert_eq!(ids, [&json!(new)]);
    assert_eq!(
        host.run(&id).await["status"],
        "faulted",
        "it stays as it was"
    );
    host.publish(document("waits", "- rest: { wait: { hours: 1 } }"))
        .await
        .expect(201);
    let open = host.start("test/waits", &json!({})).await;
    for what in ["restart", "retry"] {
        let path = format!("/v1/runs/{open}/{what}");
        let problem = host.post(&path, &json!({})).await.problem(409);
        assert_eq!(problem["type"], "urn:baton:problem:wrong-phase");
    }
    for unknown in ["restart", "retry"] {
        let path = format!("/v1/runs/01890000-0000-7000-8000-000000000000/{unknown}");
        host.post(&path, &json!({})).await.problem(404);
    }
}

#[tokio::test]
async fn what_was_undone_is_restarted_only() {
    let host = Host::dev(&[]).await;
    let tasks = "
- one: { set: { n: 1 }, compensate: [ { undo: { set: { n: 0 } } } ] }
- two: { raise: { error: { type: 'https://example.org/broken', status: 500, title: Broken } } }
";
    host.publish(document("saga", tasks)).await.expect(201);
    let run = host.start("test/saga", &json!({})).await;
    assert_eq!(host.ended(&run).await["status"], "faulted");
    let problem = host
        .post(&format!("/v1/runs/{run}/retry"), &json!({}))
        .await;
    let problem = problem.problem(409);
    assert_eq!(problem["type"], "urn:baton:problem:not-retriable");
    let restarted = host
        .post(&format!("/v1/runs/{run}/restart"), &json!({}))
        .await;
    let restarted = restarted.expect(202).json()["id"].clone();
    let restarted = restarted.as_str().expect("an id");
    eventually("the new run ends as well", async || {
        (host.run(restarted).await["status"] == "faulted").then_some(())
    })
    .await;
}
