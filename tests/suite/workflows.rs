//! The workflows worth reading: each is valid, and each has a test that runs it.

mod approve_expense;
mod book_trip;
mod release;
mod ship_order;

use std::collections::BTreeSet;

use baton_tests::cli::baton;
use baton_tests::{Host, Start, Stub, paths};
use serde_json::{Value, json};

use crate::fixtures::is_error;

/// The files with a test, here or in a suite of their own.
const TESTED: [&str; 11] = [
    "approve-expense.yaml",
    "book-trip.yaml",
    "check-regions.yaml",
    "deploy-with-rollback.yaml",
    "fastest-mirror.yaml",
    "health-check.yaml",
    "hello.yaml",
    "morning-report.yaml",
    "onboard-employee.yaml",
    "release.yaml",
    "ship-order.yaml",
];

#[tokio::test]
async fn each_is_valid_and_tested() {
    let entries = std::fs::read_dir(paths::file("workflows")).expect("the folder can be read");
    let names = entries.map(|entry| {
        let entry = entry.expect("an entry can be read");
        entry.file_name().to_string_lossy().into_owned()
    });
    let files: BTreeSet<String> = names.filter(|name| name != "README.md").collect();
    assert_eq!(
        files,
        TESTED.map(str::to_owned).into(),
        "each file in workflows/ has a test and stands in this list"
    );
    let paths: Vec<String> = files
        .iter()
        .map(|file| format!("workflows/{file}"))
        .collect();
    let arguments: Vec<&str> = std::iter::once("validate")
        .chain(paths.iter().map(String::as_str))
        .collect();
    baton(&arguments).await.expect(0);
}

#[tokio::test]
async fn the_table_has_each_and_says_which_are_portable() {
    let table = std::fs::read_to_string(paths::file("workflows/README.md")).expect("it is there");
    for file in TESTED {
        let start = format!("| [`{file}`]({file}) |");
        let mut rows = table.lines().filter(|line| line.starts_with(&start));
        let row = rows.next().unwrap_or_else(|| panic!("no row for {file}"));
        let path = format!("workflows/{file}");
        let said = baton(&["validate", "--portable", &path]).await;
        assert_eq!(
            row.ends_with("| yes |"),
            !said.stderr.contains("not-portable"),
            "{row}\n{}",
            said.stderr
        );
    }
}

#[tokio::test]
async fn hello_greets_in_the_language_that_is_chosen() {
    let host = Host::dev(&[]).await;
    host.publish_file("workflows/hello.yaml").await;
    for (input, greeting) in [
        (json!({ "name": "Ada" }), "Hello, Ada!"),
        (json!({ "name": "Ada", "language": "en" }), "Hello, Ada!"),
        (json!({ "name": "Ada", "language": "fr" }), "Bonjour, Ada !"),
        (
            json!({ "name": "Ada", "language": "de" }),
            "Guten Tag, Ada!",
        ),
    ] {
        let run = host.ended(&host.start("demo/hello", &input).await).await;
        assert_eq!(
            run["output"],
            json!({ "greeting": greeting, "letters": 3 }),
            "{run:#}"
        );
    }
    for input in [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": "Ada", "language": "xx" }),
        json!([]),
    ] {
        let run = host.ended(&host.start("demo/hello", &input).await).await;
        assert_eq!(run["status"], "faulted", "{input}");
        assert!(is_error(&run["error"], "validation"), "{run:#}");
    }
}

#[tokio::test]
async fn health_check_reports_and_faults_only_for_what_is_required() {
    let up = Stub::start().await;
    up.on("GET", "/health").answer(200, json!({ "ok": true }));
    up.on("GET", "/broken").answer(503, json!({}));
    let silent = up.on("GET", "/silent").hold();
    let host = Host::dev(&[up.url()]).await;
    host.publish_file("workflows/health-check.yaml").await;
    let service = |name: &str| json!({ "name": name, "url": format!("{}/{name}", up.url()) });
    let services = json!([service("health"), service("broken"), service("silent")]);
    let check = async |required: Value| {
        let input = json!({ "services": services, "required": required });
        host.ended(&host.start("demo/health-check", &input).await)
            .await
    };

    let run = check(json!(["health"])).await;
    assert_eq!(run["status"], "completed", "{run:#}");
    assert_eq!(run["output"]["healthy"], json!(["health"]));
    let unhealthy = &run["output"]["unhealthy"];
    assert_eq!(unhealthy[0]["name"], "broken");
    assert_eq!(unhealthy[0]["status"], 503);
    assert_eq!(unhealthy[1]["name"], "silent");
    assert_eq!(unhealthy[1]["status"], 408, "{unhealthy:#}");

    let run = check(json!(["health", "broken"])).await;
    assert_eq!(run["status"], "faulted", "{run:#}");
    assert_eq!(run["error"]["title"], "A required service is down");
    assert_eq!(run["error"]["detail"], "broken (503), silent (408)");
    silent.open();
}

