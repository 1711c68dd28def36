//! Requests and their answers, without sockets.

use baton_api::routes::{self, Route};
use baton_engine::EngineLimits;
use serde_json::{Value, json};

use crate::harness::{Ask, Host};

const HELLO: &str = "document: { dsl: '1.0.3', namespace: it, name: hello, version: '1.0.0' }
do:
  - greet:
      set: { greeting: Ada }
";

const SLEEPER: &str = "document: { dsl: '1.0.3', namespace: it, name: sleeper, version: '1.0.0' }
do:
  - sleep:
      wait: { hours: 1 }
";

#[tokio::test(flavor = "multi_thread")]
async fn no_route_does_anything_without_a_token() {
    let host = Host::new();
    for path in paths() {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let route = routes::ALL
                .iter()
                .find(|route| route.path == path && route.method == method);
            let answer = host.send(Ask::new(method, path).anonymous()).await;
            match route {
                None => assert_eq!(answer.problem("method-not-allowed"), 405, "{method} {path}"),
                Some(route) if route.open => assert_eq!(answer.status, 200, "{method} {path}"),
                Some(_) => {
                    assert_eq!(answer.problem("unauthorized"), 401, "{method} {path}");
                    assert!(
                        answer.header("www-authenticate").starts_with("Bearer "),
                        "{method} {path}"
                    );
                }
            }
        }
    }
    let answer = host.send(Ask::new("GET", "/v1/runs").token("wrong")).await;
    assert_eq!(answer.problem("unauthorized"), 401);
    let answer = host.send(Ask::new("GET", "/v2/runs")).await;
    assert_eq!(answer.problem("not-found"), 404);
    let answer = host.send(Ask::new("PUT", "/v1/runs")).await;
    assert_eq!(answer.header("allow"), "GET,HEAD");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_is_served_as_a_schema() {
    let host = Host::new();
    let answer = host
        .send(Ask::new("GET", routes::WORKFLOW_SCHEMA).anonymous())
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/schema+json");
    assert_eq!(answer.body, baton_workflow::document::SCHEMA);
    assert_eq!(answer.json()["required"], json!(["document", "do"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_does_not_see_another() {
    let host = Host::new();
    host.publish(HELLO).await;
    let run = host
        .start("hello", json!({ "input": { "name": "Ada" } }))
        .await;
    let id = run["id"].as_str().unwrap();
    let mut count = 0;
    for route in routes::ALL
        .iter()
        .filter(|route| !route.open && route.path.contains('{'))
        // Whoever sets a secret of that name sets one of their own.
        .filter(|route| {
            **route
                != Route {
                    method: "PUT",
                    path: routes::SECRET,
                    open: false,
                }
        })
    {
        let path = route
            .path
            .replace("{namespace}", "it")
            .replace("{name}", "hello")
            .replace("{version}", "1.0.0")
            .replace("{id}", id)
            .replace("{connector}", "none")
            .replace("{secret}", "none");
        let body = if route.path == routes::CONNECTOR_CALL {
            r#"{"function":"f"}"#
        } else {
            "{}"
        };
        let body = if route.method == "POST" || route.method == "PUT" {
            body
        } else {
            ""
        };
        let ask = Ask::new(route.method, &path)
            .token("blue")
            .body("application/json", body);
        assert_eq!(
            host.send(ask).await.problem("not-found"),
            404,
            "{} {path}",
            route.method
        );
        count += 1;
    }
    assert!(count >= 10, "{count}");
    for path in ["/v1/runs", "/v1/workflows", "/v1/events"] {
        let answer = host.send(Ask::new("GET", path).token("blue")).await;
        assert_eq!(answer.json(), json!({ "items": [] }), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_published_once() {
    let host = Host::new();
    let answer = host.send(Ask::document(HELLO)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.header("location"), "/v1/workflows/it/hello/1.0.0");
    assert_eq!(answer.json()["created"], true);
    assert_eq!(host.send(Ask::document(HELLO)).await.status, 200);
    let other = HELLO.replace("greeting", "salutation");
    assert_eq!(
        host.send(Ask::document(&other))
            .await
            .problem("version-taken"),
        409
    );

    let read = host
        .send(Ask::new("GET", "/v1/workflows/it/hello"))
        .await
        .json();
    assert_eq!(read["text"], HELLO);
    assert_eq!(read["version"], "1.0.0");
    let list = host
        .send(Ask::new("GET", "/v1/workflows?namespace=it"))
        .await
        .json();
    assert_eq!(list["items"][0]["digest"], read["digest"]);

    let ask =
        || Ask::new("GET", "/v1/workflows/it/hello/1.0.0").header("accept", "application/yaml");
    let text = host.send(ask()).await;
    assert_eq!(
        (text.body.as_str(), text.header("content-type")),
        (HELLO, "application/yaml")
    );
    let again = host
        .send(ask().header("if-none-match", text.header("etag")))
        .await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_schedule_too_many_is_refused() {
    let host = Host::with(EngineLimits {
        schedules_per_tenant: 1,
        ..EngineLimits::default()
    });
    let scheduled = HELLO.replacen("do:", "schedule: { every: PT1H }\ndo:", 1);
    host.publish(&scheduled).await;
    let another = scheduled.replace("hello", "another");
    let answer = host.send(Ask::document(&another)).await;
    assert_eq!(answer.problem("too-many-schedules"), 409);
    let blue = host.send(Ask::document(&another).token("blue")).await;
    assert_eq!(blue.status, 201, "{}", blue.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_document_is_answered_with_all_that_is_wrong() {
    let host = Host::new();
    let wrong = HELLO.replace("set:", "sett:").replace("namespace: it,", "");
    let answer = host.send(Ask::document(&wrong)).await;
    assert_eq!(answer.problem("invalid-document"), 422);
    let problem = answer.json();
    let found = problem["diagnostics"].as_array().unwrap();
    assert!(found.len() >= 2, "{problem}");
    assert!(
        found
            .iter()
            .all(|one| one["line"].is_u64() && one["code"].is_string()),
        "{problem}"
    );

    let answer = host.send(Ask::document(&wrong).to(routes::VALIDATE)).await;
    assert_eq!(
        (answer.status, &answer.json()["valid"]),
        (200, &json!(false))
    );
    assert_eq!(&answer.json()["diagnostics"], &problem["diagnostics"]);
    let answer = host.send(Ask::document(HELLO).to(routes::VALIDATE)).await;
    assert_eq!(answer.json(), json!({ "valid": true, "diagnostics": [] }));
    let list = host.send(Ask::new("GET", "/v1/workflows")).await.json();
    assert_eq!(list, json!({ "items": [] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_once_and_waited_for() {
    let host = Host::new();
    host.publish(HELLO).await;
    let start = || {
        Ask::new("POST", "/v1/workflows/it/hello/runs")
            .body(
                "application/json",
                r#"{"input":{"name":"Ada"},"tags":{"team":"red"}}"#,
            )
            .header("idempotency-key", "once")
    };
    let answer = host.send(start()).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), format!("/v1/runs/{id}"));

    let answer = host.send(start().header("prefer", "wait=10")).await;
    assert_eq!(
        (answer.status, answer.header("preference-applied")),
        (200, "wait=10")
    );
    let run = answer.json();
    assert_eq!(
        (run["id"].as_str(), &run["status"]),
        (Some(&*id), &json!("completed"))
    );
    assert_eq!(run["output"], json!({ "greeting": "Ada" }));

    let other = start().body("application/json", r#"{"input":{"name":"Bob"}}"#);
    assert_eq!(
        host.send(other).await.problem("idempotency-key-reused"),
        422
    );
    for (query, count) in [
        ("tag=team=red", 1),
        ("tag=team=blue", 0),
        ("status=completed", 1),
        ("status=faulted", 0),
        ("workflow=it/hello", 1),
    ] {
        let list = host
            .send(Ask::new("GET", &format!("/v1/runs?{query}")))
            .await
            .json();
        assert_eq!(list["items"].as_array().unwrap().len(), count, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_request_is_told_what_is_wrong() {
    let host = Host::new();
    host.publish(HELLO).await;
    let runs = "/v1/workflows/it/hello/runs";
    let json = "application/json";
    for (ask, status, name) in [
        (
            Ask::new("POST", runs).body(json, "{\n  \"input\": }"),
            400,
            "invalid-json",
        ),
        (
            Ask::new("POST", runs).body(json, r#"{"inputs":{}}"#),
            400,
            "invalid-json",
        ),
        (
            Ask::new("POST", runs).body("text/plain", "{}"),
            415,
            "unsupported-media-type",
        ),
        (
            Ask::new("POST", runs).body(json, &format!(r#"{{"input":"{}"}}"#, "x".repeat(5 << 20))),
            413,
            "content-too-large",
        ),
        (
            Ask::new("POST", runs).header("prefer", "wait=long"),
            400,
            "invalid-header",
        ),
        (
            Ask::new("POST", runs).header("idempotency-key", "a b"),
            400,
            "invalid-header",
        ),
        (
            Ask::new("POST", runs).body(json, r#"{"version":"9.9.9"}"#),
            404,
            "not-found",
        ),
        (
            Ask::new("POST", "/v1/workflows/it/none/runs"),
            404,
            "not-found",
        ),
        (
            Ask::new("GET", "/v1/runs?stats=failed"),
            400,
            "invalid-query",
        ),
        (
            Ask::new("GET", "/v1/runs?status=failed"),
            400,
            "invalid-query",
        ),
        (Ask::new("GET", "/v1/runs?limit=0"), 400, "invalid-query"),
        (Ask::new("GET", "/v1/runs?cursor=x"), 400, "invalid-cursor"),
        (
            Ask::new("GET", "/v1/connectors?cursor=x"),
            400,
            "invalid-cursor",
        ),
        (Ask::new("GET", "/v1/runs/none"), 404, "not-found"),
        (
            Ask::new(
                "GET",
                "/v1/runs/00000000-0000-7000-8000-000000000000/events",
            ),
            404,
            "not-found",
        ),
        (
            Ask::document(&"x".repeat(2 << 20)),
            413,
            "content-too-large",
        ),
        (
            Ask::new("POST", routes::CONNECTORS).body("application/wasm", "not wasm"),
            422,
            "invalid-connector",
        ),
        (Ask::new("GET", "/v1/connectors/none"), 404, "not-found"),
        (
            Ask::new("PUT", "/v1/connectors/none/grants").body(json, "{}"),
            404,
            "not-found",
        ),
        (
            Ask::new("PUT", "/v1/connectors/none/grants").body(json, r#"{"udp":[]}"#),
            400,
            "invalid-json",
        ),
    ] {
        let what = format!("{ask:?}");
        let answer = host.send(ask).await;
        assert_eq!(
            answer.problem(name),
            status,
            "{}: {}",
            &what[..what.len().min(200)],
            answer.body
        );
        assert_eq!(answer.json()["requestId"], answer.header("x-request-id"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_read_in_pages_and_as_events() {
    let host = Host::new();
    host.publish(HELLO).await;
    let run = host
        .start("hello", json!({ "input": { "name": "Ada" } }))
        .await;
    let path = format!("/v1/runs/{}", run["id"].as_str().unwrap());
    let stream = host.send(Ask::new("GET", &format!("{path}/events"))).await;
    assert_eq!(stream.header("content-type"), "text/event-stream");
    let live: Vec<Value> = stream.events();
    let kinds: Vec<&str> = live
        .iter()
        .map(|item| item["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "workflow.started",
            "task.started",
            "task.completed",
            "workflow.completed"
        ]
    );

    let rest = host
        .send(Ask::new("GET", &format!("{path}/events")).header("last-event-id", "2"))
        .await;
    assert_eq!(rest.events(), live[2..]);
    let none = host
        .send(Ask::new("GET", &format!("{path}/events")).header("last-event-id", "4"))
        .await;
    assert_eq!(none.events(), Vec::<Value>::new());

    let (mut read, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = host
            .send(Ask::new("GET", &format!("{path}/history?limit=3{cursor}")))
            .await
            .json();
        read.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(read, live);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_can_be_cancelled_until_it_has_ended() {
    let host = Host::new();
    host.publish(HELLO).await;
    host.publish(SLEEPER).await;
    let run = host.start("sleeper", json!({})).await;
    let path = format!("/v1/runs/{}", run["id"].as_str().unwrap());
    let cancel = || {
        Ask::new("POST", &format!("{path}/cancel"))
            .body("application/json", r#"{"reason":"enough"}"#)
    };
    for _ in 0..2 {
        let answer = host.send(cancel()).await;
        assert_eq!(
            (answer.status, &answer.json()["status"]),
            (200, &json!("cancelled"))
        );
    }
    let history = host
        .send(Ask::new("GET", &format!("{path}/history")))
        .await
        .json();
    let last = history["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["type"], &last["by"]),
        (&json!("workflow.cancelled"), &json!("ci"))
    );
    assert_eq!(last["reason"], "enough");

    let run = host
        .start("hello", json!({ "input": { "name": "Ada" } }))
        .await;
    let path = format!("/v1/runs/{}", run["id"].as_str().unwrap());
    host.send(Ask::new("GET", &path).header("prefer", "wait=10"))
        .await;
    assert_eq!(
        host.send(Ask::new("POST", &format!("{path}/cancel")))
            .await
            .problem("run-ended"),
        409
    );
}

/// Each path once, with its segments as they stand in the template: a route refuses before it looks.
fn paths() -> Vec<&'static str> {
    let mut paths: Vec<&str> = routes::ALL.iter().map(|route| route.path).collect();
    paths.dedup();
    paths
}
