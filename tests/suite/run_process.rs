//! `run` of scripts, shell commands and containers, by the real interpreters, a real shell, and a stand-in for the
//! command line of `docker` that records what it is asked.

use baton_tests::cli::{Ran, baton};
use baton_tests::{Docker, Host};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixtures::{fresh, is_error};

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
async fn timers_of_no_time_let_others_have_their_turn() {
    let code = "let done = false;\n\
                setTimeout(() => { done = true; console.log('in time'); }, 20);\n\
                (function again() { if (!done) setTimeout(again, 0); })();";
    let expected = json!({ "code": 0, "stdout": "in time\n", "stderr": "" });
    assert_eq!(script("js", code).await, expected);
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

#[tokio::test]
async fn a_container_is_run_by_the_command_line_of_an_engine() {
    let docker = Docker::new();
    let path = docker.path();
    let container = json!({
        "image": "alpine", "command": "echo $1 $A; cat", "arguments": ["x"], "stdin": "in put", "name": "a name",
        "environment": { "A": "b" }, "ports": { "8080": 80 }, "pullPolicy": "always", "lifetime": { "cleanup": "always" },
    });
    let flags = ["--allow-container", "--process-path", &path];
    let ran = run(json!({ "container": container }), &flags)
        .await
        .expect(0);
    assert_eq!(ran.json(), json!("x b\nin put"));
    let mut asked = docker.asked("run");
    asked.retain(|it| !it.starts_with("--label=io.baton.key="));
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
        "echo $1 $A; cat",
        "sh",
        "x",
    ];
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn a_container_that_is_kept_for_some_time_is_swept_by_the_next_one() {
    let docker = Docker::new();
    let path = docker.path();
    let container = json!({
        "image": "hello-world", "lifetime": { "cleanup": "eventually", "after": { "minutes": 30 } },
    });
    let flags = ["--allow-container", "--process-path", &path];
    let ran = run(json!({ "container": container }), &flags)
        .await
        .expect(0);
    assert_eq!(ran.json(), json!("Hello from Docker!\n"));
    let label = "--label=io.baton.remove-after=1800000".to_owned();
    assert!(docker.asked("run").contains(&label));
    let filter = "--filter=label=io.baton.remove-after".to_owned();
    assert!(docker.asked("ps").contains(&filter));
}

#[tokio::test]
async fn without_an_engine_there_is_a_clear_error() {
    let empty = TempDir::new().expect("a temporary directory can be made");
    let path = empty.path().display().to_string();
    let flags = ["--allow-container", "--process-path", &path];
    let failed = run(json!({ "container": { "image": "hello-world" } }), &flags)
        .await
        .expect(1);
    assert!(
        failed.stderr.contains("neither `docker` nor `podman`"),
        "{}",
        failed.stderr
    );
}

#[tokio::test]
async fn python_has_the_time_random_numbers_and_its_usual_modules() {
    let cases = [
        (
            "time",
            "import time; t = time.time(); time.sleep(0.001); print(t > 1.7e9 and time.time() > t and time.monotonic() >= 0)",
            "True\n",
        ),
        (
            "a method",
            "import time\nclass A:\n    clock = time.time\nprint(A().clock() > 1.7e9)",
            "True\n",
        ),
        (
            "datetime",
            "from datetime import datetime, timezone, date\nnow = datetime.now(timezone.utc)\nprint(now.year >= 2026, datetime.now().date() == date.today(), now.timestamp() > 1.7e9)",
            "True True True\n",
        ),
        (
            "random",
            "import random; print(0 <= random.random() < 1, random.randint(3, 3), len({random.random() for _ in range(9)}))",
            "True 3 9\n",
        ),
        (
            "seed",
            "import random; random.seed(1); print(random.random())",
            "0.13436424411240122\n",
        ),
        (
            "uuid",
            "import uuid; print(uuid.uuid4().version, uuid.uuid4() != uuid.uuid4())",
            "4 True\n",
        ),
        (
            "dataclasses",
            "from dataclasses import dataclass, asdict\n@dataclass(order=True)\nclass A:\n    x: int\n    y: str = 'z'\nprint(asdict(A(1)), A(1) < A(2))",
            "{'x': 1, 'y': 'z'} True\n",
        ),
        (
            "logging",
            "import logging, sys\nlogging.basicConfig(stream=sys.stdout, level=logging.INFO, format='%(asctime)s %(levelname)s %(message)s')\nlogging.getLogger('a').info('hello %s', 1)",
            " INFO hello 1\n",
        ),
        (
            "json",
            "import json; print(json.loads(json.dumps({'a': [1, None, True, 'é']})))",
            "{'a': [1, None, True, 'é']}\n",
        ),
        (
            "re",
            "import re; print(re.sub(r'(\\w+)@(\\w+)', r'\\2', 'a@b c@d'))",
            "b d\n",
        ),
        (
            "hashlib",
            "import hashlib; print(hashlib.sha256(b'a').hexdigest()[:8], hashlib.md5(b'a').hexdigest()[:8])",
            "ca978112 0cc175b9\n",
        ),
        (
            "hmac",
            "import hmac, hashlib; print(hmac.new(b'k', b'm', hashlib.sha256).hexdigest()[:8])",
            "b60090e3\n",
        ),
        (
            "base64",
            "import base64; print(base64.b64encode(b'hi'), base64.urlsafe_b64decode('aGk='))",
            "b'aGk=' b'hi'\n",
        ),
        (
            "argparse",
            "import argparse, sys; p = argparse.ArgumentParser(); p.add_argument('first'); p.add_argument('rest', nargs='*'); print(p.parse_args().rest)",
            "['b c']\n",
        ),
        (
            "bytes",
            "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read().upper())",
            "IN PUT",
        ),
        (
            "no files",
            "try:\n    open('/etc/passwd')\nexcept OSError as error:\n    print('no')",
            "no\n",
        ),
    ];
    for (name, code, expected) in cases {
        let ended = script("python", code).await;
        let stdout = ended["stdout"].as_str().expect("a text");
        assert!(stdout.ends_with(expected), "{name}: {ended:#}");
    }
}

#[tokio::test]
async fn a_script_that_takes_too_much_is_ended_by_the_sandbox() {
    let host = Host::dev(&[]).await;
    let limits = json!({ "limits": { "cpu": "1s", "memory": "96MiB" } });
    let headers = [("content-type", "application/json")];
    for connector in ["javascript", "python"] {
        let path = format!("/v1/connectors/{connector}/grants");
        let granted = host.send("PUT", &path, &headers, limits.to_string());
        granted.await.expect(200);
    }
    for (language, code, kind, expected) in [
        ("js", "while (true) {}", "timeout", "cpu limit"),
        ("python", "while True: pass", "timeout", "cpu limit"),
        (
            "js",
            "const a = []; while (true) a.push(new Uint8Array(1e7));",
            "runtime",
            "RangeError",
        ),
        ("python", "a = bytearray(10 ** 9)", "runtime", "MemoryError"),
    ] {
        let script = json!({ "script": { "language": language, "code": code } });
        let text = fresh(&format!("- it: {{ run: {script} }}"));
        let run = host.run_document(&text, &json!({})).await;
        assert!(is_error(&run["error"], kind), "{language}: {code}: {run:#}");
        let error = run["error"].to_string();
        assert!(error.contains(expected), "{language}: {code}: {error}");
    }
}
