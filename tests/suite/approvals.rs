//! People who are asked: only those who are asked decide, each tenant sees its own, and a host that dies meanwhile
//! asks on.

use std::path::PathBuf;

use baton_tests::cli::baton;
use baton_tests::{Client, Host, Start, eventually};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::fixtures::{document, file};

/// Tokens of two people of one tenant, and of one of another.
const ADA: &str = "token-of-ada-0123456789abcdef0123456789ab";
const BOB: &str = "token-of-bob-0123456789abcdef0123456789ab";
const EVE: &str = "token-of-eve-0123456789abcdef0123456789ab";

fn config() -> (TempDir, PathBuf) {
    let people = [
        ("acme", "ada", ADA),
        ("acme", "bob", BOB),
        ("globex", "eve", EVE),
    ];
    let tokens = people.map(|(tenant, name, token)| {
        let digest = hex::encode(Sha256::digest(token));
        format!("[[token]]\ntenant = \"{tenant}\"\nname = \"{name}\"\nsha256 = \"{digest}\"\n")
    });
    file("baton.toml", &tokens.join("\n"))
}

async fn asked(client: &Client, filter: &str) -> Vec<Value> {
    client.all(&format!("/v1/approvals{filter}")).await
}

/// The path of what a run asks, once it does.
async fn path_of(client: &Client, run: &str) -> String {
    let open = eventually("the run asks", async || {
        let open = asked(client, &format!("?run={run}")).await;
        open.into_iter().next()
    })
    .await;
    format!("/v1/approvals/{}", open["id"].as_str().expect("an id"))
}

/// A host of both tenants, asked in the name of ada.
async fn serve() -> (TempDir, Host) {
    let (folder, config) = config();
    let host = Start::default().serve(&config, ADA).start().await;
    (folder, host)
}

#[tokio::test]
async fn only_who_is_asked_decides_also_after_a_kill() {
    let (_folder, mut host) = serve().await;
    let tasks = "
        - ask:
            call: approval
            with: { title: May it go out?, assignees: [bob] }
            output: { as: .decision }
    ";
    host.publish(document("asks", tasks)).await.expect(201);
    let run = host.start("test/asks", &json!({})).await;
    let open = eventually("the run asks", async || {
        asked(&host, "?assignee=bob").await.into_iter().next()
    })
    .await;
    assert_eq!(open["title"], "May it go out?");
    assert!(asked(&host, "?assignee=ada").await.is_empty());

    host.kill9().await;
    host.restart().await;
    let path = format!("/v1/approvals/{}", open["id"].as_str().expect("an id"));
    let (bob, eve) = (host.with_token(Some(BOB)), host.with_token(Some(EVE)));
    let yes = json!({ "decision": "approved", "comment": "go" });
    let problem = host.post(&path, &yes).await.problem(403);
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(
        detail.contains("`ada`") && detail.contains("bob"),
        "{detail}"
    );
    // Of another tenant's there is nothing to see, not even that it is there.
    eve.get(&path).await.problem(404);
    eve.post(&path, &yes).await.problem(404);
    assert!(asked(&eve, "").await.is_empty());
    assert_eq!(host.run(&run).await["status"], "waiting");

    bob.post(&path, &yes).await.expect(200);
    assert_eq!(host.ended(&run).await["output"], "approved");
    bob.post(&path, &yes).await.problem(409);
    // The history has it, whatever the workflow makes of the output.
    let history = host.history(&run).await;
    let decided = history.iter().find(|line| line["type"] == "task.completed");
    let decided = decided.expect("the task has completed");
    assert_eq!(
        (&decided["by"], &decided["reason"], &decided["output"]),
        (&json!("bob"), &json!("go"), &json!("approved"))
    );
}

/// What is sent as the decision; the problem's status and kind, and what its text has to say.
const ROWS: &str = r#"
{"decision":"approved","data":{"days":"three"}} | 422 invalid-input | form, /days, integer
{"decision":"approved"} | 422 invalid-input | form, object
{"decision":"maybe","data":{"days":3}} | 400 invalid-json | `maybe`, `approved`, `rejected`
{"data":{"days":3}} | 400 invalid-json | `decision`
{"decision":"approved","by":"bob","data":{"days":3}} | 400 invalid-json | `by`, `comment`
[] | 400 invalid-json | object
 | 400 invalid-json | EOF
