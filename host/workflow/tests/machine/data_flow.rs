use crate::support::Run;
use serde_json::json;

#[test]
fn a_schema_for_the_context_counts_without_an_export_too() {
    let tasks = "
do:
  - fine: { set: { a: 1 }, export: { as: ., schema: { document: { required: [a] } } } }
  - wrong: { set: { a: 1 }, export: { schema: { document: { required: [b] } } } }
";
    let error = Run::start(tasks, json!({})).error();
    assert_eq!(error.instance.as_deref(), Some("/do/1/wrong"));
    assert_eq!(
        error.title.as_deref(),
        Some("the exported context does not match its schema")
    );
}

#[test]
fn every_step_of_the_data_flow_in_its_order() {
    let tasks = "
input: { from: '{ raw: ., id: $workflow.id }' }
do:
  - one:
      input: { from: .raw.n }
      set: '${ { in: $input, reference: $task.reference, raw: $task.input.id } }'
      output: { as: '. + { out: $task.output.in, name: $task.name }' }
      export: { as: '$context + { seen: $output.out, from: .reference }' }
output: { as: '{ last: ., context: $context, runtime: $runtime.name }' }
";
    let run = Run::start(tasks, json!({"n": 7}));
    assert_eq!(
        run.output(),
        json!({
            "last": {"in": 7, "reference": "/do/0/one", "raw": "run-1", "out": 7, "name": "one"},
            "context": {"seen": 7, "from": "/do/0/one"},
            "runtime": "Baton",
        })
    );
}

#[test]
fn objects_with_expressions_can_stand_for_input_output_and_export() {
    let tasks = "
do:
  - one:
      input: { from: { x: '${ .a }' } }
      set: '.'
      output: { as: { y: '${ .x }' } }
      export: { as: { z: '${ .y }' } }
  - two: { set: '$context' }
";
    assert_eq!(Run::start(tasks, json!({"a": 1})).output(), json!({"z": 1}));
}

#[test]
fn data_that_does_not_match_a_schema_is_a_validation_error() {
    let schema = "schema: { document: { type: object, required: [x], properties: { x: { type: integer } } } }";
    let places = [
        (
            format!("input: {{ {schema} }}\ndo: [ {{ one: {{ set: {{ a: 1 }} }} }} ]"),
            "the workflow's input",
            None,
        ),
        (
            format!("do: [ {{ one: {{ input: {{ {schema} }}, set: {{ a: 1 }} }} }} ]"),
            "the task's input",
            Some("/do/0/one"),
        ),
        (
            format!("do: [ {{ one: {{ set: {{ a: 1 }}, output: {{ {schema} }} }} }} ]"),
            "the task's output",
            Some("/do/0/one"),
        ),
        (
            format!("do: [ {{ one: {{ set: {{ a: 1 }}, export: {{ as: ., {schema} }} }} }} ]"),
            "the exported context",
            Some("/do/0/one"),
        ),
        (
            format!("do: [ {{ one: {{ set: {{ a: 1 }} }} }} ]\noutput: {{ {schema} }}"),
            "the workflow's output",
            None,
        ),
    ];
    for (tasks, what, instance) in places {
        let error = Run::start(&tasks, json!({"x": "text"})).error();
        assert_eq!(
            error.title.as_deref(),
            Some(format!("{what} does not match its schema").as_str())
        );
        assert_eq!(
            (error.status, error.instance.as_deref()),
            (400, instance),
            "{what}"
        );
    }
}
