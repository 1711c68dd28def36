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

#[test]
fn a_member_of_a_descriptor_is_the_same_by_itself_and_within_the_whole() {
    let members = |name: &str, members: &str| {
        let pair = |member: &str| {
            format!("{member}: ['${{ ${name}.{member} }}', '${{ ${name} | .{member} }}']")
        };
        members.split(' ').map(pair).collect::<Vec<_>>().join(", ")
    };
    let workflow = members("workflow", "id definition input startedAt none");
    let task = members(
        "task",
        "name reference definition input startedAt output none",
    );
    // In an extension, the members of the definition stand beside those of the descriptor.
    let extended = members("task", "name input output set export none");
    let tasks = format!(
        "
use:
  extensions:
    - around:
        extend: set
        before: [ {{ first: {{ set: {{ {extended} }}, export: {{ as: '$context + {{ before: . }}' }} }} }} ]
        after: [ {{ last: {{ set: {{ {extended} }}, export: {{ as: '$context + {{ after: . }}' }} }} }} ]
do:
  - one:
      set: {{ workflow: {{ {workflow} }}, task: {{ {task} }} }}
      output: {{ as: {{ within: '${{ . }}', raw: ['${{ $task.output }}', '${{ $task | .output }}'] }} }}
      export: {{ as: '$context + {{ seen: $output }}' }}
output: {{ as: $context }}
"
    );
    let output = Run::start(&tasks, json!({"n": 7})).output();
    let mut pairs = Vec::new();
    for (name, member) in [
        ("before", "/before"),
        ("after", "/after"),
        ("workflow", "/seen/within/workflow"),
        ("task", "/seen/within/task"),
        ("raw", "/seen"),
    ] {
        let members = output.pointer(member).and_then(|it| it.as_object());
        let members = members.unwrap_or_else(|| panic!("{name}"));
        pairs.extend(
            members
                .iter()
                .filter(|(key, _)| *key != "within")
                .map(|(key, pair)| (format!("{name} {key}"), pair)),
        );
    }
    let known: Vec<&str> = pairs
        .iter()
        .map(|(name, pair)| {
            assert_eq!(pair[0], pair[1], "{name}");
            (name, pair)
        })
        .filter(|(_, pair)| !pair[0].is_null())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        known,
        [
            "before name",
            "before input",
            "before output",
            "before set",
            "before export",
            "after name",
            "after input",
            "after output",
            "after set",
            "after export",
            "workflow id",
            "workflow definition",
            "workflow input",
            "workflow startedAt",
            "task name",
            "task reference",
            "task definition",
            "task input",
            "task startedAt",
            "raw raw",
        ]
    );
}