"#;

#[tokio::test]
async fn a_decision_that_does_not_fit_is_refused_and_leaves_the_task_asking() {
    let (_folder, host) = serve().await;
    let tasks = "
        - ask:
            call: approval
            with:
              title: How long?
              form: { type: object, required: [days], properties: { days: { type: integer } } }
            output: { as: .data.days }
    ";
    host.publish(document("asks", tasks)).await.expect(201);
    let run = host.start("test/asks", &json!({})).await;
    let path = path_of(&host, &run).await;
    let headers = [("content-type", "application/json")];
    for row in ROWS.lines().filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [body, problem, words] = cells[..] else {
            panic!("a row has three cells: {row}");
        };
        let answer = host.send("POST", &path, &headers, body.trim().to_owned());
        let answer = answer.await.json();
        let detail = answer["detail"].as_str().unwrap_or_default();
        let kind = answer["type"].as_str().unwrap_or_default();
        let kind = kind.trim_start_matches("urn:baton:problem:");
        assert_eq!(format!("{} {kind}", answer["status"]), problem, "{row}");
        for word in words.split(", ") {
            assert!(detail.contains(word), "{row}: no {word:?} in {detail:?}");
        }
    }
    let unknown = format!("/v1/approvals/{run}.0000000000000000.1");
    for path in [&unknown, "/v1/approvals/x"] {
        let yes = json!({ "decision": "approved" });
        for problem in [host.get(path).await, host.post(path, &yes).await] {
            let detail = problem.problem(404)["detail"].to_string();
            assert!(detail.contains("approvals list"), "{detail}");
        }
    }
    host.get("/v1/approvals?status=done").await.problem(400);
    assert_eq!(host.run(&run).await["status"], "waiting");
    let right = json!({ "decision": "approved", "data": { "days": 3 } });
    host.post(&path, &right).await.expect(200);
    assert_eq!(host.ended(&run).await["output"], 3);
}

#[tokio::test]
async fn where_nobody_decides_in_time_somebody_else_is_asked() {
    let (_folder, mut host) = serve().await;
    let tasks = "
        - decide:
            try:
              - first:
                  call: approval
                  with: { title: Ship it?, assignees: [bob] }
                  timeout: { after: PT0.3S }
            catch:
              errors: { with: { status: 408 } }
              do:
                - second:
                    call: approval
                    with: { title: Bob is away. Ship it?, assignees: [ada] }
    ";
    host.publish(document("asks", tasks)).await.expect(201);
    let run = host.start("test/asks", &json!({})).await;
    host.kill9().await;
    host.restart().await;
    let second = eventually("somebody else is asked", async || {
        let open = asked(&host, "?assignee=ada").await;
        open.into_iter().next()
    })
    .await;
    assert_eq!(second["title"], "Bob is away. Ship it?");
    let withdrawn = asked(&host, &format!("?status=withdrawn&run={run}")).await;
    assert_eq!(withdrawn.len(), 1);
    assert!(withdrawn[0]["due"].is_string());
    let first = format!(
        "/v1/approvals/{}",
        withdrawn[0]["id"].as_str().expect("an id")
    );
    let bob = host.with_token(Some(BOB));
    let yes = json!({ "decision": "approved" });
    let late = bob.post(&first, &yes).await.problem(409);
    assert_eq!(late["type"], "urn:baton:problem:approval-settled");
    let why = late["detail"].as_str().expect("a detail");
    assert!(why.contains("ran out of time"), "{why}");

    let path = format!("/v1/approvals/{}", second["id"].as_str().expect("an id"));
    let no = json!({ "decision": "rejected", "comment": "not today" });
    host.post(&path, &no).await.expect(200);
    let output = host.ended(&run).await["output"].clone();
    assert_eq!(
        (&output["decision"], &output["by"], &output["data"]),
        (&json!("rejected"), &json!("ada"), &Value::Null)
    );
    let kept = host.get(&path).await.expect(200).json();
    assert_eq!(kept["status"], "rejected");
    assert_eq!(kept["decision"]["comment"], "not today");
}

