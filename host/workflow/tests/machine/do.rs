use crate::support::Run;
use serde_json::json;

#[test]
fn tasks_follow_one_another_and_hand_their_output_on() {
    let tasks = "
do:
  - outer:
      do:
        - red: { set: { colors: '${ .colors + [\"red\"] }' } }
        - green: { set: { colors: '${ .colors + [\"green\"] }' } }
      output: { as: '.colors' }
  - last: { set: '${ { all: . } }' }
";
    assert_eq!(
        Run::start(tasks, json!({})).output(),
        json!({"all": ["red", "green"]})
    );
}

#[test]
fn exit_leaves_the_scope_and_end_the_workflow() {
    let tasks = "
do:
  - outer:
      do:
        - one: { set: { at: one }, then: exit }
        - never: { set: { at: never } }
  - after:
      do:
        - two: { set: '${ . + { two: true } }', then: end }
        - never: { set: { at: never } }
  - neither: { set: { at: neither } }
";
    let mut run = Run::start(tasks, json!({}));
    assert_eq!(run.output(), json!({"at": "one", "two": true}));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started outer
      task.started one
      task.completed one -> {"at":"one"}
      task.completed outer -> {"at":"one"}
      task.started after
      task.started two
      task.completed two -> {"at":"one","two":true}
      task.completed after -> {"at":"one","two":true}
      workflow.completed -> {"at":"one","two":true}
    end: completed {"at":"one","two":true}
    "##);
}

#[test]
fn a_skipped_task_hands_its_input_on_and_its_then_does_not_count() {
    let tasks = "
do:
  - no: { if: .x > 1, set: { at: no }, then: end }
  - yes: { if: '${ .x == 1 }', set: '. + { y: 2 }' }
";
    let mut run = Run::start(tasks, json!({"x": 1}));
    assert_eq!(run.output(), json!({"x": 1, "y": 2}));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.skipped no
      task.started yes
      task.completed yes -> {"x":1,"y":2}
      workflow.completed -> {"x":1,"y":2}
    end: completed {"x":1,"y":2}
    "##);
}
