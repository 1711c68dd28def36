//! What this host does not run yet, and what others don't: said at publication, never at run time.

use insta::assert_snapshot;

use super::{HEADER, parse, render, with_tasks};

#[test]
fn what_is_supported_is_not_named() {
    let document = parse(&with_tasks(
        "- a: { for: { in: .x }, while: .y, do: [] }\n- b: { call: create-user@scim }\n- c: { set: { x: 1 }, input: { schema: { document: {} } } }\n- d: { emit: { event: { with: { type: x } } } }\n- e: { listen: { to: { any: [] } } }\n- f: { run: { shell: { command: ls } } }\n- g: { call: http, with: { method: get, endpoint: { uri: 'http://a', authentication: { digest: { username: a, password: b } } } } }\n- h: { call: asyncapi, with: { document: { endpoint: 'http://a' }, channel: x, subscription: { filter: .x, consume: { until: .x, for: PT1S }, foreach: { do: [] } } } }\n",
    ));
    assert!(document.unsupported().is_empty() && document.not_portable().is_empty());
}

#[test]
fn formats_of_schemas() {
    let document = parse(&with_tasks(
        "- a: { set: { x: 1 }, input: { schema: { format: avro, document: {} } } }\n",
    ));
    let rendered = render(&document.unsupported());
    assert!(
        rendered.contains("at /do/0/a/input/schema/format"),
        "{rendered}"
    );
}

#[test]
fn around_the_tasks() {
    let document = parse(&format!(
        "{HEADER}use:\n  secrets: [s]\n  functions: {{ f: {{ set: {{ x: 1 }} }} }}\nevaluate: {{ language: js, mode: loose }}\nschedule: {{ on: {{ one: {{ with: {{ type: x }} }} }} }}\ndo:\n- a: {{ call: f }}\n"
    ));
    assert_snapshot!(render(&document.unsupported()), @r##"
    case.yaml:9:23: error[unsupported]: the expression language `js` is not yet supported by this host
      at /evaluate/language
      help: use jq
    "##);
}

#[test]
fn additions_are_found_wherever_tasks_stand() {
    let addition = "{ x: { set: { y: 1 }, compensate: [] } }";
    let document = parse(&format!(
        "{HEADER}use:\n  functions: {{ f: {{ do: [ {addition} ] }} }}\n  extensions: [ {{ e: {{ extend: all, before: [ {addition} ], after: [ {addition} ] }} }} ]\ndo:\n- a: {{ try: [ {addition} ], catch: {{ do: [ {addition} ] }} }}\n- b: {{ for: {{ in: .x }}, do: [ {addition} ] }}\n- c: {{ fork: {{ branches: [ {addition} ] }} }}\n- d: {{ listen: {{ to: {{ any: [] }} }}, foreach: {{ do: [ {addition} ] }} }}\n- e: {{ set: {{ y: 1 }}, compensate: [] }}\n- g: {{ do: [ {addition} ] }}\n- h: {{ call: asyncapi, with: {{ document: {{ endpoint: 'http://a' }}, channel: x, subscription: {{ consume: {{ amount: 1 }}, foreach: {{ do: [ {addition} ] }} }} }} }}\n"
    ));
    let mut found: Vec<String> = document
        .not_portable()
        .into_iter()
        .map(|it| it.pointer)
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "/do/0/a/catch/do/0/x/compensate",
            "/do/0/a/try/0/x/compensate",
            "/do/1/b/do/0/x/compensate",
            "/do/2/c/fork/branches/0/x/compensate",
            "/do/3/d/foreach/do/0/x/compensate",
            "/do/4/e/compensate",
            "/do/5/g/do/0/x/compensate",
            "/do/6/h/with/subscription/foreach/do/0/x/compensate",
            "/use/extensions/0/e/after/0/x/compensate",
            "/use/extensions/0/e/before/0/x/compensate",
            "/use/functions/f/do/0/x/compensate",
        ]
    );
}

#[test]
fn additions_of_this_host() {
    let document = parse(&format!(
        "{HEADER}schedule: {{ cron: 0 8 * * *, timezone: Europe/Berlin }}\ndo:\n- a: {{ for: {{ in: .x, concurrency: 2 }}, do: [], compensate: [] }}\n- b: {{ call: approval, with: {{ title: x }} }}\n- c: {{ call: grpc, with: {{ proto: {{ endpoint: 'http://a' }}, service: {{ name: a, host: b }}, method: c, arguments: [] }} }}\n- d: {{ fork: {{ branches: [ {{ x: {{ set: {{ y: 1 }} }} }}, {{ z: {{ set: {{ y: 1 }}, needs: [x] }} }} ] }} }}\n"
    ));
    assert_snapshot!(render(&document.not_portable()), @r"
    case.yaml:6:40: warning[not-portable]: `timezone` is an addition of this host, which other runtimes refuse
      at /schedule/timezone
    case.yaml:8:36: warning[not-portable]: `concurrency` is an addition of this host, which other runtimes refuse
      at /do/0/a/for/concurrency
    case.yaml:8:49: warning[not-portable]: `compensate` is an addition of this host, which other runtimes refuse
      at /do/0/a/compensate
    case.yaml:9:14: warning[not-portable]: `call: approval` is an addition of this host, which other runtimes refuse
      at /do/1/b/call
    case.yaml:10:114: warning[not-portable]: a list as `arguments` is an addition of this host, which other runtimes refuse
      at /do/2/c/with/arguments
    case.yaml:11:84: warning[not-portable]: `needs` is an addition of this host, which other runtimes refuse
      at /do/3/d/fork/branches/1/z/needs/0
    ");
}
