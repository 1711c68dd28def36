use crate::support::Run;
use serde_json::json;

const SWITCH: &str = "
do:
  - choose:
      switch:
        - other: { then: yellow }
        - red: { when: .color == \"red\", then: red }
        - green: { when: .color == \"green\", then: end }
  - red: { set: { was: red }, then: end }
  - yellow: { set: '${ { was: $input.color } }' }
";

#[test]
fn the_first_case_that_holds_decides_and_the_default_comes_last() {
    let was = |color: &str| Run::start(SWITCH, json!({"color": color})).output();
    assert_eq!(was("red"), json!({"was": "red"}));
    assert_eq!(was("green"), json!({"color": "green"}));
    assert_eq!(was("blue"), json!({"was": "blue"}));
}

#[test]
fn without_a_case_that_holds_the_task_goes_its_own_way() {
    let tasks = "
do:
  - choose: { switch: [ { a: { when: 'false', then: one } } ], then: two }
  - one: { set: { at: 1 } }
  - two: { set: { at: 2 } }
";
    assert_eq!(Run::start(tasks, json!({})).output(), json!({"at": 2}));
}
