//! Starting, listing, following and cancelling runs.

use std::time::Duration;

use baton_tests::{Client, Host, Stub, eventually};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::fixtures::{document, is_error};

const ECHO: &str = "- echo:\n    set: ${ . }";
const REST: &str = "- rest:\n    wait:\n      hours: 1";

async fn host() -> Host {
    let host = Host::dev(&[]).await;
    host.publish(document("echo", ECHO)).await.expect(201);
    host.publish(document("rest", REST)).await.expect(201);
    host
}

fn id(run: &Value) -> &str {
    run["id"].as_str().expect("a run has an id")
}

async fn start(host: &Client, headers: &[(&str, &str)], body: &Value) -> baton_tests::Answer {
    let headers = [&[("content-type", "application/json")], headers].concat();
    host.send(
        "POST",
        "/v1/workflows/test/echo/runs",
        &headers,
        body.to_string(),
    )
    .await
}

#[tokio::test]
async fn a_run_tells_all_about_itself() {
    let host = host().await;
    let body = json!({ "input": { "a": [1, null, "\u{1f600}", 12345678901234567890_u64] }, "tags": { "team": "it" } });
    let answer = start(&host, &[], &body).await.expect(202);
    let started = answer.json();
    assert_eq!(
        answer.header("location"),
        Some(format!("/v1/runs/{}", id(&started)).as_str())
    );
    let run = host.ended(id(&started)).await;
    assert_eq!(run["workflow"]["namespace"], "test");
    assert_eq!(run["workflow"]["name"], "echo");
    assert_eq!(run["workflow"]["version"], "1.0.0");
    assert_eq!(run["status"], "completed");
    assert_eq!(run["input"], body["input"]);
    assert_eq!(run["output"], body["input"]);
    assert_eq!(run["tags"], body["tags"]);
    assert_eq!(
        (&run["error"], &run["parent"], &run["connectors"]),
        (&json!(null), &json!(null), &json!([]))
    );
    let time = |member: &str| run[member].as_str().expect("a time").to_owned();
    assert!(
        time("startedAt") <= time("endedAt") && time("endedAt").ends_with('Z'),
        "{run:#}"
    );
}

#[tokio::test]
async fn a_client_may_wait_for_the_end() {
    let host = host().await;
    let answer = start(
        &host,
        &[("prefer", "wait=30")],
        &json!({ "input": { "a": 1 } }),
    )
    .await
    .expect(200);
    assert_eq!(answer.json()["output"], json!({ "a": 1 }));
    assert!(
        answer
            .header("preference-applied")
            .is_some_and(|applied| applied.contains("wait"))
    );
    // One that does not end in time is answered as it is.
    let headers = [("content-type", "application/json"), ("prefer", "wait=1")];
    let answer = host
        .send("POST", "/v1/workflows/test/rest/runs", &headers, "{}")
        .await
        .expect(202);
    assert_eq!(answer.json()["status"], "waiting");
    // A fault is an end like any other.
    host.publish(document(
        "fault",
        "- a:\n    set:\n      x: ${ error(\"no\") }",
    ))
    .await
    .expect(201);
    let headers = [("content-type", "application/json"), ("prefer", "wait=30")];
    let run = host
        .send("POST", "/v1/workflows/test/fault/runs", &headers, "{}")
        .await
        .expect(200)
        .json();
    assert_eq!(run["status"], "faulted");
    assert!(is_error(&run["error"], "expression"), "{run:#}");
}

#[tokio::test]
async fn a_start_that_is_sent_again_starts_nothing() {
    let mut host = host().await;
    let key = [("idempotency-key", "order-4711")];
    let first = start(&host, &key, &json!({ "input": { "a": 1 } }))
        .await
        .expect(202)
        .json();
    host.ended(id(&first)).await;
    let again = start(&host, &key, &json!({ "input": { "a": 1 } })).await;
    assert!(matches!(again.status, 200 | 202), "{}", again.text());
    assert_eq!(id(&again.json()), id(&first));
    let problem = start(&host, &key, &json!({ "input": { "a": 2 } }))
        .await
        .problem(422);
    assert_eq!(problem["type"], "urn:baton:problem:idempotency-key-reused");
    host.kill9().await;
    host.restart().await;
    let after = start(&host, &key, &json!({ "input": { "a": 1 } }))
        .await
        .json();
    assert_eq!(id(&after), id(&first), "the key is as durable as the run");
    assert_eq!(host.all("/v1/runs").await.len(), 1);
    start(
        &host,
        &[("idempotency-key", "another")],
        &json!({ "input": { "a": 1 } }),
    )
    .await
    .expect(202);
    assert_eq!(host.all("/v1/runs").await.len(), 2);
    let long = "k".repeat(256);
    for wrong in ["", long.as_str()] {
        start(&host, &[("idempotency-key", wrong)], &json!({}))
            .await
            .problem(400);
    }
}

