//! What documents keep elsewhere: what is asked for, and what becomes of it.

use baton_workflow::document::Document;
use baton_workflow::plan::{Catalog, FunctionReference, NoSuchFunction, Plan, Signature};
use baton_workflow::{Diagnostic, Resources};
use serde_json::json;

struct Any;

impl Catalog for Any {
    fn function(&self, _: &FunctionReference) -> Result<Signature, NoSuchFunction> {
        Ok(Signature {
            arguments: json!({}),
            result: json!({}),
        })
    }
}

fn document(rest: &str) -> Document {
    let head = "document: {dsl: '1.0.3', namespace: test, name: test, version: '1.0.0'}\n";
    Document::parse(format!("{head}{rest}"), None).expect("a document")
}

/// Lowers with these resources, fetched one round after another; gives the plan's graph, or what is wrong.
fn lower(rest: &str, home: Option<&str>, there: &[(&str, &str)]) -> Result<String, String> {
    let document = document(rest);
    let mut resources = home.map_or_else(Resources::new, Resources::of_file);
    loop {
        let lowered = Plan::lower_with(&document, &Any, &resources);
        if let Some(plan) = lowered.plan {
            assert!(lowered.wanted.is_empty());
            return Ok(format!("{:#}", plan.graph()["nodes"]));
        }
        if lowered.wanted.is_empty() {
            return Err(render(&lowered.diagnostics));
        }
        for wanted in lowered.wanted {
            let found = there.iter().find(|(uri, _)| *uri == wanted.uri);
            let text = found.map(|(_, text)| (*text).to_owned());
            resources.insert(&wanted.uri, text.ok_or("it is not there".to_owned()));
        }
    }
}

fn render(diagnostics: &[Diagnostic]) -> String {
    diagnostics
        .iter()
        .map(|it| format!("{}\n", it.display("t.yaml")))
        .collect()
}

#[track_caller]
fn wrong(rest: &str, there: &[(&str, &str)]) -> String {
    lower(rest, None, there).expect_err("something is wrong")
}

#[test]
fn a_schema_is_asked_for_and_then_taken_from_what_came() {
    let rest = "do: [ { a: { set: { b: 1 }, input: { schema: { resource: { endpoint: 'https://a.example/s.json' } } } } } ]";
    let lowered = Plan::lower(&document(rest), &Any);
    assert!(lowered.plan.is_none() && lowered.diagnostics.is_empty());
    let [wanted] = &lowered.wanted[..] else {
        panic!("one resource is wanted: {:?}", lowered.wanted)
    };
    assert_eq!(wanted.uri, "https://a.example/s.json");
    assert_eq!(
        wanted.unfetched.pointer,
        "/do/0/a/input/schema/resource/endpoint"
    );
    assert!(!wanted.unfetched.is_error());
    for text in ["{\"type\": \"object\"}", "type: object\n"] {
        assert!(lower(rest, None, &[("https://a.example/s.json", text)]).is_ok());
    }
    // Who does not fetch can't run it, and is told why.
    let refused = Plan::new(&document(rest), &Any).expect_err("it needs what is elsewhere");
    assert!(refused[0].is_error() && refused[0].code == "unfetched");
}

