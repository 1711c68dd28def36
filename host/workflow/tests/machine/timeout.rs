use crate::support::Run;
use serde_json::json;

#[test]
fn a_task_that_takes_too_long_fails_and_what_is_inside_ends() {
    let tasks = "
do:
  - outer:
      timeout: { after: { seconds: 10 } }
      try: [ { slow: { call: f@any, timeout: { after: { seconds: 30 } } } } ]
      catch: { errors: { with: { status: 408 } }, do: [ { never: { set: { x: 1 } } } ] }
";
    let mut run = Run::start(tasks, json!({}));
    run.transcript();
    run.elapse();
    // The timeout is that of the `try` itself, which does not catch its own errors.
    insta::assert_snapshot!(run.transcript(), @r##"
    clear timeout slow
    abandon slow
      task.cancelled slow
      task.faulted outer !! timeout 408
      workflow.faulted !! timeout 408
    end: faulted 408 at /do/0/outer
    "##);
}

#[test]
fn a_timeout_inside_can_be_caught() {
    let tasks = "
use: { timeouts: { short: { after: PT1S } } }
do:
  - outer:
      try: [ { slow: { call: f@any, timeout: short } } ]
      catch:
        errors: { with: { type: https://open-workflow-specification.org/spec/1.0.0/errors/timeout } }
        do: [ { instead: { set: { late: '${ $error.instance }' } } } ]
";
    let mut run = Run::start(tasks, json!({}));
    run.elapse();
    assert_eq!(run.output(), json!({"late": "/do/0/outer/try/0/slow"}));
}

#[test]
fn a_call_that_takes_too_long_is_abandoned() {
    let mut run = Run::start(
        "do: [ { slow: { call: f@any, timeout: { after: PT1S } } } ]",
        json!({}),
    );
    run.transcript();
    run.elapse();
    insta::assert_snapshot!(run.transcript(), @r##"
    abandon slow
      task.faulted slow !! timeout 408
      workflow.faulted !! timeout 408
    end: faulted 408 at /do/0/slow
    "##);
}

#[test]
fn a_run_that_takes_too_long_faults() {
    let mut run = Run::start(
        "timeout: { after: PT1H }\ndo: [ { pause: { wait: P1D } } ]",
        json!({}),
    );
    run.elapse();
    assert_eq!(run.error().status, 408);
}

#[test]
fn a_task_that_is_done_in_time_clears_its_timer() {
    let mut run = Run::start(
        "do: [ { quick: { call: f@any, timeout: { after: PT5S } } }, { w: { wait: PT9S } } ]",
        json!({}),
    );
    run.ok("quick", json!({}));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started quick
    set timeout quick 5000ms
    invoke quick f@any {}
    clear timeout quick
      task.completed quick -> {}
      task.started w
    set wait w 9000ms
    "##);
}
