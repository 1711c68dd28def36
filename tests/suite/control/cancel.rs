//! Cancelling: what was done is undone, once and in its order, whatever happens to the host meanwhile.

use baton_tests::cli::baton;
use serde_json::{Value, json};

use super::{Agency, TRIP, ask, kinds, line, started, until};
use crate::fixtures::document;

#[tokio::test]
async fn what_was_done_is_undone_in_reverse_order_also_after_a_kill() {
    let agency = Agency::start().await;
    let gate = agency.front.on("DELETE", "/hotel").hold();
    let mut host = agency.host().await;
    let run = started(&host, "trip", &agency.tasks(TRIP)).await;
    until(&host, &run, "waiting").await;

    let why = json!({ "reason": "the trip is off" });
    let cancelled = ask(&host, &run, "cancel", why).await.expect(200).json();
    assert_eq!(cancelled["status"], "running", "it is being undone");
    gate.arrived(1).await;
    host.kill9().await;
    host.restart().await;
    gate.arrived(2).await;
    // Who asks once more has what they asked for: it is not undone twice, and the first reason stays.
    let again = json!({ "reason": "once more" });
    let again = ask(&host, &run, "cancel", again).await.expect(200).json();
    assert_eq!(again["status"], "running");
    gate.open();
    let ended = host.ended(&run).await;
    assert_eq!(
        (&ended["status"], &ended["error"], &ended["output"]),
        (&json!("cancelled"), &Value::Null, &Value::Null)
    );
    assert_eq!(
        agency.asked(),
        [
            "POST /flight",
            "POST /hotel",
            "DELETE /hotel/5",
            "DELETE /hotel/5",
            "DELETE /flight/5"
        ]
    );
    let undone = agency.front.seen_on("DELETE", "/hotel");
    let key = |number: usize| undone[number].header("idempotency-key").map(str::to_owned);
    assert!(key(0).is_some() && key(0) == key(1), "the same request");

    let history = host.history(&run).await;
    assert_eq!(kinds(&history), ["workflow.started", "workflow.cancelled"]);
    let cancelled = line(&history, "workflow.cancelled");
    assert_eq!(cancelled["reason"], "the trip is off");
    assert!(cancelled["by"].is_string(), "{cancelled}");
    let undone: Vec<&Value> = history
        .iter()
        .filter(|line| line["type"] == "task.compensation.completed")
        .map(|line| &line["task"])
        .collect();
    assert_eq!(undone, ["/do/1/hotel", "/do/0/flight"]);

    let length = history.len();
    let asked_late = ask(&host, &run, "cancel", json!({})).await.expect(200);
    assert_eq!(asked_late.json()["status"], "cancelled");
    assert_eq!(host.history(&run).await.len(), length, "nothing is added");
}

#[tokio::test]
async fn without_compensation_it_ends_at_once() {
    let agency = Agency::start().await;
    let host = agency.host().await;
    let run = started(&host, "trip", &agency.tasks(TRIP)).await;
    until(&host, &run, "waiting").await;
    let now = json!({ "compensate": false, "reason": "keep the bookings" });
    let ended = ask(&host, &run, "cancel", now).await.expect(200).json();
    assert_eq!(ended["status"], "cancelled");
    assert!(ended["endedAt"].is_string(), "{ended:#}");
    assert_eq!(agency.asked(), ["POST /flight", "POST /hotel"]);
    let history = host.history(&run).await;
    assert_eq!(
        line(&history, "workflow.cancelled")["reason"],
        "keep the bookings"
    );
}

#[tokio::test]
async fn undoing_that_takes_too_long_is_cut_short() {
    let agency = Agency::start().await;
    let gate = agency.front.on("DELETE", "/").hold();
    let host = agency.host().await;
    let run = started(&host, "trip", &agency.tasks(TRIP)).await;
    until(&host, &run, "waiting").await;
    let by_hand = ["runs", "cancel", &run, "--server", host.url()];
    let said = baton(&by_hand).await.expect(0);
    assert!(said.stdout.contains("running"), "{}", said.stdout);
    gate.arrived(1).await;
    let at_once = [&by_hand[..], &["--no-compensation"]].concat();
    let said = baton(&at_once).await.expect(0);
    assert!(said.stdout.contains("cancelled"), "{}", said.stdout);
    assert_eq!(host.run(&run).await["status"], "cancelled");
    gate.open();
    assert_eq!(agency.front.seen_on("DELETE", "/").len(), 1);
}

#[tokio::test]
async fn a_suspended_run_is_undone_without_being_resumed() {
    let agency = Agency::start().await;
    let gate = agency.front.on("POST", "/hotel").hold();
    let mut host = agency.host().await;
    let run = started(&host, "trip", &agency.tasks(TRIP)).await;
    gate.arrived(1).await;
    ask(&host, &run, "suspend", json!({})).await.expect(200);
    host.kill9().await;
    host.restart().await;
    until(&host, &run, "suspended").await;
    gate.arrived(2).await;
    ask(&host, &run, "cancel", json!({})).await.expect(200);
    assert_eq!(host.ended(&run).await["status"], "cancelled");
    gate.open();
    // The hotel has not answered: there is nothing by which it could be undone.
    assert_eq!(
        agency.asked(),
        [
            "POST /flight",
            "POST /hotel",
            "POST /hotel",
            "DELETE /flight/5"
        ]
    );
    let history = host.history(&run).await;
    assert_eq!(
        kinds(&history),
        [
            "workflow.started",
            "workflow.suspended",
            "workflow.cancelled"
        ]
    );
}

#[tokio::test]
async fn a_child_is_cancelled_with_its_parent_and_undone() {
    let agency = Agency::start().await;
    let host = agency.host().await;
    host.publish(document("trip", &agency.tasks(TRIP)))
        .await
        .expect(201);
    let parent = "
    - visa:
        call: http
        with: { method: post, endpoint: 'URL/visa' }
        compensate: [ { cancelVisa: { call: http, with: { method: delete, endpoint: 'URL/visa/{id}' } } } ]
    - travel: { run: { workflow: { namespace: test, name: trip, version: latest } } }
    ";
    let run = started(&host, "parent", &agency.tasks(parent)).await;
    let children = format!("/v1/runs?parent={run}");
    let child = baton_tests::eventually("the child waits", async || {
        let children = host.all(&children).await;
        children.into_iter().find(|it| it["status"] == "waiting")
    })
    .await;
    let child = child["id"].as_str().expect("an id");
    ask(&host, &run, "cancel", json!({ "reason": "no visa" }))
        .await
        .expect(200);
    for run in [&*run, child] {
        assert_eq!(host.ended(run).await["status"], "cancelled", "{run}");
    }
    let undone = agency.front.seen_on("DELETE", "/");
    let mut undone: Vec<&str> = undone.iter().map(|seen| &*seen.path).collect();
    let hotel = undone.iter().position(|path| *path == "/hotel/5");
    let flight = undone.iter().position(|path| *path == "/flight/5");
    assert!(hotel < flight, "{undone:?}");
    undone.sort_unstable();
    assert_eq!(undone, ["/flight/5", "/hotel/5", "/visa/5"]);
    let history = host.history(child).await;
    let cancelled = line(&history, "workflow.cancelled");
    let said = format!("{} {}", cancelled["by"], cancelled["reason"]);
    assert!(said.contains(&run), "it says why: {said}");
}
