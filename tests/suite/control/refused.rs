//! What can't be done to a run: the kind of each problem, and that it says what, why and what to do.

use std::collections::BTreeMap;
use std::path::PathBuf;

use baton_tests::Start;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{ask, until};
use crate::fixtures::{document, file};

const ACME: &str = "token-of-acme-0123456789abcdef0123456789";
const GLOBEX: &str = "token-of-globex-0123456789abcdef01234567";

/// An id that no run has.
const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

fn config() -> (TempDir, PathBuf) {
    let tokens = [("acme", ACME), ("globex", GLOBEX)].map(|(tenant, token)| {
        let digest = hex::encode(Sha256::digest(token));
        format!("[[token]]\ntenant = \"{tenant}\"\nname = \"tests\"\nsha256 = \"{digest}\"\n")
    });
    file("baton.toml", &tokens.join("\n"))
}

const FAULTY: &str = "
- one: { set: { n: 1 } }
- two: { raise: { error: { type: 'https://example.org/broken', status: 500 } } }
";

const UNDONE: &str = "
- one: { set: { n: 1 }, compensate: [ { undo: { set: { n: 0 } } } ] }
- two: { raise: { error: { type: 'https://example.org/broken', status: 500 } } }
";

/// What is asked of which run, with which body; the problem's status and kind, and what its text has to say. A word
/// in braces stands for that run's id.
const ROWS: &str = r#"
retry | nobody | {} | 404 not-found | {nobody}, runs list
retry | no-id | {} | 404 not-found | `x`, runs list
retry | open | {} | 409 wrong-phase | is waiting, only a run that has faulted
retry | suspended | {} | 409 wrong-phase | is suspended, resume it
retry | completed | {} | 409 wrong-phase | is completed, restart it
retry | cancelled | {} | 409 wrong-phase | is cancelled, restart it
retry | undone | {} | 409 not-retriable | `compensate`, restart it
retry | child | {} | 409 not-retriable | {parent}, retry that one
retry | faulted | {"version":"9.0.0"} | 404 not-found | test/faults 9.0.0, workflow list
retry | faulted | {"version":"1.0.1"} | 409 version-differs | 1.0.1, /do/0/one, restart the run
retry | faulted | {"verson":"1.0.1"} | 400 invalid-json | `verson`, `version`
retry | faulted | {"version":2} | 400 invalid-json | version, expected a string
retry | faulted | [] | 400 invalid-json | object
retry | faulted | {"version" | 400 invalid-json | EOF
restart | nobody | {} | 404 not-found | {nobody}, runs list
restart | no-id | {} | 404 not-found | `x`, runs list
restart | open | {} | 409 wrong-phase | is waiting, cancel it
restart | suspended | {} | 409 wrong-phase | is suspended, cancel it
restart | completed | {"version":"9.0.0"} | 404 not-found | test/completes 9.0.0, workflow list
restart | completed | {"verson":"1.0.1"} | 400 invalid-json | `verson`, `version`
restart | completed | {"version":2} | 400 invalid-json | version, expected a string
cancel | nobody | {} | 404 not-found | {nobody}, runs list
cancel | completed | {} | 409 run-ended | is completed, restart it
cancel | faulted | {} | 409 run-ended | is faulted, retry it, restart it
cancel | open | {"compensate":"no"} | 400 invalid-json | compensate, expected a boolean
cancel | open | {"force":true} | 400 invalid-json | `force`, `compensate`
suspend | nobody | {} | 404 not-found | {nobody}, runs list
suspend | suspended | {} | 409 wrong-phase | suspended already, resume it
suspend | completed | {} | 409 run-ended | is completed, restart it
suspend | cancelled | {} | 409 run-ended | is cancelled, restart it
suspend | open | {"reason":1} | 400 invalid-json | reason, expected a string
resume | nobody | {} | 404 not-found | {nobody}, runs list
resume | open | {} | 409 wrong-phase | not suspended, is waiting
resume | completed | {} | 409 run-ended | is completed, restart it
resume | faulted | {} | 409 run-ended | is faulted, retry it
resume | suspended | {"by":"me"} | 400 invalid-json | `by`, `reason`
"#;

#[tokio::test]
async fn each_refusal_says_what_why_and_what_to_do() {
    let (_folder, config) = config();
    let host = Start::default().serve(&config, ACME).start().await;
    let parent =
        "- sub: { run: { workflow: { namespace: test, name: faults, version: '1.0.0' } } }";
    for (name, tasks) in [
        ("waits", "- rest: { wait: { hours: 1 } }"),
        ("completes", "- one: { set: { n: 1 } }"),
        ("faults", FAULTY),
        ("undone", UNDONE),
        ("parent", parent),
    ] {
        host.publish(document(name, tasks)).await.expect(201);
    }
    let other = document("faults", &FAULTY.replace("n: 1", "n: 2"));
    let other = other.replace("version: '1.0.0'", "version: '1.0.1'");
    host.publish(other).await.expect(201);

    let start = async |name: &str| {
        let body = json!({ "version": "1.0.0" });
        let path = format!("/v1/workflows/test/{name}/runs");
        let run = host.post(&path, &body).await.expect(202).json();
        run["id"].as_str().expect("an id").to_owned()
    };
    let open = start("waits").await;
    until(&host, &open, "waiting").await;
    let suspended = start("waits").await;
    ask(&host, &suspended, "suspend", json!({}))
        .await
        .expect(200);
    let cancelled = start("waits").await;
    ask(&host, &cancelled, "cancel", json!({}))
        .await
        .expect(200);
    let completed = start("completes").await;
    until(&host, &completed, "completed").await;
    let faulted = start("faults").await;
    let undone = start("undone").await;
    let parent = start("parent").await;
    for run in [&faulted, &undone, &parent] {
        until(&host, run, "faulted").await;
    }
    let child = host.all(&format!("/v1/runs?parent={parent}")).await[0]["id"].clone();
    let child = child.as_str().expect("an id").to_owned();

    let runs = [
        ("nobody", NOBODY),
        ("no-id", "x"),
        ("open", &open),
        ("suspended", &suspended),
        ("completed", &completed),
        ("cancelled", &cancelled),
        ("faulted", &faulted),
        ("undone", &undone),
        ("parent", &parent),
        ("child", &child),
    ];
    let runs = BTreeMap::from(runs);
    let mut wrong = Vec::new();
    for row in ROWS.lines().filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [what, run, body, problem, words] = cells[..] else {
            panic!("a row has five cells: {row}");
        };
        let (status, kind) = problem.split_once(' ').expect("a status and a kind");
        let path = format!("/v1/runs/{}/{what}", runs[run]);
        let headers = [("content-type", "application/json")];
        let answer = host.send("POST", &path, &headers, body.to_owned()).await;
        let problem = answer.json();
        let detail = problem["detail"].as_str().unwrap_or_default();
        let says = |word: &str| match word.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
            Some(run) => detail.contains(runs[run]),
            None => detail.contains(word),
        };
        let is_right = answer.status.to_string() == status
            && answer.header("content-type") == Some("application/problem+json")
            && problem["type"] == format!("urn:baton:problem:{kind}")
            && problem["instance"] == path
            && words.split(", ").all(says);
        if !is_right {
            wrong.push(format!("{row}: {} {problem:#}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // Nobody learns from a refusal that another tenant's run is there.
    let stranger = host.with_token(Some(GLOBEX));
    for what in ["retry", "restart", "cancel", "suspend", "resume"] {
        let text = async |run: &str| {
            let problem = ask(&stranger, run, what, json!({})).await.problem(404);
            let detail = problem["detail"].as_str().expect("a detail").to_owned();
            detail.replace(run, "RUN")
        };
        assert_eq!(text(&faulted).await, text(NOBODY).await, "{what}");
    }
    // What was refused has changed nothing.
    for (run, status) in [
        (&open, "waiting"),
        (&suspended, "suspended"),
        (&faulted, "faulted"),
    ] {
        assert_eq!(host.run(run).await["status"], status);
    }
}
