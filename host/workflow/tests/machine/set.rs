use crate::support::Run;
use serde_json::json;

#[test]
fn expressions_are_whole_strings_in_an_object_and_all_of_a_text() {
    let tasks = "
do:
  - object: { set: { a: '${ .x + 1 }', b: 'costs ${ .x }', c: { d: [ '${ .x }' ] } } }
  - text: { set: '. + { e: .a }' }
";
    let run = Run::start(tasks, json!({"x": 1}));
    assert_eq!(
        run.output(),
        json!({"a": 2, "b": "costs ${ .x }", "c": {"d": [1]}, "e": 2})
    );
}

#[test]
fn an_expression_in_the_data_stays_data() {
    let run = Run::start(
        "do: [ { one: { set: { a: '${ .x }' } } } ]",
        json!({"x": "${ 1 + 1 }"}),
    );
    assert_eq!(run.output(), json!({"a": "${ 1 + 1 }"}));
}

#[test]
fn an_expression_that_fails_faults_with_its_message() {
    let error = Run::start("do: [ { one: { set: '.x | error(\"no\")' } } ]", json!({})).error();
    assert!(error.type_uri.ends_with("/expression"), "{error:?}");
    assert_eq!(
        (error.status, error.instance.as_deref()),
        (400, Some("/do/0/one"))
    );
}

#[test]
fn a_run_that_never_waits_ends_with_an_error() {
    let tasks =
        "do: [ { one: { set: { a: 1 }, then: two } }, { two: { set: { a: 2 }, then: one } } ]";
    let error = Run::start(tasks, json!({})).error();
    assert_eq!(error.title.as_deref(), Some("The run goes on without end"));
}
