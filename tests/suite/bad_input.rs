//! Connectors, expressions and requests that misbehave: each is answered with an error that says what
//! went wrong, and the host and the other runs go on.

use baton_tests::{Host, Start, Stub, eventually, guests};
use serde_json::{Value, json};

use crate::fixtures::{document, is_error};

#[tokio::test]
async fn what_is_no_connector_is_refused_and_not_stored() {
    let host = Host::dev(&[]).await;
    let before = host.all("/v1/connectors").await;
    for (what, bytes, word) in [
        ("nothing", Vec::new(), "not WebAssembly"),
        ("text", b"hello".to_vec(), "not WebAssembly"),
        (
            "a truncated component",
            guests::adder()[..200].to_vec(),
            "component",
        ),
        ("a core module", guests::core_module(), "module"),
        (
            "an unknown import",
            guests::unknown_import(),
            "acme:teleport/beam",
        ),
    ] {
        let problem = host.install("stranger", bytes).await.problem(422);
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(word), "{what}: no {word:?} in {problem:#}");
    }
    assert_eq!(host.all("/v1/connectors").await, before);
    host.get("/v1/connectors/stranger").await.problem(404);
}

/// Installs the misbehaving connector, with limits that are reached soon.
async fn hostile(host: &Host) {
    host.install("hostile", guests::hostile()).await.expect(201);
    host.grant(
        "hostile",
        &json!({ "limits": { "memory": 16 << 20, "time": "1s", "cpu": "500ms" } }),
    )
    .await;
}

fn call(name: &str, function: &str) -> String {
    document(name, &format!("- misbehave:\n    call: {function}@hostile"))
}

#[tokio::test]
async fn a_misbehaving_connector_fails_its_own_call_and_nothing_else() {
    let host = Host::dev(&[]).await;
    hostile(&host).await;
    for (function, kinds, words) in [
        ("trap", &["runtime"][..], &["must not be reached"][..]),
        ("spin", &["timeout"], &["500 ms"]),
        ("allocate", &["runtime"], &["16 MiB", "16777216", "memory"]),
        ("giant", &["runtime"], &["memory", "response", "bounds"]),
        ("no-json", &["runtime"], &["JSON"]),
    ] {
        let run = host
            .run_document(&call(function, function), &json!({}))
            .await;
        assert_eq!(run["status"], "faulted", "{function}: {run:#}");
        let error = &run["error"];
        assert!(
            kinds.iter().any(|kind| is_error(error, kind)),
            "{function}: {error:#}"
        );
        assert_eq!(error["instance"], "/do/0/misbehave", "{function}");
        let said = format!("{} {}", error["title"], error["detail"]);
        assert!(
            words.iter().any(|word| said.contains(word)),
            "{function}: {said} says nothing of {words:?}"
        );
    }
    // The same connector, the same host: the next call is fine.
    let run = host.run_document(&call("fine", "fine"), &json!({})).await;
    assert_eq!(run["output"], "fine", "{run:#}");
}

#[tokio::test]
async fn a_spinning_connector_holds_nobody_up() {
    let host = Host::dev(&[]).await;
    hostile(&host).await;
    host.grant(
        "hostile",
        &json!({ "limits": { "time": "60s", "cpu": "60s" } }),
    )
    .await;
    host.publish(call("spinner", "spin")).await.expect(201);
    let mut spinning = Vec::new();
    // More than the machine has processors.
    for _ in 0..4 {
        spinning.push(host.start("test/spinner", &json!({})).await);
    }
    host.publish_file("workflows/hello.yaml").await;
    let run = host
        .ended(&host.start("demo/hello", &json!({ "name": "Ada" })).await)
        .await;
    assert_eq!(run["status"], "completed", "{run:#}");
    for id in spinning {
        assert_eq!(host.run(&id).await["status"], "running");
        let cancelled = host
            .post(&format!("/v1/runs/{id}/cancel"), &json!({}))
            .await;
        assert!(
            matches!(cancelled.status, 200 | 202 | 204),
            "{}",
            cancelled.text()
        );
        assert_eq!(host.ended(&id).await["status"], "cancelled");
    }
}

#[tokio::test]
async fn a_failing_connector_can_be_caught_like_any_other() {
    let host = Host::dev(&[]).await;
    hostile(&host).await;
    let text = document(
        "caught",
        "
        - careful:
            try:
              - misbehave:
                  call: trap@hostile
            catch:
              errors:
                with:
                  type: https://serverlessworkflow.io/spec/1.0.0/errors/runtime
              do:
                - report:
                    set:
                      failed: ${ $error.instance }
        ",
    );
    let run = host.run_document(&text, &json!({})).await;
    assert_eq!(
        run["output"],
        json!({ "failed": "/do/0/careful/try/0/misbehave" }),
        "{run:#}"
    );
}

