//! SIGKILL while a run waits, for every kind of waiting: after the restart the run goes on as if nothing had
//! happened, and nothing is begun or completed twice.

use std::os::unix::fs::PermissionsExt as _;

use baton_tests::{Client, Host, Service, Start, Stub, eventually};
use serde_json::{Value, json};

use crate::asyncapi;
use crate::fixtures::{document, is_error};

/// A run that waits, on a host that can be killed.
struct Waiting {
    host: Host,
    run: String,
}

impl Waiting {
    /// Starts a run of these tasks.
    async fn start(host: Host, tasks: &str) -> Self {
        Self::start_document(host, &document("waits", tasks)).await
    }

    async fn start_document(host: Host, text: &str) -> Self {
        host.publish(text).await.expect(201);
        let run = host.start("test/waits", &json!({ "n": 1 })).await;
        Self { host, run }
    }

    /// Waits until the run's history has a line of this type about a task of this name.
    async fn until(&self, kind: &str, task: &str) {
        let ending = format!("/{task}");
        eventually("the run comes to where it waits", async || {
            let history = self.host.history(&self.run).await;
            let there = history.iter().any(|item| {
                item["type"] == kind
                    && item["task"]
                        .as_str()
                        .is_some_and(|task| task.ends_with(&ending))
            });
            there.then_some(())
        })
        .await;
    }

    async fn until_waiting(&self) {
        self.until_status("waiting").await;
    }

    async fn until_status(&self, status: &str) {
        eventually("the run is in the phase", async || {
            (self.host.run(&self.run).await["status"] == status).then_some(())
        })
        .await;
    }

    /// Kills the host, and starts it again on the same data.
    async fn crash(&mut self) {
        self.crash_until(async || {}).await;
    }

    /// Kills the host, and starts it again on the same data once something has come of that.
    async fn crash_until(&mut self, noticed: impl AsyncFnOnce()) {
        let before = self.host.history(&self.run).await;
        self.host.kill9().await;
        noticed().await;
        self.host.restart().await;
        let after = self.host.history(&self.run).await;
        assert_eq!(
            after[..before.len()],
            before,
            "what had happened has happened"
        );
    }

    /// Asks for the run to be suspended or resumed.
    async fn control(&self, what: &str) {
        let path = format!("/v1/runs/{}/{what}", self.run);
        let answer = self.host.post(&path, &json!({})).await;
        assert!(answer.status < 300, "{}", answer.text());
    }

    /// The ended run, with a look at its history.
    async fn end(&self) -> Value {
        let run = self.host.ended(&self.run).await;
        nothing_twice(&self.host, &self.run).await;
        run
    }

    async fn completes_with(&self, output: Value) {
        let run = self.end().await;
        assert_eq!(run["status"], "completed", "{run:#}");
        assert_eq!(run["output"], output, "{run:#}");
    }
}

/// No visit of a task has been begun or ended twice in the same attempt, and the lines are numbered without
/// gaps.
async fn nothing_twice(host: &Client, run: &str) {
    let history = host.history(run).await;
    let mut seen = Vec::new();
    for (item, number) in history.iter().zip(1..) {
        assert_eq!(item["seq"], number, "{item:#}");
        if item["task"].is_string() {
            let ends = ["task.completed", "task.faulted", "task.cancelled"];
            let kind = item["type"].as_str().expect("a line has a type");
            let phase = if ends.contains(&kind) { "ended" } else { kind };
            let line = (phase, &item["task"], &item["visit"], &item["attempt"]);
            assert!(!seen.contains(&line), "twice: {item:#}");
            seen.push(line);
        }
    }
}

#[tokio::test]
async fn a_wait() {
    let tasks = "- pause: { wait: PT1S }\n- done: { set: { n: '${ .n + 1 }' } }";
    let mut waiting = Waiting::start(Host::dev(&[]).await, tasks).await;
    waiting.until_waiting().await;
    waiting.crash().await;
    waiting.completes_with(json!({ "n": 2 })).await;
}

