//! What only lowering can tell, and that it is told together with all else.

use std::collections::BTreeMap;

use baton_workflow::document::{Document, Reading};
use baton_workflow::plan::{Catalog, FunctionReference, NoSuchFunction, Plan, Signature};
use serde_json::json;

struct Directory;

impl Catalog for Directory {
    fn function(&self, reference: &FunctionReference) -> Result<Signature, NoSuchFunction> {
        if (reference.function.as_str(), reference.connector.as_str()) != ("create-user", "scim") {
            return Err(NoSuchFunction {
                message: format!(
                    "there is no function `{}@{}`",
                    reference.function, reference.connector
                ),
                help: Some("did you mean `create-user@scim`?".to_owned()),
            });
        }
        let user = json!({
            "type": "object",
            "required": ["user-name"],
            "additionalProperties": false,
            "properties": {
                "user-name": { "type": "string" },
                "age": { "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 255 }, { "type": "null" }] },
                "kind": { "anyOf": [{ "enum": ["person", "robot"] }, { "type": "null" }] },
                "emails": { "type": "array", "items": { "type": "string" } },
            },
        });
        let arguments = json!({
            "type": "object",
            "required": ["user"],
            "additionalProperties": false,
            "properties": { "user": user, "note": { "anyOf": [{ "type": "string" }, { "type": "null" }] } },
        });
        Ok(Signature {
            arguments,
            result: json!({}),
        })
    }
}

/// All that is wrong with these tasks.
fn wrong(tasks: &str) -> String {
    let text = format!(
        "document: {{ dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }}\ndo:\n{tasks}"
    );
    let Reading {
        document,
        diagnostics,
    } = Document::read(text, None);
    let lowered = document
        .map(|document| Plan::lower(&document, &Directory).diagnostics)
        .unwrap_or_default();
    let all = diagnostics.iter().chain(&lowered);
    all.map(|it| format!("{}\n", it.display("t.yaml")))
        .collect()
}

#[test]
fn arguments_are_checked_as_far_as_they_are_constant() {
    insta::assert_snapshot!(wrong("
  - one:
      call: create-user@scim
      with: { user: { age: 300, kind: cat, emails: [1, '${ .b }', true], mail: x }, nope: 1 }
  - two:
      call: create-user@scim
      with: { user: { user-name: '${ .x }', age: '${ .y }', kind: '${ .z }', emails: '${ .e }' } }
  - three:
      call: create-user@scim
      with: { user: '${ . }', note: 5 }
  - four: { call: create-user@scim }
"), @r##"
t.yaml:6:15: error[missing-argument]: the member `user-name` is missing
  at /do/0/one/with/user
  help: add `user-name:` here
t.yaml:6:28: error[wrong-argument]: this does not fit the function: 300 is greater than the maximum of 255
  at /do/0/one/with/user/age
t.yaml:6:39: error[wrong-argument]: "cat" is not among what may stand here
  at /do/0/one/with/user/kind
  help: write one of "person", "robot"
t.yaml:6:53: error[wrong-argument]: this does not fit the function: 1 is not of type "string"
  at /do/0/one/with/user/emails/0
t.yaml:6:67: error[wrong-argument]: this does not fit the function: true is not of type "string"
  at /do/0/one/with/user/emails/2
t.yaml:6:80: error[unknown-argument]: there is no member `mail`
  at /do/0/one/with/user/mail
  help: its members are `user-name`, `age`, `kind`, `emails`
t.yaml:6:85: error[unknown-argument]: `create-user@scim` has no parameter `nope`
  at /do/0/one/with/nope
  help: did you mean `note`?
t.yaml:12:37: error[wrong-argument]: this does not fit the function: 5 is not of type "string"
  at /do/2/three/with/note
t.yaml:13:19: error[missing-argument]: `create-user@scim` needs the argument `user`
  at /do/3/four/call
  help: add `user:` under `with`
"##);
}

#[test]
fn schemas_that_take_too_much_are_refused() {
    insta::assert_snapshot!(wrong("
  - circle: { input: { schema: { document: { $defs: { a: { anyOf: [ { $ref: '#/$defs/a' } ] } }, $ref: '#/$defs/a' } } }, set: { a: 1 } }
  - pattern: { input: { schema: { document: { properties: { x: { pattern: '\\p{L}{99}' } } } } }, set: { a: 1 } }
  - form: { call: approval, with: { title: x, form: { items: { $ref: '#/items' } } } }
"), @r##"
t.yaml:4:55: error[bad-schema]: this is no JSON Schema: it leads back to itself without going into the data; let what refers to it stand under `properties`, `items` or the like
  at /do/0/circle/input/schema/document/$defs/a
t.yaml:5:75: error[bad-schema]: this is no JSON Schema: the pattern takes more than 1048576 bytes when it is compiled; repeat less with `{n}`, or check the length with `maxLength`
  at /do/1/pattern/input/schema/document/properties/x/pattern
t.yaml:6:55: error[bad-schema]: this is no JSON Schema: it leads back to itself without going into the data; let what refers to it stand under `properties`, `items` or the like
  at /do/2/form/with/form/items
"##);
}

#[test]
fn mistakes_of_every_stage_are_told_at_once() {
    insta::assert_snapshot!(wrong("
  - broken: { set: { a: 1 }, colour: red, then: nowhere }
  - missing: { call: creat-user@scim }
  - later: { listen: { to: { any: [] } } }
  - schema: { input: { schema: { document: { type: strange } } }, set: { a: 1 } }
  - text: { set: { a: 'Hello ${ .name }!' } }
  - unnamed: { call: something }
"), @r##"
t.yaml:4:30: error[unknown-key]: unknown key `colour` in a `set` task
  at /do/0/broken/colour
  help: a `set` task has the keys `if`, `input`, `output`, `export`, `timeout`, `then`, `metadata`, `compensate`, `set`
t.yaml:4:49: error[unknown-task]: there is no task `nowhere` in this list
  at /do/0/broken/then
  help: `then` leads to a task of the same list, or is `continue`, `exit` or `end`
t.yaml:9:22: error[undefined-reference]: the function `something` is not defined
  at /do/5/unnamed/call
  help: define it under `use.functions`, or name the connector that has it: something@connector
t.yaml:5:22: error[unknown-function]: there is no function `creat-user@scim`
  at /do/1/missing/call
  help: did you mean `create-user@scim`?
t.yaml:7:52: error[bad-schema]: this is no JSON Schema: "strange" is not valid under any of the schemas listed in the 'anyOf' keyword
  at /do/3/schema/input/schema/document/type
t.yaml:8:23: warning[no-effect]: `${ }` inside a longer text is not evaluated
  at /do/4/text/set/a
  help: make the whole text an expression: ${ "Hello \(.name)" }
"##);
}

/// All that is wrong with a workflow that has these functions.
fn wrong_functions(functions: &str, tasks: &str) -> String {
    let text = format!(
        "document: {{ dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }}\nuse:\n  functions:\n{functions}\ndo:\n{tasks}"
    );
    let Reading {
        document,
        diagnostics,
    } = Document::read(text, None);
    let lowered = document
        .map(|document| Plan::lower(&document, &Directory).diagnostics)
        .unwrap_or_default();
    let all = diagnostics.iter().chain(&lowered);
    all.map(|it| format!("{}\n", it.display("t.yaml")))
        .collect()
}

#[test]
fn functions_that_call_one_another_without_end_are_refused() {
    insta::assert_snapshot!(wrong_functions("
    a: { do: [ { one: { call: b } } ] }
    b: { fork: { branches: [ { two: { call: c } } ] } }
    c: { call: b }
    self: { call: self }
", "
  - start: { call: a }
"), @r##"
t.yaml:7:16: error[cycle]: functions call one another without end: b → c → b
  at /use/functions/c/call
  help: a function can't call itself; use a `for`, or a `then` that leads back
t.yaml:8:19: error[cycle]: functions call one another without end: self → self
  at /use/functions/self/call
  help: a function can't call itself; use a `for`, or a `then` that leads back
"##);
}

#[test]
fn what_is_wrong_in_a_function_is_said_once_and_whether_it_is_called_or_not() {
    insta::assert_snapshot!(wrong_functions("
    called: { call: creat-user@scim }
    uncalled: { call: create-user@scim, with: { usr: {} } }
", "
  - one: { call: called }
  - two: { call: called }
"), @r##"
t.yaml:5:21: error[unknown-function]: there is no function `creat-user@scim`
  at /use/functions/called/call
  help: did you mean `create-user@scim`?
t.yaml:6:41: error[missing-argument]: `create-user@scim` needs the argument `user`
  at /use/functions/uncalled/with
  help: add `user:` under `with`
t.yaml:6:49: error[unknown-argument]: `create-user@scim` has no parameter `usr`
  at /use/functions/uncalled/with/usr
  help: did you mean `user`?
"##);
}

#[test]
fn what_functions_make_of_a_document_is_bounded() {
    let chain: String = (0..40)
        .map(|n| format!("    f{n}: {{ do: [ {{ a: {{ call: f{} }} }} ] }}\n", n + 1))
        .chain(["    f40: { set: { a: 1 } }\n".to_owned()])
        .collect();
    let deep = wrong_functions(&chain, "  - start: { call: f0 }\n");
    assert!(
        deep.contains("error[too-deep]: more than 16 functions call one another"),
        "{deep}"
    );

    // Each calls the next one ten times: ten thousand million tasks at the end.
    let calls = |next: usize| -> String {
        (0..10)
            .map(|n| format!("{{ c{n}: {{ call: f{next} }} }}, "))
            .collect()
    };
    let bomb: String = (0..10)
        .map(|n| format!("    f{n}: {{ do: [ {} ] }}\n", calls(n + 1)))
        .chain(["    f10: { set: { a: 1 } }\n".to_owned()])
        .collect();
    let large = wrong_functions(&bomb, "  - start: { call: f0 }\n");
    assert_eq!(large.matches("error[").count(), 1, "{large}");
    assert!(
        large.contains("error[too-large]: with its functions and extensions written out"),
        "{large}"
    );
}

#[test]
fn a_function_sees_no_variables_of_where_it_is_called() {
    let text = "
document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }
use: { functions: { f: { set: { a: '${ $item }' } } } }
do: [ { loop: { for: { in: '[1]' }, do: [ { one: { call: f } } ] } } ]
";
    let document = Document::parse(text, None).expect("a document");
    let lowered = Plan::lower(&document, &Directory);
    let expression = &lowered.expressions[1];
    assert_eq!(
        (&*expression.source, expression.variables.len()),
        ("$item", 0)
    );
}

#[test]
fn what_extensions_make_of_a_document_is_bounded() {
    let note = "x".repeat(1000);
    let tasks: String = (0..2000)
        .map(|n| format!("  - t{n}: {{ set: {{ a: 1 }} }}\n"))
        .collect();
    let text = format!(
        "document: {{ dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }}\nuse:\n  extensions:\n    - e: {{ extend: all, before: [ {{ note: {{ set: {{ a: {note} }} }} }} ] }}\ndo:\n{tasks}"
    );
    let document = Document::parse(text, None).expect("a document");
    let diagnostics = Plan::lower(&document, &Directory).diagnostics;
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].code, "too-large");
}

#[test]
fn what_is_wrong_in_an_extension_is_said_once_and_whether_it_extends_something_or_not() {
    let text = "
document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }
use:
  extensions:
    - all: { extend: all, before: [ { one: { call: creat-user@scim } } ] }
    - none: { extend: try, after: [ { two: { call: creat-user@scim } } ] }
do: [ { a: { set: { b: 1 } } }, { c: { set: { d: 1 } } } ]
";
    let document = Document::parse(text, None).expect("a document");
    let diagnostics = Plan::lower(&document, &Directory).diagnostics;
    let places: Vec<&str> = diagnostics.iter().map(|it| &*it.pointer).collect();
    assert_eq!(
        places,
        [
            "/use/extensions/0/all/before/0/one/call",
            "/use/extensions/1/none/after/0/two/call"
        ]
    );
}

#[test]
fn in_loose_mode_a_text_may_stand_for_an_argument_of_any_type() {
    let text = "
document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }
evaluate: { mode: loose }
do: [ { a: { call: create-user@scim, with: { user: { user-name: .name, age: .age } } } } ]
";
    let document = Document::parse(text, None).expect("a document");
    let lowered = Plan::lower(&document, &Directory);
    assert_eq!(lowered.diagnostics, []);
    assert!(lowered.expressions.iter().all(|it| it.is_loose));
}

#[test]
fn a_graph_says_which_task_each_is_directly_inside_of() {
    let text = "
document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }
do:
  - a: { do: [ { b: { do: [ { c: { set: { x: 1 } } } ] } }, { d: { set: { x: 1 } } } ] }
  - e: { try: [ { f: { set: { x: 1 } } } ], catch: { do: [ { g: { set: { x: 1 } } } ] } }
  - h: { set: { x: 1 } }
";
    let document = Document::parse(text, None).expect("a document");
    let plan = Plan::new(&document, &Directory).expect("a plan");
    let graph = plan.graph();
    let nodes = graph["nodes"].as_array().expect("a list");
    let name = |pointer: &str| pointer.rsplit('/').next().unwrap_or_default().to_owned();
    let inside: BTreeMap<&str, Option<String>> = nodes
        .iter()
        .filter_map(|node| Some((node["name"].as_str()?, node["parent"].as_str().map(name))))
        .collect();
    let expected = [
        ("a", None),
        ("b", Some("a")),
        ("c", Some("b")),
        ("d", Some("a")),
        ("e", None),
        ("f", Some("e")),
        ("g", Some("e")),
        ("h", None),
    ];
    assert_eq!(
        inside,
        expected
            .map(|(name, parent)| (name, parent.map(str::to_owned)))
            .into()
    );
}

/// A workflow that listens to events with these `with`s.
fn listening(filters: impl Iterator<Item = String>) -> String {
    let filters: String = filters
        .map(|with| format!("        - {{ with: {with} }}\n"))
        .collect();
    format!("  - a:\n      listen:\n       to:\n        any:\n{filters}")
}

#[test]
fn a_filter_that_no_event_can_fit_is_refused() {
    let filters = [
        "{ type: 'order.(placed' }",
        "{ subject: '\\w{60}' }",
        "{ type: 'order\\..*', data: { code: ['*/*', 'a)|(b', 'https://example.org/{id}'] } }",
    ];
    insta::assert_snapshot!(wrong(&listening(filters.map(str::to_owned).into_iter())), @r##"
    t.yaml:7:27: error[bad-value]: this is no regular expression: unclosed group
      at /do/0/a/listen/to/any/0/with/type
      help: put a backslash before what is meant as it stands: \( or \[ or \*
    t.yaml:8:30: error[too-large]: this regular expression takes more than 1048576 bytes of memory
      at /do/0/a/listen/to/any/1/with/subject
      help: write [0-9A-Za-z_] in place of \w and [0-9] in place of \d, which mean the letters and digits of all scripts; or write an expression: ${ startswith("order.") }
    t.yaml:9:55: error[bad-value]: this is no regular expression: repetition operator missing expression
      at /do/0/a/listen/to/any/2/with/data/code/0
      help: put a backslash before what is meant as it stands: \( or \[ or \*
    t.yaml:9:62: error[bad-value]: this is no regular expression: unopened group
      at /do/0/a/listen/to/any/2/with/data/code/1
      help: put a backslash before what is meant as it stands: \( or \[ or \*
    "##);
}

#[test]
fn the_patterns_of_all_filters_together_are_bounded() {
    let many = |pattern: fn(usize) -> String| {
        let filters = (0..2000).map(|n| format!("{{ subject: '{}' }}", pattern(n)));
        wrong(&listening(filters))
    };
    assert_eq!(many(|_| "\\w{16}".to_owned()), "", "equal ones are one");
    let message = many(|n| format!("\\w{{16}}{n}"));
    assert_eq!(message.matches("error[").count(), 1, "{message}");
    assert!(
        message.contains("error[too-large]: the regular expressions"),
        "{message}"
    );
}

/// A connector with a parameter that is one of many cases.
struct ManyCases;

impl Catalog for ManyCases {
    fn function(&self, _: &FunctionReference) -> Result<Signature, NoSuchFunction> {
        let cases: Vec<String> = (0..9000).map(|n| format!("case-{n}")).collect();
        let properties = json!({ "all": { "type": "array", "items": { "enum": cases } } });
        Ok(Signature {
            arguments: json!({ "type": "object", "properties": properties }),
            result: json!({}),
        })
    }
}

#[test]
fn what_is_said_of_arguments_is_bounded() {
    let head = "document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }";
    let (values, names): (Vec<_>, Vec<_>) = (0..10_000)
        .map(|n| (format!("z{n}"), format!("n{n}: 1")))
        .unzip();
    let (values, names) = (values.join(", "), names.join(", "));
    let text = format!(
        "{head}\ndo:\n  - a: {{ call: pick@any, with: {{ all: [{values}] }} }}\n  - b: {{ call: pick@any, with: {{ {names} }} }}\n"
    );
    let document = Document::parse(text, None).expect("a document");
    let diagnostics = Plan::lower(&document, &ManyCases).diagnostics;
    assert_eq!(diagnostics.len(), 101);
    assert_eq!(diagnostics[100].code, "too-many-errors");
    let said: usize = diagnostics
        .iter()
        .map(|it| it.display("t.yaml").to_string().len())
        .sum();
    assert!(said < 50_000, "{said} bytes");
}
