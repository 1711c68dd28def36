//! The data directory: held by another host, not writable, full, or written by a later release.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use baton_store::record::{MetaRecord, Record as _};
use baton_store::{Batch, RedbOptions, RedbStore, Store as _, key, meta};
use baton_tests::cli::{self, Ran, baton};
use baton_tests::{Client, Host, Start};
use serde_json::json;

use crate::fixtures::document;

/// Ignores SIGXFSZ, so that a write past the limit of the file size is an error, and becomes the program.
const IGNORING_XFSZ: [&str; 4] = ["/bin/sh", "-c", r#"trap "" XFSZ; exec "$@""#, "sh"];

fn arguments(data: &Path) -> [String; 5] {
    [
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--data",
        &data.to_string_lossy(),
    ]
    .map(str::to_owned)
}

/// Expects that a host did not start, and said why: the place, and these words.
fn refused(ran: &Ran, data: &Path, words: &[&str]) {
    assert!(
        !matches!(ran.code, Some(0) | None),
        "it ended with {:?}\n{}",
        ran.code,
        ran.stderr
    );
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains(&*data.to_string_lossy()),
        "the place is not named:\n{}",
        ran.stderr
    );
    assert!(
        words.iter().any(|word| ran.stderr.contains(word)),
        "none of {words:?} in:\n{}",
        ran.stderr
    );
}

#[tokio::test]
async fn a_directory_in_use_is_left_to_its_host() {
    let first = Host::dev(&[]).await;
    refused(
        &baton(&arguments(first.data())).await,
        first.data(),
        &["in use", "locked"],
    );
    first.get("/readyz").await.expect(200);
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() {
    // Nobody can make a directory there, not even root.
    let data = Path::new("/proc/baton/data");
    let ran = baton(&arguments(data)).await;
    refused(&ran, data, &["can't be opened"]);
    // And what the system said.
    refused(&ran, data, &["because No such file or directory"]);
}

#[tokio::test]
async fn what_is_made_is_for_its_user_alone() {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let data = folder.path().join("state/data");
    let mut host = Start::default().data(&data).start().await;
    host.kill9().await;
    let mode = |path: &Path| {
        let permissions = fs::metadata(path).expect("it is there").permissions();
        permissions.mode() & 0o777
    };
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join(baton_store::FILE_NAME)), 0o600);
}

#[tokio::test]
async fn what_is_read_only_is_named() {
    let mut host = Host::dev(&[]).await;
    assert!(host.stop().await.success());
    let data = host.data().to_owned();
    // Root may write everywhere, unless it gives up that right.
    let as_others: &[&str] = &[
        "/usr/bin/setpriv",
        "--bounding-set",
        "-dac_override,-dac_read_search",
        "--",
    ];
    let root = rustix::process::geteuid().is_root();
    let file = data.join(baton_store::FILE_NAME);
    let before = fs::metadata(&file).expect("it is there").permissions();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).expect("it is ours");
    let ran = if root {
        cli::under(as_others, &arguments(&data)).await
    } else {
        baton(&arguments(&data)).await
    };
    refused(
        &ran,
        &data,
        &["can't be written", "read-only", "permission"],
    );
    fs::set_permissions(&file, before).expect("it is ours");

    let empty = tempfile::tempdir().expect("a temporary directory can be made");
    fs::set_permissions(empty.path(), fs::Permissions::from_mode(0o555)).expect("it is ours");
    let ran = if root {
        cli::under(as_others, &arguments(empty.path())).await
    } else {
        baton(&arguments(empty.path())).await
    };
    refused(
        &ran,
        empty.path(),
        &["can't be written", "read-only", "permission"],
    );
    // And with the rights back, everything is as before.
    host.restart().await;
}

#[tokio::test]
async fn a_file_that_is_no_store_is_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let file = folder.path().join(baton_store::FILE_NAME);
    fs::write(&file, "my shopping list\n".repeat(1000)).expect("a new file can be written");
    refused(
        &baton(&arguments(folder.path())).await,
        folder.path(),
        &["damaged", "not a store", "no store"],
    );
    assert!(
        fs::read_to_string(&file)
            .expect("it is there")
            .starts_with("my shopping list")
    );
}

#[tokio::test]
async fn a_store_of_a_later_release_is_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let store =
        RedbStore::open(folder.path(), RedbOptions::default()).expect("a new store can be made");
    let record = MetaRecord {
        format: meta::FORMAT + 1,
        partitions: 8,
        created_by: "baton 7.0.0".to_owned(),
        created_at_ms: 0,
    };
    let mut batch = Batch::new();
    batch.put(key::meta(), record.encode());
    store.commit(&batch).expect("a new store can be written");
    drop(store);
    refused(
        &baton(&arguments(folder.path())).await,
        folder.path(),
        &["baton 7.0.0"],
    );
}

#[tokio::test]
async fn a_full_disk_at_the_start_is_named() {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let limited = [
        "/bin/sh",
        "-c",
        r#"trap "" XFSZ; ulimit -f 1; exec "$@""#,
        "sh",
    ];
    let data = folder.path().join("data");
    refused(
        &cli::under(&limited, &arguments(&data)).await,
        &data,
        &["room", "space", "full", "large"],
    );
}

/// A run that carries some data, and ends at once.
async fn keep(host: &Client, bytes: usize) -> baton_tests::Answer {
    host.post(
        "/v1/workflows/test/keep/runs",
        &json!({ "input": { "data": "x".repeat(bytes) } }),
    )
    .await
}

#[tokio::test]
async fn a_disk_that_fills_up_refuses_writes_and_loses_nothing() {
    let mut host = Start::default().under(&IGNORING_XFSZ).start().await;
    host.publish(document("keep", "- keep:\n    set: ${ . }"))
        .await
        .expect(201);
    let mut runs = vec![host.start("test/keep", &json!({ "data": "first" })).await];
    host.ended(&runs[0]).await;

    let size = fs::metadata(host.data().join(baton_store::FILE_NAME))
        .expect("it is there")
        .len();
    host.process().limit_file_size(Some(size));
    let mut refusal = None;
    for _ in 0..500 {
        let answer = keep(&host, 200_000).await;
        if answer.status >= 400 {
            refusal = Some(answer);
            break;
        }
        runs.push(
            answer.json()["id"]
                .as_str()
                .expect("a run has an id")
                .to_owned(),
        );
    }
    let problem = refusal
        .expect("the store has to grow at some time")
        .problem(503);
    assert_eq!(
        problem["type"], "urn:baton:problem:store-failed",
        "{problem:#}"
    );

    // Room again: the host goes on, and what it had said yes to is there and ends.
    host.process().limit_file_size(None);
    let run = baton_tests::eventually("a run can be started again", async || {
        let answer = keep(&host, 10).await;
        (answer.status == 202).then(|| {
            answer.json()["id"]
                .as_str()
                .expect("a run has an id")
                .to_owned()
        })
    })
    .await;
    runs.push(run);
    for id in &runs {
        assert_eq!(host.ended(id).await["status"], "completed");
    }
    host.kill9().await;
    host.restart().await;
    for id in &runs {
        assert_eq!(host.ended(id).await["status"], "completed");
    }
    assert_eq!(
        host.all("/v1/runs").await.len(),
        runs.len(),
        "a refused run is not there"
    );
}
