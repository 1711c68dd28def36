//! Runs that are not kept for ever: by the configuration, and by hand.

use baton_tests::cli::baton;
use baton_tests::{Host, Start, eventually};
use serde_json::json;

use crate::fixtures::{document, file};

const KEEP: &str = "- keep:\n    set: ${ . }";

#[tokio::test]
async fn what_ended_long_ago_is_removed() {
    let host = Start::default()
        .argument("--retention")
        .argument("1s")
        .start()
        .await;
    host.publish(document("keep", KEEP)).await.expect(201);
    host.publish(document("wait", "- pause:\n    wait: { hours: 1 }"))
        .await
        .expect(201);
    let open = host.start("test/wait", &json!({})).await;
    let ended = host.start("test/keep", &json!({})).await;
    eventually("the run is removed", async || {
        let answer = host.get(&format!("/v1/runs/{ended}")).await;
        (answer.status == 404).then_some(())
    })
    .await;
    let history = host.get(&format!("/v1/runs/{ended}/history")).await;
    history.problem(404);
    let left = host.all("/v1/runs").await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["id"], open);
    // Workflows stay.
    host.start("test/keep", &json!({})).await;
}

#[tokio::test]
async fn a_run_is_deleted_by_hand() {
    let host = Host::dev(&[]).await;
    host.publish(document("keep", KEEP)).await.expect(201);
    host.publish(document("wait", "- pause:\n    wait: { hours: 1 }"))
        .await
        .expect(201);
    let open = host.start("test/wait", &json!({})).await;
    let ended = host.start("test/keep", &json!({})).await;
    host.ended(&ended).await;
    let delete = async |run: &str| baton(&["runs", "delete", run, "--server", host.url()]).await;
    let ran = delete(&open).await.expect(1);
    assert!(ran.stderr.contains("cancel it first"), "{}", ran.stderr);
    let ran = delete(&ended).await.expect(0);
    assert!(ran.stdout.contains("is deleted"), "{}", ran.stdout);
    let ran = delete(&ended).await.expect(1);
    assert!(ran.stderr.contains("there is no run"), "{}", ran.stderr);
    host.get(&format!("/v1/runs/{ended}")).await.problem(404);
    let problem = host
        .send("DELETE", &format!("/v1/runs/{open}"), &[], "")
        .await;
    assert_eq!(
        problem.problem(409)["type"],
        "urn:baton:problem:wrong-phase"
    );
}

#[tokio::test]
async fn a_time_that_is_none_is_shown() {
    let (_folder, path) = file(
        "baton.toml",
        "[[tenant]]\nname = \"acme\"\nretention = \"a month\"\n",
    );
    let ran = baton(&["serve", "--config", &*path.to_string_lossy()])
        .await
        .expect(2);
    for word in ["`a month` is no time", "`forever`", "baton.toml"] {
        assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
    }
}