#[tokio::test]
async fn a_wait_in_a_loop_in_a_branch_in_a_try() {
    let tasks = "
    - careful:
        try:
          - both:
              fork:
                branches:
                  - left:
                      for: { in: '[1, 2]' }
                      do: [ { nap: { wait: PT0.4S } }, { add: { set: { n: '${ .n + $item }' } } } ]
                  - right: { wait: PT0.6S }
        catch: {}";
    let mut waiting = Waiting::start(Host::dev(&[]).await, tasks).await;
    waiting.until_waiting().await;
    waiting.crash().await;
    waiting.until("task.started", "add").await;
    waiting.crash().await;
    waiting
        .completes_with(json!([{ "n": 4 }, { "n": 1 }]))
        .await;
}

#[tokio::test]
async fn a_call_under_way() {
    let stub = Stub::start().await;
    let gate = stub.on("POST", "/").hold();
    let tasks = format!(
        "- ask: {{ call: http, with: {{ method: post, endpoint: '{}', output: response }}, output: {{ as: .statusCode }} }}\n- caught: {{ set: '${{ . }}' }}",
        stub.url()
    );
    let tasks = format!(
        "- careful:\n    try:\n{}\n    catch: {{ errors: {{ with: {{ status: 404 }} }}, do: [ {{ told: {{ set: {{ status: '${{ $error.status }}' }} }} }} ] }}",
        tasks
            .lines()
            .map(|line| format!("      {line}\n"))
            .collect::<String>()
    );
    let mut waiting =
        Waiting::start(Start::default().allow(stub.url()).start().await, &tasks).await;
    gate.arrived(1).await;
    waiting.crash().await;
    gate.arrived(2).await;
    gate.open();
    waiting.completes_with(json!({ "status": 404 })).await;
    let keys: Vec<_> = stub
        .seen()
        .iter()
        .map(|seen| seen.header("idempotency-key").map(str::to_owned))
        .collect();
    assert!(keys[0].is_some() && keys[0] == keys[1], "{keys:?}");
}

#[tokio::test]
async fn the_pause_before_a_retry() {
    let stub = Stub::start().await;
    stub.on("GET", "/").answer(200, json!({ "n": 7 }));
    stub.on("GET", "/").times(1).answer(503, json!({}));
    let tasks = format!(
        "- careful:\n    try: [ {{ ask: {{ call: http, with: {{ method: get, endpoint: '{}' }} }} }} ]\n    catch: {{ retry: {{ delay: PT1S, limit: {{ attempt: {{ count: 3 }} }} }} }}",
        stub.url()
    );
    let mut waiting =
        Waiting::start(Start::default().allow(stub.url()).start().await, &tasks).await;
    waiting.until("task.retried", "careful").await;
    waiting.crash().await;
    waiting.completes_with(json!({ "n": 7 })).await;
    assert_eq!(stub.seen().len(), 2);
}

#[tokio::test]
async fn the_limit_of_a_task() {
    let tasks = "- slow: { wait: PT1H, timeout: { after: PT1S } }";
    let mut waiting = Waiting::start(Host::dev(&[]).await, tasks).await;
    waiting.until_waiting().await;
    waiting.crash().await;
    let run = waiting.end().await;
    assert!(is_error(&run["error"], "timeout"), "{run:#}");
    assert_eq!(run["error"]["instance"], "/do/0/slow");
}

#[tokio::test]
async fn the_limit_of_the_run() {
    let text = document("waits", "- slow: { wait: PT1H }") + "timeout: { after: PT1S }\n";
    let mut waiting = Waiting::start_document(Host::dev(&[]).await, &text).await;
    waiting.until_waiting().await;
    waiting.crash().await;
    let run = waiting.end().await;
    assert!(is_error(&run["error"], "timeout"), "{run:#}");
}

#[tokio::test]
async fn a_branch_that_needs_another() {
    let tasks = "
    - both:
        fork:
          branches:
            - second: { needs: [first], set: { got: '${ $branches.first.n }' } }
            - first: { wait: PT1S }";
    let mut waiting = Waiting::start(Host::dev(&[]).await, tasks).await;
    waiting.until_waiting().await;
    waiting.crash().await;
    waiting
        .completes_with(json!([{ "got": 1 }, { "n": 1 }]))
        .await;
}

