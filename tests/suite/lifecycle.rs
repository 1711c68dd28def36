//! What happens to runs and tasks, told as events: in the log, to workflows that listen, and to sinks outside.

use std::path::PathBuf;

use baton_tests::cli::baton;
use baton_tests::{Host, Seen, Start, Stub, eventually};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use crate::fixtures::{document, file};

/// The tokens of two tenants.
const ACME: &str = "token-of-acme-0123456789abcdef0123456789";
const GLOBEX: &str = "token-of-globex-0123456789abcdef01234567";

/// A configuration with both tenants, and this besides.
fn config(rest: &str) -> (TempDir, PathBuf) {
    let tokens = [("acme", ACME), ("globex", GLOBEX)].map(|(tenant, token)| {
        let digest = hex::encode(Sha256::digest(token));
        format!("[[token]]\ntenant = \"{tenant}\"\nname = \"tests\"\nsha256 = \"{digest}\"\n")
    });
    file("baton.toml", &format!("{rest}\n{}", tokens.join("\n")))
}

async fn send(host: &baton_tests::Client, id: &str, kind: &str) {
    let event =
        json!({"specversion": "1.0", "id": id, "source": "/test", "type": kind, "data": id});
    let headers = [("content-type", "application/cloudevents+json")];
    let answer = host.send("POST", "/v1/events", &headers, event.to_string());
    answer.await.expect(202);
}

/// The ids of what a sink has got, in the order in which it came.
fn ids(seen: &[Seen]) -> Vec<String> {
    let id = |seen: &Seen| seen.json()["id"].as_str().unwrap_or_default().to_owned();
    seen.iter().map(id).collect()
}

/// Waits until the sink has got this.
async fn gets(sink: &Stub, last: &str) -> Vec<Seen> {
    eventually("the sink gets the event", async || {
        let seen = sink.seen();
        seen.iter()
            .any(|it| it.json()["id"] == last)
            .then_some(seen)
    })
    .await
}

