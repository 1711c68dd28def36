//! The `document` of a workflow.

use insta::assert_snapshot;

use super::{check, check_beside};

fn check_header(header: &str) -> String {
    check(&format!(
        "document:\n{header}do:\n- a: {{ set: {{ x: 1 }} }}\n"
    ))
}

#[test]
fn missing_and_unknown_keys() {
    assert_snapshot!(check_header("  dsl: 1.0.3\n  namespace: test\n  nmae: a\n"), @r"
    case.yaml:1:1: error[missing-key]: the workflow's `document` needs the key `version`
      at /document
    case.yaml:4:3: error[unknown-key]: unknown key `nmae` in the workflow's `document`
      at /document/nmae
      help: did you mean `name`?
    ");
    assert_snapshot!(check("document:\ndo:\n- a: { set: { x: 1 } }\n"), @r"
    case.yaml:1:1: error[wrong-type]: expected the workflow's `document` (a mapping), found nothing
      at /document
    ");
}

#[test]
fn versions() {
    assert_snapshot!(check_header("  dsl: 0.8.0\n  namespace: test\n  name: a\n  version: 1.0\n"), @r"
    case.yaml:2:8: error[unsupported-dsl]: version 0.8.0 of the DSL is not supported
      at /document/dsl
      help: this host speaks 1.0.x: write dsl: '1.0.3'
    case.yaml:5:12: error[wrong-type]: expected a string, found a number
      at /document/version
      help: put it into quotes: '1.0'
    ");
    assert_snapshot!(check_header("  dsl: '1'\n  namespace: test\n  name: a\n  version: '1.0'\n"), @r"
    case.yaml:2:8: error[bad-value]: `1` is not a semantic version: unexpected end of input while parsing major version number
      at /document/dsl
      help: write three numbers: '1.0.0'
    case.yaml:5:12: error[bad-value]: `1.0` is not a semantic version: unexpected end of input while parsing minor version number
      at /document/version
      help: write three numbers: '1.0.0'
    ");
}

#[test]
fn names() {
    assert_snapshot!(check_header("  dsl: 1.0.3\n  namespace: my_team\n  name: Hello World\n  version: 1.0.0\n"), @r"
    case.yaml:3:14: error[bad-name]: `my_team` cannot be a name here
      at /document/namespace
      help: use 1 to 63 letters, digits and hyphens, with a letter or digit at both ends
    case.yaml:4:9: error[bad-name]: `Hello World` cannot be a name here
      at /document/name
      help: use 1 to 63 letters, digits and hyphens, with a letter or digit at both ends
    ");
    assert_snapshot!(check_header("  dsl: 1.0.3\n  namespace: -a\n  name: ''\n  version: 1.0.0\n"), @r"
    case.yaml:3:14: error[bad-name]: `-a` cannot be a name here
      at /document/namespace
      help: use 1 to 63 letters, digits and hyphens, with a letter or digit at both ends
    case.yaml:4:9: error[bad-name]: `` cannot be a name here
      at /document/name
      help: use 1 to 63 letters, digits and hyphens, with a letter or digit at both ends
    ");
}

#[test]
fn wrong_types() {
    assert_snapshot!(check_header("  dsl: 1.0.3\n  namespace: 1\n  name: true\n  version: 1.0.0\n  title: [a]\n  summary:\n  tags: a\n"), @r"
    case.yaml:3:14: error[wrong-type]: expected a string, found a number
      at /document/namespace
      help: put it into quotes: '1'
    case.yaml:4:9: error[wrong-type]: expected a string, found a boolean
      at /document/name
      help: put it into quotes: 'true'
    case.yaml:6:3: error[wrong-type]: expected a string, found a list
      at /document/title
    case.yaml:7:3: error[wrong-type]: expected a string, found nothing
      at /document/summary
    case.yaml:8:9: error[wrong-type]: expected a mapping, found a string
      at /document/tags
    ");
    assert_snapshot!(check("document: hello\ndo: hello\n"), @r"
    case.yaml:1:11: error[wrong-type]: expected the workflow's `document` (a mapping), found a string
      at /document
    case.yaml:2:5: error[wrong-type]: expected a list of tasks, found a string
      at /do
    ");
}

#[test]
fn evaluate() {
    assert_snapshot!(check_beside("evaluate: { language: jq, mode: Loose }\n"), @r"
    case.yaml:8:33: error[bad-value]: `Loose` is not one of `strict`, `loose`
      at /evaluate/mode
      help: did you mean `loose`?
    ");
}

#[test]
fn data_of_the_workflow() {
    assert_snapshot!(check_beside("input: { as: .x }\noutput: { from: .x, schema: { type: object } }\n"), @r"
    case.yaml:8:10: error[unknown-key]: unknown key `as` in `input`
      at /input/as
      help: did you mean `from`?
    case.yaml:9:11: error[unknown-key]: unknown key `from` in `output`
      at /output/from
      help: did you mean `as`?
    case.yaml:9:31: error[unknown-key]: unknown key `type` in a schema
      at /output/schema/type
      help: a JSON Schema belongs inside `document`
    ");
    assert_snapshot!(check_beside("input: { from: 1, schema: { document: {}, resource: { endpoint: 'http://a' } } }\n"), @r"
    case.yaml:8:16: error[wrong-type]: expected an expression or a mapping, found a number
      at /input/from
    case.yaml:8:43: error[conflicting-keys]: a schema can have only one of the keys `document`, `resource`
      at /input/schema/resource
      case.yaml:8:29: `document` stands here
      help: remove one of `document` and `resource`
    ");
}
