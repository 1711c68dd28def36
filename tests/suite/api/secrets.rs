//! Setting, listing and removing secrets; and that no answer shows a value.

use baton_tests::Host;
use serde_json::{Value, json};

async fn set(host: &Host, name: &str, secret: &Value) -> baton_tests::Answer {
    host.put(&format!("/v1/secrets/{name}"), secret).await
}

#[tokio::test]
async fn one_is_set_listed_replaced_and_removed() {
    let host = Host::dev(&[]).await;
    let secret = json!({ "value": "hunter2hunter2", "hosts": ["api.example.org"] });
    let made = set(&host, "token", &secret).await.expect(201);
    assert_eq!(made.header("location"), Some("/v1/secrets/token"));
    assert!(!made.text().contains("hunter2"), "{}", made.text());

    let members = json!({
        "value": { "username": "ada", "password": "hunter2hunter2" },
        "hosts": ["*.example.org", "127.0.0.1:8080"],
        "public": ["username"],
    });
    let replaced = set(&host, "token", &members).await.expect(200).json();
    let listed = host.get("/v1/secrets").await.expect(200);
    assert!(!listed.text().contains("hunter2") && !listed.text().contains("ada"));
    assert_eq!(listed.json()["items"], json!([replaced]));
    assert_eq!(replaced["members"], json!(["password", "username"]));
    assert_eq!(replaced["public"], json!(["username"]));

    let remove = async || host.send("DELETE", "/v1/secrets/token", &[], "").await;
    remove().await.expect(204);
    remove().await.problem(404);
    assert_eq!(host.all("/v1/secrets").await, [] as [Value; 0]);
}

#[tokio::test]
async fn what_is_wrong_is_said_without_the_value() {
    let host = Host::dev(&[]).await;
    for (name, secret, expected) in [
        (
            "1st",
            json!({ "value": "hunter2", "hosts": ["a.example"] }),
            "no secret's name",
        ),
        (
            "a",
            json!({ "value": "hunter2", "hosts": [] }),
            "could be sent nowhere",
        ),
        (
            "a",
            json!({ "value": "hunter2", "hosts": ["https://a.example/x"] }),
            "hosts/0: `https://a.example/x` is no host: it has a scheme",
        ),
        (
            "a",
            json!({ "value": "", "hosts": ["a.example"] }),
            "it is empty",
        ),
        (
            "a",
            json!({ "value": "hunter2", "hosts": ["a.example"], "public": ["b"] }),
            "no member `b`",
        ),
    ] {
        let problem = set(&host, name, &secret).await.problem(422);
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(expected), "{problem}");
        assert!(!problem.to_string().contains("hunter2"), "{problem}");
    }
    let nested = json!({ "value": { "a": { "b": "hunter2" } }, "hosts": ["a.example"] });
    let problem = set(&host, "a", &nested).await.problem(400);
    assert!(!problem.to_string().contains("hunter2"), "{problem}");
}

#[tokio::test]
async fn a_run_whose_secrets_are_not_there_does_not_start() {
    let host = Host::dev(&[]).await;
    let document = "
document: { dsl: '1.0.3', namespace: test, name: needy, version: '1.0.0' }
use: { secrets: [first, second] }
do:
  - one: { set: { a: 1 } }
";
    host.publish(document).await.expect(201);
    let start = async || host.post("/v1/workflows/test/needy/runs", &json!({})).await;
    let problem = start().await.problem(409);
    assert_eq!(problem["type"], "urn:baton:problem:missing-secrets");
    let detail = problem["detail"].as_str().expect("a detail");
    for expected in [
        "the secret `first` and the secret `second`",
        "baton secret set",
    ] {
        assert!(detail.contains(expected), "{detail}");
    }
    for name in ["first", "second"] {
        let secret = json!({ "value": "hunter2", "hosts": ["a.example"] });
        set(&host, name, &secret).await.expect(201);
    }
    start().await.expect(202);
}

#[tokio::test]
async fn a_secret_survives_a_restart_and_is_no_use_without_its_key() {
    let mut host = Host::dev(&[]).await;
    let secret = json!({ "value": { "a": "hunter2" }, "hosts": ["a.example"], "public": ["a"] });
    set(&host, "a", &secret).await.expect(201);
    let document = "
document: { dsl: '1.0.3', namespace: test, name: needy, version: '1.0.0' }
use: { secrets: [a] }
do:
  - one: { set: { a: '${ $secrets.a.a }' } }
";
    host.publish(document).await.expect(201);
    host.stop().await;
    host.restart().await;
    let run = host
        .ended(&host.start("test/needy", &json!({})).await)
        .await;
    assert_eq!(run["output"], json!({ "a": "hunter2" }));

    host.stop().await;
    std::fs::remove_file(host.data().join("secrets.key")).expect("the key is there");
    host.restart().await;
    let problem = host
        .post("/v1/workflows/test/needy/runs", &json!({}))
        .await
        .problem(409);
    assert_eq!(problem["type"], "urn:baton:problem:secrets-sealed");
}
