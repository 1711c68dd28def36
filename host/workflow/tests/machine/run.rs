use std::time::Duration;

use crate::support::Run;
use baton_workflow::Timestamp;
use baton_workflow::machine::Status;
use baton_workflow::{Error, ErrorKind, Event};
use serde_json::json;

const AWAITED: &str = "
do:
  - register:
      run: { workflow: { namespace: test, name: customer, version: '0.1.0', input: { name: '${ .user }', n: 1 } } }
      output: { as: '{ id: .id }' }
  - done: { set: { got: '${ . }' } }
";

#[test]
fn a_run_is_started_and_its_output_is_the_task_s() {
    let mut run = Run::start(AWAITED, json!({"user": "Ada"}));
    assert_eq!(run.status(), Status::Running);
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started register
    run register test/customer 0.1.0 {"name":"Ada","n":1}
    "##);
    let outstanding = run.machine.outstanding();
    assert_eq!(
        (outstanding.calls.len(), outstanding.children.len()),
        (0, 1)
    );
    run.ok("register", json!({"id": 7, "more": true}));
    assert_eq!(run.output(), json!({"got": {"id": 7}}));
}

#[test]
fn without_an_input_it_starts_with_an_empty_object() {
    let tasks =
        "do: [ { other: { run: { workflow: { namespace: a, name: b, version: latest } } } } ]";
    let mut run = Run::start(tasks, json!([1]));
    assert!(run.transcript().ends_with("run other a/b latest {}\n"));
}

#[test]
fn the_error_of_a_run_is_the_task_s_and_may_be_caught_and_tried_again() {
    let tasks = "
do:
  - attempt:
      try:
        - other: { run: { workflow: { namespace: a, name: b, version: latest } } }
      catch:
        errors: { with: { status: 418 } }
        retry: { limit: { attempt: { count: 1 } } }
";
    let mut run = Run::start(tasks, json!({}));
    let mut error = Error::new(ErrorKind::Runtime, "Teapot", "as told");
    error.status = 418;
    run.transcript();
    run.answer("other", Err(error.clone()));
    run.elapse();
    insta::assert_snapshot!(run.transcript(), @r##"
      task.faulted other !! runtime 418
      task.retried attempt~2 !! runtime 418
    set retry attempt 0ms
      task.started other~2
    run other~2 a/b latest {}
    "##);
    run.answer("other", Err(error.clone()));
    assert_eq!(run.error(), error.at("/do/0/attempt/try/0/other"));
}

#[test]
fn a_run_that_is_not_awaited_passes_the_input_on_once_it_has_started() {
    let tasks = "do: [ { other: { run: { await: false, workflow: { namespace: a, name: b, version: latest } } } } ]";
    let mut run = Run::start(tasks, json!({"kept": true}));
    assert_eq!(run.status(), Status::Running);
    assert!(run.transcript().contains("start other a/b latest {}"));
    run.ok("other", json!({"id": "the run's"}));
    assert_eq!(run.output(), json!({"kept": true}));
    let mut run = Run::start(tasks, json!({}));
    run.fails("other", 404);
    assert_eq!(run.error().status, 404);
}

#[test]
fn a_run_is_abandoned_with_its_task() {
    let tasks = "
do:
  - other:
      run: { workflow: { namespace: a, name: b, version: latest } }
      timeout: { after: PT5S }
";
    let mut run = Run::start(tasks, json!({}));
    run.transcript();
    run.pass(Duration::from_secs(1));
    run.elapse();
    assert_eq!(run.error().status, 408);
    assert!(run.transcript().contains("abandon other\n"));

    let mut run = Run::start(tasks, json!({}));
    run.transcript();
    run.apply(Event::CancelRequested {
        by: "ada".to_owned(),
        reason: None,
    });
    insta::assert_snapshot!(run.transcript(), @r##"
    clear timeout other
    abandon other
      task.cancelled other
      workflow.cancelled
    end: cancelled
    "##);
}

/// Of what the identity of the run is made that is to be started.
fn identity(run: &Run) -> (u32, u32, Timestamp) {
    let child = run.machine.outstanding().children.remove(0);
    (child.task.visit, child.first, child.at)
}

#[test]
fn a_run_that_is_not_awaited_is_started_once_however_often_it_is_tried() {
    let tasks = "
do:
  - both:
      fork:
        branches:
          - other: { run: { await: false, workflow: { namespace: a, name: b, version: latest } } }
          - call: { call: f@any }
";
    let retry = Event::RetryRequested {
        by: "ada".to_owned(),
        reason: None,
        correction: None,
    };
    let mut run = Run::start(tasks, json!({}));
    let first = identity(&run);
    for _ in 0..3 {
        run.pass(Duration::from_secs(1));
        run.fails("call", 500);
        run.apply(retry.clone());
        assert_eq!(identity(&run), first);
    }
    run.ok("other", json!(1));
    run.ok("call", json!(2));
    assert_eq!(run.status(), Status::Completed);

    let tasks = "
do:
  - safe:
      try:
        - other: { run: { await: false, workflow: { namespace: a, name: b, version: latest } } }
        - call: { call: f@any }
      catch: { retry: { delay: PT1S, limit: { attempt: { count: 2 } } } }
";
    let mut run = Run::start(tasks, json!({}));
    let first = identity(&run);
    run.ok("other", json!(1));
    run.fails("call", 500);
    run.elapse();
    assert_eq!(identity(&run), first);
    // One that is awaited is another run, since the first has failed.
    let awaited = tasks.replace("await: false, ", "");
    let mut run = Run::start(&awaited, json!({}));
    let first = identity(&run);
    run.fails("other", 500);
    run.elapse();
    let again = identity(&run);
    assert_eq!((again.0, again.1), (first.0, first.1 + 1));
}
