//! `use.extensions`: what is performed before and after tasks of a kind.

use baton_workflow::Event;
use serde_json::json;

use crate::support::Run;

#[test]
fn extensions_are_around_each_task_in_order_and_leave_its_data_alone() {
    let workflow = r#"
use:
  extensions:
    - first:
        extend: all
        before: [ { enter: { set: { to: '${ "\(.n) \($task.reference)" }' } } } ]
        after: [ { exited: { set: { gone: true } } } ]
    - second:
        extend: set
        when: $task.name != "plain"
        before: [ { look: { set: '$task.set' } } ]
        after: [ { back: { set: '{ raw: $task.output, cooked: . }' } } ]
do:
  - one: { set: { n: '${ .n + 1 }' }, output: { as: '{ n: (.n * 10) }' } }
  - plain: { set: { n: '${ .n + 1 }' } }
"#;
    let mut run = Run::start(workflow, json!({"n": 1}));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started one
      task.started enter
      task.completed enter -> {"to":"1 /do/0/one"}
      task.started look
      task.completed look -> {"n":"${ .n + 1 }"}
      task.started exited
      task.completed exited -> {"gone":true}
      task.started back
      task.completed back -> {"raw":{"n":2},"cooked":{"n":20}}
      task.completed one -> {"n":20}
      task.started plain
      task.started enter
      task.completed enter -> {"to":"20 /do/1/plain"}
      task.started exited
      task.completed exited -> {"gone":true}
      task.completed plain -> {"n":21}
      workflow.completed -> {"n":21}
    end: completed {"n":21}
    "##);
    assert_eq!(run.output(), json!({"n": 21}));
}

#[test]
fn exit_before_a_task_takes_the_place_of_its_work() {
    let workflow = "
use:
  extensions:
    - mock:
        extend: call
        when: $task.with.a == \"mocked\"
        before: [ { answer: { set: { from: mock }, then: exit }, }, { never: { set: { a: 1 } } } ]
        after: [ { never: { set: { a: 1 } } } ]
    - other: { extend: call, before: [ { neither: { set: { a: 1 } } } ] }
do:
  - one: { call: f@any, with: { a: mocked }, output: { as: .from }, export: { as: '{ got: . }' } }
  - two: { set: { from: '${ . }', context: '${ $context }' } }
";
    let mut run = Run::start(workflow, json!({}));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started one
      task.started answer
      task.completed answer -> {"from":"mock"}
      task.completed one -> "mock"
      task.started two
      task.completed two -> {"from":"mock","context":{"got":"mock"}}
      workflow.completed -> {"from":"mock","context":{"got":"mock"}}
    end: completed {"from":"mock","context":{"got":"mock"}}
    "##);
}

#[test]
fn exit_after_a_task_takes_the_place_of_its_output() {
    let workflow = "
use:
  extensions:
    - more: { extend: call, after: [ { add: { set: '. + { b: 2 }', then: exit } } ] }
    - never: { extend: call, after: [ { never: { set: { a: 1 } } } ] }
do:
  - one: { call: f@any, output: { as: '{ a: . }' }, then: three }
  - two: { set: { skipped: false } }
  - three: { set: '.' }
";
    let mut run = Run::start(workflow, json!({}));
    run.ok("one", json!(1));
    assert_eq!(run.output(), json!({"a": 1, "b": 2}));
}

#[test]
fn an_exit_deeper_inside_leaves_only_its_own_scope() {
    let workflow = "
use:
  extensions:
    - e: { extend: set, before: [ { group: { do: [ { inner: { call: f@any, then: exit } }, { never: { wait: PT1H } } ] } } ] }
do: [ { one: { set: { own: work } } } ]
";
    let mut run = Run::start(workflow, json!({}));
    run.ok("inner", json!({}));
    assert_eq!(run.output(), json!({"own": "work"}));
}