#[tokio::test]
async fn iterations_abreast() {
    let tasks = "
    - loop:
        for: { in: '[1, 2, 3]', concurrency: 2 }
        do: [ { nap: { wait: PT0.6S } }, { answer: { set: '${ $item }' } } ]";
    let mut waiting = Waiting::start(Host::dev(&[]).await, tasks).await;
    waiting.until_waiting().await;
    waiting.crash().await;
    waiting.completes_with(json!([1, 2, 3])).await;
}

#[tokio::test]
async fn a_compensation_under_way() {
    let stub = Stub::start().await;
    let gate = stub.on("DELETE", "/").hold();
    let tasks = format!(
        "
    - book:
        set: {{ id: 5 }}
        compensate:
          - cancel:
              try: [ {{ undo: {{ call: http, with: {{ method: delete, endpoint: '{}/{{id}}' }} }} }} ]
              catch: {{ errors: {{ with: {{ status: 404 }} }} }}
    - pay: {{ raise: {{ error: {{ type: 'https://example.com/declined', status: 402 }} }} }}",
        stub.url()
    );
    let mut waiting =
        Waiting::start(Start::default().allow(stub.url()).start().await, &tasks).await;
    gate.arrived(1).await;
    waiting.crash().await;
    gate.arrived(2).await;
    gate.open();
    let run = waiting.end().await;
    assert_eq!(run["status"], "faulted", "{run:#}");
    assert_eq!(run["error"]["status"], 402, "{run:#}");
    assert!(stub.seen().iter().all(|seen| seen.path == "/5"));
}

#[tokio::test]
async fn a_listen() {
    let tasks = "- hear: { listen: { to: { one: { with: { type: org.example.told } } } } }";
    let mut waiting = Waiting::start(Host::dev(&[]).await, tasks).await;
    waiting.until_waiting().await;
    waiting.crash().await;
    let tell = "- tell: { emit: { event: { with: { type: org.example.told, source: 'https://example.org', data: { n: 7 } } } } }";
    let told = waiting
        .host
        .run_document(&document("tells", tell), &json!({}))
        .await;
    assert_eq!(told["status"], "completed", "{told:#}");
    waiting.completes_with(json!([{ "n": 7 }])).await;
}

#[tokio::test]
async fn a_listen_that_has_heard_some() {
    let tasks = "
    - hear:
        listen:
          to:
            all: [ { with: { type: org.example.first } }, { with: { type: org.example.second } } ]";
    let mut waiting = Waiting::start(Host::dev(&[]).await, tasks).await;
    waiting.until_waiting().await;
    for kind in ["first", "second"] {
        let tell = format!(
            "- tell: {{ emit: {{ event: {{ with: {{ type: org.example.{kind}, source: 'https://example.org', data: {kind} }} }} }} }}"
        );
        let told = waiting
            .host
            .run_document(&document(kind, &tell), &json!({}))
            .await;
        assert_eq!(told["status"], "completed", "{told:#}");
        if kind == "first" {
            waiting.crash().await;
        }
    }
    waiting.completes_with(json!(["first", "second"])).await;
}

#[tokio::test]
async fn another_run() {
    let host = Host::dev(&[]).await;
    let child = document(
        "child",
        "- pause: { wait: PT1S }\n- answer: { set: { n: '${ .n * 2 }' } }",
    );
    host.publish(child).await.expect(201);
    let tasks = "- other: { run: { workflow: { namespace: test, name: child, version: '1.0.0', input: { n: '${ .n + 2 }' } } } }";
    let mut waiting = Waiting::start(host, tasks).await;
    waiting.until("task.started", "other").await;
    waiting.crash().await;
    waiting.completes_with(json!({ "n": 6 })).await;
}

