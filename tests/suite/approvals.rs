//! People who are asked: only those who are asked decide, each tenant sees its own, and a host that dies meanwhile
//! asks on.

use std::path::PathBuf;

use baton_tests::{Client, Start, eventually};
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

#[tokio::test]
async fn only_who_is_asked_decides_also_after_a_kill() {
    let (_folder, config) = config();
    let mut host = Start::default().serve(&config, ADA).start().await;
    let tasks = "
        - ask:
            call: approval
            with: { title: May it go out?, assignees: [bob] }
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
    let output = host.ended(&run).await["output"].clone();
    assert_eq!(
        (&output["decision"], &output["by"], &output["comment"]),
        (&json!("approved"), &json!("bob"), &json!("go"))
    );
    bob.post(&path, &yes).await.problem(409);
}
