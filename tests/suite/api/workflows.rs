//! Publishing, listing and reading workflows, and validating documents.

use baton_tests::{Host, guests};
use serde_json::{Value, json};

use crate::fixtures::document;

const SET: &str = "- set:\n    set:\n      a: 1";

#[tokio::test]
async fn a_version_is_published_once_and_never_changes() {
    let host = Host::dev(&[]).await;
    let text = document("once", SET);
    let first = host.publish(text.clone()).await.expect(201);
    assert_eq!(
        first.header("location"),
        Some("/v1/workflows/test/once/1.0.0")
    );
    let published = first.json();
    assert_eq!(
        (
            &published["namespace"],
            &published["name"],
            &published["version"]
        ),
        (&json!("test"), &json!("once"), &json!("1.0.0"))
    );
    let again = host.publish(text.clone()).await.expect(200).json();
    assert_eq!(again["digest"], published["digest"]);

    let other = text.replace("a: 1", "a: 2");
    let problem = host.publish(other.clone()).await.problem(409);
    assert_eq!(problem["type"], "urn:baton:problem:version-taken");
    let read = host
        .get("/v1/workflows/test/once/1.0.0")
        .await
        .expect(200)
        .json();
    assert_eq!(read["text"], text);
    let next = host
        .publish(other.replace("1.0.0", "1.1.0"))
        .await
        .expect(201)
        .json();
    assert_ne!(next["digest"], published["digest"]);
}

#[tokio::test]
async fn the_text_is_kept_byte_for_byte() {
    let host = Host::dev(&[]).await;
    let text = format!(
        "# a comment, and \u{e9}\u{1f600}\r\n{}   # at the end\n\n",
        document("bytes", SET)
    );
    host.publish(text.clone()).await.expect(201);
    let read = host
        .get("/v1/workflows/test/bytes")
        .await
        .expect(200)
        .json();
    assert_eq!(read["text"], text);
    assert!(!read["graph"].is_null());
}

#[tokio::test]
async fn json_is_as_good_as_yaml() {
    let host = Host::dev(&[]).await;
    let document = json!({
        "document": { "dsl": "1.0.3", "namespace": "test", "name": "json", "version": "1.0.0" },
        "do": [{ "set": { "set": { "a": "${ .b }" } } }],
    });
    host.post("/v1/workflows", &document).await.expect(201);
    let run = host
        .ended(&host.start("test/json", &json!({ "b": 7 })).await)
        .await;
    assert_eq!(run["output"], json!({ "a": 7 }));
}

#[tokio::test]
async fn a_new_run_is_of_what_is_there_when_it_starts() {
    let host = Host::dev(&[]).await;
    let text = document("adds", "- add: { call: add-one@adder, with: { value: 1 } }");
    host.install("adder", guests::adder()).await.expect(201);
    host.publish(text.clone()).await.expect(201);
    // The second time of each, what the name came to before is known.
    let outputs = async |host: &Host| {
        let mut outputs = Vec::new();
        for _ in 0..2 {
            let run = host.start("test/adds", &json!({})).await;
            outputs.push(host.ended(&run).await["output"].clone());
        }
        outputs
    };
    assert_eq!(outputs(&host).await, [2, 2]);
    host.install("adder", guests::adder_of_two())
        .await
        .expect(201);
    assert_eq!(outputs(&host).await, [3, 3]);
    let next = text
        .replace("1.0.0", "1.1.0")
        .replace("value: 1", "value: 10");
    host.publish(next).await.expect(201);
    assert_eq!(outputs(&host).await, [12, 12]);
    host.send("DELETE", "/v1/connectors/adder", &[], "")
        .await
        .expect(204);
    let body = json!({ "input": {} });
    let problem = host.post("/v1/workflows/test/adds/runs", &body).await;
    let problem = problem.problem(422);
    assert_eq!(problem["type"], "urn:baton:problem:invalid-document");
}

#[tokio::test]
async fn the_highest_version_is_the_one_that_counts() {
    let host = Host::dev(&[]).await;
    for version in ["1.2.0", "1.10.0", "1.9.0", "2.0.0-beta.1"] {
        let text = document("versions", "- set:\n    set:\n      v: VERSION")
            .replace("1.0.0", version)
            .replace("VERSION", version);
        host.publish(text).await.expect(201);
    }
    let listed = host.all("/v1/workflows?namespace=test&name=versions").await;
    let versions: Vec<&str> = listed
        .iter()
        .filter_map(|item| item["version"].as_str())
        .collect();
    assert_eq!(versions.len(), 4, "{versions:?}");
    // A version before its release is not what is wanted by default (Semantic Versioning 2.0.0, 9).
    let newest = host
        .get("/v1/workflows/test/versions")
        .await
        .expect(200)
        .json();
    let run = host
        .ended(&host.start("test/versions", &json!({})).await)
        .await;
    assert_eq!(run["workflow"]["version"], newest["version"]);
    assert!(
        ["1.10.0", "2.0.0-beta.1"]
            .iter()
            .any(|version| newest["version"] == *version),
        "{newest:#}"
    );
    let body = json!({ "version": "1.2.0" });
    let run = host
        .post("/v1/workflows/test/versions/runs", &body)
        .await
        .expect(202)
        .json();
    let run = host
        .ended(run["id"].as_str().expect("a run has an id"))
        .await;
    assert_eq!(run["output"], json!({ "v": "1.2.0" }));
    host.post(
        "/v1/workflows/test/versions/runs",
        &json!({ "version": "3.0.0" }),
    )
    .await
    .problem(404);
}

#[tokio::test]
async fn a_list_comes_page_by_page() {
    let host = Host::dev(&[]).await;
    for number in 0..5 {
        host.publish(document(&format!("page-{number}"), SET))
            .await
            .expect(201);
    }
    let page = host.get("/v1/workflows?limit=2").await.expect(200).json();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(2));
    let all = host.all("/v1/workflows?limit=2").await;
    let mut names: Vec<String> = all.iter().map(|item| item["name"].to_string()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 5, "{names:?}");
    assert_eq!(
        host.all("/v1/workflows?namespace=nobody").await,
        Vec::<Value>::new()
    );
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "cursor=nonsense",
        "colour=red",
    ] {
        host.get(&format!("/v1/workflows?{query}"))
            .await
            .problem(400);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let host = Host::dev(&[]).await;
    host.publish(document("here", SET)).await.expect(201);
    for path in [
        "/v1/workflows/test/gone",
        "/v1/workflows/gone/here",
        "/v1/workflows/test/here/9.9.9",
        "/v1/nothing",
        "/",
    ] {
        let problem = host.get(path).await.problem(404);
        assert!(
            problem["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty()),
            "{problem:#}"
        );
    }
    host.post("/v1/workflows/test/gone/runs", &json!({}))
        .await
        .problem(404);
}

#[tokio::test]
async fn validation_stores_nothing() {
    let host = Host::dev(&[]).await;
    let yaml = [("content-type", "application/yaml")];
    let fine = host
        .send("POST", "/v1/validate", &yaml, document("fine", SET))
        .await
        .expect(200)
        .json();
    assert_eq!(fine, json!({ "valid": true, "diagnostics": [] }));
    assert_eq!(host.all("/v1/workflows").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_document_of_another_type_is_refused() {
    let host = Host::dev(&[]).await;
    let answer = host
        .send(
            "POST",
            "/v1/workflows",
            &[("content-type", "image/png")],
            document("x", SET),
        )
        .await;
    let problem = answer.problem(415);
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("yaml")),
        "{problem:#}"
    );
}
