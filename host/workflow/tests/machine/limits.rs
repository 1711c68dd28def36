//! What a document can make grow, it can make grow only so far.

use crate::support::Run;
use serde_json::{Value, json};

fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inner, _| json!([inner]))
}

#[test]
fn data_that_doubles_ends_the_run_with_an_error() {
    let tasks = "
do:
  - loop:
      for: { in: '[range(100)]' }
      do: [ { twice: { set: { a: '${ . }', b: '${ . }' } } } ]
";
    let error = Run::start(tasks, json!("x")).error();
    assert_eq!(error.title.as_deref(), Some("An expression failed"));
    assert!(
        error
            .detail
            .is_some_and(|detail| detail.contains("larger than 16777216 bytes"))
    );
}

#[test]
fn data_that_nests_ends_the_run_with_an_error() {
    let deep = format!("{}'${{ . }}'{}", "[".repeat(40), "]".repeat(40));
    let tasks = format!(
        "do: [ {{ loop: {{ for: {{ in: '[range(1000)]' }}, do: [ {{ in: {{ set: {{ a: {deep} }} }} }} ] }} }} ]"
    );
    let error = Run::start(&tasks, json!("x")).error();
    assert!(
        error
            .detail
            .is_some_and(|detail| detail.contains("more than 100 deep"))
    );
}

#[test]
fn text_that_grows_is_bounded_too() {
    let tasks = "
do:
  - loop:
      for: { in: '[range(100)]' }
      do: [ { twice: { set: { t: '${ \"\\(.t)\\(.t)\" }' } } } ]
";
    let error = Run::start(tasks, json!({"t": "0123456789"})).error();
    assert!(error.type_uri.ends_with("/expression"), "{error:?}");
}

#[test]
fn checking_that_has_no_end_ends_the_run_with_an_error() {
    let many: Vec<String> = (0..60)
        .map(|at| {
            let next = format!("{{ $ref: '#/$defs/a{}' }}", at + 1);
            format!("a{at}: {{ allOf: [ {next}, {next} ] }}")
        })
        .collect();
    let schema = format!(
        "{{ $ref: '#/$defs/a0', $defs: {{ {}, a60: {{}} }} }}",
        many.join(", ")
    );
    let tasks = format!(
        "input: {{ schema: {{ document: {schema} }} }}\ndo: [ {{ one: {{ set: {{ a: 1 }} }} }} ]"
    );
    let error = Run::start(&tasks, json!({})).error();
    assert!(error.type_uri.ends_with("/validation"), "{error:?}");
    assert_eq!(
        error.title.as_deref(),
        Some("the workflow's input takes too long to be checked against its schema")
    );
    // What an event may still make bounds all that it checks.
    let tasks = format!(
        "do: [ {{ loop: {{ for: {{ in: '[range(50000)]' }}, do: [ {{ one: {{ input: {{ schema: {{ document: {schema} }} }}, set: {{ a: 1 }} }} }} ] }} }} ]"
    );
    let tasks = tasks.replace("#/$defs/a0", "#/$defs/a50");
    let error = Run::start(&tasks, json!({})).error();
    assert!(error.type_uri.ends_with("/validation"), "{error:?}");
}

#[test]
fn what_an_error_says_is_bounded() {
    let raise = "do: [ { one: { raise: { error: { type: 'https://example.org/x', status: 400, title: t, detail: '${ . }' } } } } ]";
    let error = Run::start(raise, json!("x".repeat(1 << 20))).error();
    assert_eq!(error.detail.map(|detail| detail.len()), Some(4 << 10));
}

#[test]
fn what_comes_from_outside_is_bounded() {
    let call = "do: [ { one: { call: f@any } } ]";
    let error = Run::start(call, nested(101)).error();
    assert_eq!(
        error.title.as_deref(),
        Some("the workflow's input is too large")
    );
    let mut run = Run::start(call, json!({}));
    run.ok("one", nested(101));
    let error = run.error();
    assert_eq!(
        (error.status, error.instance.as_deref()),
        (400, Some("/do/0/one"))
    );
}

#[test]
fn outputs_of_branches_are_bounded_together() {
    let branches: String = (0..40)
        .map(|n| format!("{{ b{n}: {{ call: f@any }} }}, "))
        .collect();
    let tasks = format!("do: [ {{ both: {{ fork: {{ branches: [ {branches} ] }} }} }} ]");
    let mut run = Run::start(&tasks, json!({}));
    for n in 0..40 {
        run.ok(&format!("b{n}"), json!("x".repeat(1 << 19)));
    }
    let error = run.error();
    assert_eq!(
        error.title.as_deref(),
        Some("The outputs of the branches are too large")
    );
}
