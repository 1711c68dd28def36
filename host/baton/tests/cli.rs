//! The binary as a user meets it: what it prints, where, and how it ends. Nothing here needs a network.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const BAD: &str = "document:
  dsl: 1.0.3
  namespace: demo
  name: bad
  version: 1.0.0
do:
- greet:
    set: { greeting: hello }
    then: nowhere
- greet:
    wait: PT1
";

const FAULTS: &str = "document: { dsl: 1.0.3, namespace: demo, name: faults, version: 1.0.0 }
do:
- refuse:
    raise:
      error:
        type: https://example.org/errors/refused
        status: 418
        title: Refused
        detail: it is a teapot
";

fn baton(arguments: &[&str], stdin: &str, home: &Path) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_baton"))
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built for this test");
    // A command that does not read its input may have ended before all of it is written.
    let _ = child
        .stdin
        .take()
        .expect("it is a pipe")
        .write_all(stdin.as_bytes());
    child.wait_with_output().expect("the process was started")
}

fn check(arguments: &[&str], stdin: &str) -> (i32, String, String) {
    let home = tempfile::tempdir().expect("there is a temporary directory");
    let output = baton(arguments, stdin, home.path());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn schema_prints_the_language_for_editors() {
    let (code, stdout, stderr) = check(&["schema"], "");
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(stdout, baton_workflow::document::SCHEMA);
}

#[test]
fn run_prints_the_output_alone() {
    let document = FAULTS.split("do:").next().unwrap().to_owned()
        + "do:\n- x: { set: { a: \"${ .n + 1 }\" } }\n";
    let (code, stdout, stderr) = check(&["run", "-", "--input", "{\"n\":1}"], &document);
    assert_eq!(
        (code, stdout.as_str()),
        (0, "{\n  \"a\": 2\n}\n"),
        "{stderr}"
    );
    assert!(stderr.contains("completed  x in"), "{stderr}");
    assert!(
        !stderr.contains('\u{1b}'),
        "there are no colours in a pipe: {stderr}"
    );

    let (code, stdout, _) = check(
        &["run", "-", "--input", "{\"n\":1}", "--output", "json"],
        &document,
    );
    let run: serde_json::Value = serde_json::from_str(&stdout).expect("it is JSON");
    assert_eq!(code, 0);
    assert_eq!(run["status"], "completed");
    assert_eq!(run["output"], serde_json::json!({ "a": 2 }));
}

#[test]
fn a_fault_is_1_and_says_why() {
    let (code, stdout, stderr) = check(&["run", "-"], FAULTS);
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert!(
        stderr.contains("at /do/0/refuse: Refused: it is a teapot (refused, 418)"),
        "{stderr}"
    );
    // The task is shown in the document, as a diagnostic would be.
    let excerpt = " --> <stdin>:3:3\n  |\n3 | - refuse:\n  |   ^^^^^^\n";
    assert!(stderr.contains(excerpt), "{stderr}");
}

#[test]
fn an_input_against_the_schema_is_a_fault() {
    let document = FAULTS.replace(
        "do:",
        "input: { schema: { document: { type: object, required: [name] } } }\ndo:",
    );
    let (code, _, stderr) = check(&["run", "-"], &document);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("(validation, 400)"), "{stderr}");
}

#[test]
fn all_that_is_wrong_with_grants_is_said_at_once() {
    let arguments = [
        "run",
        "-",
        "--allow",
        "sicm=https://a.example",
        "--config",
        "greeter.name=Ada",
        "--allow",
        "nowhere",
        "--allow",
        "ftp://a.example",
    ];
    let (code, stdout, stderr) = check(&arguments, FAULTS);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    for expected in [
        "there is no connector `sicm`: did you mean `scim`? There are `a2a`, ",
        "there is no connector `greeter`: there are `a2a`, ",
        "`http`, `mcp`, `openapi`: egress rule `nowhere`: it has no scheme",
        "`ftp` is no scheme that can be granted",
    ] {
        assert!(stderr.contains(expected), "{expected} in {stderr}");
    }
}

#[test]
fn a_refused_request_says_once_what_and_how_to_allow_it() {
    let document = FAULTS.split("do:").next().unwrap().to_owned()
        + "do:\n- ask: { call: http, with: { method: get, endpoint: 'http://127.0.0.1:9/v1/x' } }\n";
    let (code, _, stderr) = check(&["run", "-"], &document);
    assert_eq!(code, 1, "{stderr}");
    let last = stderr
        .lines()
        .find(|line| line.starts_with("error: "))
        .expect("the fault is told");
    let expected = "at /do/0/ask: request refused: GET http://127.0.0.1:9/v1/x: the grant has no egress rules; to allow \
                    it: `--allow 'GET http://127.0.0.1:9/v1/'` with `baton run` or `baton dev`, else `baton connector \
                    grant http` (authorization, 403)";
    assert!(last.ends_with(expected), "{last}");
}

