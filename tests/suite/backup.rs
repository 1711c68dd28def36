//! Backup while work goes on, and what becomes of it: a host that goes on where the other one was, or a clear no.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use baton_tests::cli::{Ran, baton};
use baton_tests::{Client, Host, Start, eventually};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::fixtures::{document, file};

/// Keeps what it is given.
const KEEP: &str = "- keep:\n    set: ${ . }";

/// Waits for an event, and gives what that brings.
const LISTEN: &str = "
- wait:
    listen: { to: { one: { with: { type: go } } } }
- then:
    set: { went: '${ .[0].to }' }
";

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

async fn back_up(host: &Client, to: &Path) -> Ran {
    baton(&["backup", "--server", host.url(), "--to", &text(to)]).await
}

async fn restore(backup: &Path, data: &Path) -> Ran {
    baton(&["restore", &text(backup), "--data", &text(data)]).await
}

/// The names of what is in a folder.
fn within(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("it is there");
    let names = entries.map(|it| it.expect("it is there").file_name());
    names.map(|it| it.to_string_lossy().into_owned()).collect()
}

/// A host with some runs that have ended and one that waits, and their ids.
async fn with_runs(count: usize, bytes: usize) -> (Host, Vec<String>, String) {
    let host = Host::dev(&[]).await;
    host.publish(document("keep", KEEP)).await.expect(201);
    host.publish(document("listen", LISTEN)).await.expect(201);
    let waiting = host.start("test/listen", &json!({})).await;
    let mut ended = Vec::new();
    for number in 0..count {
        let input = json!({ "number": number, "data": "x".repeat(bytes) });
        let run = host.start("test/keep", &input).await;
        host.ended(&run).await;
        ended.push(run);
    }
    eventually("the run waits", async || {
        (host.run(&waiting).await["status"] == "waiting").then_some(())
    })
    .await;
    (host, ended, waiting)
}

#[tokio::test]
async fn a_backup_under_load_has_all_that_was_answered_before() {
    let (host, ended, waiting) = with_runs(40, 100_000).await;
    let expected = {
        let mut expected = Vec::new();
        for run in &ended {
            expected.push(host.run(run).await);
        }
        expected
    };
    let stop = Arc::new(AtomicBool::new(false));
    let load = (0..4).map(|_| {
        let (client, stop) = (Client::clone(&host), stop.clone());
        tokio::spawn(async move {
            let mut started = 0;
            while !stop.load(Ordering::Relaxed) {
                client.start("test/keep", &json!({ "more": started })).await;
                started += 1;
            }
            started
        })
    });
    let load: Vec<_> = load.collect();
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let backup = folder.path().join("host.backup");
    let ran = back_up(&host, &backup).await.expect(0);
    stop.store(true, Ordering::Relaxed);
    let mut started = 0;
    for task in load {
        started += task.await.expect("the load goes on");
    }
    assert!(started > 0, "nothing was started meanwhile");
    assert!(
        ran.stdout.contains("2 versions of workflows"),
        "{}",
        ran.stdout
    );

    // The host that was backed up goes on.
    let again = host.start("test/keep", &json!({})).await;
    host.ended(&again).await;
    drop(host);

    let data = folder.path().join("elsewhere");
    let ran = restore(&backup, &data).await.expect(0);
    assert!(
        ran.stdout.contains("2 versions of workflows"),
        "{}",
        ran.stdout
    );
    let host = Start::default().data(&data).start().await;
    for (run, expected) in ended.iter().zip(expected) {
        assert_eq!(host.run(run).await, expected);
        assert!(!host.history(run).await.is_empty());
    }
    // What was open goes on.
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/test", "type": "go", "data": { "to": "the end" },
    });
    let sent = host.send(
        "POST",
        "/v1/events",
        &[("content-type", "application/cloudevents+json")],
        event.to_string(),
    );
    sent.await.expect(202);
    let run = host.ended(&waiting).await;
    assert_eq!(run["status"], "completed", "{run:#}");
    let after = host.start("test/keep", &json!({ "after": true })).await;
    assert_eq!(host.ended(&after).await["output"], json!({ "after": true }));
}

