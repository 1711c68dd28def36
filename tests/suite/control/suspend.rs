//! Suspending and resuming: a suspended run stands still, whatever happens to it and to the host meanwhile.

use baton_tests::Host;
use baton_tests::cli::baton;
use serde_json::json;

use super::{Agency, ask, kinds, line, started, until};

#[tokio::test]
async fn timers_pass_and_fire_when_it_is_resumed() {
    let agency = Agency::start().await;
    let gate = agency.front.on("GET", "/one").hold();
    let mut host = agency.host().await;
    // The call holds the run up, so that it is suspended in time however slow the machine is.
    let tasks = "
    - both:
        fork:
          branches:
            - call: { call: http, with: { method: get, endpoint: 'URL/one' } }
            - pause: { do: [ { rest: { wait: PT0.5S } }, { done: { set: { n: '${ .n + 1 }' } } } ] }
    ";
    let run = started(&host, "waits", &agency.tasks(tasks)).await;
    gate.arrived(1).await;
    let why = json!({ "reason": "maintenance" });
    let suspended = ask(&host, &run, "suspend", why).await.expect(200).json();
    assert_eq!(suspended["status"], "suspended");
    let before = host.history(&run).await;
    assert_eq!(line(&before, "workflow.suspended")["reason"], "maintenance");
    host.kill9().await;
    host.restart().await;
    // Who begins to wait later has waited long enough: time passes, and the suspended run takes no step.
    let other = started(&host, "other", "- rest: { wait: PT0.5S }").await;
    assert_eq!(host.ended(&other).await["status"], "completed");
    assert_eq!(host.run(&run).await["status"], "suspended");
    assert_eq!(host.history(&run).await, before);

    gate.open();
    ask(&host, &run, "resume", json!({})).await.expect(200);
    let ended = host.ended(&run).await;
    assert_eq!(
        (&ended["status"], &ended["output"]),
        (&json!("completed"), &json!([{ "n": 1 }, { "n": 2 }]))
    );
    let history = host.history(&run).await;
    assert_eq!(
        kinds(&history),
        [
            "workflow.started",
            "workflow.suspended",
            "workflow.resumed",
            "workflow.completed"
        ]
    );
}

#[tokio::test]
async fn a_call_under_way_comes_to_its_end_and_is_kept() {
    let agency = Agency::start().await;
    let gate = agency.front.on("GET", "/one").hold();
    let mut host = agency.host().await;
    let tasks = "
    - one: { call: http, with: { method: get, endpoint: 'URL/one' } }
    - two: { call: http, with: { method: get, endpoint: 'URL/two' } }
    ";
    let run = started(&host, "calls", &agency.tasks(tasks)).await;
    gate.arrived(1).await;
    ask(&host, &run, "suspend", json!({})).await.expect(200);
    // What was under way is under way again, under the same key, and the run stands still all the same.
    host.kill9().await;
    host.restart().await;
    gate.arrived(2).await;
    until(&host, &run, "suspended").await;
    gate.open();
    ask(&host, &run, "resume", json!({})).await.expect(200);
    let ended = host.ended(&run).await;
    assert_eq!(ended["output"], json!({ "n": 1 }), "{ended:#}");
    assert_eq!(agency.asked(), ["GET /one", "GET /one", "GET /two"]);
    let history = host.history(&run).await;
    let completed = history
        .iter()
        .filter(|line| line["type"] == "task.completed");
    assert_eq!(completed.count(), 2, "{history:#?}");
}

#[tokio::test]
async fn people_do_it_by_the_command_line() {
    let host = Host::dev(&[]).await;
    let run = started(&host, "waits", "- rest: { wait: { hours: 1 } }").await;
    until(&host, &run, "waiting").await;
    let server = ["--server", host.url()];
    let runs = async |words: &[&str]| baton(&[&["runs"], words, &server].concat()).await;

    let why = ["suspend", &run, "--reason", "maintenance"];
    let said = runs(&why).await.expect(0).stdout;
    assert_eq!(said, format!("{run} is suspended\n"));
    let refused = runs(&["suspend", &run]).await.expect(1).stderr;
    assert!(refused.contains("suspended already"), "{refused}");
    let listed = runs(&["list", "--status", "suspended"]).await.expect(0);
    assert!(listed.stdout.contains(&run), "{}", listed.stdout);

    let resumed = runs(&["resume", &run, "--output", "json"]).await.expect(0);
    assert_eq!(resumed.json()["status"], "waiting");
    let refused = runs(&["resume", &run]).await.expect(1).stderr;
    assert!(refused.contains("not suspended"), "{refused}");

    let said = runs(&["cancel", &run]).await.expect(0).stdout;
    assert_eq!(said, format!("{run} is cancelled\n"));
    let history = runs(&["history", &run]).await.expect(0).stdout;
    for word in ["suspended", "maintenance", "resumed", "cancelled"] {
        assert!(history.contains(word), "no {word} in {history}");
    }
    let refused = runs(&["suspend", &run]).await.expect(1).stderr;
    assert!(
        refused.contains("cancelled") && refused.contains("restart"),
        "{refused}"
    );
}
