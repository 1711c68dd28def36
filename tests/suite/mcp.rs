//! `call: mcp` against a real server, and against ones that misbehave.

use baton_tests::{Host, Service, Stub};
use serde_json::{Value, json};

use crate::fixtures::{fresh, is_error};

/// A call of a method of the server whose address is the input's `server`.
fn call(method: &str, rest: &str) -> String {
    fresh(&format!(
        "
            - ask:
                call: mcp
                with:
                  method: {method}
                  transport: {{ http: {{ endpoint: '${{ .server }}' }} }}
                  {rest}
            "
    ))
}

async fn ask(host: &Host, server: &str, method: &str, rest: &str) -> Value {
    host.run_document(&call(method, rest), &json!({ "server": server }))
        .await
}

#[tokio::test]
async fn a_real_server_is_asked_all_that_the_language_has() {
    let server = Service::mcp().await;
    let host = Host::dev(&[&server.url()]).await;
    let url = format!("{}/mcp", server.url());
    let echo = "parameters: { name: echo, arguments: { message: hello } }";
    let run = ask(&host, &url, "tools/call", echo).await;
    assert_eq!(
        run["output"]["content"][0]["text"], "Echo: hello",
        "{run:#}"
    );
    for (method, list) in [
        ("tools/list", "tools"),
        ("prompts/list", "prompts"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ] {
        let run = ask(&host, &url, method, "").await;
        let items = run["output"][list].as_array();
        assert!(
            items.is_some_and(|items| !items.is_empty()),
            "{method}: {run:#}"
        );
    }
    let prompt = ask(
        &host,
        &url,
        "prompts/get",
        "parameters: { name: simple-prompt }",
    )
    .await;
    assert!(prompt["output"]["messages"].is_array(), "{prompt:#}");
    let listed = ask(&host, &url, "resources/list", "").await;
    let uri = &listed["output"]["resources"][0]["uri"];
    let read = ask(
        &host,
        &url,
        "resources/read",
        &format!("parameters: {{ uri: {uri} }}"),
    )
    .await;
    assert!(read["output"]["contents"].is_array(), "{read:#}");

    let run = ask(&host, &url, "prompts/get", "parameters: { name: nowhere }").await;
    assert!(is_error(&run["error"], "runtime"), "{run:#}");
    assert_eq!(run["error"]["data"]["code"], -32602, "{run:#}");
}

#[tokio::test]
async fn servers_that_misbehave_are_errors_of_the_task() {
    let server = Stub::start().await;
    let host = Host::dev(&[server.url()]).await;
    let case = async |path: &str, rest: &str| {
        let url = format!("{}{path}", server.url());
        let run = ask(&host, &url, "tools/list", rest).await;
        assert_eq!(run["status"], "faulted", "{path}: {run:#}");
        run["error"].clone()
    };
    server.on("POST", "/refuses").answer(403, json!({}));
    assert!(is_error(&case("/refuses", "").await, "authorization"));

    // Longer than a response may be.
    let endless = "data: {}\n\n".repeat(600_000);
    let stream = [("content-type", "text/event-stream")];
    server
        .on("POST", "/endless")
        .answer_with(200, &stream, &endless);
    let error = case("/endless", "").await;
    assert!(is_error(&error, "communication"), "{error:#}");

    let held = server.on("POST", "/silent").hold();
    let error = case("/silent", "timeout: PT0.2S").await;
    assert!(is_error(&error, "timeout"), "{error:#}");
    held.open();
}

#[tokio::test]
async fn what_is_not_granted_is_refused_with_the_way_out() {
    let server = Stub::start().await;
    let host = Host::dev(&[]).await;
    let run = ask(&host, server.url(), "tools/list", "").await;
    assert!(is_error(&run["error"], "authorization"), "{run:#}");
    let detail = run["error"]["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("--allow 'mcp="), "{detail}");
    assert!(server.seen().is_empty());
}
