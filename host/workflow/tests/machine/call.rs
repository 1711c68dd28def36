use crate::support::Run;
use baton_workflow::machine::{Event, Reveal, Status, TaskKey};
use serde_json::json;

const CALL: &str = "
do:
  - first:
      call: add@any
      with: { a: '${ .x }', b: [1, '${ $workflow.id }'], n: 3 }
      output: { as: .sum }
  - second:
      call: http
      with:
        method: get
        endpoint: { uri: 'https://a.example/{id}', authentication: { use: me } }
        query: { q: '${ . }' }
      input: { from: '{id: .}' }
use:
  authentications: { me: { bearer: { token: '${ $workflow.input.token }' } } }
";

#[test]
fn a_call_goes_out_with_its_arguments_and_waits_for_the_answer() {
    let mut run = Run::start(CALL, json!({"x": [true], "token": "t0"}));
    assert_eq!(run.status(), Status::Running);
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started first
    invoke first add@any {"a":[true],"b":[1,"run-1"],"n":3}
    "##);
    run.ok("first", json!({"sum": 5}));
    insta::assert_snapshot!(run.transcript(), @r##"
      task.completed first -> 5
      task.started second
    invoke second request@http {"method":"get","endpoint":{"uri":"https://a.example/5","authentication":{"bearer":{"token":"t0"}}},"query":{"q":{"id":5}}}
    "##);
    run.ok("second", json!("done"));
    assert_eq!(run.output(), json!("done"));
}

#[test]
fn a_failed_call_faults_the_run_and_names_the_task() {
    let mut run = Run::start(CALL, json!({}));
    run.fails("first", 503);
    let error = run.error();
    assert_eq!(
        (error.status, error.instance.as_deref()),
        (503, Some("/do/0/first"))
    );
}

#[test]
fn an_answer_nobody_waits_for_changes_nothing() {
    let mut run = Run::start(CALL, json!({}));
    let answer = |attempt| baton_workflow::Event::Answered {
        task: run_key("/do/0/first"),
        attempt,
        answer: Ok(std::sync::Arc::new(json!({"sum": 1}))),
    };
    run.transcript();
    run.apply(answer(2));
    assert_eq!(run.transcript(), "");
    run.apply(answer(1));
    assert_ne!(run.transcript(), "");
    run.apply(answer(1));
    assert_eq!(run.transcript(), "");
}

fn run_key(pointer: &str) -> baton_workflow::machine::TaskKey {
    baton_workflow::machine::TaskKey {
        pointer: pointer.into(),
        visit: 1,
    }
}

const PROTOCOLS: &str = "
do:
  - ask:
      call: mcp
      with:
        protocolVersion: '2025-03-26'
        method: tools/call
        parameters: { name: echo, arguments: { endpoint: 'not/{x}', n: '${ .x }' } }
        timeout: '${ .patience }'
        transport: { http: { endpoint: { uri: 'http://{server}/mcp', authentication: { use: me } }, headers: { x-id: '${ $workflow.id }' } } }
  - tell:
      call: a2a
      with:
        method: message/send
        agentCard: { endpoint: 'http://{server}/card' }
        parameters: '${ .p }'
      input: { from: '{server: \"b\", p: .}' }
use:
  authentications: { me: { bearer: { token: '${ $workflow.input.token }' } } }
";

#[test]
fn calls_of_the_language_have_endpoints_authentications_and_durations() {
    let input = json!({"x": 1, "server": "a", "token": "t0", "patience": "PT1.5S"});
    let mut run = Run::start(PROTOCOLS, input);
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started ask
    invoke ask call@mcp {"protocol-version":"2025-03-26","method":"tools/call","parameters":{"name":"echo","arguments":{"endpoint":"not/{x}","n":1}},"timeout":1500,"transport":{"http":{"endpoint":{"uri":"http://a/mcp","authentication":{"bearer":{"token":"t0"}}},"headers":{"x-id":"run-1"}}}}
    "##);
    run.ok("ask", json!({"message": {"parts": []}}));
    insta::assert_snapshot!(run.transcript(), @r##"
      task.completed ask -> {"message":{"parts":[]}}
      task.started tell
    invoke tell call@a2a {"method":"message/send","agent-card":{"endpoint":"http://b/card"},"parameters":{"message":{"parts":[]}}}
    "##);
}

#[test]
fn a_duration_that_is_none_is_an_error_of_the_task() {
    let run = Run::start(PROTOCOLS, json!({"server": "a", "patience": "soon"}));
    let error = run.error();
    assert!(error.type_uri.ends_with("/expression"), "{error:?}");
    assert!(error.detail.is_some_and(|it| it.contains("soon")));
}

const MESSAGES: &str = "
do:
  - tell:
      call: asyncapi
      with:
        document: { endpoint: { uri: 'http://a/api', authentication: { use: me } } }
        channel: news
        message: { payload: { text: '${ .text }' } }
        authentication: { use: me }
  - hear:
      call: asyncapi
      with:
        document: { endpoint: 'http://a/api' }
        operation: news
        subscription: { consume: { amount: 2, for: { seconds: 3 } } }
use:
  authentications: { me: { bearer: { token: t0 } } }
";

#[test]
fn messages_are_published_and_received_by_functions_of_their_own() {
    let mut run = Run::start(MESSAGES, json!({"text": "hi"}));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started tell
    invoke tell publish@asyncapi {"document":{"endpoint":{"uri":"http://a/api","authentication":{"bearer":{"token":"t0"}}}},"channel":"news","message":{"payload":{"text":"hi"}},"authentication":{"bearer":{"token":"t0"}}}
    "##);
    run.ok("tell", json!(null));
    insta::assert_snapshot!(run.transcript(), @r##"
      task.completed tell -> null
      task.started hear
    set consume hear 3000ms
    invoke hear subscribe@asyncapi {"document":{"endpoint":"http://a/api"},"operation":"news"}
    "##);
}

#[test]
fn what_a_connector_is_given_of_secrets_is_told_also_of_a_suspended_run() {
    let mut run = Run::start(CALL, json!({"x": [true], "token": "t0"}));
    let revealed = |secret: &str| Event::Revealed {
        task: TaskKey {
            pointer: "/do/0/first".into(),
            visit: 1,
        },
        attempt: 1,
        reveal: Reveal {
            secret: secret.into(),
            member: None,
            connector: "any".into(),
        },
    };
    run.transcript();
    run.apply(revealed("key"));
    run.apply(Event::SuspendRequested {
        by: "ada".into(),
        reason: None,
    });
    run.apply(revealed("login"));
    run.ok("first", json!({"sum": 5}));
    insta::assert_snapshot!(run.transcript(), @r##"
      task.secret.revealed first = key to any
      workflow.suspended
      task.suspended first
      task.secret.revealed first = login to any
    "##);
    run.apply(Event::ResumeRequested {
        by: "ada".into(),
        reason: None,
    });
    run.ok("second", json!("done"));
    assert_eq!(run.output(), json!("done"));
    // Behind the end, nothing is told any more.
    run.transcript();
    run.apply(revealed("late"));
    insta::assert_snapshot!(run.transcript(), @"");
}