#[tokio::test]
async fn a_host_that_is_stopped_is_backed_up_from_its_directory() {
    let (mut host, ended, _) = with_runs(1, 10).await;
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let backup = folder.path().join("host.backup");
    let data = host.data().to_owned();
    let arguments = ["backup", "--data", &text(&data), "--to", &text(&backup)];
    let ran = baton(&arguments).await.expect(1);
    for said in ["in use by another process", "without --data"] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    assert_eq!(within(folder.path()), [""; 0]);

    host.kill9().await;
    let ran = baton(&[&arguments[..], &["--output", "json"]].concat())
        .await
        .expect(0);
    let told = ran.json();
    assert_eq!(
        (&told["runs"], &told["workflows"]),
        (&json!(2), &json!(2)),
        "{told}"
    );
    assert_eq!(within(folder.path()), ["host.backup"]);
    let restored = folder.path().join("restored");
    let ran = baton(&[
        "restore",
        &text(&backup),
        "--data",
        &text(&restored),
        "--output",
        "json",
    ])
    .await
    .expect(0);
    for member in ["runs", "workflows", "records", "bytes", "madeBy"] {
        assert_eq!(ran.json()[member], told[member], "{member}");
    }
    host.restart().await;
    let expected = host.run(&ended[0]).await;
    let mut other = Start::default().data(&restored).start().await;
    assert_eq!(other.run(&ended[0]).await, expected);

    // The room that it does not need is given back, once no host has it.
    let compact =
        async || baton(&["compact", "--data", &text(&restored), "--output", "json"]).await;
    let ran = compact().await.expect(1);
    assert!(
        ran.stderr.contains("in use by another process"),
        "{}",
        ran.stderr
    );
    other.kill9().await;
    let told = compact().await.expect(0).json();
    assert!(told["after"].as_u64() <= told["before"].as_u64(), "{told}");
    let other = Start::default().data(&restored).start().await;
    assert_eq!(other.run(&ended[0]).await, expected);

    let nowhere = folder.path().join("nowhere");
    let ran = baton(&["compact", "--data", &text(&nowhere)])
        .await
        .expect(2);
    assert!(
        ran.stderr.contains("there is no store in"),
        "{}",
        ran.stderr
    );
    let ran = baton(&["backup", "--data", &text(&nowhere), "--to", &text(&backup)])
        .await
        .expect(2);
    assert!(
        ran.stderr.contains("there is no store in"),
        "{}",
        ran.stderr
    );
    assert!(!nowhere.exists());
}

#[tokio::test]
async fn only_an_operator_may_back_up() {
    let tokens = [("ci", ""), ("root", "operator = true\n")].map(|(name, operator)| {
        let sha256 = hex::encode(Sha256::digest(name));
        format!(
            "[[token]]\ntenant = \"acme\"\nname = \"{name}\"\nsha256 = \"{sha256}\"\n{operator}"
        )
    });
    let (folder, config) = file("baton.toml", &tokens.join("\n"));
    let host = Start::default().serve(&config, "ci").start().await;
    let problem = host.get("/v1/backup").await.problem(403);
    assert_eq!(
        problem["type"], "urn:baton:problem:not-an-operator",
        "{problem}"
    );
    let to = text(&folder.path().join("host.backup"));
    let with_token = async |token| {
        baton(&[
            "backup",
            "--server",
            host.url(),
            "--token",
            token,
            "--to",
            &to,
        ])
        .await
    };
    let ran = with_token("ci").await.expect(1);
    assert!(ran.stderr.contains("operator = true"), "{}", ran.stderr);
    assert_eq!(within(folder.path()), ["baton.toml"]);
    with_token("root").await.expect(0);
}

#[tokio::test]
async fn what_breaks_off_is_not_kept() {
    let (host, ..) = with_runs(1, 1_000).await;
    let whole = host.get("/v1/backup").await.expect(200).body;
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let backup = folder.path().join("host.backup");
    std::fs::write(&backup, "the last one").expect("written");
    let half = &whole[..whole.len() / 2];
    // Once the connection breaks in the middle, once whoever is between says that this is all.
    for length in [whole.len(), half.len()] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let answer = [
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").as_bytes(),
            half,
        ]
        .concat();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("somebody asks");
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.expect("a request");
            assert!(read > 0, "somebody asks");
            stream.write_all(&answer).await.expect("it is taken");
        });
        let server = format!("http://{address}");
        let ran = baton(&["backup", "--server", &server, "--to", &text(&backup)]).await;
        serving.await.expect("it has served");
        let ran = ran.expect(1);
        assert!(ran.stderr.contains("the backup"), "{}", ran.stderr);
        assert_eq!(within(folder.path()), ["host.backup"]);
        assert_eq!(std::fs::read(&backup).expect("read"), b"the last one");
    }
}

#[tokio::test]
async fn nothing_is_restored_from_what_is_no_whole_backup() {
    let (host, ..) = with_runs(1, 1_000).await;
    let whole = host.get("/v1/backup").await.expect(200).body.to_vec();
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let backup = folder.path().join("host.backup");
    let data = folder.path().join("data");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for (bytes, said) in [
        (whole[..whole.len() - 1].to_vec(), "cut off"),
        (flipped, "damaged at byte"),
        ([&whole[..], b"\n"].concat(), "follows its end"),
        (b"my shopping list".to_vec(), "no backup"),
        (Vec::new(), "no backup"),
    ] {
        std::fs::write(&backup, bytes).expect("written");
        let ran = restore(&backup, &data).await.expect(1);
        let what = format!("cannot restore {}", text(&backup));
        for said in [said, &what] {
            assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
        }
        assert!(!data.exists() || within(&data).is_empty(), "{said}");
    }
    std::fs::write(&backup, &whole).expect("written");
    let ran = restore(&backup, host.data()).await.expect(1);
    assert!(ran.stderr.contains("is not empty"), "{}", ran.stderr);
    let ran = restore(&folder.path().join("none"), &data).await.expect(2);
    assert!(
        ran.stderr.contains("cannot read the backup"),
        "{}",
        ran.stderr
    );
    restore(&backup, &data).await.expect(0);
    let listed: Value = Start::default()
        .data(&data)
        .start()
        .await
        .get("/v1/runs")
        .await
        .expect(200)
        .json();
    assert_eq!(
        listed["items"].as_array().map(Vec::len),
        Some(2),
        "{listed}"
    );
}
