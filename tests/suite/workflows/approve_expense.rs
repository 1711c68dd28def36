//! `approve-expense.yaml`: who is asked, who is asked next, and what the ledger is told.

use baton_tests::{AssetServer, Host, eventually};
use serde_json::{Value, json};

/// The name of who speaks to the host of a test.
const US: &str = "local";

/// A ledger, and a host that may write to it.
struct Office {
    ledger: AssetServer,
    host: Host,
}

impl Office {
    async fn open() -> Self {
        let ledger = AssetServer::start(&json!({ "expenses": [] })).await;
        let host = Host::dev(&[ledger.url()]).await;
        host.publish_file("workflows/approve-expense.yaml").await;
        Self { ledger, host }
    }

    /// A run about so many euros, in which people have so long. The manager is this one.
    async fn claim(&self, amount: Value, manager: &str, patience: &str) -> String {
        let input = json!({
            "ledger": self.ledger.url(), "employee": "ada", "amount": amount, "purpose": "a trip to Turin",
            "manager": manager, "finance": ["pat", US], "patience": patience,
        });
        self.host.start("demo/approve-expense", &input).await
    }

    /// Waits until this person is asked.
    async fn asked(&self, who: &str) -> Value {
        eventually("somebody is asked", async || {
            let path = format!("/v1/approvals?assignee={who}");
            self.host.all(&path).await.into_iter().next()
        })
        .await
    }

    /// Waits for the run's end: its output and the one entry of the ledger say the same.
    async fn decided(&self, run: &str) -> Value {
        let run = self.host.ended(run).await;
        assert_eq!(run["status"], "completed", "{run:#}");
        let entries = self.ledger.all("expenses").await;
        assert_eq!(entries.len(), 1, "{entries:?}");
        for member in ["decision", "by", "comment"] {
            assert_eq!(entries[0][member], run["output"][member], "{entries:?}");
        }
        run["output"].clone()
    }
}

#[tokio::test]
async fn a_small_one_is_nobodys_business() {
    let office = Office::open().await;
    let run = office.claim(json!(49.9), "grace", "P2D").await;
    let decided = office.decided(&run).await;
    assert_eq!(
        decided,
        json!({ "decision": "approved", "by": "policy", "comment": "up to 50 euros" })
    );
    assert!(office.host.all("/v1/approvals").await.is_empty());
}

#[tokio::test]
async fn the_manager_decides_also_after_a_kill() {
    let mut office = Office::open().await;
    let run = office.claim(json!(480), US, "P2D").await;
    let asked = office.asked(US).await;
    assert_eq!(asked["title"], "ada claims 480 euros");
    assert!(asked["due"].is_string(), "{asked:#}");
    office.host.kill9().await;
    office.host.restart().await;
    let path = format!("/v1/approvals/{}", asked["id"].as_str().expect("an id"));
    let yes = json!({ "decision": "approved", "comment": "have a good trip" });
    office.host.post(&path, &yes).await.expect(200);
    let decided = office.decided(&run).await;
    assert_eq!(decided["decision"], "approved");
    assert_eq!(decided["comment"], "have a good trip");
}

#[tokio::test]
async fn finance_is_asked_when_the_manager_does_not_answer() {
    let office = Office::open().await;
    let run = office.claim(json!(480), "grace", "PT4S").await;
    let first = office.asked("grace").await;
    let second = office.asked(US).await;
    assert_ne!(first["id"], second["id"]);
    assert_eq!(
        second["title"],
        "ada claims 480 euros, and grace has not answered"
    );
    assert_eq!(second["assignees"], json!(["pat", US]));
    let late = format!("/v1/approvals/{}", first["id"].as_str().expect("an id"));
    let late = office.host.get(&late).await.expect(200).json();
    assert_eq!(late["status"], "withdrawn", "the manager is too late");
    let no = json!({ "decision": "rejected", "comment": "by train" });
    let path = format!("/v1/approvals/{}", second["id"].as_str().expect("an id"));
    office.host.post(&path, &no).await.expect(200);
    let decided = office.decided(&run).await;
    assert_eq!(decided["decision"], "rejected");
    assert_eq!(decided["comment"], "by train");
}

#[tokio::test]
async fn what_nobody_answers_is_turned_down() {
    let office = Office::open().await;
    let run = office.claim(json!(480), "grace", "PT0.1S").await;
    let decided = office.decided(&run).await;
    assert_eq!(
        decided,
        json!({ "decision": "rejected", "by": "policy", "comment": "nobody has answered in time" })
    );
}