#[tokio::test]
async fn runs_are_found_by_status_workflow_tag_and_time() {
    let host = host().await;
    let mut echoes = Vec::new();
    for number in 0..5 {
        let tags = json!({ "number": number.to_string(), "parity": if number % 2 == 0 { "even" } else { "odd" } });
        let run = start(&host, &[("prefer", "wait=30")], &json!({ "tags": tags }))
            .await
            .expect(200)
            .json();
        echoes.push(id(&run).to_owned());
    }
    let resting = host.start("test/rest", &json!({})).await;
    eventually("the run waits", async || {
        (host.run(&resting).await["status"] == "waiting").then_some(())
    })
    .await;
    let found = async |query: &str| -> Vec<String> {
        host.all(&format!("/v1/runs?{query}"))
            .await
            .iter()
            .map(|run| id(run).to_owned())
            .collect()
    };
    let newest_first: Vec<String> = echoes.iter().rev().cloned().collect();
    assert_eq!(found("workflow=test/echo").await, newest_first);
    assert_eq!(
        found("workflow=test%2Fecho&limit=2").await,
        newest_first,
        "page by page"
    );
    assert_eq!(found("status=waiting").await, [resting.as_str()]);
    assert_eq!(
        found("status=completed&tag=parity=odd").await,
        [echoes[3].clone(), echoes[1].clone()]
    );
    assert_eq!(found("tag=number=4").await, [echoes[4].clone()]);
    assert_eq!(found("tag=number=9").await, Vec::<String>::new());
    assert_eq!(
        found("startedAfter=2999-01-01T00:00:00Z").await,
        Vec::<String>::new()
    );
    assert_eq!(
        found("startedBefore=2001-01-01T00:00:00Z").await,
        Vec::<String>::new()
    );
    let third = host.run(&echoes[2]).await["startedAt"]
        .as_str()
        .expect("a time")
        .to_owned();
    let since = found(&format!("startedAfter={third}")).await;
    assert!(
        since.contains(&echoes[2]) && since.contains(&resting),
        "{since:?}"
    );
    for query in [
        "status=done",
        "workflow=echo",
        "tag=parity",
        "startedAfter=yesterday",
        "limit=0",
        "cursor=x",
        "sort=id",
    ] {
        host.get(&format!("/v1/runs?{query}")).await.problem(400);
    }
    let cursor = host.get("/v1/runs?workflow=test/echo&limit=2").await.json()["next"]
        .as_str()
        .expect("more")
        .to_owned();
    host.get(&format!("/v1/workflows?cursor={cursor}"))
        .await
        .problem(400);
}

