//! Events: every way in, those that listen, and a host that dies meanwhile.

use baton_tests::cli::baton;
use baton_tests::{Answer, Client, Host};
use serde_json::{Value, json};

use crate::fixtures::document;

/// Sends a request with these headers.
async fn post(client: &Client, headers: &[(&str, &str)], body: &str) -> Answer {
    client
        .send("POST", "/v1/events", headers, body.to_owned())
        .await
}

async fn send(client: &Client, event: Value) -> Value {
    let headers = [("content-type", "application/cloudevents+json")];
    let answer = post(client, &headers, &event.to_string()).await;
    answer.expect(202).json()["events"][0].clone()
}

fn event(id: &str, kind: &str, data: Value) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/test", "type": kind, "data": data})
}

/// Waits until the run waits.
async fn waits(host: &Host, run: &str) {
    baton_tests::eventually("the run waits", async || {
        (host.run(run).await["status"] == "waiting").then_some(())
    })
    .await;
}

#[tokio::test]
async fn events_come_in_each_content_mode() {
    let host = Host::dev(&[]).await;
    send(&host, event("1", "one", json!({"n": 1}))).await;
    let batch = json!([
        event("2", "two", json!([2])),
        event("3", "three", json!(null))
    ]);
    let headers = [(
        "content-type",
        "application/cloudevents-batch+json; charset=utf-8",
    )];
    let answer = post(&host, &headers, &batch.to_string()).await;
    let sent = answer.expect(202).json();
    assert_eq!(sent["events"][1]["position"], 3);
    let binary = [
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", "4"),
        ("ce-source", "/test"),
        ("ce-type", "four"),
        ("ce-subject", "Euro%20%E2%82%AC"),
        ("ce-room", "5"),
    ];
    post(&host, &binary, r#"{"n": 4}"#).await.expect(202);
    let again = send(&host, event("1", "one", json!("another"))).await;
    assert_eq!(
        (&again["duplicate"], &again["position"]),
        (&json!(true), &json!(1))
    );

    let all = host.all("/v1/events").await;
    let types: Vec<_> = all.iter().map(|it| it["event"]["type"].clone()).collect();
    assert_eq!(types, ["one", "two", "three", "four"]);
    assert_eq!(all[0]["event"]["data"], json!({"n": 1}));
    assert_eq!(all[3]["event"]["subject"], "Euro €");
    assert_eq!(all[3]["event"]["data"], json!({"n": 4}));
    let two = host.all("/v1/events?type=two").await;
    assert_eq!(two.len(), 1);
    let about = host
        .all("/v1/events?subject=Euro%20%E2%82%AC&after=1")
        .await;
    assert_eq!(about[0]["position"], 4);
    let page = host.get("/v1/events?limit=3").await.expect(200).json();
    let next = page["next"].as_str().expect("a next page");
    let rest = host.all(&format!("/v1/events?cursor={next}")).await;
    assert_eq!(rest.len(), 1);
}

#[tokio::test]
async fn an_event_is_read_by_its_id_and_where_that_is_not_enough_its_source() {
    let host = Host::dev(&[]).await;
    let of = |source: &str, id: &str| {
        let mut event = event(id, "t", json!(source));
        event["source"] = json!(source);
        event
    };
    for (source, id) in [("/a", "1"), ("/b", "1"), ("/a", "orders/7?")] {
        send(&host, of(source, id)).await;
    }
    let read = async |path: &str| host.get(&format!("/v1/events/{path}")).await;
    let found = read("orders%2F7%3F").await.expect(200).json();
    assert_eq!(found["position"], 3);
    assert_eq!(found["event"], of("/a", "orders/7?"));
    let found = read("1?source=/b").await.expect(200).json();
    assert_eq!(
        (&found["position"], &found["event"]["data"]),
        (&json!(2), &json!("/b"))
    );
    let problem = read("1").await.problem(409);
    assert_eq!(problem["type"], "urn:baton:problem:ambiguous-event");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(
        detail.contains("`/a`, `/b` have each") && detail.contains("`source`"),
        "{detail}"
    );
    read("2").await.problem(404);
    read("1?source=/c").await.problem(404);
    read("1?origin=/a").await.problem(400);
}

#[tokio::test]
async fn what_is_no_event_is_refused_and_nothing_of_it_taken() {
    let host = Host::dev(&[]).await;
    let structured = [("content-type", "application/cloudevents+json")];
    let batched = [("content-type", "application/cloudevents-batch+json")];
    let without = |name: &str| {
        let mut event = event("1", "t", json!(1));
        event.as_object_mut().expect("an object").remove(name);
        event.to_string()
    };
    let with = |name: &str, value: Value| {
        let mut event = event("1", "t", json!(1));
        event[name] = value;
        event.to_string()
    };
    for (body, kind, named) in [
        (without("id"), "invalid-event", "`id`"),
        (without("source"), "invalid-event", "`source`"),
        (without("type"), "invalid-event", "`type`"),
        (without("specversion"), "invalid-event", "`specversion`"),
        (with("specversion", json!("0.3")), "invalid-event", "0.3"),
        (with("roomId", json!(5)), "invalid-event", "`roomId`"),
        (with("time", json!("noon")), "invalid-event", "RFC 3339"),
        (
            with("data_base64", json!("AA==")),
            "invalid-event",
            "not both",
        ),
        ("[]".to_owned(), "invalid-event", "an array"),
    ] {
        let problem = post(&host, &structured, &body).await.problem(422);
        assert_eq!(problem["type"], format!("urn:baton:problem:{kind}"));
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(named), "{body}: {detail}");
    }
    post(&host, &structured, "{").await.problem(400);
    post(&host, &structured, "").await.problem(400);
    let one_bad = format!("[{}, {}]", event("1", "t", json!(1)), without("id"));
    let problem = post(&host, &batched, &one_bad).await.problem(422);
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|it| it.contains("event 1 of the batch"))
    );
    post(&host, &batched, "{}").await.problem(422);
    for headers in [
        &[("content-type", "application/json")][..],
        &[("content-type", "application/cloudevents+avro")],
        &[],
    ] {
        post(&host, headers, "{}").await.problem(415);
    }
    let large = with("data", json!("x".repeat(2 << 20)));
    post(&host, &structured, &large).await.problem(413);
    let problem = host.get("/v1/events?kind=t").await.problem(400);
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|it| it.contains("`kind`"))
    );
    assert_eq!(host.all("/v1/events").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_listener_outlives_its_host() {
    let mut host = Host::dev(&[]).await;
    let tasks = "
- wait:
    listen:
      to:
        all:
          - with: { type: temperature, data: '${ .value > 38 }' }
            correlate: { room: { from: .roomid } }
          - with: { type: humidity }
            correlate: { room: { from: .roomid } }
      read: envelope
    output: { as: '[ .[] | .id ]' }
";
    host.publish(document("rooms", tasks)).await.expect(201);
    let run = host.start("test/rooms", &json!({})).await;
    waits(&host, &run).await;
    let reading = |id: &str, kind: &str, room: &str, value: u32| {
        let mut event = event(id, kind, json!({ "value": value }));
        event["roomid"] = json!(room);
        event
    };
    send(&host, reading("1", "temperature", "kitchen", 20)).await;
    send(&host, reading("2", "temperature", "kitchen", 40)).await;
    host.kill9().await;
    host.restart().await;
    send(&host, reading("3", "humidity", "cellar", 90)).await;
    host.kill9().await;
    host.restart().await;
    send(&host, reading("4", "humidity", "kitchen", 80)).await;
    let ended = host.ended(&run).await;
    assert_eq!(ended["output"], json!(["2", "4"]), "{ended}");
    let history = host.history(&run).await;
    let told: Vec<_> = history.iter().map(|line| line["type"].clone()).collect();
    assert!(
        told.contains(&json!("workflow.correlation-completed")),
        "{told:?}"
    );
}

#[tokio::test]
async fn each_event_is_worked_on_until_it_is_enough_and_runs_talk_by_events() {
    let host = Host::dev(&[]).await;
    let orders = "
- each:
    listen:
      to: { any: [ { with: { type: com.example.order } } ], until: { one: { with: { type: com.example.closed } } } }
    foreach:
      item: order
      at: i
      do:
        - confirm:
            emit: { event: { with: { type: com.example.confirmed, subject: '${ $order.id }', data: { number: '${ $i }' } } } }
      output: { as: '{ id: $order.id, number: $i }' }
";
    host.publish(document("orders", orders)).await.expect(201);
    let confirmed = "
- wait:
    listen: { to: { one: { with: { type: com.example.confirmed, subject: '${ $workflow.input.id }' } } } }
";
    host.publish(document("confirmed", confirmed))
        .await
        .expect(201);
    let run = host.start("test/orders", &json!({})).await;
    let waiting = host.start("test/confirmed", &json!({"id": "b"})).await;
    for id in ["a", "b"] {
        send(&host, event(id, "com.example.order", json!({ "id": id }))).await;
    }
    assert_eq!(host.ended(&waiting).await["output"], json!([{"number": 1}]));
    send(&host, event("end", "com.example.closed", json!(null))).await;
    let ended = host.ended(&run).await;
    assert_eq!(
        ended["output"],
        json!([{"id": "a", "number": 0}, {"id": "b", "number": 1}]),
        "{ended}"
    );
    let emitted = host.all("/v1/events?type=com.example.confirmed").await;
    assert_eq!(emitted.len(), 2);
    assert_eq!(emitted[0]["event"]["source"], "/test/orders/1.0.0");
}

#[tokio::test]
async fn events_are_sent_and_listed_from_a_terminal() {
    let host = Host::dev(&[]).await;
    let url = host.url().to_owned();
    let run = async |arguments: &[&str]| {
        let mut all = vec!["events"];
        all.extend(arguments);
        all.extend(["--server", &url]);
        baton(&all).await
    };
    let sent = run(&[
        "send",
        "--type",
        "com.example.a",
        "--data",
        "{\"n\":1}",
        "--attribute",
        "room=5",
    ])
    .await;
    sent.expect(0);
    let whole = event("7", "com.example.b", json!("x")).to_string();
    let sent = run(&["send", &whole]).await;
    assert!(
        sent.stdout.contains("7 of /test is event 2"),
        "{}",
        sent.stdout
    );
    let listed = run(&["list", "--type", "com.example.a", "--output", "json"]).await;
    assert_eq!(listed.json()[0]["event"]["room"], "5");
    let shown = run(&["show", "7", "--source", "/test", "--output", "json"]).await;
    assert_eq!(shown.json()["event"]["type"], "com.example.b");
    let absent = run(&["show", "8"]).await;
    assert!(absent.stderr.contains("no event `8`"), "{}", absent.stderr);
    let refused = run(&["send", "--type", "t", "--attribute", "roomId=5"]).await;
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("roomId"), "{}", refused.stderr);
}

