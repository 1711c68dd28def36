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

const PIPELINE: &str = "
do:
  - build:
      fork:
        branches:
          - publish: { needs: [test, lint], call: p@any, with: { a: '${ $branches }' } }
          - test: { needs: [compile], call: t@any, with: { a: '${ $branches.compile }' } }
          - compile: { call: c@any, export: { as: '$context + { by: \"compile\", compile: . }' } }
          - lint: { call: l@any, export: { as: '$context + { by: \"lint\" }' } }
      output: { as: '{ outputs: ., context: $context }' }
";

#[test]
fn who_needs_others_begins_when_those_have_completed_and_is_given_their_outputs() {
    let mut run = Run::start(PIPELINE, json!({"in": 1}));
    run.ok("lint", json!("clean"));
    run.ok("compile", json!("binary"));
    run.ok("test", json!("passed"));
    run.ok("publish", json!("done"));
    assert_eq!(
        run.output(),
        json!({
            "outputs": ["done", "passed", "binary", "clean"],
            "context": {"by": "lint", "compile": "binary"},
        })
    );
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started build
      task.started compile
    invoke compile c@any {}
      task.started lint
    invoke lint l@any {}
      task.completed lint -> "clean"
      task.completed compile -> "binary"
      task.started test
    invoke test t@any {"a":"binary"}
      task.completed test -> "passed"
      task.started publish
    invoke publish p@any {"a":{"test":"passed","lint":"clean"}}
      task.completed publish -> "done"
      task.completed build -> {"outputs":["done","passed","binary","clean"],"context":{"by":"lint","compile":"binary"}}
      workflow.completed -> {"outputs":["done","passed","binary","clean"],"context":{"by":"lint","compile":"binary"}}
    end: completed {"outputs":["done","passed","binary","clean"],"context":{"by":"lint","compile":"binary"}}
    "##);
}

#[test]
fn who_needs_another_sees_what_that_has_exported_and_nothing_else() {
    let tasks = "
do:
  - graph:
      fork:
        branches:
          - last: { needs: [first], set: { seen: '${ $context }' }, export: { as: '$context + { k: \"last\" }' } }
          - first: { set: { a: 1 }, export: { as: '$context + { k: \"first\" }' } }
          - other: { set: { a: 1 }, export: { as: '$context + { other: true }' } }
      output: { as: '{ seen: .[0].seen, context: $context }' }
";
    // What the branch that came later has made of a member counts, wherever it stands.
    assert_eq!(
        Run::start(tasks, json!({})).output(),
        json!({"seen": {"k": "first"}, "context": {"k": "last", "other": true}})
    );
}

#[test]
fn a_skipped_branch_has_completed_with_its_input() {
    let tasks = "
do:
  - graph:
      fork:
        branches:
          - first: { if: .never, call: f@any }
          - second: { needs: [first], set: '${ $branches }' }
";
    assert_eq!(
        Run::start(tasks, json!({"in": 1})).output(),
        json!([{"in": 1}, {"first": {"in": 1}}])
    );
}

#[test]
fn an_error_keeps_those_from_beginning_that_need_the_branch() {
    let mut run = Run::start(PIPELINE, json!({}));
    run.ok("lint", json!(1));
    run.transcript();
    run.fails("compile", 500);
    insta::assert_snapshot!(run.transcript(), @r##"
      task.faulted compile !! communication 500
      task.faulted build !! communication 500
      workflow.faulted !! communication 500
    end: faulted 500 at /do/0/build/fork/branches/2/compile
    "##);
}
