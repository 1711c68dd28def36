use crate::support::{Run, plan};
use baton_workflow::Event;
use baton_workflow::machine::{NotRetriable, Status};
use serde_json::json;
use std::time::Duration;

fn retry() -> Event {
    Event::RetryRequested {
        by: "ada".into(),
        reason: None,
        correction: None,
    }
}

const DEEP: &str = "
do:
  - first: { call: f@any }
  - both:
      fork:
        branches:
          - left: { do: [ { l1: { call: f@any } }, { l2: { call: f@any, with: { a: '${ . }' } } } ] }
          - right: { for: { in: '[1, 2]' }, do: [ { r: { call: g@any, with: { n: '${ $item }' } } } ] }
          - pause: { wait: PT1H }
      timeout: { after: PT2H }
  - last: { call: f@any }
";

#[test]
fn what_had_completed_is_not_done_again() {
    let mut run = Run::start(DEEP, json!({}));
    run.ok("first", json!(1));
    run.ok("l1", json!("l"));
    run.ok("r", json!(1));
    run.transcript();
    run.fails("l2", 503);
    assert_eq!(run.error().status, 503);
    assert_eq!(run.machine.retriable(), Ok(()));
    run.pass(Duration::from_secs(1800));
    run.apply(retry());
    insta::assert_snapshot!(run.transcript(), @r##"
      task.faulted l2 !! communication 503
      task.faulted left !! communication 503
    abandon r#2
      task.cancelled r#2
    clear wait pause
      task.cancelled pause
      task.cancelled right
    clear timeout both
      task.faulted both !! communication 503
      workflow.faulted !! communication 503
    end: faulted 503 at /do/1/both/fork/branches/0/left/do/1/l2
      workflow.retried
    set timeout both 9000000ms
    set wait pause 3600000ms
      task.started l2~2
    invoke l2~2 f@any {"a":"l"}
      task.started r#2~2
    invoke r#2~2 g@any {"n":2}
    "##);
    assert_eq!(run.status(), Status::Running);
    run.ok("l2", json!(2));
    run.ok("r", json!(3));
    run.elapse();
    run.ok("last", json!("done"));
    assert_eq!(run.last_output(), json!("done"));
    assert_eq!(run.now.as_millis(), 3_600_000);
}

#[test]
fn a_run_may_fault_and_be_tried_again_time_after_time() {
    let mut run = Run::start("do: [ { one: { call: f@any } } ]", json!({"in": 1}));
    for _ in 0..3 {
        run.fails("one", 500);
        run.apply(retry());
    }
    let call = run.machine.outstanding().calls.remove(0);
    assert_eq!((call.task.visit, call.attempt), (1, 4));
    run.ok("one", json!(1));
    assert_eq!(run.last_output(), json!(1));
    run.apply(retry());
    assert_eq!(
        run.machine.retriable(),
        Err(NotRetriable::NotFaulted(Status::Completed))
    );
}

#[test]
fn a_retry_policy_begins_anew() {
    let tasks = "
do:
  - outer:
      try: [ { one: { call: f@any } }, { two: { call: f@any } } ]
      catch: { retry: { delay: PT1S, limit: { attempt: { count: 1, duration: PT5S } } } }
      timeout: { after: PT1M }
";
    let mut run = Run::start(tasks, json!({}));
    run.ok("one", json!(1));
    run.fails("two", 500);
    run.elapse();
    run.ok("one", json!(1));
    run.fails("two", 500);
    run.pass(Duration::from_secs(3600));
    run.transcript();
    run.apply(retry());
    run.fails("two", 500);
    run.elapse();
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.retried
    set timeout outer 3661000ms
    set attempt outer 3606000ms
      task.started two~3
    invoke two~3 f@any {}
      task.faulted two~3 !! communication 500
    clear attempt outer
      task.retried outer~2 !! communication 500
    set retry outer 3602000ms
    set attempt outer 3607000ms
      task.started one~3
    invoke one~3 f@any {}
    "##);
    run.ok("one", json!(1));
    run.ok("two", json!(2));
    assert_eq!(run.last_output(), json!(2));
}

#[test]
fn what_was_caught_or_lost_is_not_brought_back() {
    let tasks = "
do:
  - race: { fork: { compete: true, branches: [ { slow: { call: f@any } }, { fast: { call: g@any } } ] } }
  - safe: { try: [ { bad: { call: f@any } } ], catch: {} }
  - end: { call: f@any }
";
    let mut run = Run::start(tasks, json!({}));
    run.ok("fast", json!(1));
    run.fails("bad", 500);
    run.fails("end", 500);
    run.apply(retry());
    assert_eq!(run.machine.outstanding().calls.len(), 1);
    run.ok("end", json!("done"));
    assert_eq!(run.last_output(), json!("done"));
}

#[test]
fn what_was_undone_is_begun_again_or_not_at_all() {
    let tasks = "
do:
  - inner:
      try: [ { one: { call: f@any, compensate: [ { undo: { call: u@any } } ] } }, { two: { call: f@any } } ]
      catch: { errors: { with: { status: 404 } } }
";
    let mut run = Run::start(tasks, json!({}));
    run.ok("one", json!(1));
    run.fails("two", 500);
    run.ok("undo", json!(1));
    run.apply(retry());
    let call = run.machine.outstanding().calls.remove(0);
    assert!(call.task.pointer.ends_with("/one") && call.task.visit == 2);

    let tasks = "do: [ { one: { call: f@any, compensate: [] } }, { two: { call: f@any } } ]";
    let mut run = Run::start(tasks, json!({}));
    run.ok("one", json!(1));
    run.fails("two", 500);
    assert_eq!(run.machine.retriable(), Err(NotRetriable::Undone));
    run.apply(retry());
    assert_eq!(run.status(), Status::Faulted);
}

#[test]
fn the_ends_of_the_workflow_are_tried_again_too() {
    let start =
        "input: { schema: { document: { type: array } } }\ndo: [ { a: { set: { x: 1 } } } ]";
    let mut run = Run::start(start, json!({}));
    run.apply(retry());
    assert_eq!(run.status(), Status::Faulted);
    let right =
        "input: { schema: { document: { type: object } } }\ndo: [ { a: { set: { x: 1 } } } ]";
    run.machine
        .adopt(plan(right), json!({}))
        .expect("nothing has been performed");
    run.apply(retry());
    assert_eq!(run.last_output(), json!({"x": 1}));

    let end = "do: [ { a: { call: f@any } } ]\noutput: { schema: { document: { type: array } } }";
    let mut run = Run::start(end, json!({}));
    run.ok("a", json!({}));
    run.machine
        .adopt(plan("do: [ { a: { call: f@any } } ]"), json!({}))
        .expect("the output is still to come");
    run.apply(retry());
    assert_eq!(run.last_output(), json!({}));
}

const BEFORE: &str = "
do:
  - one: { call: f@any }
  - group: { do: [ { two: { call: f@any, with: { a: 1 } } }, { three: { call: f@any } } ] }
";

#[test]
fn a_corrected_version_may_differ_where_nothing_has_been_performed() {
    let mut run = Run::start(BEFORE, json!({}));
    run.ok("one", json!(1));
    run.fails("two", 500);
    for (from, to, what) in [
        (
            "one: { call: f@any }",
            "one: { call: g@any }",
            "/do/0/one has been performed",
        ),
        (
            "- one: { call: f@any }",
            "- zero: { set: { a: 1 } }\n  - one: { call: f@any }",
            "/do/0/one has been",
        ),
        ("group: {", "group: { if: .x,", "/do/1/group is under way"),
        ("two:", "deux:", "/do/1/group/do/0/two has been performed"),
    ] {
        let other = plan(&BEFORE.replace(from, to));
        let difference = run
            .machine
            .adopt(other, json!({}))
            .expect_err(to)
            .to_string();
        assert!(difference.starts_with(what), "{difference}");
    }
    let right = BEFORE
        .replace("{ a: 1 }", "{ a: 2 }")
        .replace("three: { call: f@any }", "other: { call: g@any }");
    run.machine
        .adopt(plan(&right), json!({}))
        .expect("what is to come");
    run.transcript();
    run.apply(retry());
    run.ok("two", json!(1));
    run.ok("other", json!(2));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.retried
      task.started two~2
    invoke two~2 f@any {"a":2}
      task.completed two~2 -> 1
      task.started other
    invoke other g@any {}
      task.completed other -> 2
      task.completed group -> 2
      workflow.completed -> 2
    end: completed 2
    "##);
}

#[test]
fn a_run_whose_start_was_under_way_is_started_once() {
    let tasks = "
do:
  - both:
      fork:
        branches:
          - child: { run: { await: false, workflow: { namespace: a, name: b, version: latest } } }
          - fails: { call: f@any }
";
    let mut run = Run::start(tasks, json!({}));
    let started = run.machine.outstanding().children;
    run.fails("fails", 503);
    run.transcript();
    run.pass(Duration::from_secs(60));
    run.apply(retry());
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.retried
    start child a/b latest {}
      task.started fails~2
    invoke fails~2 f@any {}
    "##);
    // It is the same run, at the same time: where it has started meanwhile, it is found.
    assert_eq!(run.machine.outstanding().children, started);
    run.ok("child", json!(null));
    run.ok("fails", json!(1));
    assert_eq!(run.last_output(), json!([{}, 1]));
}

#[test]
fn a_run_that_could_not_be_started_is_begun_anew() {
    let tasks = "do: [ { child: { run: { await: false, workflow: { namespace: a, name: b, version: latest } } } } ]";
    let mut run = Run::start(tasks, json!({}));
    run.fails("child", 404);
    run.apply(retry());
    let child = run.machine.outstanding().children.remove(0);
    assert_eq!(child.attempt, 2);
    run.ok("child", json!(null));
    assert_eq!(run.status(), Status::Completed);
}

#[test]
fn who_listens_goes_on_with_what_has_been_heard() {
    let tasks = "
do:
  - both:
      fork:
        branches:
          - left:
              listen: { to: { any: [ { with: { type: order } } ], until: '${ length == 2 }' } }
              foreach: { do: [ { ship: { call: f@any, with: { n: '${ .n }' } } } ] }
          - right: { call: g@any }
";
    let mut run = Run::start(tasks, json!({}));
    run.publish("order", json!({"n": 1}));
    run.ok("ship", json!("first"));
    run.fails("right", 500);
    run.transcript();
    run.apply(retry());
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.retried
    listen left from 2 to order
      task.started right~2
    invoke right~2 g@any {}
    "##);
    // What was heard before is not heard again, and nothing is shipped twice.
    run.publish("order", json!({"n": 2}));
    run.ok("ship", json!("second"));
    run.ok("right", json!("right"));
    assert_eq!(run.last_output(), json!([["first", "second"], "right"]));
}

#[test]
fn a_subscription_goes_on_with_what_it_has_brought() {
    let tasks = "
do:
  - both:
      fork:
        branches:
          - hear:
              call: asyncapi
              with:
                document: { endpoint: 'http://a/api' }
                operation: news
                subscription: { consume: { amount: 2 } }
          - fails: { call: f@any }
";
    let mut run = Run::start(tasks, json!({}));
    run.hand_over("hear", json!({ "payload": 1, "headers": {} }));
    run.fails("fails", 503);
    run.transcript();
    run.apply(retry());
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.retried
    invoke hear~2 subscribe@asyncapi {"document":{"endpoint":"http://a/api"},"operation":"news"}
      task.started fails~2
    invoke fails~2 f@any {}
    "##);
    run.hand_over("hear", json!({ "payload": 2, "headers": {} }));
    run.ok("fails", json!("done"));
    let output = run.last_output();
    let payloads: Vec<_> = output[0]
        .as_array()
        .expect("messages")
        .iter()
        .map(|it| &it["payload"])
        .collect();
    assert_eq!(
        (payloads, &output[1]),
        (vec![&json!(1), &json!(2)], &json!("done"))
    );
}

#[test]
fn a_subscription_that_failed_hears_anew() {
    let tasks = "
do:
  - hear:
      call: asyncapi
      with:
        document: { endpoint: 'http://a/api' }
        operation: news
        subscription: { consume: { amount: 2 } }
";
    let mut run = Run::start(tasks, json!({}));
    run.hand_over("hear", json!({ "payload": 1, "headers": {} }));
    run.fails("hear", 503);
    assert_eq!(run.status(), Status::Faulted);
    run.apply(retry());
    for payload in [2, 3] {
        run.hand_over("hear", json!({ "payload": payload, "headers": {} }));
    }
    let output = run.last_output();
    let payloads: Vec<_> = output
        .as_array()
        .expect("messages")
        .iter()
        .map(|it| &it["payload"])
        .collect();
    assert_eq!(payloads, [&json!(2), &json!(3)]);
}
