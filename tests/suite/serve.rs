//! A host for many: only with tokens, and no tenant sees another.

use std::path::PathBuf;

use baton_tests::cli::baton;
use baton_tests::{Client, Host, Start, eventually, guests};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::fixtures::{document, file};

/// The tokens of two tenants.
const ACME: &str = "token-of-acme-0123456789abcdef0123456789";
const GLOBEX: &str = "token-of-globex-0123456789abcdef01234567";

fn config() -> (TempDir, PathBuf) {
    let tokens = [("acme", ACME), ("globex", GLOBEX)].map(|(tenant, token)| {
        let digest = hex::encode(Sha256::digest(token));
        format!("[[token]]\ntenant = \"{tenant}\"\nname = \"tests\"\nsha256 = \"{digest}\"\n")
    });
    file("baton.toml", &tokens.join("\n"))
}

/// A host with both tenants, and clients of each. The client of the host is acme's.
async fn serve() -> (Host, Client, TempDir) {
    let (folder, config) = config();
    let host = Start::default().serve(&config, ACME).start().await;
    let globex = host.with_token(Some(GLOBEX));
    (host, globex, folder)
}

#[tokio::test]
async fn without_tokens_it_does_not_start() {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let data = folder.path().to_string_lossy().into_owned();
    let ran = baton(&["serve", "--listen", "127.0.0.1:0", "--data", &data]).await;
    assert!(!matches!(ran.code, Some(0) | None), "{:?}", ran.code);
    assert!(ran.stderr.contains("token"), "{}", ran.stderr);
    let (_folder, empty) = file("baton.toml", "log-level = \"info\"\n");
    let ran = baton(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        &data,
        "--config",
        &*empty.to_string_lossy(),
    ])
    .await;
    assert!(!matches!(ran.code, Some(0) | None), "{:?}", ran.code);
    assert!(ran.stderr.contains("token"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_wrong_configuration_is_shown_in_its_place() {
    for (text, word) in [
        ("lisen = \"127.0.0.1:0\"\n", "lisen"),
        ("[[token]]\ntenant = \"a\"\n", "token"),
        ("= 1\n", "^"),
    ] {
        let (_folder, path) = file("baton.toml", text);
        let ran = baton(&["serve", "--config", &*path.to_string_lossy()])
            .await
            .expect(2);
        assert!(
            ran.stderr.contains(word) && ran.stderr.contains("baton.toml"),
            "{}",
            ran.stderr
        );
    }
    let ran = baton(&["serve", "--config", "no-such-file.toml"])
        .await
        .expect(2);
    assert!(ran.stderr.contains("no-such-file.toml"), "{}", ran.stderr);
}

#[tokio::test]
async fn every_route_wants_a_token_but_those_that_say_so() {
    let (host, _, _folder) = serve().await;
    let openapi = host
        .with_token(None)
        .get("/openapi.json")
        .await
        .expect(200)
        .json();
    let mut closed = 0;
    for (path, methods) in openapi["paths"].as_object().expect("paths") {
        let at = path.replace(['{', '}'], "");
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH"] {
            if methods.get(method.to_lowercase()).is_none() {
                continue;
            }
            let open = [
                "/healthz",
                "/readyz",
                "/openapi.json",
                "/schema/workflow.json",
            ]
            .contains(&path.as_str());
            for token in [None, Some("wrong"), Some("")] {
                let answer = host.with_token(token).send(method, &at, &[], "").await;
                if open {
                    assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
                } else {
                    assert!(
                        answer
                            .header("www-authenticate")
                            .is_some_and(|value| value.starts_with("Bearer")),
                        "{path}"
                    );
                    answer.problem(401);
                    closed += 1;
                }
            }
        }
    }
    assert!(closed > 3 * 12, "there are more routes than that");
}

#[tokio::test]
async fn no_tenant_sees_another() {
    let (acme, globex, _folder) = serve().await;
    let text = document(
        "private",
        "- keep:\n    set:\n      secret: acme's\n- rest:\n    wait:\n      hours: 1",
    );
    acme.publish(text.clone()).await.expect(201);
    acme.install("private", guests::adder()).await.expect(201);
    let run = acme.start("test/private", &json!({})).await;

    for path in [
        "/v1/workflows/test/private".to_owned(),
        "/v1/workflows/test/private/1.0.0".to_owned(),
        "/v1/connectors/private".to_owned(),
        format!("/v1/runs/{run}"),
        format!("/v1/runs/{run}/history"),
        format!("/v1/runs/{run}/events"),
    ] {
        globex.get(&path).await.problem(404);
    }
    globex
        .post("/v1/workflows/test/private/runs", &json!({}))
        .await
        .problem(404);
    globex
        .post(&format!("/v1/runs/{run}/cancel"), &json!({}))
        .await
        .problem(404);
    globex
        .put("/v1/connectors/private/grants", &json!({}))
        .await
        .problem(404);
    globex
        .post(
            "/v1/connectors/private/call",
            &json!({ "function": "add-one", "arguments": { "value": 1 } }),
        )
        .await
        .problem(404);
    let document_that_calls = document(
        "calls",
        "- a:\n    call: add-one@private\n    with:\n      value: 1",
    );
    globex.publish(document_that_calls).await.problem(422);
    for list in ["/v1/workflows", "/v1/runs"] {
        assert_eq!(globex.all(list).await, Vec::<Value>::new(), "{list}");
        assert_eq!(acme.all(list).await.len(), 1, "{list}");
    }
    let names = |connectors: Vec<Value>| {
        connectors
            .iter()
            .map(|connector| connector["name"].to_string())
            .collect::<Vec<_>>()
    };
    assert!(!names(globex.all("/v1/connectors").await).contains(&"\"private\"".to_owned()));
    assert!(names(acme.all("/v1/connectors").await).contains(&"\"private\"".to_owned()));

    // The same names again, for the other tenant: they have nothing to do with each other.
    let other = text.replace("acme's", "globex's");
    globex.publish(other).await.expect(201);
    globex
        .install("private", guests::hostile())
        .await
        .expect(201);
    assert_eq!(globex.all("/v1/workflows").await.len(), 1);
    let digest = |connector: Value| connector["digest"].clone();
    let of_acme = digest(acme.get("/v1/connectors/private").await.expect(200).json());
    let of_globex = digest(
        globex
            .get("/v1/connectors/private")
            .await
            .expect(200)
            .json(),
    );
    assert_ne!(of_acme, of_globex);
    assert_eq!(acme.run(&run).await["status"], "waiting");
}

#[tokio::test]
async fn a_grant_is_the_tenants_own() {
    let (acme, globex, _folder) = serve().await;
    let stub = baton_tests::Stub::start().await;
    stub.on("GET", "/").answer(200, json!("hello"));
    acme.grant("http", &json!({ "egress": [stub.url()] })).await;
    let text = document(
        "ask",
        &format!(
            "- ask:\n    call: http\n    with:\n      method: get\n      endpoint: {}",
            stub.url()
        ),
    );
    let run = acme.run_document(&text, &json!({})).await;
    assert_eq!(run["output"], "hello", "{run:#}");
    let run = globex.run_document(&text, &json!({})).await;
    assert_eq!(run["status"], "faulted", "{run:#}");
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn a_token_is_never_said() {
    let (host, globex, _folder) = serve().await;
    globex.get("/v1/runs").await.expect(200);
    let wrong = host
        .with_token(Some("a-token-that-is-not-known"))
        .get("/v1/runs")
        .await;
    for token in [ACME, GLOBEX, "a-token-that-is-not-known"] {
        assert!(!host.process().output().contains(token));
        assert!(!wrong.text().contains(token));
    }
}

#[tokio::test]
async fn whose_expressions_take_long_goes_on_apart_from_others() {
    let (mut acme, globex, _folder) = serve().await;
    let endless = document(
        "ponder",
        "- think:\n    set: { sum: '${ reduce range(50000) as $i (0; . + $i) }' }\n- again:\n    wait: { milliseconds: 1 }\n    then: think",
    );
    let brief = document("brief", "- add:\n    set: { sum: '${ [.n, 1] | add }' }");
    acme.publish(endless).await.expect(201);
    let mut runs = Vec::new();
    for _ in 0..8 {
        runs.push(acme.start("test/ponder", &json!({})).await);
    }
    eventually("the host sets the tenant apart", async || {
        let run = globex.run_document(&brief, &json!({ "n": 2 })).await;
        assert_eq!(run["output"], json!({ "sum": 3 }), "{run:#}");
        let said = acme.process().output();
        said.lines()
            .any(|line| line.contains("apart") && line.contains("tenant=acme"))
            .then_some(())
    })
    .await;
    let [of_others, apart] = ["baton-partition", "baton-bulkhead"].map(|name| {
        let nicenesses = acme.process().nicenesses(name);
        assert_eq!(nicenesses.len(), 8, "{name}: {nicenesses:?}");
        nicenesses[0]
    });
    assert_eq!(apart, of_others + 5, "its threads give way");
    // What was under way there goes on, what is new does as well, and so after a crash.
    let run = acme.run_document(&brief, &json!({ "n": 2 })).await;
    assert_eq!(run["output"], json!({ "sum": 3 }), "{run:#}");
    let (some, others) = runs.split_at(4);
    cancel(&acme, some).await;
    acme.kill9().await;
    acme.restart().await;
    cancel(&acme, others).await;
}

async fn cancel(client: &Client, runs: &[String]) {
    for run in runs {
        let path = format!("/v1/runs/{run}/cancel");
        let answer = client.post(&path, &json!({})).await;
        assert!(matches!(answer.status, 200 | 202), "{}", answer.text());
        assert_eq!(client.ended(run).await["status"], "cancelled");
    }
}
