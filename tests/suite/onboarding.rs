//! The flagship workflow against real servers, which are asked themselves whether the work was done.

use serde_json::{Value, json};

use crate::fixtures::{Office, is_error};

#[tokio::test]
async fn all_the_work_is_done_once_each() {
    let office = Office::open().await;
    let host = office.host().await;
    let run = host.ended(&office.onboard(&host).await).await;

    office.expect_done_once(&run).await;
    assert_eq!(office.to_directory.seen_on("POST", "/v2/Users").len(), 1);
    assert_eq!(office.to_directory.seen_on("PATCH", "/v2/Groups/").len(), 2);
    assert_eq!(office.to_assets.seen_on("PATCH", "/laptops/").len(), 1);
    assert_eq!(office.to_assets.seen_on("PATCH", "/seats/").len(), 2);
    // The run says which code it ran.
    let connectors = run["connectors"].as_array().expect("a list");
    for name in ["http", "scim"] {
        let connector = connectors
            .iter()
            .find(|connector| connector["name"] == name);
        let digest =
            connector.unwrap_or_else(|| panic!("no {name} in {connectors:?}"))["digest"].as_str();
        assert!(
            digest.is_some_and(|digest| digest.contains(|c: char| c.is_ascii_hexdigit())),
            "{connectors:?}"
        );
    }
}

#[tokio::test]
async fn a_failure_that_time_heals_is_retried_under_the_same_key() {
    let office = Office::open().await;
    let host = office.host().await;
    office
        .to_assets
        .on("PATCH", "/laptops/")
        .times(2)
        .answer(503, json!({ "error": "overloaded" }));
    office
        .to_directory
        .on("POST", "/v2/Users")
        .times(1)
        .answer(503, json!({}));
    let id = office.onboard(&host).await;
    let run = host.ended(&id).await;

    office.expect_done_once(&run).await;
    let patches = office.to_assets.seen_on("PATCH", "/laptops/");
    assert_eq!(patches.len(), 3);
    let keys: Vec<&str> = patches
        .iter()
        .map(|seen| seen.header("idempotency-key").expect("a key"))
        .collect();
    assert!(
        keys.iter().all(|key| *key == keys[0]),
        "one key for every attempt: {keys:?}"
    );
    let retries = host
        .history(&id)
        .await
        .iter()
        .filter(|item| item["type"] == "task.retried")
        .count();
    assert_eq!(retries, 3);
}

#[tokio::test]
async fn a_failure_that_stays_is_reported_and_the_rest_is_done() {
    let office = Office::open().await;
    let host = office.host().await;
    office
        .to_assets
        .on("PATCH", "/laptops/")
        .answer(503, json!({ "error": "closed for today" }));
    let run = host.ended(&office.onboard(&host).await).await;

    assert_eq!(run["status"], "completed", "{run:#}");
    // The first attempt, and five more as the retry policy allows.
    assert_eq!(office.to_assets.seen_on("PATCH", "/laptops/").len(), 6);
    assert_eq!(run["output"]["laptop"]["assigned"], false);
    let open = run["output"]["open"].as_array().expect("a list").clone();
    assert_eq!(open.len(), 1, "{open:?}");
    assert!(
        open[0]
            .as_str()
            .is_some_and(|text| text.starts_with("laptop: ") && text.contains("503")),
        "{open:?}"
    );
    assert!(
        office
            .assets
            .all("laptops")
            .await
            .iter()
            .all(|laptop| laptop["status"] == "free")
    );
    assert_eq!(office.directory.members("engineering").await, ["ada"]);
}

#[tokio::test]
async fn a_failure_that_nothing_heals_is_not_retried() {
    let office = Office::open().await;
    let host = office.host().await;
    office
        .to_assets
        .on("GET", "/seats?")
        .answer(404, json!({ "error": "no such collection" }));
    office
        .to_assets
        .on("GET", "/laptops")
        .answer(200, json!([]));
    let run = host.ended(&office.onboard(&host).await).await;

    assert_eq!(run["status"], "completed", "{run:#}");
    assert_eq!(
        office.to_assets.seen_on("GET", "/seats?").len(),
        2,
        "one request for each of the two products"
    );
    let open: Vec<&str> = run["output"]["open"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(open.len(), 3, "{open:?}");
    assert!(open[0].contains("Out of stock"), "{open:?}");
    assert!(open[1].starts_with("licence ide: "), "{open:?}");
}

#[tokio::test]
async fn without_an_account_the_run_faults() {
    let office = Office::open().await;
    let host = office.host().await;
    office.to_directory.on("POST", "/v2/Users").answer(
        400,
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "400",
            "scimType": "invalidValue", "detail": "userName: no such characters",
        }),
    );
    let run = host.ended(&office.onboard(&host).await).await;

    assert_eq!(run["status"], "faulted", "{run:#}");
    assert_eq!(run["error"]["status"], 400, "{run:#}");
    assert!(
        run["error"]["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("no such characters")),
        "{run:#}"
    );
    assert_eq!(office.to_directory.seen_on("POST", "/v2/Users").len(), 1);
    assert!(office.to_assets.seen().is_empty());
}

#[tokio::test]
async fn an_unknown_role_is_refused_before_anything_is_done() {
    let office = Office::open().await;
    let host = office.host().await;
    let mut input = office.input();
    input["employee"]["role"] = json!("wizard");
    let run = host
        .ended(&host.start("demo/onboard-employee", &input).await)
        .await;

    assert_eq!(run["status"], "faulted");
    assert!(is_error(&run["error"], "validation"), "{run:#}");
    assert!(
        run["error"]["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("wizard")),
        "{run:#}"
    );
    assert!(office.to_directory.seen().is_empty() && office.to_assets.seen().is_empty());
}
