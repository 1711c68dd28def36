//! Installing, inspecting, granting and calling connectors.

use baton_tests::{Host, guests};
use serde_json::{Value, json};

use crate::fixtures::document;

async fn names(host: &Host) -> Vec<String> {
    let connectors = host.all("/v1/connectors").await;
    connectors
        .iter()
        .map(|connector| connector["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[tokio::test]
async fn the_bundled_ones_are_there() {
    let host = Host::dev(&[]).await;
    let names = names(&host).await;
    for name in ["http", "scim"] {
        assert!(names.iter().any(|found| found == name), "{names:?}");
        let connector = host
            .get(&format!("/v1/connectors/{name}"))
            .await
            .expect(200)
            .json();
        assert_eq!(connector["bundled"], true);
        let imports = connector["imports"].as_array().expect("a list");
        let asks = imports.iter().find(|import| import["capability"] == "http");
        assert!(asks.is_some(), "{name} asks for the network: {imports:#?}");
    }
}

#[tokio::test]
async fn one_is_installed_inspected_called_and_upgraded() {
    let host = Host::dev(&[]).await;
    let answer = host.install("adder", guests::adder()).await.expect(201);
    assert_eq!(answer.header("location"), Some("/v1/connectors/adder"));
    let connector = answer.json();
    assert_eq!(
        host.get("/v1/connectors/adder").await.expect(200).json(),
        connector
    );
    assert_eq!(
        (&connector["name"], &connector["bundled"]),
        (&json!("adder"), &json!(false))
    );
    assert_eq!(connector["version"], "1.0.0");
    assert_eq!(
        connector["digest"].as_str().map(str::len),
        Some("sha256:".len() + 64),
        "{connector:#}"
    );
    let function = &connector["functions"][0];
    assert_eq!(function["name"], "add-one");
    assert!(
        function["interface"]
            .as_str()
            .is_some_and(|interface| interface.contains("adder")),
        "{function:#}"
    );
    assert_eq!(function["input"]["properties"]["value"]["type"], "integer");
    assert_eq!(function["input"]["required"], json!(["value"]));
    assert_eq!(function["output"]["type"], "integer");
    let imports: Vec<&str> = connector["imports"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|import| import["interface"].as_str())
        .collect();
    assert!(
        imports
            .iter()
            .any(|import| import.contains("wasi:clocks/monotonic-clock")),
        "{imports:?}"
    );

    // The same bytes again change nothing; other bytes are an upgrade.
    let again = host.install("adder", guests::adder()).await;
    assert!(matches!(again.status, 200 | 201), "{}", again.text());
    assert_eq!(again.json()["digest"], connector["digest"]);
    let upgraded = host.install("adder", guests::hostile()).await;
    assert!(matches!(upgraded.status, 200 | 201), "{}", upgraded.text());
    assert_ne!(upgraded.json()["digest"], connector["digest"]);
}

#[tokio::test]
async fn the_name_defaults_to_that_of_the_package() {
    let host = Host::dev(&[]).await;
    let wasm = [("content-type", "application/wasm")];
    let connector = host
        .send("POST", "/v1/connectors", &wasm, guests::adder())
        .await
        .expect(201)
        .json();
    assert_eq!(connector["name"], "adder");
    for name in ["", "Not%20A%20Name", "a/b", "-", &"x".repeat(300)] {
        let answer = host
            .send(
                "POST",
                &format!("/v1/connectors?name={name}"),
                &wasm,
                guests::adder(),
            )
            .await;
        assert!(
            matches!(answer.status, 400 | 422),
            "{name}: {} {}",
            answer.status,
            answer.text()
        );
    }
    host.send(
        "POST",
        "/v1/connectors?name=x",
        &[("content-type", "text/plain")],
        guests::adder(),
    )
    .await
    .problem(415);
    assert_eq!(
        names(&host)
            .await
            .iter()
            .filter(|name| *name == "adder")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_function_can_be_called_outside_of_a_run() {
    let host = Host::dev(&[]).await;
    host.install("adder", guests::adder()).await.expect(201);
    let call = async |function: &str, arguments: Value| {
        host.post(
            "/v1/connectors/adder/call",
            &json!({ "function": function, "arguments": arguments }),
        )
        .await
    };
    let result = call("add-one", json!({ "value": 41 }))
        .await
        .expect(200)
        .json();
    assert_eq!(result["output"], 42);
    // 64-bit integers are whole at their ends.
    for (value, expected) in [
        (json!(9_223_372_036_854_775_806_i64), json!(i64::MAX)),
        (json!(i64::MIN), json!(i64::MIN + 1)),
    ] {
        assert_eq!(
            call("add-one", json!({ "value": value }))
                .await
                .expect(200)
                .json()["output"],
            expected
        );
    }
    for (arguments, word) in [
        (json!({ "value": "41" }), "/value"),
        (json!({ "value": 1.5 }), "/value"),
        (json!({ "value": 9_223_372_036_854_775_808_u64 }), "/value"),
        (json!({}), "value"),
        (json!({ "value": 1, "valu": 2 }), "valu"),
        (json!([1]), "object"),
    ] {
        let answer = call("add-one", arguments.clone()).await;
        assert!(
            answer.status == 422 || answer.json()["error"].is_object(),
            "{arguments}: {}",
            answer.text()
        );
        assert!(
            answer.text().contains(word),
            "{arguments}: {}",
            answer.text()
        );
    }
    let answer = call("add-onne", json!({})).await;
    assert!(matches!(answer.status, 404 | 422), "{}", answer.text());
    assert!(answer.text().contains("add-one"), "{}", answer.text());
    host.post("/v1/connectors/nobody/call", &json!({ "function": "f" }))
        .await
        .problem(404);
}

#[tokio::test]
async fn a_run_keeps_the_connector_that_it_began_with() {
    let mut host = Host::dev(&[]).await;
    let first = host
        .install("adder", guests::adder())
        .await
        .expect(201)
        .json();
    let text = document(
        "keeps",
        "
        - one:
            call: add-one@adder
            with:
              value: 1
        - pause:
            wait:
              milliseconds: 1500
        - two:
            call: add-one@adder
            with:
              value: ${ . }
        ",
    );
    host.publish(text).await.expect(201);
    let id = host.start("test/keeps", &json!({})).await;
    let upgraded = host.install("adder", guests::adder_of_two()).await.json();
    assert_ne!(upgraded["digest"], first["digest"]);
    host.kill9().await;
    host.restart().await;
    let run = host.ended(&id).await;
    assert_eq!(run["output"], 3, "{run:#}");
    assert_eq!(run["connectors"][0]["digest"], first["digest"]);
    let next = host
        .ended(&host.start("test/keeps", &json!({})).await)
        .await;
    assert_eq!(next["output"], 5, "a new run uses the new one: {next:#}");
}

#[tokio::test]
async fn grants_are_kept() {
    let mut host = Host::dev(&[]).await;
    let grants = json!({
        "egress": ["GET https://api.example.org/v1/"],
        "config": { "base-url": "https://api.example.org/v1" },
        "tcp": ["broker.example.org:4222"],
        "secrets": ["token"],
        "reveal": ["key"],
        "limits": { "memory": "32MiB", "time": "5s" },
    });
    host.grant("scim", &grants).await;
    host.kill9().await;
    host.restart().await;
    let connector = host.get("/v1/connectors/scim").await.expect(200).json();
    assert_eq!(connector["grants"], grants);
}
