//! What holds a process of the machine: it ends with its task, its run and its host, keeps within the operator's
//! limits, and nobody but the operator turns it on.

use std::path::PathBuf;

use baton_tests::{Host, Start, eventually};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::fixtures::{file, fresh, is_error};

/// The token of the tenant `acme`.
const ACME: &str = "token-of-acme-0123456789abcdef0123456789";

async fn dev() -> Host {
    Start::default().argument("--allow-shell").start().await
}

/// A host for many, with this part of its configuration.
async fn serve(processes: &str) -> (Host, TempDir) {
    let digest = hex::encode(Sha256::digest(ACME));
    let text = format!(
        "[processes]\n{processes}\n[[token]]\ntenant = \"acme\"\nname = \"tests\"\nsha256 = \"{digest}\"\n"
    );
    let (folder, config): (TempDir, PathBuf) = file("baton.toml", &text);
    let host = Start::default().serve(&config, ACME).start().await;
    (host, folder)
}

/// A document of one task, which runs a command.
fn command(command: &str, rest: &str) -> String {
    let command = json!(command);
    fresh(&format!(
        "
            - it:
                run: {{ shell: {{ command: {command} }}, return: stdout }}
                {rest}
            "
    ))
}

/// A command that leaves processes of every kind behind and never ends: in its group, and out of it. They are known by
/// how long they sleep.
fn stubborn(seconds: u32) -> String {
    format!(
        "trap '' TERM; sleep {seconds} & setsid sleep {seconds} & (setsid sh -c 'trap \"\" TERM; sleep {seconds}; true' &); wait; sleep {seconds}"
    )
}

/// How many processes of the machine sleep for so long.
fn sleeping(seconds: u32) -> usize {
    let processes = std::fs::read_dir("/proc").expect("the machine runs Linux");
    let lines =
        processes.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    let expected = format!("sleep\0{seconds}\0");
    lines.filter(|line| *line == expected.as_bytes()).count()
}

async fn asleep(seconds: u32, count: usize) {
    eventually(&format!("{count} processes sleep"), async || {
        (sleeping(seconds) == count).then_some(())
    })
    .await;
}

async fn started(host: &Host, text: &str) -> String {
    let published = host.publish(text).await.expect(201).json();
    let workflow = format!(
        "{}/{}",
        published["namespace"].as_str().expect("a namespace"),
        published["name"].as_str().expect("a name")
    );
    host.start(&workflow, &json!({})).await
}

async fn ran(host: &Host, text: &str) -> Value {
    host.run_document(text, &json!({})).await
}

#[tokio::test]
async fn a_process_ends_with_the_time_of_its_task() {
    let host = dev().await;
    let text = command(&stubborn(100_001), "timeout: { after: PT1S }");
    let run = ran(&host, &text).await;
    assert!(is_error(&run["error"], "timeout"), "{run:#}");
    asleep(100_001, 0).await;
}

#[tokio::test]
async fn a_process_ends_with_its_run() {
    let host = dev().await;
    let run = started(&host, &command(&stubborn(100_002), "")).await;
    asleep(100_002, 3).await;
    let cancel = format!("/v1/runs/{run}/cancel");
    host.post(&cancel, &json!({})).await;
    asleep(100_002, 0).await;
}

#[tokio::test]
async fn a_process_ends_when_its_host_is_killed() {
    let mut host = dev().await;
    started(&host, &command(&stubborn(100_003), "")).await;
    asleep(100_003, 3).await;
    host.kill9().await;
    asleep(100_003, 0).await;
}

#[tokio::test]
async fn a_process_ends_when_its_host_stops() {
    let mut host = dev().await;
    started(&host, &command(&stubborn(100_004), "")).await;
    asleep(100_004, 3).await;
    host.stop().await;
    asleep(100_004, 0).await;
}