#[tokio::test]
async fn history_has_every_step_in_order() {
    let host = host().await;
    let text = document(
        "steps",
        "- first:\n    set:\n      a: 1\n- second:\n    set:\n      b: 2\n- third:\n    raise:\n      error:\n        type: https://example.org/errors/end\n        status: 400\n        title: The end",
    );
    host.publish(text).await.expect(201);
    let id = host.start("test/steps", &json!({})).await;
    host.ended(&id).await;
    let history = host.history(&id).await;
    for (index, item) in history.iter().enumerate() {
        assert_eq!(item["seq"], index + 1, "numbers have no gaps: {history:#?}");
    }
    let steps: Vec<(&str, &str)> = history
        .iter()
        .map(|item| {
            (
                item["type"].as_str().unwrap_or("?"),
                item["task"].as_str().unwrap_or("-"),
            )
        })
        .collect();
    let expected = [
        ("workflow.started", "-"),
        ("task.started", "/do/0/first"),
        ("task.completed", "/do/0/first"),
        ("task.started", "/do/1/second"),
        ("task.completed", "/do/1/second"),
        ("task.started", "/do/2/third"),
        ("task.faulted", "/do/2/third"),
        ("workflow.faulted", "-"),
    ];
    let told: Vec<_> = steps
        .iter()
        .filter(|step| expected.contains(step))
        .copied()
        .collect();
    assert_eq!(told, expected, "{steps:?}");
    assert_eq!(
        host.all(&format!("/v1/runs/{id}/history?limit=2")).await,
        history,
        "page by page"
    );
    host.get("/v1/runs/00000000-0000-7000-8000-000000000000")
        .await
        .problem(404);
    host.get("/v1/runs/00000000-0000-7000-8000-000000000000/history")
        .await
        .problem(404);
    host.get("/v1/runs/nonsense").await.problem(404);
}

/// Server-sent events of a run, until the server ends them: id, type and data of each.
async fn events(host: &Client, id: &str, last: Option<&str>) -> Vec<(String, String, Value)> {
    let mut request = host
        .request("GET", &format!("/v1/runs/{id}/events"))
        .header("accept", "text/event-stream");
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    let mut chunks = response.bytes_stream();
    let read = async {
        while let Some(chunk) = chunks.next().await {
            text.push_str(&String::from_utf8_lossy(
                &chunk.expect("the stream goes on"),
            ));
        }
    };
    tokio::time::timeout(Duration::from_secs(60), read)
        .await
        .expect("the events of an ended run end");
    let field = |block: &str, name: &str| {
        let line = block
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}:")));
        line.unwrap_or_default().trim_start().to_owned()
    };
    let blocks = text
        .split("\n\n")
        .filter(|block| block.lines().any(|line| line.starts_with("data:")));
    blocks
        .map(|block| {
            let data = field(block, "data");
            (
                field(block, "id"),
                field(block, "event"),
                serde_json::from_str(&data).expect("the data is JSON"),
            )
        })
        .collect()
}

#[tokio::test]
async fn events_are_the_history_live_and_from_any_point() {
    let stub = Stub::start().await;
    stub.on("GET", "/").answer(200, json!(1));
    let gate = stub.on("GET", "/").times(1).hold();
    let host = Host::dev(&[stub.url()]).await;
    host.publish(document("live", &format!("- first:\n    set:\n      a: 1\n- ask:\n    call: http\n    with:\n      method: get\n      endpoint: {}", stub.url()))).await.expect(201);
    let id = host.start("test/live", &json!({})).await;
    gate.arrived(1).await;
    // The stream is opened while the run is under way, and goes on to its end.
    let (live, ()) = tokio::join!(events(&host, &id, None), async { gate.open() });
    let history = host.history(&id).await;
    let data: Vec<Value> = live.iter().map(|(_, _, data)| data.clone()).collect();
    assert_eq!(data, history);
    for (id, event, data) in &live {
        assert_eq!(
            (id.as_str(), event.as_str()),
            (
                data["seq"].to_string().as_str(),
                data["type"].as_str().expect("a type")
            )
        );
    }
    let rest = events(&host, &id, Some("2")).await;
    assert_eq!(rest, live[2..], "only what comes after");
    let none = events(&host, &id, Some(&live.len().to_string())).await;
    assert_eq!(none, []);
}

