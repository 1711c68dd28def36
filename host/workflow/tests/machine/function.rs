//! Functions of `use.functions`: a task that is performed wherever it is called.

use serde_json::json;

use crate::support::Run;

#[test]
fn a_function_is_given_its_arguments_and_gives_its_output() {
    let workflow = "
use:
  functions:
    greet:
      input: { schema: { document: { required: [name] } } }
      do:
        - ask: { call: f@any, with: { a: '${ .name }' } }
        - shape: { set: { greeting: '${ .text }', reference: '${ $task.reference }' } }
      output: { as: .greeting }
do:
  - first: { call: greet, with: { name: '${ .who }' }, output: { as: '{ first: . }' } }
  - second: { call: greet, input: { from: '{ name: .first }' } }
";
    let mut run = Run::start(workflow, json!({"who": "Ada"}));
    run.ok("ask", json!({"text": "Hello"}));
    run.ok("ask", json!({"text": "Goodbye"}));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started first
      task.started call
      task.started ask
    invoke ask f@any {"a":"Ada"}
      task.completed ask -> {"text":"Hello"}
      task.started shape
      task.completed shape -> {"greeting":"Hello","reference":"/do/0/first/call/do/1/shape"}
      task.completed call -> "Hello"
      task.completed first -> {"first":"Hello"}
      task.started second
      task.started call
      task.started ask
    invoke ask f@any {"a":"Hello"}
      task.completed ask -> {"text":"Goodbye"}
      task.started shape
      task.completed shape -> {"greeting":"Goodbye","reference":"/do/1/second/call/do/1/shape"}
      task.completed call -> "Goodbye"
      task.completed second -> "Goodbye"
      workflow.completed -> "Goodbye"
    end: completed "Goodbye"
    "##);
    assert_eq!(run.output(), json!("Goodbye"));
}

#[test]
fn its_tasks_are_named_by_where_it_is_called() {
    let workflow = "
use:
  functions:
    outer: { do: [ { again: { call: inner } } ] }
    inner: { set: { at: '${ $task.reference }', name: '${ $task.name }', does: '${ $task.definition }' } }
do:
  - one: { call: outer }
";
    let run = Run::start(workflow, json!({}));
    let at = "/do/0/one/call/do/0/again/call";
    assert_eq!(run.output()["at"], at);
    assert_eq!(run.output()["name"], "inner");
    assert!(run.output()["does"]["set"].is_object());
}

#[test]
fn an_error_of_a_function_names_the_call_and_can_be_caught_there() {
    let workflow = "
use:
  functions:
    fail: { raise: { error: { type: 'https://a/b', status: 418 } } }
do:
  - attempt:
      try: [ { one: { call: fail } } ]
      catch: { as: why, do: [ { tell: { set: { at: '${ $why.instance }' } } } ] }
";
    let run = Run::start(workflow, json!({}));
    assert_eq!(run.output(), json!({"at": "/do/0/attempt/try/0/one/call"}));
}

#[test]
fn arguments_that_do_not_fit_the_functions_schema_are_an_error() {
    let workflow = "
use:
  functions:
    greet: { input: { schema: { document: { required: [name] } } }, set: { a: 1 } }
do:
  - one: { call: greet, with: { nam: Ada } }
";
    let error = Run::start(workflow, json!({"name": "not given on"})).error();
    assert_eq!(error.instance.as_deref(), Some("/do/0/one/call"));
    assert_eq!(error.status, 400);
}

#[test]
fn a_call_in_a_function_keeps_its_identity_when_it_is_tried_again() {
    let workflow = "
use:
  functions:
    ask: { call: f@any }
do:
  - attempt:
      try: [ { one: { call: ask } }, { two: { call: ask } } ]
      catch: { retry: { limit: { attempt: { count: 1 } } } }
";
    let mut run = Run::start(workflow, json!({}));
    run.ok("call", json!(1));
    run.fails("call", 503);
    run.elapse();
    run.ok("call", json!(2));
    run.ok("call", json!(3));
    let identities: Vec<String> = run
        .commands
        .iter()
        .filter_map(|command| match command {
            baton_workflow::Command::Invoke(call) => Some(format!(
                "{} {} {}",
                call.task.pointer, call.task.visit, call.attempt
            )),
            _ => None,
        })
        .collect();
    assert_eq!(
        identities,
        [
            "/do/0/attempt/try/0/one/call 1 1",
            "/do/0/attempt/try/1/two/call 1 1",
            "/do/0/attempt/try/0/one/call 1 2",
            "/do/0/attempt/try/1/two/call 1 2",
        ]
    );
}

#[test]
fn a_function_exports_to_the_context_and_may_end_the_run() {
    let workflow = "
use:
  functions:
    remember: { set: { seen: 1 }, export: { as: . } }
    stop: { set: { stopped: '${ $context.seen }' }, then: end }
do:
  - one: { call: remember }
  - two: { call: stop }
  - never: { set: { a: 1 } }
";
    assert_eq!(
        Run::start(workflow, json!({})).output(),
        json!({"stopped": 1})
    );
}

#[test]
fn a_cancelled_run_abandons_the_call_of_a_function() {
    let workflow = "
use: { functions: { ask: { call: f@any } } }
do: [ { one: { call: ask } } ]
";
    let mut run = Run::start(workflow, json!({}));
    run.transcript();
    run.apply(baton_workflow::Event::CancelRequested {
        by: "ada".to_owned(),
        reason: None,
    });
    insta::assert_snapshot!(run.transcript(), @r##"
    abandon call
      task.cancelled call
      task.cancelled one
      workflow.cancelled
    end: cancelled
    "##);
}
