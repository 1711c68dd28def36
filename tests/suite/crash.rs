//! SIGKILL at several points of the flagship run. After a restart the run completes: calls that had
//! finished are not made again, the one under way is made again under the same idempotency key.

use std::collections::BTreeMap;

use baton_tests::{Client, Gate, Seen, Stub, eventually};

use crate::fixtures::Office;

/// Where the host is when it dies.
struct Point {
    /// The call that is under way.
    method: &'static str,
    path: &'static str,
    /// Whether the real server has done its part, and only the answer is missing.
    done: bool,
    /// Tasks that are complete by then, besides those that must be: with the branch of the call held, the
    /// other branches run to their ends, and the test waits for that, so that only one call is under way.
    after: &'static [&'static str],
}

/// The ends of the three branches.
const LAPTOP: &str = "/laptop";
const GROUPS: &str = "/groups";
const LICENCES: &str = "/licences";

#[tokio::test]
async fn before_the_account_is_created() {
    check(Point {
        method: "POST",
        path: "/v2/Users",
        done: false,
        after: &[],
    })
    .await;
}

#[tokio::test]
async fn after_the_account_is_created_and_before_the_host_knows() {
    check(Point {
        method: "POST",
        path: "/v2/Users",
        done: true,
        after: &[],
    })
    .await;
}

#[tokio::test]
async fn while_a_laptop_is_looked_for() {
    check(Point {
        method: "GET",
        path: "/laptops",
        done: true,
        after: &[GROUPS, LICENCES],
    })
    .await;
}

#[tokio::test]
async fn before_the_laptop_is_assigned() {
    check(Point {
        method: "PATCH",
        path: "/laptops/",
        done: false,
        after: &[GROUPS, LICENCES],
    })
    .await;
}

#[tokio::test]
async fn after_the_laptop_is_assigned_and_before_the_host_knows() {
    check(Point {
        method: "PATCH",
        path: "/laptops/",
        done: true,
        after: &[GROUPS, LICENCES],
    })
    .await;
}

#[tokio::test]
async fn before_a_member_is_added() {
    check(Point {
        method: "PATCH",
        path: "/v2/Groups/",
        done: false,
        after: &[LAPTOP, LICENCES],
    })
    .await;
}

#[tokio::test]
async fn while_a_licence_is_granted() {
    check(Point {
        method: "PATCH",
        path: "/seats/",
        done: true,
        after: &[LAPTOP, GROUPS],
    })
    .await;
}

#[tokio::test]
async fn again_and_again() {
    let office = Office::open().await;
    let mut host = office.host().await;
    let account = office
        .to_directory
        .on("POST", "/v2/Users")
        .times(1)
        .hold_answer();
    let run = office.onboard(&host).await;
    account.arrived(1).await;
    // Held requests of a killed host never answer anybody; those of the next one are held anew.
    for (method, path) in [
        ("PATCH", "/laptops/"),
        ("GET", "/seats?"),
        ("PATCH", "/seats/"),
    ] {
        let gate = office.to_assets.on(method, path).times(1).hold_answer();
        host.kill9().await;
        host.restart().await;
        gate.arrived(1).await;
    }
    host.kill9().await;
    host.restart().await;
    office.expect_done_once(&host.ended(&run).await).await;
}

/// Runs up to the point, kills the host there, starts it again, and looks at what was asked of the servers.
async fn check(point: Point) {
    let office = Office::open().await;
    let mut host = office.host().await;
    let stub = if point.path.starts_with("/v2/") {
        &office.to_directory
    } else {
        &office.to_assets
    };
    let gate = hold(stub, &point);
    let run = office.onboard(&host).await;
    gate.arrived(1).await;
    completed(&host, &run, point.after).await;
    let before = seen(&office);

    // What is held stays so: where the real server has not done its part by now, it never hears of it.
    host.kill9().await;
    host.restart().await;
    let ended = host.ended(&run).await;

    office.expect_done_once(&ended).await;
    let after = seen(&office);
    let mut again = 0;
    for (call, first) in &before {
        let all = &after[call];
        if call.starts_with(&format!("{} {}", point.method, point.path)) && all.len() > first.len()
        {
            again += 1;
            assert_eq!(
                (first.len(), all.len()),
                (1, 2),
                "{call} was under way and is made again, once"
            );
            assert_eq!(
                all[0].header("idempotency-key"),
                all[1].header("idempotency-key"),
                "{call}"
            );
            let wants_key = point.method != "GET";
            assert_eq!(
                all[0].header("idempotency-key").is_some(),
                wants_key,
                "{call}: a key on what changes the world"
            );
            assert_eq!(all[0].body, all[1].body, "{call}: the same call");
        } else {
            assert_eq!(
                all.len(),
                first.len(),
                "{call} had finished before the crash and was made again"
            );
        }
    }
    assert_eq!(
        again,
        1,
        "exactly the call under way is made again; before: {:?}",
        before.keys()
    );
}

fn hold(stub: &Stub, point: &Point) -> Gate {
    let rule = stub.on(point.method, point.path).times(1);
    if point.done {
        rule.hold_answer()
    } else {
        rule.hold()
    }
}

/// Waits until the tasks with these ends of their pointers are complete.
async fn completed(host: &Client, run: &str, tasks: &[&str]) {
    eventually("the other branches complete", async || {
        let history = host.history(run).await;
        let complete = |end: &&str| {
            history.iter().any(|item| {
                item["type"] == "task.completed"
                    && item["task"]
                        .as_str()
                        .is_some_and(|task| task.ends_with(*end))
            })
        };
        tasks.iter().all(complete).then_some(())
    })
    .await;
}

/// All requests so far, by method and path, without those that a connector makes on the way within one call,
/// which belong to that call: `create-user` looks for a user that it may have made before, and `add-member`
/// looks at the group that it changes.
fn seen(office: &Office) -> BTreeMap<String, Vec<Seen>> {
    let mut calls = BTreeMap::<String, Vec<Seen>>::new();
    let all = office
        .to_directory
        .seen()
        .into_iter()
        .chain(office.to_assets.seen());
    for seen in all.filter(|seen| !on_the_way(seen)) {
        calls
            .entry(format!("{} {}", seen.method, seen.path))
            .or_default()
            .push(seen);
    }
    calls
}

fn on_the_way(seen: &Seen) -> bool {
    seen.method == "GET"
        && ["/v2/Users", "/v2/Groups/"]
            .iter()
            .any(|path| seen.path.starts_with(path))
}
