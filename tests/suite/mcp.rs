//! `call: mcp` against a real server, and against ones that misbehave.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use baton_tests::{Host, Service, Start, Stub, paths};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixtures::{file, fresh, is_error};

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

/// A copy of the server from npm that whoever commands run as can read: the folder of the tests' tools may be its
/// owner's alone.
fn copied_server() -> (TempDir, PathBuf) {
    let script = Service::mcp_script();
    let modules = script
        .ancestors()
        .find(|folder| folder.ends_with("node_modules"))
        .expect("it was installed by npm");
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let everyone = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), everyone).expect("its owner may say who reads it");
    let copied = std::process::Command::new("cp")
        .args(["-R", "-L"])
        .args([modules, folder.path()])
        .status();
    assert!(copied.is_ok_and(|status| status.success()), "it is copied");
    let within = script.strip_prefix(modules).expect("it is in there");
    let copy = folder.path().join("node_modules").join(within);
    (folder, copy)
}

/// A call of a server that is a process.
fn call_process(command: &str, arguments: &[&str], method: &str, rest: &str) -> String {
    let stdio = json!({ "stdio": { "command": command, "arguments": arguments } });
    fresh(&format!(
        "
            - ask:
                call: mcp
                with:
                  method: {method}
                  transport: {stdio}
                  {rest}
            "
    ))
}

#[tokio::test]
async fn a_real_server_is_talked_with_by_its_standard_input_and_output() {
    let (_folder, server) = copied_server();
    let server = server.display().to_string();
    let host = Start::default().argument("--allow-shell").start().await;
    let node = paths::node().display().to_string();
    let ask = async |method: &str, rest: &str| {
        let text = call_process(&node, &[&server, "stdio"], method, rest);
        host.run_document(&text, &json!({})).await
    };
    let echo = "parameters: { name: echo, arguments: { message: hello } }";
    let run = ask("tools/call", echo).await;
    assert_eq!(
        run["output"]["content"][0]["text"], "Echo: hello",
        "{run:#}"
    );
    let run = ask("tools/list", "").await;
    let tools = run["output"]["tools"].as_array();
    assert!(tools.is_some_and(|tools| !tools.is_empty()), "{run:#}");
    let run = ask("prompts/get", "parameters: { name: nowhere }").await;
    assert!(is_error(&run["error"], "runtime"), "{run:#}");
    assert_eq!(run["error"]["data"]["code"], -32602, "{run:#}");
}

#[tokio::test]
async fn a_process_that_is_no_server_is_an_error_of_the_task() {
    let host = Start::default().argument("--allow-shell").start().await;
    for (command, rest, kind, expected) in [
        (
            "echo no token >&2; exit 3",
            "",
            "communication",
            "ended with the exit code 3 before it answered: no token",
        ),
        (
            "echo what; cat > /dev/null",
            "timeout: PT0.5S",
            "timeout",
            "within the timeout: what",
        ),
        (
            "sleep 1000",
            "timeout: PT0.5S",
            "timeout",
            "within the timeout",
        ),
        ("yes '{}'", "", "communication", "no message of JSON-RPC"),
    ] {
        let text = call_process("/bin/sh", &["-c", command], "tools/list", rest);
        let run = host.run_document(&text, &json!({})).await;
        assert!(is_error(&run["error"], kind), "{command}: {run:#}");
        let detail = run["error"]["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(expected), "{command}: {detail}");
    }
}

#[tokio::test]
async fn the_specifications_example_starts_its_server_where_the_operator_lets_it() {
    // What the example starts is fetched from the network by npx; another program stands for it here.
    let server = "#!/bin/sh\n\
        read hello; echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{}}}'\n\
        read initialized; read call; echo \"{\\\"jsonrpc\\\":\\\"2.0\\\",\\\"id\\\":2,\\\"result\\\":{\\\"asked\\\":[$call],\\\"given\\\":\\\"$* $SLACK_MCP_XOXP_TOKEN\\\"}}\"\n";
    let (folder, npx) = file("npx", server);
    for path in [folder.path(), &npx] {
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(path, executable).expect("its owner may say who runs it");
    }
    let Some(specification) = paths::specification() else {
        println!("the example did not run: there is no folder of the specification (BATON_SPEC)");
        return;
    };
    let example = std::fs::read_to_string(specification.join("examples/call-mcp.yaml"))
        .expect("the example can be read");
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let host = Start::default()
        .argument("--allow-shell")
        .argument("--process-path")
        .argument(&path)
        .start()
        .await;
    let run = host.run_document(&example, &json!({})).await;
    assert_eq!(run["status"], "completed", "{run:#}");
    let asked = &run["output"]["asked"][0];
    assert_eq!(asked["method"], "tools/call", "{run:#}");
    assert_eq!(
        asked["params"]["arguments"]["channel_id"], "C1234567890",
        "{run:#}"
    );
    let given = run["output"]["given"].as_str().unwrap_or_default();
    assert!(given.contains("--transport stdio xoxp-"), "{given}");

    let host = Host::dev(&[]).await;
    let run = host.run_document(&example, &json!({})).await;
    assert!(is_error(&run["error"], "authorization"), "{run:#}");
    let detail = run["error"]["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("--allow-shell"), "{detail}");
}