#[tokio::test]
async fn a_person_who_is_to_decide() {
    let tasks = "- ask: { call: approval, with: { title: Really? } }\n- told: { set: { decision: '${ .decision }' } }";
    let mut waiting = Waiting::start(Host::dev(&[]).await, tasks).await;
    waiting.until("task.started", "ask").await;
    waiting.crash().await;
    let open = waiting.host.all("/v1/approvals").await;
    assert_eq!(open.len(), 1, "{open:#?}");
    let path = format!("/v1/approvals/{}", open[0]["id"].as_str().expect("an id"));
    let decision = json!({ "decision": "approved" });
    waiting.host.post(&path, &decision).await.expect(200);
    waiting
        .completes_with(json!({ "decision": "approved" }))
        .await;
}

#[tokio::test]
async fn a_suspended_run() {
    let tasks = "- pause: { wait: PT2S }\n- done: { set: { n: '${ .n + 1 }' } }";
    let mut waiting = Waiting::start(Host::dev(&[]).await, tasks).await;
    waiting.until_waiting().await;
    waiting.control("suspend").await;
    waiting.until_status("suspended").await;
    waiting.crash().await;
    waiting.until_status("suspended").await;
    waiting.control("resume").await;
    waiting.completes_with(json!({ "n": 2 })).await;
}

#[tokio::test]
async fn messages_of_a_subscription() {
    let nats = Service::nats(&[]).await;
    let place = format!("127.0.0.1:{}", nats.port());
    let text = asyncapi::document("nats", &place, "orders.new");
    let (files, host) = asyncapi::world(&text, &format!("tcp://{place}")).await;
    let subscription = "{ consume: { amount: 2 }, foreach: { do: [ { heard: { set: '${ $item.payload.n }' } } ] } }";
    let tasks = asyncapi::take(&files, subscription);
    let mut waiting = Waiting::start(host, &tasks).await;
    let url = files.url();
    for number in 1..3 {
        asyncapi::subscribed(&nats, 1).await;
        let tell = format!(
            "- tell: {{ call: asyncapi, with: {{ document: {{ endpoint: '{url}/api.yaml' }}, operation: place, message: {{ payload: {{ n: {number} }} }} }} }}"
        );
        let name = format!("tells-{number}");
        let told = waiting
            .host
            .run_document(&document(&name, &tell), &json!({}))
            .await;
        assert_eq!(told["status"], "completed", "{told:#}");
        if number == 1 {
            waiting.until("task.completed", "heard").await;
            let noticed = async || asyncapi::subscribed(&nats, 0).await;
            waiting.crash_until(noticed).await;
        }
    }
    waiting.completes_with(json!([1, 2])).await;
}

#[tokio::test]
async fn a_script() {
    let tasks = "
    - nap:
        run:
          script: { language: python, code: 'import time; time.sleep(1); print(7, end=\"\")' }
    - told: { set: { said: '${ . }' } }";
    let mut waiting = Waiting::start(Host::dev(&[]).await, tasks).await;
    waiting.until("task.started", "nap").await;
    waiting.crash().await;
    waiting.completes_with(json!({ "said": "7" })).await;
}

#[tokio::test]
async fn a_shell_command() {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let file = folder.path().join("keys");
    std::fs::write(&file, "").expect("a new file can be written");
    // Whoever commands run as writes to it.
    for (path, mode) in [(folder.path(), 0o755), (&file, 0o666)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            .expect("its owner may say who writes it");
    }
    // The first time it never ends; the second time it does.
    let command = "echo \"$BATON_IDEMPOTENCY_KEY\" >> \"$1\"; [ \"$(wc -l < \"$1\")\" -gt 1 ] || sleep 1000; echo done";
    let shell = json!({ "command": command, "arguments": [file] });
    let tasks = format!(
        "- work: {{ run: {{ shell: {shell} }} }}\n- told: {{ set: {{ said: '${{ . }}' }} }}"
    );
    let host = Start::default().argument("--allow-shell").start().await;
    let mut waiting = Waiting::start(host, &tasks).await;
    let keys = || std::fs::read_to_string(&file).expect("the file can be read");
    eventually("the command is under way", async || {
        (!keys().is_empty()).then_some(())
    })
    .await;
    waiting.crash().await;
    waiting.completes_with(json!({ "said": "done\n" })).await;
    let keys = keys();
    let keys: Vec<&str> = keys.lines().collect();
    assert!(keys.len() == 2 && keys[0] == keys[1], "{keys:?}");
}