#[tokio::test]
async fn a_run_tells_what_it_waits_for() {
    let host = Host::dev(&[]).await;
    let tasks = "
- all:
    fork:
      branches:
        - pause: { wait: { hours: 1 } }
        - ask: { call: approval, with: { title: Go?, assignees: [ ada ] } }
        - order:
            listen: { to: { one: { with: { type: paid, subject: '${ $input.order }' } } } }
";
    host.publish(document("wait", tasks)).await.expect(201);
    let run = host.start("test/wait", &json!({ "order": "o-7" })).await;
    waits(&host, &run).await;
    let shown = host.run(&run).await;
    let awaited = shown["waitsFor"].as_array().expect("what it waits for");
    let of = |kind: &str| {
        let found = awaited.iter().find(|it| it["type"] == kind);
        found.unwrap_or_else(|| panic!("{kind}: {shown}"))
    };
    assert_eq!(awaited.len(), 3, "{shown}");
    assert_eq!(of("time")["task"], "/do/0/all/fork/branches/0/pause");
    assert!(of("time")["until"].as_str() > shown["startedAt"].as_str());
    let approval = &of("approval")["approval"];
    assert_eq!(approval["assignees"], json!(["ada"]));
    let asked = host.all("/v1/approvals").await;
    assert_eq!(approval["id"], asked[0]["id"]);
    let events = &of("events")["events"];
    let wanted = json!({ "one": { "with": { "type": "paid", "subject": "o-7" } } });
    assert_eq!((&events["from"], &events["to"]), (&json!(1), &wanted));
    let told = baton(&["runs", "show", &run, "--server", host.url()]).await;
    assert!(told.stdout.contains("\"waitsFor\""), "{}", told.stdout);
    let url = format!("/v1/runs/{run}/cancel");
    host.post(&url, &json!({})).await.expect(200);
    assert!(host.run(&run).await.get("waitsFor").is_none());
}