#[tokio::test]
async fn what_happens_to_runs_and_tasks_is_in_the_log() {
    let host = Start::default()
        .argument("--lifecycle-events")
        .argument("tasks")
        .start()
        .await;
    let tasks = "- greet: { set: { hello: world } }";
    host.publish(document("told", tasks)).await.expect(201);
    let run = host.start("test/told", &json!({})).await;
    host.ended(&run).await;
    let log = host.all("/v1/events").await;
    let types: Vec<_> = log
        .iter()
        .map(|it| it["event"]["type"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(
        types,
        [
            "io.serverlessworkflow.workflow.started.v1",
            "io.serverlessworkflow.task.created.v1",
            "io.serverlessworkflow.task.started.v1",
            "io.serverlessworkflow.task.completed.v1",
            "io.serverlessworkflow.workflow.completed.v1",
        ]
    );
    let completed = &log[4]["event"];
    let name = format!("told-{run}.test");
    assert_eq!(completed["subject"], run);
    assert_eq!(completed["source"], "/test/told/1.0.0");
    assert_eq!(completed["data"]["name"], name);
    let output = completed["data"]["outputUri"].as_str().expect("a URI");
    let output = host.get(output).await.expect(200).json()["output"].clone();
    assert_eq!(output, json!({"hello": "world"}));
    assert_eq!(
        (
            &log[3]["event"]["data"]["workflow"],
            &log[3]["event"]["data"]["task"]
        ),
        (&json!(name), &json!("/do/0/greet"))
    );
    let of_run = host.all(&format!("/v1/events?subject={run}")).await;
    assert_eq!(of_run.len(), 5);
}

#[tokio::test]
async fn workflows_listen_to_what_happens_to_others_through_a_kill() {
    let mut host = Start::default()
        .argument("--lifecycle-events")
        .argument("workflows")
        .start()
        .await;
    let watch = "
    - failure:
        listen:
          to:
            one:
              with: { type: io.serverlessworkflow.workflow.faulted.v1, source: /test/fails/1.0.0 }
          read: envelope
        output: { as: '{ run: .[0].subject, status: .[0].data.error.status }' }";
    host.publish(document("watch", watch)).await.expect(201);
    // It asks for nothing in particular, and so is not told of runs.
    let any = "- wait: { listen: { to: { any: [] } } }";
    host.publish(document("any", any)).await.expect(201);
    let fails = "- bad: { raise: { error: { type: 'https://example.org/bad', status: 418 } } }";
    host.publish(document("fails", fails)).await.expect(201);
    let watching = host.start("test/watch", &json!({})).await;
    let idle = host.start("test/any", &json!({})).await;
    for run in [&watching, &idle] {
        eventually("the run listens", async || {
            (host.run(run).await["status"] == "waiting").then_some(())
        })
        .await;
    }
    host.kill9().await;
    host.restart().await;
    let failed = host.start("test/fails", &json!({})).await;
    let end = host.ended(&watching).await;
    assert_eq!(
        end["output"],
        json!({"run": failed, "status": 418}),
        "{end}"
    );
    assert_eq!(host.run(&idle).await["status"], "waiting");
    send(&host, "1", "com.example.any").await;
    assert_eq!(host.ended(&idle).await["output"], json!(["1"]));
    // Once each, though the host was killed.
    let started = host
        .all("/v1/events?type=io.serverlessworkflow.workflow.started.v1")
        .await;
    assert_eq!(started.len(), 3, "{started:#?}");
}

/// Stands in front of a server, and breaks off the first so many connections.
async fn breaking(url: &str, mut times: usize) -> String {
    let behind = url.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            if times > 0 {
                times -= 1;
                continue;
            }
            let Ok(mut other) = TcpStream::connect(&behind).await else {
                continue;
            };
            tokio::spawn(async move {
                // Either side may go away at any time.
                let _ = tokio::io::copy_bidirectional(&mut connection, &mut other).await;
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_sink_gets_all_in_order_however_it_and_the_host_fare() {
    let sink = Stub::start().await;
    sink.on("POST", "/in").answer(202, json!({}));
    // One connection is broken off; one answer is a 503; one never comes; the rest is taken.
    let slow = sink.on("POST", "/in").times(1).hold();
    sink.on("POST", "/in").times(1).answer(503, json!({}));
    let url = breaking(sink.url(), 1).await;
    let (_folder, config) = config(&format!(
        "[[sink]]\nname = \"audit\"\ntenant = \"acme\"\nurl = \"{url}/in\"\ntimeout-seconds = 1\n"
    ));
    let mut host = Start::default().serve(&config, ACME).start().await;
    // The sink gets what comes once it is there: a first event until it has one.
    let mut number = 0;
    eventually("the sink is there", async || {
        number += 1;
        send(&host, &format!("first-{number}"), "com.example.a").await;
        (!sink.seen().is_empty()).then_some(())
    })
    .await;
    slow.arrived(1).await;
    for id in ["a", "b", "c"] {
        send(&host, id, "com.example.a").await;
    }
    gets(&sink, "c").await;
    host.kill9().await;
    host.restart().await;
    for id in ["d", "e"] {
        send(&host, id, "com.example.a").await;
    }
    // Refused for good: it is left out, and what is behind it comes.
    sink.on("POST", "/in").times(1).answer(400, json!({}));
    host.kill9().await;
    host.restart().await;
    send(&host, "f", "com.example.a").await;
    let seen = gets(&sink, "f").await;
    let mut got = ids(&seen);
    assert!(got.len() > number, "the first came more than once: {got:?}");
    assert_eq!(
        got[0], got[1],
        "what was answered with 503 is tried again first"
    );
    // At least once each: what comes again after a crash is a part of what came before, in the same order.
    let mut once = Vec::new();
    got.retain(|id| {
        !once.contains(id) && {
            once.push(id.clone());
            true
        }
    });
    let log = host.all("/v1/events").await;
    let from = log.iter().position(|it| it["event"]["id"] == got[0]);
    let log = log[from.expect("it is in the log")..].iter();
    let log: Vec<_> = log.map(|it| it["event"]["id"].clone()).collect();
    assert_eq!(json!(got), json!(log));
}

#[tokio::test]
async fn a_sink_gets_what_it_asks_for_of_its_own_tenant() {
    let sink = Stub::start().await;
    sink.on("POST", "/").answer(200, json!({}));
    let (_folder, config) = config(&format!(
        "lifecycle-events = \"workflows\"\n\
         [[sink]]\nname = \"faults\"\ntenant = \"acme\"\nurl = \"{url}/faults?x=1\"\n\
         types = [\"io.serverlessworkflow.workflow.faulted.v1\", \"com.example.*\"]\n\
         headers = {{ authorization = \"Bearer hush-hush\" }}\n\
         [[sink]]\nname = \"all\"\ntenant = \"globex\"\nurl = \"{url}/all\"\n",
        url = sink.url()
    ));
    let host = Start::default().serve(&config, ACME).start().await;
    let globex = host.with_token(Some(GLOBEX));
    // Both sinks are there once each has got something.
    let mut number = 0;
    eventually("the sinks are there", async || {
        number += 1;
        send(&host, &format!("first-{number}"), "com.example.first").await;
        send(&globex, &format!("first-{number}"), "first").await;
        let there = |path| !sink.seen_on("POST", path).is_empty();
        (there("/faults") && there("/all")).then_some(())
    })
    .await;
    let fails = "- bad: { raise: { error: { type: 'https://example.org/bad', status: 418 } } }";
    host.publish(document("fails", fails)).await.expect(201);
    let run = host.start("test/fails", &json!({})).await;
    host.ended(&run).await;
    send(&host, "unwanted", "com.examples").await;
    send(&host, "last", "com.example.last").await;
    send(&globex, "own", "com.examples").await;
    gets(&sink, "last").await;
    gets(&sink, "own").await;
    let faults = sink.seen_on("POST", "/faults");
    let behind: Vec<_> = faults
        .iter()
        .map(Seen::json)
        .filter(|it| it["type"] != "com.example.first")
        .collect();
    assert_eq!(behind.len(), 2, "{behind:#?}");
    assert_eq!(behind[0]["subject"], run);
    assert_eq!(behind[0]["data"]["error"]["status"], 418);
    for seen in &faults {
        assert_eq!(seen.path, "/faults?x=1");
        assert_eq!(seen.header("authorization"), Some("Bearer hush-hush"));
        assert_eq!(
            seen.header("content-type"),
            Some("application/cloudevents+json")
        );
    }
    let all = sink.seen_on("POST", "/all");
    assert!(all.iter().all(|it| it.json()["type"] != "com.example.last"));
    let said = host.process().output();
    assert!(!said.contains("hush-hush"), "{said}");
}

#[tokio::test]
async fn what_is_no_sink_is_refused_at_the_start() {
    let sink = |members: &str| format!("[[sink]]\nname = \"audit\"\n{members}\n");
    let good = sink("tenant = \"acme\"\nurl = \"http://127.0.0.1:9/\"");
    for (text, said) in [
        (sink("url = \"audit.example.org\""), "http://"),
        (sink("url = \"ftp://audit.example.org\""), "https://"),
        (sink("url = \"http://a/\"\nretries = 3"), "`retries`"),
        (sink("tenant = \"acme\""), "`url`"),
        (sink("url = \"http://a/\"\ntypes = \"a\""), "types"),
        (sink("url = \"http://a/\"\ntypes = [\"*.a\"]"), "`*.a`"),
        (
            sink("url = \"http://a/\"\nheaders = { \"a b\" = \"c\" }"),
            "`a b`",
        ),
        (sink("url = \"http://a/\"\ntimeout-seconds = 0"), "1 to"),
        (
            sink("url = \"http://a/\"\ntenant = \"acmee\""),
            "`acmee`, which no token is of",
        ),
        (format!("{good}{good}"), "named `audit`"),
        ("lifecycle-events = \"all\"\n".to_owned(), "`workflows`"),
    ] {
        let (_folder, path) = config(&text);
        let data = tempfile::tempdir().expect("a temporary directory can be made");
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--config"];
        let mut arguments = Vec::from(arguments.map(str::to_owned));
        arguments.push(path.display().to_string());
        arguments.extend(["--data".to_owned(), data.path().display().to_string()]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ran = baton(&arguments).await.expect(2);
        assert!(ran.stderr.contains(said), "{text}\n{}", ran.stderr);
    }
}

/// What the API says stays the same with and without lifecycle events.
#[tokio::test]
async fn without_the_setting_there_are_none() {
    let host = Host::dev(&[]).await;
    let tasks = "- greet: { set: { hello: world } }";
    host.publish(document("told", tasks)).await.expect(201);
    let run = host.start("test/told", &json!({})).await;
    host.ended(&run).await;
    assert_eq!(host.all("/v1/events").await, Vec::<Value>::new());
}
