//! Runs that runs start, from outside: what the API and the command line show of them, and SIGKILL while one
//! waits for another.

use baton_tests::cli::baton;
use baton_tests::{Host, Stub, eventually};
use serde_json::{Value, json};

const PARENT: &str = "
document: { dsl: '1.0.3', namespace: test, name: parent, version: '1.0.0' }
do:
  - ask:
      run:
        workflow: { namespace: test, name: child, version: latest, input: { url: '${ .url }' } }
  - report: { set: { child: '${ .answer }' } }
";

const CHILD: &str = "
document: { dsl: '1.0.3', namespace: test, name: child, version: '1.0.0' }
do:
  - get: { call: http, with: { method: get, endpoint: '${ .url }' } }
";

/// A host with both workflows, and the run of the parent.
async fn start(server: &Stub) -> (Host, String) {
    let host = Host::dev(&[server.url()]).await;
    for document in [CHILD, PARENT] {
        host.publish(document).await.expect(201);
    }
    let input = json!({ "url": format!("{}/answer", server.url()) });
    let run = host.start("test/parent", &input).await;
    (host, run)
}

async fn children(host: &Host, run: &str) -> Vec<Value> {
    host.all(&format!("/v1/runs?parent={run}")).await
}

#[tokio::test]
async fn parent_and_child_know_each_other() {
    let server = Stub::start().await;
    server
        .on("GET", "/answer")
        .answer(200, json!({ "answer": 42 }));
    let (host, run) = start(&server).await;
    let ended = host.ended(&run).await;
    assert_eq!(ended["output"], json!({ "child": 42 }), "{ended:#}");
    assert_eq!(ended["parent"], Value::Null);
    let children = children(&host, &run).await;
    assert_eq!(children.len(), 1);
    assert_eq!(
        children[0]["parent"],
        json!({ "run": run, "task": "/do/0/ask" })
    );
    assert_eq!(children[0]["workflow"]["name"], "child");

    let shown = baton(&[
        "runs",
        "show",
        &run,
        "--output",
        "json",
        "--server",
        host.url(),
    ])
    .await
    .expect(0)
    .json();
    assert_eq!(shown["children"][0]["id"], children[0]["id"]);
    assert_eq!(shown["children"][0]["task"], "/do/0/ask");
    let history = host.history(&run).await;
    let started = history
        .iter()
        .find(|line| line["type"] == "task.started")
        .expect("the task started");
    assert_eq!(started["workflow"], "test/child latest");

    host.get("/v1/runs?parent=x").await.problem(400);
    let nobody = "/v1/runs?parent=01890a5d-ac96-774b-bcce-b302099a8057";
    assert_eq!(host.all(nobody).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_run_that_waits_for_another_survives_a_kill() {
    let server = Stub::start().await;
    server
        .on("GET", "/answer")
        .answer(200, json!({ "answer": 42 }));
    let held = server.on("GET", "/answer").times(1).hold();
    let (mut host, run) = start(&server).await;
    held.arrived(1).await;
    assert_eq!(host.run(&run).await["status"], "running");
    let child = children(&host, &run).await.remove(0);
    host.kill9().await;
    host.restart().await;
    // The child makes its call again, and the parent has waited for the same child.
    let ended = host.ended(&run).await;
    assert_eq!(ended["output"], json!({ "child": 42 }), "{ended:#}");
    let after = children(&host, &run).await;
    assert_eq!((after.len(), &after[0]["id"]), (1, &child["id"]));
}

#[tokio::test]
async fn a_child_is_cancelled_with_its_parent() {
    let server = Stub::start().await;
    let held = server.on("GET", "/answer").hold();
    let (host, run) = start(&server).await;
    held.arrived(1).await;
    host.post(&format!("/v1/runs/{run}/cancel"), &json!({}))
        .await
        .expect(200);
    let child = children(&host, &run).await.remove(0);
    let child = child["id"].as_str().expect("an id").to_owned();
    eventually("the child is cancelled", async || {
        (host.run(&child).await["status"] == "cancelled").then_some(())
    })
    .await;
    held.open();
}