#[tokio::test]
async fn what_is_decided_while_the_run_is_suspended_acts_when_it_is_resumed() {
    let (_folder, mut host) = serve().await;
    let tasks = "- ask: { call: approval, with: { title: Go? } }";
    host.publish(document("asks", tasks)).await.expect(201);
    let run = host.start("test/asks", &json!({})).await;
    let path = path_of(&host, &run).await;
    let control = async |host: &Client, what: &str| {
        let path = format!("/v1/runs/{run}/{what}");
        host.post(&path, &json!({})).await.expect(200);
    };
    control(&host, "suspend").await;
    let yes = json!({ "decision": "approved" });
    host.post(&path, &yes).await.expect(200);
    host.kill9().await;
    host.restart().await;
    assert_eq!(host.run(&run).await["status"], "suspended");
    assert!(asked(&host, "").await.is_empty());
    let bob = host.with_token(Some(BOB));
    let no = json!({ "decision": "rejected" });
    let late = bob.post(&path, &no).await.problem(409);
    let why = late["detail"].as_str().expect("a detail");
    assert!(why.contains("`ada`") && why.contains("approved"), "{why}");
    control(&host, "resume").await;
    assert_eq!(host.ended(&run).await["output"]["decision"], "approved");
}

#[tokio::test]
async fn what_a_cancelled_run_has_asked_is_withdrawn() {
    let host = Host::dev(&[]).await;
    let tasks = "- ask: { call: approval, with: { title: Go? } }";
    host.publish(document("asks", tasks)).await.expect(201);
    let run = host.start("test/asks", &json!({})).await;
    let path = path_of(&host, &run).await;
    let cancel = format!("/v1/runs/{run}/cancel");
    host.post(&cancel, &json!({})).await.expect(200);
    assert_eq!(host.get(&path).await.json()["status"], "withdrawn");
    let yes = json!({ "decision": "approved" });
    let late = host.post(&path, &yes).await.problem(409);
    let why = late["detail"].as_str().expect("a detail");
    assert!(why.contains("the run has ended"), "{why}");
}

#[tokio::test]
async fn people_decide_by_the_command_line() {
    let host = Host::dev(&[]).await;
    let tasks = "
        - ask:
            call: approval
            with:
              title: How many?
              description: Seats are **scarce**.
              form: { type: object, required: [seats], properties: { seats: { type: integer } } }
    ";
    host.publish(document("asks", tasks)).await.expect(201);
    let run = host.start("test/asks", &json!({})).await;
    let path = path_of(&host, &run).await;
    let id = path.rsplit('/').next().expect("an id");
    let server = ["--server", host.url()];
    let approvals = async |words: &[&str]| baton(&[&["approvals"], words, &server].concat()).await;

    let listed = approvals(&["list"]).await.expect(0).stdout;
    assert!(
        listed.contains(id) && listed.contains("How many?"),
        "{listed}"
    );
    let shown = approvals(&["show", id]).await.expect(0).stdout;
    assert!(shown.contains("Seats are **scarce**."), "{shown}");
    let refused = approvals(&["approve", id]).await.expect(1).stderr;
    assert!(refused.contains("form"), "{refused}");
    let data = r#"{"seats":2}"#;
    let approve = ["approve", id, "--data", data, "--comment", "two it is"];
    let said = approvals(&approve).await.expect(0).stdout;
    assert_eq!(said, format!("{id} is approved\n"));
    let refused = approvals(&["reject", id]).await.expect(1).stderr;
    assert!(refused.contains("approved"), "{refused}");
    let listed = approvals(&["list", "--status", "approved"]).await.expect(0);
    assert!(listed.stdout.contains(id), "{}", listed.stdout);
    let output = host.ended(&run).await["output"].clone();
    assert_eq!(
        (&output["data"], &output["comment"]),
        (&json!({ "seats": 2 }), &json!("two it is"))
    );
}

#[tokio::test]
async fn a_host_without_a_door_says_that_nobody_can_decide() {
    let tasks = "
        - ask:
            call: approval
            with: { title: Go? }
            timeout: { after: PT0.05S }
    ";
    let (_folder, path) = file("asks.yaml", &document("asks", tasks));
    let ran = baton(&["run", &*path.to_string_lossy()]).await.expect(1);
    assert!(
        ran.stderr.contains("nobody can decide here"),
        "{}",
        ran.stderr
    );
}