#[test]
fn data_is_handed_on_through_the_context() {
    let workflow = "
use:
  extensions:
    - token: { extend: call, before: [ { get: { set: { token: t }, export: { as: . } } } ] }
do: [ { one: { call: f@any, with: { a: '${ $context.token }' } } } ]
";
    let mut run = Run::start(workflow, json!({}));
    assert!(run.transcript().contains(r#"invoke one f@any {"a":"t"}"#));
}

#[test]
fn an_error_of_an_extension_is_one_of_the_task() {
    let workflow = "
use:
  extensions:
    - guard:
        extend: call
        before: [ { check: { if: .ok != true, raise: { error: { type: 'https://a/b', status: 403 } } } } ]
do:
  - attempt:
      try: [ { one: { call: f@any } } ]
      catch: { as: why, do: [ { tell: { set: { at: '${ $why.instance }' } } } ] }
";
    let run = Run::start(workflow, json!({}));
    let at = "/do/0/attempt/try/0/one/use/extensions/0/guard/before/0/check";
    assert_eq!(run.output(), json!({"at": at}));
}

#[test]
fn composite_tasks_are_those_with_tasks_inside() {
    let workflow = "
use:
  extensions:
    - e: { extend: composite, after: [ { seen: { set: { a: 1 }, export: { as: '$context + { ($task.name): true }' } } } ] }
do:
  - group: { do: [ { inner: { set: { b: 1 } } } ] }
  - loop: { for: { in: '[1]' }, do: [ { inner: { set: { b: 1 } } } ] }
  - both: { fork: { branches: [ { branch: { set: { b: 1 } } } ] } }
  - attempt: { try: [ { inner: { set: { b: 1 } } } ], catch: {} }
  - end: { set: '${ $context | keys }' }
";
    let run = Run::start(workflow, json!({}));
    assert_eq!(run.output(), json!(["attempt", "both", "group", "loop"]));
}

#[test]
fn the_tasks_of_functions_are_extended_and_those_of_extensions_are_not() {
    let workflow = r#"
use:
  functions: { f: { set: { a: 1 } } }
  extensions:
    - e:
        extend: all
        before: [ { note: { call: f, export: { as: '$context + { ("n" + ($context | length | tostring)): "\($task.reference)" }' } } } ]
do:
  - one: { call: f }
output: { as: $context }
"#;
    let run = Run::start(workflow, json!({}));
    assert_eq!(
        run.output(),
        json!({"n0": "/do/0/one", "n1": "/do/0/one/call"})
    );
}

#[test]
fn a_skipped_task_is_not_extended_and_end_ends_the_run() {
    let workflow = "
use:
  extensions:
    - e: { extend: set, before: [ { stop: { set: { stopped: true }, then: end } } ] }
do:
  - one: { if: 'false', set: { a: 1 } }
  - two: { wait: PT1S }
  - three: { set: { a: 1 } }
";
    let mut run = Run::start(workflow, json!({}));
    run.elapse();
    assert_eq!(run.output(), json!({"stopped": true}));
}

#[test]
fn end_in_a_function_of_an_extension_ends_the_run_before_the_task_and_the_other_extensions() {
    let workflow = "
use:
  functions: { stop: { set: { stopped: true }, then: end } }
  extensions:
    - e: { extend: wait, before: [ { leave: { call: stop } } ], after: [ { never: { set: { a: 1 } } } ] }
    - other: { extend: wait, before: [ { neither: { set: { a: 1 } } } ] }
do: [ { one: { wait: PT1H } } ]
";
    let mut run = Run::start(workflow, json!({}));
    assert_eq!(run.output(), json!({"stopped": true}));
    let transcript = run.transcript();
    assert!(transcript.contains("task.completed one"), "{transcript}");
    assert!(!transcript.contains("never"), "{transcript}");
    assert!(!transcript.contains("neither"), "{transcript}");
}

#[test]
fn nothing_follows_on_what_ended_in_a_suspended_run_that_is_cancelled() {
    let workflow = "
use: { extensions: [ { e: { extend: call, after: [ { more: { set: { a: 1 } } } ] } } ] }
do: [ { one: { call: f@any } }, { two: { set: { a: 1 } } } ]
";
    let (by, reason) = ("ada".to_owned(), None);
    let mut run = Run::start(workflow, json!({}));
    run.apply(Event::SuspendRequested {
        by: by.clone(),
        reason: reason.clone(),
    });
    run.ok("one", json!(1));
    run.transcript();
    run.apply(Event::CancelRequested { by, reason });
    let transcript = run.transcript();
    assert!(
        transcript.contains("task.completed one -> 1"),
        "{transcript}"
    );
    assert!(!transcript.contains("more"), "{transcript}");
    assert!(!transcript.contains("two"), "{transcript}");
}

#[test]
fn a_timeout_of_the_task_bounds_what_is_around_it() {
    let workflow = "
use: { extensions: [ { e: { extend: call, after: [ { slow: { wait: PT1H } } ] } } ] }
do: [ { one: { call: f@any, timeout: { after: PT1M } } } ]
";
    let mut run = Run::start(workflow, json!({}));
    run.ok("one", json!({}));
    let outstanding = run.machine.outstanding();
    assert_eq!((outstanding.calls.len(), outstanding.timers.len()), (0, 2));
    run.transcript();
    run.elapse();
    insta::assert_snapshot!(run.transcript(), @r##"
    clear wait slow
      task.cancelled slow
      task.faulted one !! timeout 408
      workflow.faulted !! timeout 408
    end: faulted 408 at /do/0/one
    "##);
}

#[test]
fn around_a_try_and_within_it_every_attempt_keeps_its_identities() {
    let workflow = "
use: { extensions: [ { e: { extend: call, before: [ { note: { set: { a: 1 } } } ] }, }, { t: { extend: try, after: [ { over: { wait: PT1S } } ] } } ] }
do:
  - attempt:
      try: [ { one: { call: f@any } } ]
      catch: { retry: { limit: { attempt: { count: 1, duration: PT5S } } } }
";
    let mut run = Run::start(workflow, json!({}));
    run.fails("one", 503);
    run.elapse();
    run.ok("one", json!({"done": true}));
    // The attempt is over: its limit no longer counts while what comes after is performed.
    assert_eq!(run.machine.outstanding().timers.len(), 1);
    run.elapse();
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started attempt
    set attempt attempt 5000ms
      task.started one
      task.started note
      task.completed note -> {"a":1}
    invoke one f@any {}
      task.faulted one !! communication 503
    clear attempt attempt
      task.retried attempt~2 !! communication 503
    set retry attempt 0ms
    set attempt attempt 5000ms
      task.started one~2
      task.started note~2
      task.completed note~2 -> {"a":1}
    invoke one~2 f@any {}
      task.completed one~2 -> {"done":true}
    clear attempt attempt
      task.started over
    set wait over 1000ms
      task.completed over -> {"done":true}
      task.completed attempt -> {"done":true}
      workflow.completed -> {"done":true}
    end: completed {"done":true}
    "##);
}

#[test]
fn what_undoes_something_of_an_extension_outlives_the_task_that_it_extends() {
    let workflow = "
use:
  extensions:
    - booked:
        extend: set
        before: [ { book: { call: f@any, compensate: [ { undo: { call: u@any, with: { a: '${ $task.name }' } } } ] } } ]
do:
  - one: { set: { a: 1 } }
  - two: { call: f@any }
";
    let mut run = Run::start(workflow, json!({}));
    run.ok("book", json!(1));
    run.fails("two", 500);
    assert!(
        run.transcript()
            .contains(r#"invoke undo u@any {"a":"undo"}"#),
        "{}",
        run.transcript()
    );
    run.ok("undo", json!(2));
}

#[test]
fn a_replay_comes_to_the_same() {
    let workflow = "
use:
  functions: { ask: { call: f@any, with: { a: '${ .x }' } } }
  extensions: [ { e: { extend: all, when: '$task.name != \"x\"', before: [ { b: { wait: PT1S } } ], after: [ { a: { call: f@any } } ] } } ]
do: [ { one: { call: ask, with: { x: 1 } } } ]
";
    let mut run = Run::start(workflow, json!({}));
    run.elapse();
    run.elapse();
    run.ok("call", json!(1));
    run.ok("a", json!(2));
    run.ok("a", json!(3));
    assert_eq!(run.output(), json!(1));
    let mut again = Run::start(workflow, json!({}));
    for occurrence in &run.journal[1..] {
        again.now = occurrence.at;
        again.apply(Event::clone(&occurrence.event));
    }
    assert_eq!(again.commands, run.commands);
}
