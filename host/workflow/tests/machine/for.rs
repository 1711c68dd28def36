use crate::support::Run;
use serde_json::json;

#[test]
fn each_item_in_turn_with_its_index_on_what_the_one_before_has_left() {
    let tasks = "
do:
  - loop:
      for: { each: color, in: .colors, at: i }
      while: (.seen | length) < 2
      do:
        - note: { set: { seen: '${ .seen + [\"\\($i):\\($color)\"] }' } }
      input: { from: '{colors: .colors, seen: []}' }
";
    // What a body leaves is the next one's input: there are no colours in it, and need not be.
    let run = Run::start(tasks, json!({"colors": ["red", "green", "blue"]}));
    assert_eq!(run.output(), json!({"seen": ["0:red", "1:green"]}));
}

#[test]
fn an_empty_or_missing_collection_passes_the_input_through() {
    let tasks = "do: [ { loop: { for: { in: .none }, do: [ { x: { set: { a: 1 } } } ] } } ]";
    assert_eq!(Run::start(tasks, json!({"b": 2})).output(), json!({"b": 2}));
    assert_eq!(
        Run::start(tasks, json!({"none": []})).output(),
        json!({"none": []})
    );
}

#[test]
fn what_is_no_array_cannot_be_iterated() {
    let tasks = "do: [ { loop: { for: { in: .x }, do: [ { x: { set: { a: 1 } } } ] } } ]";
    let error = Run::start(tasks, json!({"x": "text"})).error();
    assert_eq!(
        error.detail.as_deref(),
        Some("`for.in` must give an array, and gave a string")
    );
}

#[test]
fn calls_in_a_loop_are_visits_of_their_own() {
    let tasks = "do: [ { loop: { for: { in: '[1, 2]' }, do: [ { step: { call: f@any, with: { a: '${ $item }' } } } ] } } ]";
    let mut run = Run::start(tasks, json!({}));
    run.ok("step", json!({"n": 1}));
    run.ok("step", json!({"n": 2}));
    assert_eq!(run.output(), json!({"n": 2}));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started loop
      task.started step
    invoke step f@any {"a":1}
      task.completed step -> {"n":1}
      task.started step#2
    invoke step#2 f@any {"a":2}
      task.completed step#2 -> {"n":2}
      task.completed loop -> {"n":2}
      workflow.completed -> {"n":2}
    end: completed {"n":2}
    "##);
}