#[tokio::test]
async fn regions_are_checked_by_runs_of_their_own() {
    let server = Stub::start().await;
    server.on("GET", "/up").answer(200, json!({}));
    server.on("GET", "/down").answer(503, json!({}));
    let host = Host::dev(&[server.url()]).await;
    host.publish_file("workflows/health-check.yaml").await;
    host.publish_file("workflows/check-regions.yaml").await;
    let region = |name: &str| {
        let url = format!("{}/{name}", server.url());
        json!({ "name": name, "services": [{ "name": "web", "url": url }] })
    };
    let input = json!({ "regions": [region("up"), region("down")] });
    let id = host.start("demo/check-regions", &input).await;
    let run = host.ended(&id).await;
    assert_eq!(
        run["output"],
        json!([
            { "region": "up", "healthy": true },
            { "region": "down", "healthy": false, "reason": "web (503)" },
        ]),
        "{run:#}"
    );
    let children = host.all(&format!("/v1/runs?parent={id}")).await;
    let statuses: Vec<&Value> = children.iter().map(|child| &child["status"]).collect();
    assert_eq!(statuses, ["faulted", "completed"], "the newest first");
}

#[tokio::test]
async fn the_morning_report_is_scheduled_and_tells_of_orders() {
    let (shop, chat) = (Stub::start().await, Stub::start().await);
    shop.on("GET", "/v1/orders/yesterday")
        .answer(200, json!({ "count": 7, "total": 120 }));
    chat.on("POST", "/hooks/morning").answer(200, json!({}));
    let host = Start::default()
        .argument("--testing-rewrite")
        .argument(&format!("https://shop.example.org={}", shop.url()))
        .argument("--testing-rewrite")
        .argument(&format!("https://chat.example.org={}", chat.url()))
        .allow("https://*.example.org")
        .start()
        .await;
    host.publish_file("workflows/morning-report.yaml").await;
    let schedule = host.get("/v1/schedules/demo/morning-report").await;
    let schedule = schedule.expect(200).json();
    let due = schedule["nextDue"].as_str().expect("a time");
    assert!(
        due.ends_with("T07:00:00.000Z") || due.ends_with("T06:00:00.000Z"),
        "eight in Berlin: {due}"
    );
    let run = host.start("demo/morning-report", &json!({})).await;
    let run = host.ended(&run).await;
    assert_eq!(
        run["output"],
        json!({ "count": 7, "total": 120 }),
        "{run:#}"
    );
    assert_eq!(
        chat.seen_on("POST", "/hooks/morning")[0].json(),
        json!({ "text": "Good morning! 7 orders yesterday, 120 euros." })
    );
}

/// A deployment API whose new version comes up, or not, after two looks.
async fn deployments(end: &'static str) -> Stub {
    let stub = Stub::start().await;
    stub.on("GET", "/services/shop")
        .answer(200, json!({ "version": "1.0" }));
    stub.on("PUT", "/services/shop").answer(202, json!({}));
    stub.on("GET", "/services/shop/deployment")
        .answer(200, json!({ "state": end }));
    stub.on("GET", "/services/shop/deployment")
        .times(2)
        .answer(200, json!({ "state": "running" }));
    stub
}

async fn deploy(stub: &Stub, patience: &str) -> Value {
    let host = Host::dev(&[stub.url()]).await;
    host.publish_file("workflows/deploy-with-rollback.yaml")
        .await;
    let input =
        json!({ "api": stub.url(), "service": "shop", "version": "2.0", "patience": patience });
    host.ended(&host.start("demo/deploy-with-rollback", &input).await)
        .await
}

fn versions(stub: &Stub) -> Vec<Value> {
    stub.seen_on("PUT", "/services/shop")
        .iter()
        .map(|seen| seen.json()["version"].clone())
        .collect()
}

#[tokio::test]
async fn a_deployment_that_comes_up_stays() {
    let stub = deployments("live").await;
    let run = deploy(&stub, "PT1M").await;
    assert_eq!(
        run["output"],
        json!({ "service": "shop", "version": "2.0", "rolledBack": false }),
        "{run:#}"
    );
    assert_eq!(versions(&stub), ["2.0"]);
    assert_eq!(stub.seen_on("GET", "/services/shop/deployment").len(), 3);
}

#[tokio::test]
async fn a_deployment_that_fails_is_rolled_back() {
    let stub = deployments("failed").await;
    let run = deploy(&stub, "PT1M").await;
    assert_eq!(run["output"]["rolledBack"], true, "{run:#}");
    assert_eq!(run["output"]["reason"], "The new version did not come up");
    assert_eq!(versions(&stub), ["2.0", "1.0"]);
}

#[tokio::test]
async fn a_deployment_that_takes_too_long_is_rolled_back() {
    let stub = deployments("running").await;
    let run = deploy(&stub, "PT1.2S").await;
    assert_eq!(run["output"]["rolledBack"], true, "{run:#}");
    assert_eq!(versions(&stub), ["2.0", "1.0"]);
}

#[tokio::test]
async fn the_fastest_mirror_wins() {
    let (slow, fast) = (Stub::start().await, Stub::start().await);
    slow.on("GET", "/file")
        .answer(200, json!("from the slow one"));
    let held = slow.on("GET", "/file").hold();
    fast.on("GET", "/file")
        .answer(200, json!("from the fast one"));
    let host = Host::dev(&[slow.url(), fast.url()]).await;
    host.publish_file("workflows/fastest-mirror.yaml").await;
    let input = json!({ "mirrors": [slow.url(), fast.url()], "path": "/file" });
    let run = host
        .ended(&host.start("demo/fastest-mirror", &input).await)
        .await;
    assert_eq!(
        run["output"],
        json!({ "mirror": fast.url(), "content": "from the fast one" }),
        "{run:#}"
    );
    held.open();
}
