//! `run` of scripts, shell commands and containers, by the real interpreters, a real shell, and a stand-in for the
//! command line of `docker` that records what it is asked.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use baton_tests::cli::{Ran, baton};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Runs a workflow of one task, which runs this.
async fn run(what: Value, flags: &[&str]) -> Ran {
    let folder = TempDir::new().expect("a temporary directory can be made");
    let file = folder.path().join("workflow.json");
    let document = json!({
        "document": { "dsl": "1.0.3", "namespace": "test", "name": "process", "version": "1.0.0" },
        "do": [ { "it": { "run": what } } ],
    });
    std::fs::write(&file, document.to_string()).expect("a new file can be written");
    let file = file.display().to_string();
    let arguments: Vec<&str> = ["run", &file]
        .into_iter()
        .chain(flags.iter().copied())
        .collect();
    baton(&arguments).await
}

async fn script(language: &str, code: &str) -> Value {
    let script = json!({
        "language": language, "code": code, "stdin": "in put", "arguments": ["a", "b c"],
        "environment": { "FOO": "bar" },
    });
    run(json!({ "script": script, "return": "all" }), &[])
        .await
        .expect(0)
        .json()
}

async fn shell(command: &str, returned: &str) -> Ran {
    let shell = json!({
        "command": command, "stdin": "in put", "arguments": ["a", "b c"], "environment": { "FOO": "bar" },
    });
    run(
        json!({ "shell": shell, "return": returned }),
        &["--allow-shell"],
    )
    .await
}

#[tokio::test]
async fn a_script_in_javascript_has_its_arguments_environment_and_input() {
    let code = "import { readFileSync } from 'node:fs';\n\
                const [, , first, second] = process.argv;\n\
                console.log(first, second, process.env.FOO, readFileSync(process.stdin.fd, 'utf8'));\n\
                console.error({ nested: [1, { deep: true }] });";
    let expected = json!({ "code": 0, "stdout": "a b c bar in put\n", "stderr": "{ nested: [ 1, { deep: true } ] }\n" });
    assert_eq!(script("js", code).await, expected);
    let failed = script("js", "throw new TypeError('no')").await;
    assert_eq!(failed["code"], 1);
    assert!(
        failed["stderr"]
            .as_str()
            .is_some_and(|it| it.starts_with("TypeError: no\n    at")),
        "{failed}"
    );
    assert_eq!(script("js", "process.exit(7)").await["code"], 7);
}

#[tokio::test]
async fn a_script_in_python_has_its_arguments_environment_and_input() {
    let code = "import sys, os, json, re, math, base64, hashlib\n\
                print(*sys.argv[1:], os.environ['FOO'], sys.stdin.read(), json.dumps({'x': [1]}))\n\
                print('e', file=sys.stderr)";
    let expected =
        json!({ "code": 0, "stdout": "a b c bar in put {\"x\": [1]}\n", "stderr": "e\n" });
    assert_eq!(script("python", code).await, expected);
    let failed = script("python", "raise ValueError('no')").await;
    assert_eq!(failed["code"], 1);
    assert!(
        failed["stderr"]
            .as_str()
            .is_some_and(|it| it.ends_with("ValueError: no\n")),
        "{failed}"
    );
    assert_eq!(script("python", "import sys; sys.exit(7)").await["code"], 7);
}

#[tokio::test]
async fn a_command_that_is_not_turned_on_says_how_it_is() {
    let refused = run(json!({ "shell": { "command": "echo hi" } }), &[])
        .await
        .expect(1);
    for expected in ["authorization", "--allow-shell", "[processes] shell ="] {
        assert!(
            refused.stderr.contains(expected),
            "{expected}: {}",
            refused.stderr
        );
    }
}

#[tokio::test]
async fn a_command_has_its_arguments_environment_and_input_and_nothing_else() {
    let ran = shell(
        "echo \"$1|$2|$FOO|$(cat)\"; pwd | grep -c baton-process; ls | wc -l",
        "stdout",
    )
    .await;
    assert_eq!(ran.expect(0).json(), json!("a|b c|bar|in put\n1\n0\n"));
    let user = shell("id -u", "stdout").await.expect(0).json();
    assert_ne!(user, json!("0\n"), "no command runs as root");
    // The three streams, and the folder that is listed.
    let descriptors = shell("ls -1 /proc/self/fd | wc -l", "stdout").await;
    assert_eq!(descriptors.expect(0).json(), json!("4\n"));
}

#[tokio::test]
async fn an_exit_code_is_an_error_unless_it_is_asked_for() {
    assert_eq!(shell("exit 7", "code").await.expect(0).json(), json!(7));
    let failed = shell("echo why >&2; exit 7", "stdout").await.expect(1);
    assert!(
        failed.stderr.contains("the exit code 7: why"),
        "{}",
        failed.stderr
    );
}

#[tokio::test]
async fn what_a_command_leaves_behind_is_ended_and_what_it_writes_is_bounded() {
    // Were it not ended, the output would stay open, and the command with it.
    let ran = shell("sleep 1000 & setsid sleep 1000 & echo done", "stdout").await;
    assert_eq!(ran.expect(0).json(), json!("done\n"));
    let flood = shell("yes", "stdout").await.expect(1);
    assert!(
        flood.stderr.contains("it wrote more than 4 MiB"),
        "{}",
        flood.stderr
    );
}

/// Puts a stand-in for `docker` into a folder: it writes its arguments, a line each, to the file `asked` beside it.
fn stand_in(folder: &Path) {
    let docker = folder.join("docker");
    let asked = folder.join("asked");
    let script = format!(
        "#!/bin/sh\nfor it in \"$@\"; do echo \"$it\"; done > {}\ncat\n",
        asked.display()
    );
    std::fs::write(&docker, script).expect("a new file can be written");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&docker, executable).expect("its owner may say who runs it");
}

#[tokio::test]
async fn a_container_is_run_by_the_command_line_of_an_engine() {
    let folder = TempDir::new().expect("a temporary directory can be made");
    stand_in(folder.path());
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let container = json!({
        "image": "alpine", "command": "echo $1", "arguments": ["x"], "stdin": "in put", "name": "a name",
        "environment": { "A": "b" }, "ports": { "8080": 80 }, "pullPolicy": "always", "lifetime": { "cleanup": "always" },
    });
    let flags = ["--allow-container", "--process-path", &path];
    let ran = run(json!({ "container": container }), &flags)
        .await
        .expect(0);
    assert_eq!(ran.json(), json!("in put"));
    let asked = std::fs::read_to_string(folder.path().join("asked")).expect("the engine was asked");
    let asked: Vec<&str> = asked
        .lines()
        .filter(|it| !it.starts_with("--label=io.baton.key="))
        .collect();
    let expected = [
        "run",
        "--name=a-name",
        "--pull=always",
        "--rm",
        "--interactive",
        "--env=A=b",
        "--publish=8080:80",
        "--entrypoint=/bin/sh",
        "--",
        "alpine",
        "-c",
        "echo $1",
        "sh",
        "x",
    ];
    assert_eq!(asked, expected);
}
