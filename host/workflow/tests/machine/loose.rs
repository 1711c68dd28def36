//! `evaluate.mode: loose`: every text is an expression that can be one.

use serde_json::json;

use crate::support::Run;

#[test]
fn a_text_is_evaluated_where_it_can_be_and_stands_for_itself_where_not() {
    let workflow = "
evaluate: { mode: loose }
do:
  - one:
      input: { from: { name: .who, note: Hello you } }
      set:
        path: .name
        enclosed: '${ .name }'
        sum: 1 + 1
        words: Hello, world!
        broken: .a | nonsense
        fails: '.name | keys'
        enclosedAndFails: '${ .name | keys }'
        uri: https://a.example/b?c=d
        blank: ' '
        variable: $workflow.id
        unknown: $nobody
        nested: [ { deep: .note } ]
";
    let run = Run::start(workflow, json!({"who": "Ada"}));
    assert_eq!(
        run.output(),
        json!({
            "path": "Ada",
            "enclosed": "Ada",
            "sum": 2,
            "words": "Hello, world!",
            "broken": ".a | nonsense",
            "fails": ".name | keys",
            "enclosedAndFails": "${ .name | keys }",
            "uri": "https://a.example/b?c=d",
            "blank": " ",
            "variable": "run-1",
            "unknown": "$nobody",
            "nested": [{"deep": "Hello you"}],
        })
    );
}

#[test]
fn a_condition_that_fails_is_an_error_all_the_same() {
    let workflow = "
evaluate: { mode: loose }
do: [ { one: { if: '.a | keys', set: { b: 1 } } } ]
";
    assert_eq!(Run::start(workflow, json!({"a": 1})).error().status, 400);
}
