use std::time::Duration;

use crate::support::Run;
use baton_workflow::{Error, ErrorKind};
use serde_json::json;

const RETRY: &str = "
do:
  - outer:
      try:
        - first: { call: a@any }
        - second: { call: b@any }
      catch:
        errors: { with: { type: https://serverlessworkflow.io/dsl/errors/types/communication, status: 503 } }
        retry: { delay: { seconds: 3 }, backoff: { exponential: {} }, limit: { attempt: { count: 2 } } }
";

#[test]
fn a_retry_runs_the_body_again_with_the_same_identities() {
    let mut run = Run::start(RETRY, json!({"in": 1}));
    run.ok("first", json!(1));
    run.fails("second", 503);
    run.elapse();
    run.ok("first", json!(1));
    run.fails("second", 503);
    run.elapse();
    run.ok("first", json!(1));
    run.ok("second", json!(2));
    assert_eq!(run.output(), json!(2));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started outer
      task.started first
    invoke first a@any {}
      task.completed first -> 1
      task.started second
    invoke second b@any {}
      task.faulted second !! communication 503
      task.retried outer~2 !! communication 503
    set retry outer 3000ms
      task.started first~2
    invoke first~2 a@any {}
      task.completed first~2 -> 1
      task.started second~2
    invoke second~2 b@any {}
      task.faulted second~2 !! communication 503
      task.retried outer~3 !! communication 503
    set retry outer 9000ms
      task.started first~3
    invoke first~3 a@any {}
      task.completed first~3 -> 1
      task.started second~3
    invoke second~3 b@any {}
      task.completed second~3 -> 2
      task.completed outer -> 2
      workflow.completed -> 2
    end: completed 2
    "##);
}

#[test]
fn when_the_policy_gives_up_and_nobody_handles_it_the_error_goes_on() {
    let mut run = Run::start(RETRY, json!({}));
    for _ in 0..2 {
        run.fails("first", 503);
        run.elapse();
    }
    run.fails("first", 503);
    assert_eq!((run.error().status, run.now.as_millis()), (503, 9_000));
}

#[test]
fn what_the_filter_does_not_accept_is_not_caught() {
    let mut run = Run::start(RETRY, json!({}));
    run.fails("first", 500);
    assert_eq!(run.error().status, 500);
}

#[test]
fn who_asks_to_be_left_alone_for_a_while_is() {
    let mut run = Run::start(RETRY, json!({}));
    let mut error = Error::new(ErrorKind::Communication, "Busy", "later");
    (error.status, error.retry_after) = (503, Some(60_000));
    run.answer("first", Err(error));
    run.elapse();
    assert_eq!(run.now.as_millis(), 60_000);
}

const HANDLE: &str = "
do:
  - outer:
      try: [ { work: { call: a@any } } ]
      catch:
        as: oops
        when: $oops.status >= 500
        exceptWhen: $oops.status == 501
        do: [ { handle: { set: { was: '${ $oops.status }', in: '${ .in }' } } } ]
        then: end
  - after: { set: '. + { after: true }' }
";

#[test]
fn a_handler_is_given_the_error_and_its_output_is_the_tasks() {
    let mut run = Run::start(HANDLE, json!({"in": 1}));
    run.fails("work", 500);
    assert_eq!(run.output(), json!({"was": 500, "in": 1}));
    let mut run = Run::start(HANDLE, json!({"in": 1}));
    run.ok("work", json!({}));
    assert_eq!(run.output(), json!({"after": true}));
}

#[test]
fn conditions_decide_what_is_caught() {
    for status in [404, 501] {
        let mut run = Run::start(HANDLE, json!({}));
        run.fails("work", status);
        assert_eq!(run.error().status, status);
    }
}

#[test]
fn a_caught_error_without_a_handler_lets_the_input_through() {
    let mut run = Run::start(
        "do: [ { outer: { try: [ { work: { call: a@any } } ], catch: {} } } ]",
        json!({"in": 1}),
    );
    run.fails("work", 500);
    assert_eq!(run.output(), json!({"in": 1}));
}

#[test]
fn an_error_in_a_handler_goes_on() {
    let tasks = "
do:
  - outer:
      try: [ { work: { call: a@any } } ]
      catch: { do: [ { again: { raise: { error: { type: https://e.example/again, status: 599 } } } } ] }
";
    let mut run = Run::start(tasks, json!({}));
    run.fails("work", 500);
    assert_eq!(
        (run.error().status, run.error().instance.as_deref()),
        (599, Some("/do/0/outer/catch/do/0/again"))
    );
}

#[test]
fn limits_of_time_end_an_attempt_and_the_trying() {
    let tasks = "
do:
  - outer:
      try: [ { work: { call: a@any } } ]
      catch:
        retry: { delay: PT2S, limit: { attempt: { duration: PT5S }, duration: PT10S } }
        do: [ { gaveUp: { set: { status: '${ $error.status }' } } } ]
";
    let mut run = Run::start(tasks, json!({}));
    run.elapse(); // the attempt's five seconds
    run.elapse(); // the delay's two
    run.elapse(); // five more: a third attempt would begin after fourteen
    assert_eq!(
        (run.output(), run.now.as_millis()),
        (json!({"status": 408}), 12_000)
    );
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started outer
    set attempt outer 5000ms
      task.started work
    invoke work a@any {}
    abandon work
      task.cancelled work
      task.retried outer~2 !! timeout 408
    set retry outer 7000ms
    set attempt outer 12000ms
      task.started work~2
    invoke work~2 a@any {}
    abandon work~2
      task.cancelled work~2
      task.started gaveUp
      task.completed gaveUp -> {"status":408}
      task.completed outer -> {"status":408}
      workflow.completed -> {"status":408}
    end: completed {"status":408}
    "##);
}

#[test]
fn jitter_is_within_its_bounds_and_the_same_in_every_replay() {
    let tasks = "
do:
  - outer:
      try: [ { work: { call: a@any } } ]
      catch: { retry: { delay: PT1S, jitter: { from: PT1S, to: PT2S }, limit: { attempt: { count: 9 } } } }
";
    let delays = || {
        let mut run = Run::start(tasks, json!({}));
        let mut delays = Vec::new();
        for _ in 0..9 {
            let before = run.now;
            run.fails("work", 500);
            run.elapse();
            delays.push(before.until(run.now));
        }
        delays
    };
    let seen = delays();
    assert!(
        seen.iter()
            .all(|it| (Duration::from_secs(2)..=Duration::from_secs(3)).contains(it)),
        "{seen:?}"
    );
    assert!(seen.windows(2).any(|pair| pair[0] != pair[1]), "{seen:?}");
    assert_eq!(seen, delays());
}

#[test]
fn no_call_is_given_the_identity_of_another() {
    let tasks = "
do:
  - items:
      for: { in: .items }
      do:
        - outer:
            input: { from: '{ items: [1, 2, 3] }' }
            try: [ { each: { for: { in: .items, each: n }, do: [ { work: { call: a@any, with: { n: '${ $n }' } } } ] } } ]
            catch:
              retry: { limit: { attempt: { count: 1 } } }
              do: [ { gaveUp: { set: { items: [] } } } ]
";
    let mut run = Run::start(tasks, json!({"items": ["a", "b"]}));
    run.ok("work", json!(1));
    run.ok("work", json!(2));
    run.fails("work", 500);
    run.elapse();
    run.fails("work", 500); // the first of the second attempt: given up
    run.ok("work", json!(1)); // the first of the next item
    run.ok("work", json!(2));
    run.ok("work", json!(3));
    let mut used = std::collections::HashSet::new();
    for command in &run.commands {
        if let baton_workflow::Command::Invoke(call) = command {
            assert!(
                used.insert((call.task.clone(), call.attempt)),
                "{:?} {}",
                call.task,
                call.attempt
            );
        }
    }
    let visits: Vec<u32> = run
        .commands
        .iter()
        .filter_map(|command| match command {
            baton_workflow::Command::Invoke(call) => Some(call.task.visit),
            _ => None,
        })
        .collect();
    // The retry keeps the identity of the first call; the next item begins behind all that were used.
    assert_eq!(visits, [1, 2, 3, 1, 4, 5, 6]);
}
