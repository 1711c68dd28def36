//! The schema and the reader, on documents that are wrong.

use baton_workflow::Document;

use super::{violations, yaml};

/// Parts of documents that neither accepts: tasks, or what stands beside them.
const REFUSED: [&str; 34] = [
    "do: [ { a: { wiat: PT1S } } ]",
    "do: [ { a: { set: { x: 1 }, thn: end } } ]",
    "do: [ { a: { wait: { seconds: soon } } } ]",
    "do: [ { a: { wait: {} } } ]",
    "do: [ { a: { wait: PT } } ]",
    "do: [ { a: { set: {} } } ]",
    "do: [ { a: { set: 5 } } ]",
    "do: [ { a: { set: { x: 1 }, wait: PT1S } } ]",
    "do: [ { a: { set: { x: 1 } }, b: { set: { x: 1 } } } ]",
    "do: { a: { set: { x: 1 } } }",
    "do: [ { a: { call: http } } ]",
    "do: [ { a: { call: http, with: { method: get } } } ]",
    "do: [ { a: { call: http, with: { method: get, endpoint: 'http://a', output: body } } } ]",
    "do: [ { a: { call: grpc, with: { proto: { endpoint: 'http://a' }, method: m } } } ]",
    "do: [ { a: { try: [] } } ]",
    "do: [ { a: { try: [], catch: { retry: { backoff: { square: {} } } } } } ]",
    "do: [ { a: { fork: { branches: [], competes: true } } } ]",
    "do: [ { a: { for: { each: x }, do: [] } } ]",
    "do: [ { a: { for: { in: .x } } } ]",
    "do: [ { a: { listen: { to: { one: { type: x } } } } } ]",
    "do: [ { a: { listen: { to: { any: [], all: [] } } } } ]",
    "do: [ { a: { listen: { to: { any: [] }, read: body } } } ]",
    "do: [ { a: { emit: { event: { with: { source: 'http://a' } } } } } ]",
    "do: [ { a: { raise: { error: { type: 'urn:x' } } } } ]",
    "do: [ { a: { run: { shell: {} } } } ]",
    "do: [ { a: { run: { shell: { command: ls }, script: { language: js, code: x } } } } ]",
    "do: [ { a: { run: { script: { language: js } } } } ]",
    "do: [ { a: { switch: [] } } ]",
    "do: [ { a: { switch: [ { x: { when: .x } } ] } } ]",
    "{ do: [ { a: { set: { x: 1 } } } ], timeout: { before: PT1S } }",
    "{ do: [ { a: { set: { x: 1 } } } ], use: { functoins: {} } }",
    "{ do: [ { a: { set: { x: 1 } } } ], schedule: { read: data } }",
    "{ do: [ { a: { set: { x: 1 } } } ], evaluate: { mode: lax } }",
    "{ do: [ { a: { set: { x: 1 } } } ], schedule: { every: soon } }",
];

/// The same, of our additions.
const ADDITIONS_REFUSED: [&str; 11] = [
    "do: [ { a: { set: { x: 1 }, needs: [b] } } ]",
    "do: [ { a: { fork: { branches: [ { b: { set: { x: 1 }, needs: c } } ] } } } ]",
    "do: [ { a: { fork: { branches: [ { b: { set: { x: 1 }, need: [c] } } ] } } } ]",
    "do: [ { a: { for: { in: .x, concurrency: 0 }, do: [] } } ]",
    "do: [ { a: { for: { in: .x, concurrency: many }, do: [] } } ]",
    "do: [ { a: { for: { in: .x }, concurrency: 2, do: [] } } ]",
    "do: [ { a: { set: { x: 1 }, compensate: { b: { set: { x: 1 } } } } } ]",
    "{ do: [ { a: { set: { x: 1 } } } ], schedule: { every: PT1H, timezone: Europe/Berlin } }",
    "{ do: [ { a: { set: { x: 1 } } } ], schedule: { cron: 0 8 * * *, timezone: 5 } }",
    "do: [ { a: { call: approval } } ]",
    "do: [ { a: { call: approval, with: { titel: x } } } ]",
];

/// What the schema lets pass and the reader does not, with the reason why a schema can't say it or the
/// specification's does not.
const STRICTER: [(&str, &str); 11] = [
    (
        "{ do: [ { a: { set: { x: 1 } } } ], shedule: { every: PT1H } }",
        "the specification's schema leaves the document's own members open",
    ),
    (
        "do: [ { a: { set: { x: 1 } } }, { a: { set: { x: 2 } } } ]",
        "names that stand twice",
    ),
    (
        "do: [ { a: { set: { x: 1 }, then: b } } ]",
        "`then` to a task that is not there",
    ),
    (
        "do: [ { a: { raise: { error: lost } } } ]",
        "a reference to nothing",
    ),
    (
        "do: [ { a: { call: lost } } ]",
        "a function that is not defined",
    ),
    (
        "do: [ { a: { fork: { branches: [ { b: { set: { x: 1 }, needs: [lost] } } ] } } } ]",
        "a branch that is not there",
    ),
    (
        "do: [ { a: { fork: { branches: [ { b: { set: { x: 1 }, needs: [c] } }, { c: { set: { x: 1 }, needs: [b] } } ] } } } ]",
        "a cycle",
    ),
    (
        "{ do: [ { a: { set: { x: 1 } } } ], schedule: {} }",
        "a schedule that says nothing",
    ),
    (
        "do: [ { a: { call: http, with: { method: get it, endpoint: 'http://a' } } } ]",
        "a method that is no token",
    ),
    (
        "do: [ { a: { for: { each: item, at: item, in: .x }, do: [] } } ]",
        "two variables of one name",
    ),
    (
        "do: [ { a: { try: [], catch: { errors: { type: 'urn:x' } } } } ]",
        "the specification's schema leaves `errors` open",
    ),
];

fn text(part: &str) -> String {
    let head = "{ dsl: '1.0.3', namespace: test, name: case, version: '1.0.0' }";
    match part.strip_prefix('{') {
        Some(rest) => format!("{{ document: {head}, {rest}"),
        None => format!("document: {head}\n{part}"),
    }
}

#[test]
fn neither_accepts_what_is_wrong() {
    for part in REFUSED.iter().chain(&ADDITIONS_REFUSED) {
        let text = text(part);
        assert!(Document::parse(&*text, None).is_err(), "the reader: {text}");
        assert!(!violations(&yaml(&text)).is_empty(), "the schema: {text}");
    }
}

#[test]
fn the_reader_is_stricter_where_a_schema_cannot_tell() {
    for (part, why) in STRICTER {
        let text = text(part);
        assert!(Document::parse(&*text, None).is_err(), "{why}: {text}");
        assert_eq!(violations(&yaml(&text)), "", "{why}: {text}");
    }
}
