use crate::support::Run;
use baton_workflow::Event;
use baton_workflow::machine::Status;
use proptest::prelude::*;
use serde_json::json;

const TRIP: &str = "
do:
  - flight:
      call: book@any
      output: { as: '{ flight: . }' }
      compensate: [ { cancelFlight: { call: cancel@any, with: { a: '${ .flight }' } } } ]
  - hotel:
      call: book@any
      compensate:
        - cancelHotel: { call: cancel@any, with: { a: '${ . }' } }
        - tell: { set: { told: true } }
  - pay: { call: pay@any }
";

#[test]
fn an_error_that_leaves_the_workflow_undoes_what_was_done_last_first() {
    let mut run = Run::start(TRIP, json!({}));
    run.ok("flight", json!("LH1"));
    run.ok("hotel", json!("Ritz"));
    run.transcript();
    run.fails("pay", 402);
    assert_eq!(run.status(), Status::Running);
    run.ok("cancelHotel", json!({}));
    run.ok("cancelFlight", json!({}));
    insta::assert_snapshot!(run.transcript(), @r##"
      task.faulted pay !! communication 402
      task.compensation.started hotel
      task.started cancelHotel
    invoke cancelHotel cancel@any {"a":"Ritz"}
      task.completed cancelHotel -> {}
      task.started tell
      task.completed tell -> {"told":true}
      task.compensation.completed hotel
      task.compensation.started flight
      task.started cancelFlight
    invoke cancelFlight cancel@any {"a":"LH1"}
      task.completed cancelFlight -> {}
      task.compensation.completed flight
      workflow.faulted !! communication 402
    end: faulted 402 at /do/2/pay
    "##);
}

#[test]
fn a_run_that_completes_undoes_nothing() {
    let mut run = Run::start(TRIP, json!({}));
    for task in ["flight", "hotel", "pay"] {
        run.ok(task, json!(task));
    }
    assert_eq!(run.output(), json!("pay"));
}

#[test]
fn undo_steps_that_fail_hold_up_no_others_and_the_first_error_stays() {
    let mut run = Run::start(TRIP, json!({}));
    run.ok("flight", json!("LH1"));
    run.ok("hotel", json!("Ritz"));
    run.fails("pay", 402);
    run.transcript();
    run.fails("cancelHotel", 500);
    run.ok("cancelFlight", json!({}));
    assert_eq!(run.error().status, 402);
    insta::assert_snapshot!(run.transcript(), @r##"
      task.faulted cancelHotel !! communication 500
      task.compensation.faulted hotel !! communication 500
      task.compensation.started flight
      task.started cancelFlight
    invoke cancelFlight cancel@any {"a":"LH1"}
      task.completed cancelFlight -> {}
      task.compensation.completed flight
      workflow.faulted !! communication 402
    end: faulted 402 at /do/2/pay
    "##);
}

fn cancel() -> Event {
    Event::CancelRequested {
        by: "ada".into(),
        reason: None,
    }
}

#[test]
fn a_cancelled_run_undoes_first_and_is_not_cancelled_twice() {
    let mut run = Run::start(TRIP, json!({}));
    run.ok("flight", json!("LH1"));
    run.transcript();
    run.apply(cancel());
    run.apply(cancel());
    assert_eq!(run.status(), Status::Running);
    run.ok("cancelFlight", json!({}));
    assert_eq!(run.status(), Status::Cancelled);
    insta::assert_snapshot!(run.transcript(), @r##"
    abandon hotel
      task.cancelled hotel
      task.compensation.started flight
      task.started cancelFlight
    invoke cancelFlight cancel@any {"a":"LH1"}
      task.completed cancelFlight -> {}
      task.compensation.completed flight
      workflow.cancelled
    end: cancelled
    "##);
}

#[test]
fn a_stop_leaves_what_is_not_undone() {
    let stop = || Event::StopRequested {
        by: "ada".into(),
        reason: Some("enough".into()),
    };
    let mut run = Run::start(TRIP, json!({}));
    run.ok("flight", json!("LH1"));
    run.apply(stop());
    assert_eq!(run.status(), Status::Cancelled);

    // What was ending with an error still does.
    let mut run = Run::start(TRIP, json!({}));
    run.ok("flight", json!("LH1"));
    run.fails("hotel", 500);
    run.apply(stop());
    assert_eq!(run.error().status, 500);
}

const CAUGHT: &str = "
do:
  - before: { call: f@any, compensate: [ { undoBefore: { call: u@any } } ] }
  - outer:
      try:
        - one: { call: f@any, compensate: [ { undoOne: { call: u@any } } ] }
        - two: { call: f@any }
      catch:
        retry: { delay: PT1S, limit: { attempt: { count: 1 } } }
        do: [ { handle: { set: { handled: '${ $error.status }' } } } ]
  - after: { call: f@any }
";

#[test]
fn a_try_undoes_its_own_after_the_retries_and_before_the_handler() {
    let mut run = Run::start(CAUGHT, json!({}));
    run.ok("before", json!(0));
    run.ok("one", json!(1));
    run.fails("two", 500);
    run.elapse();
    run.ok("one", json!(1));
    run.transcript();
    run.fails("two", 500);
    run.ok("undoOne", json!({}));
    insta::assert_snapshot!(run.transcript(), @r##"
      task.faulted two~2 !! communication 500
      task.compensation.started one
      task.started undoOne
    invoke undoOne u@any {}
      task.completed undoOne -> {}
      task.compensation.completed one
      task.started handle
      task.completed handle -> {"handled":500}
      task.completed outer -> {"handled":500}
      task.started after
    invoke after f@any {}
    "##);
    // What was undone is not undone again; what was done before the `try` is.
    run.fails("after", 503);
    run.ok("undoBefore", json!({}));
    assert_eq!(run.error().status, 503);
}

#[test]
fn a_try_that_is_over_hands_its_undo_steps_on() {
    let mut run = Run::start(CAUGHT, json!({}));
    for task in ["before", "one", "two"] {
        run.ok(task, json!(0));
    }
    run.transcript();
    run.fails("after", 500);
    run.ok("undoOne", json!({}));
    run.ok("undoBefore", json!({}));
    assert_eq!(run.error().status, 500);
}

#[test]
fn what_was_undone_is_done_again_under_another_identity() {
    let tasks = "
do:
  - outer:
      try:
        - inner:
            try:
              - one: { call: f@any, compensate: [ { undo: { call: u@any } } ] }
              - two: { call: f@any }
            catch: { errors: { with: { status: 404 } } }
      catch: { retry: { delay: PT1S, limit: { attempt: { count: 1 } } } }
";
    let mut run = Run::start(tasks, json!({}));
    run.ok("one", json!(1));
    run.fails("two", 500);
    run.ok("undo", json!(1));
    run.transcript();
    run.elapse();
    run.ok("one", json!(1));
    run.ok("two", json!(2));
    insta::assert_snapshot!(run.transcript(), @r##"
      task.started inner~2
      task.started one#2
    invoke one#2 f@any {}
      task.completed one#2 -> 1
      task.started two#2
    invoke two#2 f@any {}
      task.completed two#2 -> 2
      task.completed inner~2 -> 2
      task.completed outer -> 2
      workflow.completed -> 2
    end: completed 2
    "##);
}

#[test]
fn what_a_handler_did_and_was_undone_is_done_again_under_another_identity() {
    let tasks = "
do:
  - outer:
      try:
        - inner:
            try:
              - one: { call: f@any }
            catch:
              do:
                - two: { call: f@any, compensate: [ { undo: { call: u@any } } ] }
                - three: { call: f@any }
      catch: { retry: { delay: PT1S, limit: { attempt: { count: 1 } } } }
";
    let mut run = Run::start(tasks, json!({}));
    run.fails("one", 500);
    run.ok("two", json!(2));
    run.fails("three", 500);
    run.ok("undo", json!(2));
    run.transcript();
    run.elapse();
    run.fails("one", 500);
    let transcript = run.transcript();
    // What was not undone keeps its identity.
    assert!(transcript.contains("invoke one~2 "), "{transcript}");
    assert!(transcript.contains("invoke two#2 "), "{transcript}");
    run.ok("two", json!(2));
    run.fails("three", 500);
    run.ok("undo", json!(2));
    let transcript = run.transcript();
    let undone = "task.compensation.completed two#2";
    assert!(transcript.contains(undone), "{transcript}");
}

#[test]
fn undoing_that_is_cut_short_begins_again_with_its_identity() {
    let tasks = "
do:
  - limited:
      do:
        - inner:
            try:
              - one: { call: f@any, compensate: [ { undo: { call: u@any } } ] }
              - two: { call: f@any }
            catch: { when: 'true' }
      timeout: { after: PT10S }
";
    let mut run = Run::start(tasks, json!({}));
    run.ok("one", json!(1));
    run.fails("two", 500);
    run.transcript();
    run.elapse();
    run.ok("undo", json!({}));
    assert!(run.error().type_uri.ends_with("/timeout"));
    insta::assert_snapshot!(run.transcript(), @r##"
    abandon undo
      task.cancelled undo
      task.cancelled inner
      task.faulted limited !! timeout 408
      task.compensation.started one
      task.started undo~2
    invoke undo~2 u@any {}
      task.completed undo~2 -> {}
      task.compensation.completed one
      workflow.faulted !! timeout 408
    end: faulted 408 at /do/0/limited
    "##);
}

#[test]
fn each_iteration_is_undone_with_its_own_variables() {
    let tasks = "
do:
  - loop:
      for: { each: n, in: '[1, 2, 3]', concurrency: 3 }
      do: [ { step: { call: f@any, compensate: [ { undo: { set: { n: '${ $n }', out: '${ . }' } } } ] } } ]
  - last: { raise: { error: { type: https://e.example/no, status: 599 } } }
";
    let mut run = Run::start(tasks, json!({}));
    for visit in [2, 3, 1] {
        run.ok_visit("step", visit, json!(visit));
    }
    let undone: Vec<_> = run
        .transcript()
        .lines()
        .filter(|line| line.contains("completed undo"))
        .map(str::to_owned)
        .collect();
    assert_eq!(
        undone,
        [
            r#"  task.completed undo -> {"n":1,"out":1}"#,
            r#"  task.completed undo#2 -> {"n":3,"out":3}"#,
            r#"  task.completed undo#3 -> {"n":2,"out":2}"#,
        ]
    );
}

#[test]
fn undo_steps_may_wait_and_try_again() {
    let tasks = "
do:
  - one:
      set: { a: 1 }
      compensate:
        - pause: { wait: PT1H }
        - insist:
            try: [ { undo: { call: u@any } } ]
            catch: { retry: { delay: PT1S, limit: { attempt: { count: 5 } } } }
  - two: { raise: { error: { type: https://e.example/no, status: 599 } } }
";
    let mut run = Run::start(tasks, json!({}));
    run.elapse();
    run.fails("undo", 503);
    run.elapse();
    run.ok("undo", json!({}));
    assert_eq!((run.error().status, run.now.as_millis()), (599, 3_601_000));
}

#[test]
fn undo_steps_without_end_are_given_up() {
    let tasks = "
do:
  - one:
      set: { a: 1 }
      compensate: [ { round: { set: { b: 1 }, then: round } } ]
  - two: { raise: { error: { type: https://e.example/no, status: 599 } } }
";
    let mut run = Run::start(tasks, json!({}));
    assert_eq!(run.error().status, 599);
    assert!(run.transcript().contains("task.compensation.faulted one"));
}

/// A tree of tasks of which all that call can be undone.
fn tasks(depth: u32) -> BoxedStrategy<String> {
    let step = Just("{ call: f@any, compensate: [ { undo: { call: u@any } } ] }".to_owned());
    if depth == 0 {
        return step.boxed();
    }
    let list = move || {
        proptest::collection::vec(tasks(depth - 1), 1..4).prop_map(|tasks| {
            let items = tasks.iter().zip(0..);
            let items: Vec<_> = items
                .map(|(task, n)| format!("{{ t{n}: {task} }}"))
                .collect();
            items.join(", ")
        })
    };
    prop_oneof![
        3 => step,
        1 => list().prop_map(|list| format!("{{ do: [ {list} ] }}")),
        1 => list().prop_map(|list| format!("{{ try: [ {list} ], catch: {{ errors: {{ with: {{ status: 1 }} }} }} }}")),
        1 => list().prop_map(|list| format!("{{ fork: {{ branches: [ {list} ] }} }}")),
        1 => list().prop_map(|list| format!("{{ for: {{ in: '[1, 2]', concurrency: 2 }}, do: [ {list} ] }}")),
    ]
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the order in which calls are answered and wherever it stops.
    #[test]
    fn undoing_is_the_reverse_of_completing(
        task in tasks(3),
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 40),
        stop in 0usize..40,
    ) {
        let mut run = Run::start(&format!("do: [ {{ root: {task} }} ]"), json!({}));
        let mut completed = Vec::new();
        for index in order.iter().take(stop) {
            let calls = run.machine.outstanding().calls;
            if calls.is_empty() {
                break;
            }
            let call = index.get(&calls);
            completed.push(call.task.clone());
            run.apply(Event::Answered { task: call.task.clone(), attempt: call.attempt, answer: Ok(json!(1).into()) });
        }
        if run.status().is_ended() {
            return Ok(());
        }
        let before = run.commands.len();
        run.apply(cancel());
        // Inner steps are undone one at a time, so that there is one call under way until all is undone.
        while let [call] = &run.machine.outstanding().calls[..] {
            run.apply(Event::Answered { task: call.task.clone(), attempt: call.attempt, answer: Ok(json!(1).into()) });
        }
        prop_assert_eq!(run.status(), Status::Cancelled);
        let undone = run.undone_since(before);
        completed.reverse();
        prop_assert_eq!(undone, completed);
    }
}

#[test]
fn an_early_end_whose_output_does_not_fit_undoes_what_was_done_beside_and_around() {
    let tasks = "
do:
  - around:
      try:
        - one: { set: { a: 1 }, compensate: [ { undoOne: { set: { a: 1 } } } ] }
        - both:
            fork:
              branches:
                - left: { do: [ { call: { call: f@any } }, { last: { set: { a: 1 }, then: end } } ] }
                - right:
                    try:
                      - two: { set: { a: 1 }, compensate: [ { undoTwo: { set: { a: 1 } } } ] }
                      - three: { call: g@any }
                    catch: {}
      catch: {}
output: { schema: { document: { type: array } } }
";
    let mut run = Run::start(tasks, json!({}));
    let before = run.commands.len();
    run.ok("call", json!(1));
    assert_eq!(run.error().status, 400);
    let undone = run.undone_since(before);
    let names: Vec<_> = undone
        .iter()
        .filter_map(|task| task.pointer.rsplit('/').next())
        .collect();
    assert_eq!(names, ["two", "one"]);
}
