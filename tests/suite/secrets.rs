//! Secrets, end to end: the server gets them, and nothing that the host writes or shows has them.

use std::path::Path;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use baton_tests::cli::baton;
use baton_tests::{Host, Start, guests};
use serde_json::{Value, json};

const VALUE: &str = "s3cret/v\u{e4}lue+1\"x";

/// Answers with what it was sent.
async fn echo(request: Request) -> impl IntoResponse {
    let (head, body) = request.into_parts();
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let said = json!({
        "uri": head.uri.to_string(), "headers": headers, "body": String::from_utf8_lossy(&body),
        "length": body.len(),
    });
    ([("x-echo", head.uri.path().to_owned())], Json(said))
}

async fn echoing() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(echo)).await });
    address
}

const DOCUMENT: &str = r#"
document: { dsl: '1.0.3', namespace: test, name: everywhere, version: '1.0.0' }
use: { secrets: [text, login] }
do:
  - everywhere:
      call: http
      with:
        method: post
        endpoint: '${ "http://HOST/p/\($secrets.text)" }'
        query: { q: '${ $secrets.text }' }
        headers: { x-token: '${ "Token \($secrets.login.password)" }' }
        body: { k: '${ $secrets.text }' }
        output: response
  - form:
      call: http
      with:
        method: post
        endpoint: { uri: 'http://HOST/form', authentication: { basic: { use: login } } }
        headers: { content-type: application/x-www-form-urlencoded }
        body: { k: '${ $secrets.text }' }
  - raw:
      call: http
      with:
        method: post
        endpoint: { uri: 'http://HOST/raw', authentication: { bearer: { use: text } } }
        body: '${ $secrets.text }'
        output: raw
  - fails:
      try:
        - missing:
            call: http
            with: { method: get, endpoint: '${ "http://127.0.0.1:1/\($secrets.text)" }' }
      catch: { as: error, do: [ { told: { set: { told: '${ $error }' } } } ] }
  - all:
      set: { everything: '${ $secrets }', last: '${ . }' }
"#;

/// The forms of the value that must be nowhere.
fn forms() -> Vec<Vec<u8>> {
    let percent = "s3cret%2Fv%C3%A4lue%2B1%22x";
    [
        VALUE.to_owned(),
        percent.to_owned(),
        percent.to_lowercase(),
        serde_json::to_string(VALUE)
            .expect("JSON")
            .trim_matches('"')
            .to_owned(),
        STANDARD.encode(VALUE),
        STANDARD.encode(format!("ada:{VALUE}")),
        // What is left where only a part of it was seen.
        "s3cret".to_owned(),
    ]
    .map(String::into_bytes)
    .into()
}

fn check(what: &str, bytes: &[u8]) {
    for form in forms() {
        let found = bytes.windows(form.len()).any(|part| part == form);
        assert!(!found, "{} is in {what}", String::from_utf8_lossy(&form));
    }
}

fn check_files(folder: &Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            count += check_files(&path);
        } else {
            check(
                &path.display().to_string(),
                &std::fs::read(&path).expect("a file"),
            );
            count += 1;
        }
    }
    count
}

async fn start(address: &str) -> Host {
    let host = Start::default()
        .allow(&format!("http://{address}"))
        .allow("http://127.0.0.1:1")
        .argument("--log-level")
        .argument("trace")
        .start()
        .await;
    let set = async |name: &str, value: Value| {
        let secret = json!({ "value": value, "hosts": [address] });
        host.put(&format!("/v1/secrets/{name}"), &secret)
            .await
            .expect(201);
    };
    set("text", json!(VALUE)).await;
    set("login", json!({ "username": "ada", "password": VALUE })).await;
    host
}

#[tokio::test]
async fn a_value_is_in_what_is_sent_and_nowhere_else() {
    let address = echoing().await;
    let mut host = start(&address).await;
    let run = host
        .run_document(&DOCUMENT.replace("HOST", &address), &json!({}))
        .await;
    assert_eq!(run["status"], "completed", "{run:#}");
    let id = run["id"].as_str().expect("an id");
    let history = json!(host.history(id).await);

    // The server got the value, which has other lengths than its placeholder.
    let form = history
        .as_array()
        .into_iter()
        .flatten()
        .find(|item| item["task"] == "/do/1/form" && item["type"] == "task.completed");
    let form = form.expect("the form was sent");
    let length = "k=".len() + "s3cret%2Fv%C3%A4lue%2B1%22x".len();
    assert_eq!(form["output"]["length"], length, "{form:#}");
    assert!(form.to_string().contains("baton-secret-"), "{form:#}");
    // It was not sent where it is not bound to.
    assert!(
        history.to_string().contains("is not bound to 127.0.0.1:1"),
        "{history:#}"
    );

    check("the run", run.to_string().as_bytes());
    check("the history", history.to_string().as_bytes());
    let listed = host.get("/v1/secrets").await.expect(200);
    check("the list of secrets", listed.text().as_bytes());
    host.stop().await;
    check("the log", host.process().output().as_bytes());
    assert!(check_files(host.data()) >= 2);
}

#[tokio::test]
async fn the_history_tells_of_values_that_a_connector_was_given() {
    let mut host = start("127.0.0.1:1").await;
    let installed = host.install("curious", guests::curious()).await;
    installed.expect(201);
    host.grant("curious", &json!({ "reveal": ["text", "login"] }))
        .await;
    let document = "
document: { dsl: '1.0.3', namespace: test, name: curious, version: '1.0.0' }
do:
  - text: { call: measure@curious, with: { secret: text } }
  - login: { call: measure@curious, with: { secret: login, member: password } }
";
    let run = host.run_document(document, &json!({})).await;
    assert_eq!(run["output"], VALUE.len(), "{run:#}");
    let id = run["id"].as_str().expect("an id").to_owned();
    let told = async |host: &Host| {
        let lines = host.history(&id).await.into_iter();
        lines
            .filter(|line| line["type"] == "task.secret.revealed")
            .map(|line| json!([line["task"], line["visit"], line["attempt"], line["reveal"]]))
            .collect::<Vec<Value>>()
    };
    let text = json!({ "secret": "text", "connector": "curious" });
    let login = json!({ "secret": "login", "member": "password", "connector": "curious" });
    let expected = [
        json!(["/do/0/text", 1, 1, text]),
        json!(["/do/1/login", 1, 1, login]),
    ];
    assert_eq!(told(&host).await, expected);
    host.kill9().await;
    host.restart().await;
    assert_eq!(told(&host).await, expected);
    let shown = baton(&["runs", "history", &id, "--server", host.url()]).await;
    let shown = shown.expect(0).stdout;
    assert!(
        shown.contains("revealed   text: the secret `text` to the connector `curious`"),
        "{shown}"
    );
    check("the history", shown.as_bytes());

    // What is not granted is refused, and not told as given.
    host.grant("curious", &json!({ "secrets": ["text"] })).await;
    let run = host.start("test/curious", &json!({})).await;
    let run = host.ended(&run).await;
    assert_eq!(run["error"]["status"], 403, "{run:#}");
    let history = host.history(run["id"].as_str().expect("an id")).await;
    assert!(
        history
            .iter()
            .all(|line| line["type"] != "task.secret.revealed")
    );
    host.stop().await;
    check("the log", host.process().output().as_bytes());
    check_files(host.data());
}