#[tokio::test]
async fn an_endless_expression_is_an_expression_error() {
    let host = Host::dev(&[]).await;
    for (name, expression) in [
        ("loops", "[limit(1; repeat(.) | select(false))]"),
        ("recurses", "def deeper: 1 + deeper; deeper"),
        ("recurses-in-data", "def nest: [nest]; nest"),
        ("grows", r#"def grow: . + . | grow; "x" | grow"#),
        ("ranges", "[range(1e12)] | length"),
    ] {
        let text = document(
            name,
            &format!("- a:\n    set:\n      x: '${{ {expression} }}'"),
        );
        let run = host.run_document(&text, &json!({})).await;
        assert_eq!(run["status"], "faulted", "{name}: {run:#}");
        assert!(is_error(&run["error"], "expression"), "{name}: {run:#}");
        assert_eq!(run["error"]["status"], 400, "{name}");
        assert_eq!(run["error"]["instance"], "/do/0/a", "{name}");
    }
    // The evaluator is none the worse for it.
    let run = host
        .run_document(
            &document("fine", "- a:\n    set:\n      x: '${ [1, 2] | add }'"),
            &json!({}),
        )
        .await;
    assert_eq!(run["output"], json!({ "x": 3 }), "{run:#}");
}

#[tokio::test]
async fn a_run_that_computes_without_end_is_ended() {
    let host = Host::dev(&[]).await;
    let tasks = "- a:\n    set:\n      x: '${ [range(300000)] | length }'\n    then: a";
    let run = host
        .run_document(&document("computes", tasks), &json!({}))
        .await;
    assert_eq!(run["status"], "faulted", "{run:#}");
    let detail = run["error"]["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("without a call or a wait"), "{detail}");
}

#[tokio::test]
async fn data_that_grows_without_end_ends_its_run_and_nothing_else() {
    let host = Host::dev(&[]).await;
    let twice = "- loop:\n    for: { in: '[range(100)]' }\n    do:\n      - twice: { set: { a: '${ . }', b: '${ . }' } }";
    let run = host
        .run_document(&document("doubles", twice), &json!("x"))
        .await;
    assert_eq!(run["status"], "faulted", "{run:#}");
    let deep = format!("{}'${{ . }}'{}", "[".repeat(40), "]".repeat(40));
    let nests = format!(
        "- loop:\n    for: {{ in: '[range(1000)]' }}\n    do:\n      - in: {{ set: {{ a: {deep} }} }}"
    );
    let run = host
        .run_document(&document("nests", &nests), &json!("x"))
        .await;
    assert_eq!(run["status"], "faulted", "{run:#}");
    let fine = document("fine", "- a: { set: { x: 1 } }");
    let run = host.run_document(&fine, &json!({})).await;
    assert_eq!(run["output"], json!({ "x": 1 }), "{run:#}");
}

#[tokio::test]
async fn an_expression_that_fails_says_where_and_why() {
    let host = Host::dev(&[]).await;
    let text = document("fails", "- a:\n    set:\n      x: ${ .name + 1 }");
    let run = host.run_document(&text, &json!({ "name": "Ada" })).await;
    assert!(is_error(&run["error"], "expression"), "{run:#}");
    assert_eq!(run["error"]["instance"], "/do/0/a");
    assert!(
        run["error"]["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("Ada")),
        "{run:#}"
    );
}

fn get(name: &str, url: &str, more: &str) -> String {
    document(
        name,
        &format!(
            "- ask:\n    call: http\n    with:\n      method: get\n      endpoint: {url}\n{more}"
        ),
    )
}

/// Runs the document, and expects that it faults as refused, with a rule to grant in the message, and that
/// the refusal stands in the run's history.
async fn refused(host: &Host, text: &str, word: &str) {
    let answer = host.publish(text).await.expect(201).json();
    let id = host
        .start(
            &format!("test/{}", answer["name"].as_str().expect("a name")),
            &json!({}),
        )
        .await;
    let run = host.ended(&id).await;
    assert_eq!(run["status"], "faulted", "{run:#}");
    assert!(is_error(&run["error"], "authorization"), "{run:#}");
    assert_eq!(run["error"]["status"], 403, "{run:#}");
    let detail = run["error"]["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(word), "no {word:?} in {detail:?}");
    let history = host.history(&id).await;
    let of_task: Vec<&Value> = history
        .iter()
        .filter(|item| item["task"] == "/do/0/ask")
        .collect();
    let recorded = of_task.iter().any(|item| item.to_string().contains(word));
    assert!(recorded, "the refusal is not in the history: {history:#?}");
}

#[tokio::test]
async fn a_request_without_a_grant_is_refused() {
    let stub = Stub::start().await;
    stub.on("GET", "/").answer(200, json!({}));
    let host = Host::dev(&[]).await;
    refused(&host, &get("ungranted", stub.url(), ""), stub.url()).await;
    refused(
        &host,
        &get("ungranted-name", "https://api.example.org/v1", ""),
        "https://api.example.org",
    )
    .await;
    assert!(stub.seen().is_empty());
}

#[tokio::test]
async fn a_grant_is_no_wider_than_it_says() {
    let stub = Stub::start().await;
    stub.on("*", "/").answer(200, json!({ "fine": true }));
    let host = Host::dev(&[&format!("GET {}/open/", stub.url())]).await;
    let run = host
        .run_document(
            &get("inside", &format!("{}/open/a", stub.url()), ""),
            &json!({}),
        )
        .await;
    assert_eq!(run["output"], json!({ "fine": true }), "{run:#}");
    for (name, path) in [
        ("beside", "/closed"),
        ("up", "/open/../closed"),
        ("coded", "/open/%2e%2e/closed"),
        ("half", "/opened"),
    ] {
        refused(
            &host,
            &get(name, &format!("{}{path}", stub.url()), ""),
            stub.url(),
        )
        .await;
    }
    let post =
        get("post", &format!("{}/open/a", stub.url()), "").replace("method: get", "method: post");
    refused(&host, &post, "POST").await;
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn a_name_does_not_grant_a_private_address() {
    let stub = Stub::start().await;
    stub.on("GET", "/").answer(200, json!({}));
    let port = stub
        .url()
        .rsplit(':')
        .next()
        .expect("the address has a port");
    let host = Host::dev(&["http://*:*"]).await;
    refused(
        &host,
        &get("by-name", &format!("http://localhost:{port}/"), ""),
        "localhost",
    )
    .await;
    for (name, address) in [
        ("loopback", "127.0.0.1"),
        ("private", "10.0.0.1"),
        ("link-local", "169.254.169.254"),
        ("v6", "'[::1]'"),
        ("mapped", "'[::ffff:127.0.0.1]'"),
        ("decimal", "2130706433"),
    ] {
        let url = format!("'http://{}:{port}/'", address.trim_matches('\''));
        refused(&host, &get(name, &url, ""), "http").await;
    }
    assert!(stub.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_does_not_lead_past_the_grant() {
    let (open, closed) = (Stub::start().await, Stub::start().await);
    closed.on("GET", "/").answer(200, json!({ "secret": true }));
    let location = format!("{}/inside", closed.url());
    open.on("GET", "/")
        .answer_with(302, &[("location", &location)], "");
    let host = Start::default().allow(open.url()).start().await;
    refused(
        &host,
        &get("redirected", open.url(), "      redirect: true\n"),
        closed.url(),
    )
    .await;
    assert_eq!(open.seen().len(), 1);
    assert!(closed.seen().is_empty());
}

#[tokio::test]
async fn a_wrong_grant_is_refused_whole() {
    let host = Host::dev(&[]).await;
    for (grant, word) in [
        (
            json!({ "egress": ["https://fine.example.org", "ftp://example.org"] }),
            "ftp",
        ),
        (json!({ "egress": ["example.org"] }), "example.org"),
        (json!({ "egress": ["https://example.org/?a=b"] }), "query"),
        (json!({ "egres": [] }), "egres"),
        (json!({ "limits": { "memory": -1 } }), "memory"),
        (json!({ "limits": { "memory": "lots" } }), "memory"),
    ] {
        let answer = host.put("/v1/connectors/http/grants", &grant).await;
        assert!(
            matches!(answer.status, 400 | 422),
            "{grant}: {} {}",
            answer.status,
            answer.text()
        );
        assert!(answer.text().contains(word), "{grant}: {}", answer.text());
        let connector = host.get("/v1/connectors/http").await.expect(200).json();
        assert_eq!(connector["grants"]["egress"], json!([]), "{grant}");
    }
    host.put("/v1/connectors/nobody/grants", &json!({}))
        .await
        .problem(404);
}

#[tokio::test]
async fn what_is_asked_is_decided_once() {
    let host = Host::dev(&[]).await;
    let tasks = "- ask:\n    call: approval\n    with:\n      title: Really?\n      form: { type: object, required: [why] }";
    host.publish(document("asks", tasks)).await.expect(201);
    let run = host.start("test/asks", &json!({})).await;
    let asked = eventually("the run asks", async || {
        host.all("/v1/approvals").await.into_iter().next()
    })
    .await;
    let path = format!("/v1/approvals/{}", asked["id"].as_str().expect("an id"));
    // Neither a decision that is none, nor data that does not fit the form.
    let maybe = host.post(&path, &json!({ "decision": "maybe" })).await;
    assert!(matches!(maybe.status, 400 | 422), "{}", maybe.text());
    let bare = json!({ "decision": "approved" });
    host.post(&path, &bare).await.problem(422);
    let whole = json!({ "decision": "approved", "data": { "why": "it is time" } });
    host.post(&path, &whole).await.expect(200);
    host.post(&path, &whole).await.problem(409);
    assert_eq!(host.ended(&run).await["status"], "completed");
    host.post("/v1/approvals/nobody.0.1", &whole)
        .await
        .problem(404);
}