#[tokio::test]
async fn a_run_that_is_cancelled_ends_and_stays_so() {
    let mut host = host().await;
    let id = host.start("test/rest", &json!({})).await;
    let cancel = format!("/v1/runs/{id}/cancel");
    let answer = host
        .post(&cancel, &json!({ "reason": "not needed any more" }))
        .await;
    assert!(matches!(answer.status, 200 | 202), "{}", answer.text());
    let run = host.ended(&id).await;
    assert_eq!(run["status"], "cancelled");
    assert!(!run["endedAt"].is_null());
    let history = host.history(&id).await;
    let last = history.last().expect("a history");
    assert_eq!(last["type"], "workflow.cancelled");
    assert!(
        history
            .iter()
            .any(|item| item.to_string().contains("not needed any more")),
        "{history:#?}"
    );
    // Who asks twice has what they asked for; a run that ended otherwise can't be cancelled any more.
    assert_eq!(
        host.post(&cancel, &json!({})).await.expect(200).json()["status"],
        "cancelled"
    );
    let done = host.start("test/echo", &json!({})).await;
    host.ended(&done).await;
    let problem = host
        .post(&format!("/v1/runs/{done}/cancel"), &json!({}))
        .await
        .problem(409);
    assert_eq!(problem["type"], "urn:baton:problem:run-ended");
    host.kill9().await;
    host.restart().await;
    assert_eq!(host.run(&id).await["status"], "cancelled");
    host.post(
        "/v1/runs/00000000-0000-7000-8000-000000000000/cancel",
        &json!({}),
    )
    .await
    .problem(404);
}

#[tokio::test]
async fn a_call_under_way_is_given_up_on_cancel() {
    let stub = Stub::start().await;
    let gate = stub.on("GET", "/").hold();
    let host = Host::dev(&[stub.url()]).await;
    host.publish(document(
        "hang",
        &format!(
            "- ask:\n    call: http\n    with:\n      method: get\n      endpoint: {}",
            stub.url()
        ),
    ))
    .await
    .expect(201);
    let id = host.start("test/hang", &json!({})).await;
    gate.arrived(1).await;
    host.post(&format!("/v1/runs/{id}/cancel"), &json!({}))
        .await;
    assert_eq!(host.ended(&id).await["status"], "cancelled");
    gate.open();
}

#[tokio::test]
async fn timers_outlive_the_host() {
    let mut host = Host::dev(&[]).await;
    let text = document(
        "pause",
        "- rest:\n    wait:\n      milliseconds: 1500\n- done:\n    set:\n      done: true",
    );
    host.publish(text).await.expect(201);
    let id = host.start("test/pause", &json!({})).await;
    host.kill9().await;
    host.restart().await;
    assert_eq!(host.ended(&id).await["output"], json!({ "done": true }));
}

#[tokio::test]
async fn a_graceful_stop_loses_nothing() {
    let mut host = host().await;
    let id = host.start("test/rest", &json!({})).await;
    assert!(host.stop().await.success());
    host.restart().await;
    assert_eq!(host.run(&id).await["status"], "waiting");
}

#[tokio::test]
async fn a_wrong_start_is_refused_with_its_place() {
    let host = host().await;
    let send = async |body: &str| {
        host.send(
            "POST",
            "/v1/workflows/test/echo/runs",
            &[("content-type", "application/json")],
            body.to_owned(),
        )
        .await
    };
    let problem = send("{\n  \"input\": oops }").await.problem(400);
    assert_eq!(
        (&problem["line"], problem["column"].is_u64()),
        (&json!(2), true),
        "{problem:#}"
    );
    for body in [
        r#"{"inputs":{}}"#,
        r#"{"input":{},"tags":{"a":1}}"#,
        r#"{"version":1}"#,
        "[]",
        "7",
    ] {
        println!("{body}");
        send(body).await.problem(400);
    }
    let many: serde_json::Map<String, Value> = (0..33)
        .map(|number| (number.to_string(), json!("x")))
        .collect();
    for tags in [Value::Object(many), json!({ "k": "v".repeat(257) })] {
        let answer = send(&json!({ "tags": tags }).to_string()).await;
        assert!(
            matches!(answer.status, 400 | 422),
            "{} {}",
            answer.status,
            answer.text()
        );
    }
    send(&json!({ "input": "x".repeat(5 << 20) }).to_string())
        .await
        .problem(413);
    let deep = format!(
        "{{\"input\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    send(&deep).await.problem(400);
    host.send(
        "POST",
        "/v1/workflows/test/echo/runs",
        &[("content-type", "text/plain")],
        "{}",
    )
    .await
    .problem(415);
    assert_eq!(host.all("/v1/runs").await, Vec::<Value>::new());
    // Without a body, the input is an empty object.
    let run = host
        .send("POST", "/v1/workflows/test/echo/runs", &[], "")
        .await
        .expect(202)
        .json();
    assert_eq!(host.ended(id(&run)).await["output"], json!({}));
}
