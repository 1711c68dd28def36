//! Workflows that start by themselves, from outside: what the API and the command line show of them, and SIGKILL
//! while one waits to be due.

use baton_tests::cli::baton;
use baton_tests::{Host, eventually};
use serde_json::{Value, json};

fn document(name: &str, schedule: &str) -> String {
    format!(
        "
document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0' }}
schedule: {schedule}
do: [ {{ note: {{ set: {{ done: true }} }} }} ]
"
    )
}

async fn schedule(host: &Host, name: &str) -> Value {
    host.get(&format!("/v1/schedules/test/{name}"))
        .await
        .expect(200)
        .json()
}

#[tokio::test]
async fn schedules_are_listed_paused_and_resumed() {
    let host = Host::dev(&[]).await;
    host.publish(document(
        "nightly",
        "{ cron: 30 2 * * *, timezone: Europe/Berlin }",
    ))
    .await
    .expect(201);
    host.publish(document("hourly", "{ every: PT1H }"))
        .await
        .expect(201);
    let listed = host.all("/v1/schedules").await;
    let names: Vec<&Value> = listed.iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["hourly", "nightly"]);
    let trigger = &listed[1]["triggers"][0];
    assert_eq!(trigger["type"], "cron");
    assert_eq!(trigger["spec"], "30 2 * * *");
    assert_eq!(trigger["timezone"], "Europe/Berlin");
    assert_eq!(trigger["nextDue"], listed[1]["nextDue"]);
    let workflow = host
        .get("/v1/workflows/test/nightly")
        .await
        .expect(200)
        .json();
    assert_eq!(workflow["schedule"], listed[1]);

    let pause = "/v1/schedules/test/hourly/pause";
    for _ in 0..2 {
        let paused = host.post(pause, &json!({})).await.expect(200).json();
        assert_eq!(paused["nextDue"], Value::Null);
        assert_ne!(paused["paused"]["by"], Value::Null);
    }
    let shown = baton(&["schedules", "list", "--server", host.url()])
        .await
        .expect(0);
    assert!(shown.stdout.contains("every PT1H"), "{}", shown.stdout);
    assert!(shown.stdout.contains("paused"), "{}", shown.stdout);
    let resumed = baton(&["schedules", "resume", "test/hourly", "--server", host.url()]).await;
    assert!(
        resumed
            .expect(0)
            .stdout
            .starts_with("test/hourly starts next at ")
    );
    assert_eq!(schedule(&host, "hourly").await["paused"], Value::Null);

    host.get("/v1/schedules/test/never").await.problem(404);
    host.post("/v1/schedules/test/never/pause", &json!({}))
        .await
        .problem(404);
    host.get("/v1/schedules?cursor=x").await.problem(400);
}

#[tokio::test]
async fn a_schedule_survives_a_kill_and_starts_each_run_once() {
    let mut host = Host::dev(&[]).await;
    host.publish(document("tick", "{ every: PT1S }"))
        .await
        .expect(201);
    let started = async |host: &Host, count: u64| {
        eventually("runs are started", async || {
            let started = schedule(host, "tick").await["started"].as_u64();
            started.filter(|started| *started >= count)
        })
        .await
    };
    started(&host, 1).await;
    host.kill9().await;
    host.restart().await;
    let before = schedule(&host, "tick").await["started"].as_u64();
    started(&host, before.expect("a number") + 2).await;
    host.post("/v1/schedules/test/tick/pause", &json!({}))
        .await
        .expect(200);
    let now = schedule(&host, "tick").await;
    let runs = host.all("/v1/runs?workflow=test/tick").await;
    assert_eq!(json!(runs.len()), now["started"]);
    let mut dues: Vec<&str> = runs
        .iter()
        .map(|run| run["trigger"]["due"].as_str().expect("a time"))
        .collect();
    assert!(runs.iter().all(|run| run["trigger"]["type"] == "every"));
    dues.sort_unstable();
    let all = dues.len();
    dues.dedup();
    assert_eq!(dues.len(), all, "no due time twice: {dues:?}");
    assert_eq!(now["last"]["run"], runs[0]["id"]);
}

#[tokio::test]
async fn events_that_wait_for_others_survive_a_kill() {
    let mut host = Host::dev(&[]).await;
    let both = "{ on: { all: [ { with: { type: paid } }, { with: { type: packed } } ] } }";
    host.publish(document("ship", both)).await.expect(201);
    let send = async |host: &Host, kind: &str, id: &str| {
        let event =
            json!({"specversion": "1.0", "id": id, "source": "/test", "type": kind, "data": id});
        let headers = [("content-type", "application/cloudevents+json")];
        let sent = host.send("POST", "/v1/events", &headers, event.to_string());
        sent.await.expect(202);
    };
    let started = async |host: &Host, count: u64| {
        eventually("a run is started", async || {
            (schedule(host, "ship").await["started"] == count).then_some(())
        })
        .await;
    };
    send(&host, "paid", "1").await;
    host.kill9().await;
    host.restart().await;
    send(&host, "packed", "2").await;
    started(&host, 1).await;
    send(&host, "packed", "3").await;
    host.kill9().await;
    host.restart().await;
    send(&host, "paid", "4").await;
    started(&host, 2).await;

    let runs = host.all("/v1/runs?workflow=test/ship").await;
    let mut inputs = Vec::new();
    for run in &runs {
        assert_eq!(run["trigger"]["type"], "on");
        let run = host.run(run["id"].as_str().expect("an id")).await;
        inputs.push(run["input"].clone());
    }
    assert_eq!(inputs, [json!(["3", "4"]), json!(["1", "2"])]);
    let shown = baton(&["schedules", "list", "--server", host.url()]).await;
    let shown = shown.expect(0).stdout;
    assert!(shown.contains("on events"), "{shown}");
}

#[tokio::test]
async fn a_run_on_the_command_line_leaves_the_schedule_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tick.yaml");
    std::fs::write(&file, document("tick", "{ every: PT1S }")).expect("written");
    let ran = baton(&["run", file.to_str().expect("UTF-8")])
        .await
        .expect(0);
    assert_eq!(ran.json(), json!({ "done": true }));
    assert!(ran.stderr.contains("the schedule"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_schedule_that_can_t_be_is_refused() {
    let host = Host::dev(&[]).await;
    for (schedule, code, help) in [
        ("{ cron: 0 0 30 2 * }", "bad-cron", "no such day"),
        (
            "{ cron: 0 8 * * *, timezone: Europe/Berlni }",
            "bad-value",
            "Europe/Berlin",
        ),
        ("{ every: PT0S }", "bad-duration", "`wait`"),
        ("{ after: '${ .x }' }", "bad-duration", "PT15M"),
    ] {
        let problem = host.publish(document("bad", schedule)).await.problem(422);
        let diagnostic = &problem["diagnostics"][0];
        assert_eq!(diagnostic["code"], code, "{problem:#}");
        let text = diagnostic["help"].as_str().expect("help");
        assert!(text.contains(help), "{text}");
    }
}