#[tokio::test]
async fn what_a_process_takes_is_limited_as_the_operator_says() {
    let limits =
        "shell = ['acme']\ncpu = 1\nmemory-mib = 64\nfile-size-mib = 1\nfiles = 16\noutput-mib = 1";
    let (host, _folder) = serve(limits).await;
    for (text, expected) in [
        ("while :; do :; done", "it computed longer than 1 s"),
        ("yes", "it wrote more than 1 MiB"),
        ("yes >&2", "it wrote more than 1 MiB"),
        ("head -c 2M /dev/zero > large; exit $?", "the exit code 1"),
        (
            "dd if=/dev/zero of=/dev/null bs=100M count=1",
            "memory exhausted",
        ),
        ("ulimit -n 17", "the exit code"),
    ] {
        let run = ran(&host, &command(text, "")).await;
        assert!(is_error(&run["error"], "runtime"), "{text}: {run:#}");
        let detail = run["error"]["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(expected), "{text}: {detail}");
    }
}

#[tokio::test]
async fn a_process_has_nothing_of_the_hosts() {
    let host = dev().await;
    let run = ran(
        &host,
        &command("env | cut -d= -f1 | sort | tr '\\n' ' '", ""),
    )
    .await;
    assert_eq!(
        run["output"], "BATON_IDEMPOTENCY_KEY HOME LANG PATH PWD ",
        "{run:#}"
    );
    let text = "kill -9 $PPID; echo $?; id -G; grep NoNewPrivs /proc/self/status | tr -dc 01";
    let run = ran(&host, &command(text, "")).await;
    let output = run["output"].as_str().unwrap_or_default();
    if output.lines().nth(1) == Some("65534") {
        // Where the host runs as root, the process cannot reach who holds it, and can't become more than it is.
        assert_eq!(output, "1\n65534\n1", "{run:#}");
    }
    let run = ran(&host, &command("cat /proc/$PPID/environ", "")).await;
    let shown = run["output"].as_str().unwrap_or_default();
    assert!(!shown.contains("CARGO"), "{run:#}");
}

#[tokio::test]
async fn a_workflows_variables_have_no_power_over_who_holds_the_process() {
    let host = dev().await;
    let text = fresh(
        "
            - it:
                run:
                  shell: { command: ':', environment: { LD_PRELOAD: /no/such/library.so } }
                  return: stderr
            ",
    );
    let run = ran(&host, &text).await;
    let said = run["output"].as_str().unwrap_or_default();
    // The loader of each program that sees the variable complains: that of the shell, and of nothing before it.
    assert_eq!(said.matches("/no/such/library.so").count(), 1, "{run:#}");
}

#[tokio::test]
async fn the_folder_of_a_process_is_removed_with_all_that_is_in_it() {
    let host = dev().await;
    let text = "touch file; mkdir -p a/b; chmod 0 a; pwd";
    let run = ran(&host, &command(text, "")).await;
    let output = run["output"].as_str().unwrap_or_default();
    let folder = output.lines().next().expect("it has one");
    assert!(folder.contains("baton-process"), "{run:#}");
    assert!(!std::path::Path::new(folder).exists(), "{folder}");
}

#[tokio::test]
async fn only_the_tenants_that_the_operator_names_may() {
    let (host, _folder) = serve("shell = ['globex']").await;
    let run = ran(&host, &command("echo hi", "")).await;
    assert!(is_error(&run["error"], "authorization"), "{run:#}");
    let detail = run["error"]["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("[processes] shell ="), "{detail}");

    // Not for a component of the tenant's own either, though it is the same one.
    let (host, _folder) = serve("shell = ['acme']").await;
    let run = ran(&host, &command("echo hi", "")).await;
    assert_eq!(run["output"], "hi\n", "{run:#}");
    let mut own = std::fs::read(baton_tests::paths::file("plugins/dist/shell.wasm"))
        .expect("the component is built");
    // A custom section, without a meaning: another component by its digest.
    own.extend_from_slice(&[0, 2, 1, b'x']);
    let headers = [("content-type", "application/wasm")];
    host.send("POST", "/v1/connectors?name=shell", &headers, own)
        .await
        .expect(201);
    let run = ran(&host, &command("echo hi", "")).await;
    assert!(is_error(&run["error"], "authorization"), "{run:#}");
}
