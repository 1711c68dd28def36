use crate::support::Run;
use serde_json::json;

const BOTH: &str = "
do:
  - both:
      fork:
        branches:
          - left: { call: l@any, export: { as: '$context + { left: . }' } }
          - right: { call: r@any, export: { as: '$context + { right: . }' } }
      output: { as: '{ outputs: ., context: $context }' }
";

#[test]
fn branches_run_side_by_side_and_join_in_declaration_order() {
    let mut run = Run::start(BOTH, json!({}));
    run.ok("right", json!(2));
    run.ok("left", json!(1));
    // The fork's own output.as sees what the branches have exported.
    assert_eq!(
        run.output(),
        json!({"outputs": [1, 2], "context": {"left": 1, "right": 2}})
    );
}

#[test]
fn an_error_in_one_branch_ends_the_others() {
    let mut run = Run::start(BOTH, json!({}));
    run.transcript();
    run.fails("right", 500);
    insta::assert_snapshot!(run.transcript(), @r##"
      task.faulted right !! communication 500
    abandon left
      task.cancelled left
      task.faulted both !! communication 500
      workflow.faulted !! communication 500
    end: faulted 500 at /do/0/both/fork/branches/1/right
    "##);
}

#[test]
fn the_first_to_complete_wins_a_race() {
    let tasks = BOTH.replace("fork:", "fork:\n        compete: true");
    let mut run = Run::start(&tasks, json!({}));
    run.transcript();
    run.ok("right", json!(2));
    insta::assert_snapshot!(run.transcript(), @r##"
      task.completed right -> 2
    abandon left
      task.cancelled left
      task.completed both -> {"outputs":2,"context":{"right":2}}
      workflow.completed -> {"outputs":2,"context":{"right":2}}
    end: completed {"outputs":2,"context":{"right":2}}
    "##);
}

#[test]
fn who_fails_is_out_of_the_race() {
    let tasks = BOTH.replace("fork:", "fork:\n        compete: true");
    let mut run = Run::start(&tasks, json!({}));
    run.fails("left", 500);
    run.ok("right", json!(2));
    assert_eq!(run.output(), json!({"outputs": 2, "context": {"right": 2}}));

    let mut run = Run::start(&tasks, json!({}));
    run.fails("left", 500);
    run.fails("right", 502);
    assert_eq!(run.error().status, 502);
}

#[test]
fn end_in_a_branch_ends_the_workflow() {
    let tasks = "
do:
  - both: { fork: { branches: [ { a: { set: { x: 1 }, then: end } }, { b: { call: f@any } } ] } }
  - never: { set: { y: 1 } }
";
    let mut run = Run::start(tasks, json!({}));
    assert_eq!(run.output(), json!({"x": 1}));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started both
      task.started a
      task.completed a -> {"x":1}
      task.completed both -> {"x":1}
      workflow.completed -> {"x":1}
    end: completed {"x":1}
    "##);
}