#[test]
fn what_cannot_be_used_is_2() {
    let (code, stdout, stderr) = check(&["run", "-"], BAD);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    for arguments in [
        &["run", "/no/such/file"][..],
        &["run", "-", "--input", "{"],
        &["run", "-", "--allow", "nowhere"],
        &["run", "-", "--config", "base-url=1"],
        &["run", "-", "--frobnicate"],
        &["dev", "--listen", "0.0.0.0:0"],
        &["serve", "--data", "/nonexistent/x"],
        &["serve"],
    ] {
        let (code, stdout, stderr) = check(arguments, FAULTS);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("error: "), "{arguments:?}: {stderr}");
    }
}

#[test]
fn validate_shows_every_error_with_its_line() {
    let (code, stdout, stderr) = check(&["validate", "-"], BAD);
    assert_eq!((code, stdout.as_str()), (1, ""));
    insta::assert_snapshot!(stderr);
    let (code, stdout, stderr) = check(&["validate", "-", "--output", "json"], BAD);
    let answer: serde_json::Value = serde_json::from_str(&stdout).expect("it is JSON");
    assert_eq!((code, stderr.as_str()), (1, ""));
    assert_eq!(
        (&answer["valid"], &answer["file"]),
        (&false.into(), &"<stdin>".into())
    );
}

#[test]
fn validate_points_out_what_is_not_portable_when_asked() {
    let document = FAULTS.replace("- refuse:\n", "- refuse:\n    compensate: []\n");
    let (code, stdout, _) = check(&["validate", "-"], &document);
    assert_eq!((code, stdout.trim()), (0, "<stdin> is valid"));
    let (code, _, stderr) = check(&["validate", "-", "--portable"], &document);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("warning[not-portable]: `compensate` is an addition of this host"),
        "{stderr}"
    );
    let (code, stdout, _) = check(&["validate", "-", "--portable"], FAULTS);
    assert_eq!((code, stdout.trim()), (0, "<stdin> is valid"));
}

#[test]
fn validate_goes_on_behind_a_file_that_cannot_be_read() {
    let (code, stdout, stderr) = check(&["validate", "/no/such.yaml", "-", "/nor/this"], FAULTS);
    assert_eq!(
        (code, stdout.as_str()),
        (2, "<stdin> is valid\n"),
        "{stderr}"
    );
    for file in ["/no/such.yaml", "/nor/this"] {
        assert!(stderr.contains(&format!("cannot read {file}")), "{stderr}");
    }
    assert!(stderr.contains("because No such file"), "{stderr}");
    let (code, _, stderr) = check(&["validate", "/no/such.yaml", "-"], BAD);
    assert_eq!(
        code, 2,
        "what can't be read is the worse of the two: {stderr}"
    );
}

#[test]
fn validate_asks_the_host_that_is_named() {
    let arguments = ["validate", "-", "--server", "http://127.0.0.1:1"];
    let (code, stdout, stderr) = check(&arguments, FAULTS);
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert!(stderr.contains("http://127.0.0.1:1"), "{stderr}");
}

#[test]
fn a_connector_that_only_the_host_may_know_is_a_warning() {
    let document =
        FAULTS.split("do:").next().unwrap().to_owned() + "do:\n- x: { call: f@elsewhere }\n";
    let (code, _, stderr) = check(&["validate", "-"], &document);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.starts_with("warning[unknown-function]"), "{stderr}");
    let document = document.replace("f@elsewhere", "f@scim");
    assert_eq!(check(&["validate", "-"], &document).0, 1);
}

#[test]
fn a_host_that_is_not_there_is_named() {
    let (code, _, stderr) = check(&["runs", "list", "--server", "http://127.0.0.1:1"], "");
    assert_eq!(code, 1);
    assert!(
        stderr.contains("http://127.0.0.1:1") && stderr.contains("baton dev"),
        "{stderr}"
    );
}

#[test]
fn a_token_comes_with_what_the_host_has_to_know() {
    let (code, token, table) = check(&["token", "new", "--tenant", "acme", "--name", "ci"], "");
    assert_eq!(code, 0);
    assert!(
        token.starts_with("baton_") && token.len() == "baton_\n".len() + 64,
        "{token}"
    );
    assert!(
        table.starts_with("[[token]]\ntenant = \"acme\"\nname = \"ci\"\nsha256 = \""),
        "{table}"
    );
    assert!(!table.contains(token.trim()));
}

#[test]
fn a_new_connector_is_a_crate_of_its_own() {
    let home = tempfile::tempdir().expect("there is a temporary directory");
    let into = home.path().display().to_string();
    let output = baton(
        &["connector", "new", "my-crm", "--into", &into],
        "",
        home.path(),
    );
    assert!(output.status.success(), "{output:?}");
    let read = |path: &str| {
        std::fs::read_to_string(home.path().join("my-crm").join(path)).expect("it is there")
    };
    assert!(read("Cargo.toml").contains("name = \"my-crm\""));
    assert!(read("src/lib.rs").contains("exports::acme::my_crm::greetings"));
    assert!(read("src/lib.rs").contains("path: [\"baton\", \"wit\"]"));
    assert!(read("wit/connector.wit").contains("package acme:my-crm@1.0.0;"));
    let again = baton(
        &["connector", "new", "my-crm", "--into", &into],
        "",
        home.path(),
    );
    assert_eq!(again.status.code(), Some(2));
}
