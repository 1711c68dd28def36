//! Text that is no document at all.

use insta::assert_snapshot;

use super::{HEADER, check, check_beside, check_tasks};

#[test]
fn empty_text() {
    assert_snapshot!(check(""), @"case.yaml:1:1: error[syntax]: the text is empty");
    assert_snapshot!(check("# only a comment\n"), @"case.yaml:1:1: error[syntax]: the text is empty");
    assert_snapshot!(check("null"), @"case.yaml:1:1: error[wrong-type]: expected a workflow (a mapping), found nothing");
    assert_snapshot!(check("[]"), @"case.yaml:1:1: error[wrong-type]: expected a workflow (a mapping), found a list");
}

#[test]
fn broken_yaml() {
    assert_snapshot!(check("document:\n\tdsl: '1.0.3'\n"), @r"
    case.yaml:2:2: error[syntax]: this is neither YAML nor JSON: tabs disallowed within this context (block indentation)
      help: YAML is indented with spaces, not with tabs
    ");
    assert_snapshot!(check("document: { dsl: '1.0.3'\ndo: []\n"), @"case.yaml:2:1: error[syntax]: this is neither YAML nor JSON: invalid indentation in flow construct");
    assert_snapshot!(check("document:\n  title: Onboarding: the first day\n"), @r"
    case.yaml:2:20: error[syntax]: this is neither YAML nor JSON: mapping values are not allowed in this context
      help: text with a colon and a space in it must be in quotes; check the indentation of this line and of the one before
    ");
    assert_snapshot!(check("document:\n  title: 'never closed\n"), @"case.yaml:2:10: error[syntax]: this is neither YAML nor JSON: while scanning a quoted scalar, found unexpected end of stream");
    assert_snapshot!(check("document:\n    name: a\n  version: b\n"), @"case.yaml:3:3: error[syntax]: this is neither YAML nor JSON: while parsing a block mapping, did not find expected key");
    assert_snapshot!(check_tasks("- a:\n    set: \"${ \"x\" }\"\n"), @r"
    case.yaml:8:17: error[syntax]: this is neither YAML nor JSON: invalid trailing content after double-quoted scalar
      help: an expression inside of curly braces, or with quotes in it, must be in single quotes: '${ … }'
    ");
    assert_snapshot!(check("{\"document\": {\"dsl\": \"1.0.3\",}, \"do\": [}"), @"case.yaml:1:40: error[syntax]: this is neither YAML nor JSON: while parsing a node, did not find expected node content");
}

#[test]
fn several_documents_in_one_text() {
    assert_snapshot!(check("a: 1\n---\nb: 2\n"), @r"
    case.yaml:2:1: error[syntax]: a second document begins here
      help: put each workflow into a text of its own
    ");
}

#[test]
fn keys_that_stand_twice() {
    assert_snapshot!(check_tasks("- a:\n    set: { x: 1 }\n    set: { x: 2, y: 1, y: 2 }\n"), @r"
    case.yaml:9:7: error[duplicate-key]: the key `set` stands twice in the same mapping
      case.yaml:8:7: it stands here first
      help: remove or rename one of the two
    case.yaml:9:26: error[duplicate-key]: the key `y` stands twice in the same mapping
      case.yaml:9:20: it stands here first
      help: remove or rename one of the two
    ");
    assert_snapshot!(check("{\"a\": 1,\n \"a\": 2}"), @r"
    case.yaml:2:2: error[duplicate-key]: the key `a` stands twice in the same mapping
      case.yaml:1:2: it stands here first
      help: remove or rename one of the two
    ");
}

#[test]
fn yaml_that_json_has_not() {
    assert_snapshot!(check_tasks("- a:\n    set: { x: !secret y, z: .nan, u: !!binary aGk= }\n"), @r"
    case.yaml:8:17: error[not-json]: the tag `!secret` has no meaning here
      help: remove it; text that starts with `!` must be in quotes
    ");
    assert_snapshot!(check_tasks("- a: &a\n    set: { x: 1 }\n- b:\n    <<: *a\n    then: end\n"), @r"
    case.yaml:10:7: error[not-json]: merge keys are not part of YAML 1.2
      help: write the keys out, or define what is shared under `use`
    ");
    assert_snapshot!(check_tasks("- a:\n    set: { x: {{ .y }} }\n"), @r#"
    case.yaml:8:18: error[not-json]: a list or mapping cannot be a key
      help: a value in curly braces that is an expression must be in quotes: "${ … }"
    "#);
    assert_snapshot!(check("a: *nowhere\n"), @"case.yaml:1:4: error[syntax]: this is neither YAML nor JSON: while parsing node, found unknown anchor");
    assert_snapshot!(check("a: &a [*a]\n"), @"case.yaml:1:8: error[syntax]: the alias stands inside the value that it refers to");
}

#[test]
fn numbers_that_are_rounded() {
    assert_snapshot!(check_tasks("- a:\n    set: { x: 123456789012345678901 }\n"), @r"
    case.yaml:8:17: warning[inexact-number]: the number does not fit into 64 bits and is rounded
      help: put it into quotes to keep all its digits
    ");
}

#[test]
fn columns_are_counted_in_characters() {
    assert_snapshot!(check_tasks("- größe:\n    set: { 'ä€🙂': 1 }\n    thän: end\n    \"日本\": 1\n"), @r"
    case.yaml:9:7: error[unknown-key]: unknown key `thän` in a `set` task
      at /do/0/größe/thän
      help: did you mean `then`?
    case.yaml:10:7: error[unknown-key]: unknown key `日本` in a `set` task
      at /do/0/größe/日本
      help: a `set` task has the keys `if`, `input`, `output`, `export`, `timeout`, `then`, `metadata`, `compensate`, `set`
    ");
}

#[test]
fn unknown_keys_at_the_top() {
    assert_snapshot!(check(&format!("{HEADER}tasks: []\n")), @r"
    case.yaml:1:1: error[missing-key]: a workflow needs the key `do`
    case.yaml:6:1: error[unknown-key]: unknown key `tasks` in a workflow
      at /tasks
      help: a workflow has the keys `document`, `input`, `use`, `do`, `timeout`, `output`, `schedule`, `evaluate`
    ");
    assert_snapshot!(check_beside("name: x\nInput: {}\nfoo: 1\n"), @r"
    case.yaml:8:1: error[unknown-key]: unknown key `name` in a workflow
      at /name
      help: it belongs under `document`
    case.yaml:9:1: error[unknown-key]: unknown key `Input` in a workflow
      at /Input
      help: did you mean `input`?
    case.yaml:10:1: error[unknown-key]: unknown key `foo` in a workflow
      at /foo
      help: a workflow has the keys `document`, `input`, `use`, `do`, `timeout`, `output`, `schedule`, `evaluate`
    ");
    assert_snapshot!(check("id: hello\nspecVersion: '0.8'\nstates: []\n"), @r"
    case.yaml:2:1: error[unsupported-dsl]: this is a document of an older version of the language
      at /specVersion
      help: this host speaks DSL 1.0.3, where tasks stand under `do`
    ");
}
