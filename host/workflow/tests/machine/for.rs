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

#[test]
fn side_by_side_each_from_the_same_input_and_the_outputs_in_order() {
    let tasks = "
do:
  - loop:
      for: { each: n, in: .numbers, at: i, concurrency: 2 }
      do:
        - first: { call: f@any, with: { n: '${ $n }', a: '${ .tag }' } }
        - second: { set: '${ { i: $i, got: . } }', export: { as: '$context + { last: $n, (\"n\\($n)\"): true }' } }
      output: { as: '{ outputs: ., context: $context }' }
";
    let mut run = Run::start(tasks, json!({"numbers": [10, 20, 30], "tag": "x"}));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started loop
      task.started first
    invoke first f@any {"n":10,"a":"x"}
      task.started first#2
    invoke first#2 f@any {"n":20,"a":"x"}
    "##);
    // The second is done first, and the third takes its place.
    run.ok_visit("first", 2, json!("b"));
    insta::assert_snapshot!(run.transcript(), @r##"
      task.completed first#2 -> "b"
      task.started second
      task.completed second -> {"i":1,"got":"b"}
      task.started first#3
    invoke first#3 f@any {"n":30,"a":"x"}
    "##);
    run.ok_visit("first", 3, json!("c"));
    run.ok_visit("first", 1, json!("a"));
    assert_eq!(
        run.output(),
        json!({
            "outputs": [{"i": 0, "got": "a"}, {"i": 1, "got": "b"}, {"i": 2, "got": "c"}],
            "context": {"last": 30, "n10": true, "n20": true, "n30": true},
        })
    );
}

#[test]
fn side_by_side_without_items_there_are_no_outputs() {
    let tasks = "do: [ { loop: { for: { in: .none, concurrency: 3 }, do: [ { x: { set: { a: 1 } } } ] } } ]";
    assert_eq!(Run::start(tasks, json!({"b": 2})).output(), json!([]));
}

#[test]
fn side_by_side_no_iteration_begins_behind_the_first_that_while_refuses() {
    let tasks = "
do:
  - loop:
      for: { in: .items, concurrency: 2 }
      while: $item < .limit
      do: [ { step: { call: f@any, with: { n: '${ $item }' } } } ]
";
    let mut run = Run::start(tasks, json!({"items": [1, 2, 9, 3], "limit": 5}));
    run.ok_visit("step", 2, json!("b"));
    run.ok_visit("step", 1, json!("a"));
    assert_eq!(run.output(), json!(["a", "b"]));
}

#[test]
fn side_by_side_an_error_ends_all_iterations() {
    let tasks = "do: [ { loop: { for: { in: '[1, 2, 3]', concurrency: 2 }, do: [ { step: { call: f@any } } ] } } ]";
    let mut run = Run::start(tasks, json!({}));
    run.transcript();
    run.fails("step", 500);
    insta::assert_snapshot!(run.transcript(), @r##"
      task.faulted step !! communication 500
    abandon step#2
      task.cancelled step#2
      task.faulted loop !! communication 500
      workflow.faulted !! communication 500
    end: faulted 500 at /do/0/loop/do/0/step
    "##);
}

#[test]
fn side_by_side_a_retry_takes_no_identity_from_its_neighbours() {
    let tasks = "
do:
  - loop:
      for: { in: '[1, 2, 3]', concurrency: 2 }
      do:
        - safe:
            try: [ { step: { call: f@any, with: { n: '${ $item }' } } } ]
            catch: { retry: { delay: PT1S, limit: { attempt: { count: 2 } } } }
";
    let mut run = Run::start(tasks, json!({}));
    run.transcript();
    run.fails("step", 500);
    run.elapse();
    run.ok_visit("step", 2, json!("b"));
    run.ok_visit("step", 1, json!("a"));
    run.ok_visit("step", 3, json!("c"));
    assert_eq!(run.output(), json!(["a", "b", "c"]));
    insta::assert_snapshot!(run.transcript(), @r##"
      task.faulted step !! communication 500
      task.retried safe~2 !! communication 500
    set retry safe 1000ms
      task.started step~2
    invoke step~2 f@any {"n":1}
      task.completed step#2 -> "b"
      task.completed safe#2 -> "b"
      task.started safe#3
      task.started step#3
    invoke step#3 f@any {"n":3}
      task.completed step~2 -> "a"
      task.completed safe -> "a"
      task.completed step#3 -> "c"
      task.completed safe#3 -> "c"
      task.completed loop -> ["a","b","c"]
      workflow.completed -> ["a","b","c"]
    end: completed ["a","b","c"]
    "##);
}

#[test]
fn a_loop_over_nothing_to_do_needs_no_stack() {
    for concurrency in ["", ", concurrency: 2"] {
        let tasks = format!(
            "do: [ {{ loop: {{ for: {{ in: '[range(50000)]'{concurrency} }}, do: [] }} }} ]"
        );
        let run = Run::start(&tasks, json!({}));
        assert!(run.status().is_ended());
    }
}