#[test]
fn what_can_t_be_had_or_is_no_schema_is_said_at_its_place() {
    let rest = "
do:
  - missing: { set: { b: 1 }, output: { schema: { resource: { endpoint: { uri: 'https://a.example/missing' } } } } }
  - none: { set: { b: 1 }, export: { schema: { resource: { endpoint: 'https://a.example/none' } } } }
  - broken: { set: { b: 1 }, input: { schema: { resource: { endpoint: 'https://a.example/broken' } } } }
  - inline: { set: { b: 1 }, input: { schema: { document: { properties: { a: { type: objekt } } } } } }
";
    let there = [
        (
            "https://a.example/none",
            "{\"properties\": {\"a\": {\"type\": 1}}}",
        ),
        ("https://a.example/broken", "{"),
    ];
    // Of the four, the last is known at once; so the others are not even asked for. Without it they are.
    let inline = "  - inline: { set: { b: 1 }, input: { schema: { document: { properties: { a: { type: objekt } } } } } }\n";
    insta::assert_snapshot!(wrong(&rest.replace(inline, ""), &there), @r##"
    t.yaml:4:80: error[unfetched]: https://a.example/missing can't be had: it is not there
      at /do/0/missing/output/schema/resource/endpoint/uri
    t.yaml:5:70: error[bad-schema]: this is no JSON Schema: 1 is not valid under any of the schemas listed in the 'anyOf' keyword, at /properties/a/type of https://a.example/none
      at /do/1/none/export/schema/resource/endpoint
    t.yaml:6:71: error[bad-schema]: this is no JSON Schema: https://a.example/broken:1:2: error[syntax]: this is neither YAML nor JSON: while parsing a node, did not find expected node content
      at /do/2/broken/input/schema/resource/endpoint
    "##);
    insta::assert_snapshot!(wrong(&format!("do:\n{inline}"), &[]), @r##"
    t.yaml:3:86: error[bad-schema]: this is no JSON Schema: "objekt" is not valid under any of the schemas listed in the 'anyOf' keyword
      at /do/0/inline/input/schema/document/properties/a/type
    "##);
}

#[test]
fn what_is_fetched_at_publication_must_be_a_constant() {
    insta::assert_snapshot!(wrong("
use: { authentications: { me: { bearer: { token: '${ .token }' } } } }
do:
  - expression: { set: { b: 1 }, input: { schema: { resource: { endpoint: '${ .uri }' } } } }
  - template: { set: { b: 1 }, input: { schema: { resource: { endpoint: 'https://a.example/{name}' } } } }
  - relative: { set: { b: 1 }, input: { schema: { resource: { endpoint: schemas/a.json } } } }
  - file: { set: { b: 1 }, input: { schema: { resource: { endpoint: 'file:///etc/passwd' } } } }
  - secret: { set: { b: 1 }, input: { schema: { resource: { endpoint: { uri: 'https://a.example/s', authentication: { use: me } } } } } }
", &[]), @r##"
t.yaml:5:75: error[bad-uri]: this is fetched when the workflow is published, and there is no data then
  at /do/0/expression/input/schema/resource/endpoint
  help: write a URI without expressions and variables
t.yaml:6:73: error[bad-uri]: this is fetched when the workflow is published, and there is no data then
  at /do/1/template/input/schema/resource/endpoint
  help: write a URI without expressions and variables
t.yaml:7:73: error[bad-uri]: `schemas/a.json` is relative, and a document that is posted stands nowhere
  at /do/2/relative/input/schema/resource/endpoint
  help: write an absolute URI, such as https://example.org/schema.json; relative ones are for documents that are files: `baton run FILE`, `baton validate FILE`
t.yaml:8:69: error[bad-uri]: `file:///etc/passwd` is a file, and this host has no files of yours
  at /do/3/file/input/schema/resource/endpoint
  help: put it where it can be fetched over https; files are for documents that are files themselves: `baton run FILE`, `baton validate FILE`
t.yaml:9:78: error[bad-value]: the resource is fetched when the workflow is published, and there is no data then
  at /do/4/secret/input/schema/resource/endpoint/uri
  help: write credentials without expressions
"##);
}

#[test]
fn credentials_go_along() {
    let rest = "
use: { authentications: { me: { basic: { username: ada, password: pw } } } }
do: [ { a: { set: { b: 1 }, input: { schema: { resource: { endpoint: { uri: 'https://a.example/s', authentication: { use: me } } } } } } } ]
";
    let lowered = Plan::lower(&document(rest), &Any);
    assert_eq!(
        lowered.wanted[0].authentication,
        Some(json!({"basic": {"username": "ada", "password": "pw"}}))
    );
}

const GREET: &str = "
input: { schema: { resource: { endpoint: schema.json } } }
do:
  - say: { set: { text: '${ \"Hello, \\(.name)\" }' } }
";

#[test]
fn a_catalogs_function_stands_in_place_of_the_call() {
    let rest = "
use: { catalogs: { ours: { endpoint: 'https://a.example/catalog' } } }
do:
  - one: { call: 'greet:1.0.0@ours', with: { name: Ada } }
  - two: { call: 'https://a.example/catalog/functions/greet/1.0.0/function.yaml', with: { name: Bob } }
";
    let there = [
        (
            "https://a.example/catalog/functions/greet/1.0.0/function.yaml",
            GREET,
        ),
        (
            "https://a.example/catalog/functions/greet/1.0.0/schema.json",
            "{}",
        ),
    ];
    let nodes = lower(rest, None, &there).expect("it can be run");
    for pointer in ["/do/0/one/call/do/0/say", "/do/1/two/call/do/0/say"] {
        assert!(nodes.contains(&format!("\"{pointer}\"")), "{nodes}");
    }
}

#[test]
fn a_document_that_is_a_file_may_keep_things_in_files() {
    let rest = "do: [ { one: { call: 'file:///flows/f/function.yaml' } } ]";
    let there = [
        ("file:///flows/f/function.yaml", GREET),
        ("file:///flows/f/schema.json", "{}"),
    ];
    assert!(lower(rest, Some("file:///flows/a.yaml"), &there).is_ok());
    let error = lower(rest, None, &there).expect_err("nobody has files here");
    assert!(error.contains("this host has no files of yours"), "{error}");
}

#[test]
fn what_is_wrong_with_a_function_elsewhere_is_said_where_it_is_called() {
    let rest = "
use: { catalogs: { ours: { endpoint: 'https://a.example' } } }
do:
  - unversioned: { call: greet@ours }
";
    insta::assert_snapshot!(wrong(rest, &[]), @r##"
    t.yaml:5:26: error[unknown-function]: which version of `greet` is not said
      at /do/0/unversioned/call
      help: catalogs keep functions by version: greet:1.0.0@ours
    "##);
    let rest = "
use: { catalogs: { ours: { endpoint: 'https://a.example' } } }
do:
  - wrong: { call: 'wrong:1.0.0@ours' }
  - refers: { call: 'refers:1.0.0@ours' }
  - circle: { call: 'circle:1.0.0@ours' }
  - schema: { call: 'schema:1.0.0@ours' }
";
    let at = |name: &str| format!("https://a.example/functions/{name}/1.0.0/function.yaml");
    let (wrong_at, refers, circle, schema) =
        (at("wrong"), at("refers"), at("circle"), at("schema"));
    let calls_itself = format!("do:\n  - again: {{ call: '{circle}' }}\n");
    let there = [
        (&*wrong_at, "set: { a: 1 }\nthn: end\n"),
        (&*refers, "call: someone\n"),
        (&*circle, &*calls_itself),
        (
            &*schema,
            "set: { a: 1 }\ninput: { schema: { document: { type: strange } } }\n",
        ),
    ];
    insta::assert_snapshot!(wrong(rest, &there), @r##"
    t.yaml:5:20: error[unknown-key]: https://a.example/functions/wrong/1.0.0/function.yaml:2:1: unknown key `thn` in a `set` task
      at /do/0/wrong/call
      help: did you mean `then`?
    t.yaml:6:21: error[undefined-reference]: https://a.example/functions/refers/1.0.0/function.yaml:1:7: the function `someone` is not defined
      at /do/1/refers/call
      help: define it under `use.functions`, or name the connector that has it: someone@connector
    t.yaml:7:21: error[cycle]: https://a.example/functions/circle/1.0.0/function.yaml:2:20: functions call one another without end: https://a.example/functions/circle/1.0.0/function.yaml → https://a.example/functions/circle/1.0.0/function.yaml
      at /do/2/circle/call
      help: a function can't call itself; use a `for`, or a `then` that leads back
    t.yaml:8:21: error[bad-schema]: https://a.example/functions/schema/1.0.0/function.yaml:2:38: this is no JSON Schema: "strange" is not valid under any of the schemas listed in the 'anyOf' keyword
      at /do/3/schema/call
    "##);
}

#[test]
fn a_workflow_may_keep_only_so_much_elsewhere() {
    let tasks: String = (0..100)
        .map(|n| format!("  - t{n}: {{ call: 'https://a.example/{n}' }}\n"))
        .collect();
    let lowered = Plan::lower(&document(&format!("do:\n{tasks}")), &Any);
    assert_eq!(lowered.wanted.len(), 64);
    assert!(lowered.diagnostics.iter().all(|it| it.code == "too-large"));
}
