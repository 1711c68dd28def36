//! A connector by somebody who knows only `wit/` and wit-bindgen: built, installed, inspected, granted, and
//! called from a posted workflow. The host was not told of it in any other way.

use baton_build::{BuildOptions, build};
use baton_tests::{Host, Stub, paths};
use serde_json::{Value, json};

use crate::fixtures::document;

/// Builds the connector with whichever toolchain this machine has.
async fn greeter() -> Vec<u8> {
    let built = tokio::task::spawn_blocking(|| {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let mut options = BuildOptions::new(paths::file("tests/guests/greeter"));
        options.out = Some(folder.path().join("greeter.wasm"));
        options.locked = true;
        let built = build(&options)
            .unwrap_or_else(|error| panic!("the connector can't be built: {error}: {error:?}"));
        std::fs::read(built.path).expect("it is built")
    });
    built.await.expect("the build ends")
}

/// The whole way in one test, since the connector is built anew for each.
#[tokio::test]
async fn is_built_installed_inspected_granted_and_called() {
    let component = greeter().await;
    let host = Host::dev(&[]).await;
    let wasm = [("content-type", "application/wasm")];
    let connector = host
        .send("POST", "/v1/connectors", &wasm, component)
        .await
        .expect(201)
        .json();
    inspected(&connector);
    called(&host).await;
    granted(&host).await;
    mistakes_are_found_when_published(&host).await;
}

fn inspected(connector: &Value) {
    assert_eq!(connector["name"], "greeter");
    assert_eq!(connector["package"], "acme:greeter");
    assert_eq!(connector["version"], "1.0.0");
    assert_eq!(
        connector["grants"]["egress"],
        json!([]),
        "nothing is granted by default"
    );
    let function = |name: &str| {
        let functions = connector["functions"].as_array().expect("a list");
        functions
            .iter()
            .find(|function| function["name"] == name)
            .unwrap_or_else(|| panic!("no {name}"))
            .clone()
    };
    let greet = function("greet");
    assert_eq!(greet["input"]["properties"]["name"]["type"], "string");
    assert_eq!(greet["output"]["type"], "string");
    let welcome = function("welcome").to_string();
    for part in ["\"person\"", "\"title\"", "\"english\"", "\"french\""] {
        assert!(welcome.contains(part), "no {part} in {welcome}");
    }
    // Its world includes everything that a connector may import; it asks for what its code uses.
    let imports = connector["imports"].as_array().expect("a list");
    let mut asked: Vec<&str> = imports
        .iter()
        .filter_map(|import| import["capability"].as_str())
        .collect();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked, ["config", "http"], "{imports:#?}");
}

async fn called(host: &Host) {
    let text = document(
        "greets",
        "
        - hello:
            call: greet@greeter
            with:
              name: ${ .name }
        - describe:
            call: describe@greeter
            with:
              value: ${ [.] }
        - nobody:
            try:
              - empty:
                  call: welcome@greeter
                  with:
                    person:
                      name: ''
                      language: french
            catch:
              errors:
                with:
                  type: https://serverlessworkflow.io/spec/1.0.0/errors/validation
              do:
                - report:
                    set:
                      described: ${ $input }
                      error: ${ $error.title }
        ",
    );
    let run = host.run_document(&text, &json!({ "name": "Ada" })).await;
    assert_eq!(run["status"], "completed", "{run:#}");
    assert_eq!(run["output"]["error"], "No name", "{run:#}");
    // What it returns as `json` is nested, not quoted.
    let greeting = &run["output"]["described"]["given"][0];
    assert!(
        greeting
            .as_str()
            .is_some_and(|greeting| greeting.contains("Ada")),
        "{run:#}"
    );
    assert_eq!(run["connectors"][0]["name"], "greeter");
}

async fn granted(host: &Host) {
    let server = Stub::start().await;
    server
        .on("GET", "/motto")
        .answer_with(200, &[("content-type", "text/plain")], "Per aspera");
    let text = document(
        "asks",
        "
        - motto:
            call: motto@greeter
            with:
              url: ${ .url }
        - sign:
            call: sign@greeter
            with:
              text: ${ . }
        ",
    );
    let input = json!({ "url": format!("{}/motto", server.url()) });
    let refused = host.run_document(&text, &input).await;
    assert_eq!(refused["status"], "faulted", "{refused:#}");
    assert_eq!(refused["error"]["status"], 403, "{refused:#}");
    assert!(server.seen().is_empty(), "nothing went out");

    host.grant("greeter", &json!({ "egress": [server.url()] }))
        .await;
    let unsigned = host.run_document(&text, &input).await;
    assert_eq!(unsigned["error"]["title"], "No signature", "{unsigned:#}");

    let grant = json!({ "egress": [server.url()], "config": { "signature": "Ada" } });
    host.grant("greeter", &grant).await;
    let run = host.run_document(&text, &input).await;
    assert_eq!(run["output"], "Hello! Per aspera\n\nAda", "{run:#}");
}

async fn mistakes_are_found_when_published(host: &Host) {
    let person =
        "welcome@greeter\n    with:\n      person:\n        name: Ada\n        language: klingon";
    for (call, word) in [
        ("greet@greeter\n    with:\n      nam: Ada", "name"),
        ("greet@greeter\n    with:\n      name: 7", "string"),
        ("great@greeter", "greet"),
        (person, "klingon"),
    ] {
        let problem = host
            .publish(document("wrong", &format!("- a:\n    call: {call}")))
            .await
            .problem(422);
        assert!(
            problem["diagnostics"].to_string().contains(word),
            "no {word:?} in {problem:#}"
        );
    }
}
