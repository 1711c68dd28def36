//! `use`, and what refers to it.

use insta::assert_snapshot;

use super::{check_beside, check_tasks};

#[test]
fn names_that_use_does_not_define() {
    assert_snapshot!(check_tasks("- a: { wait: PT1S, timeout: PT5S }\n- b: { wait: PT1S, timeout: long }\n- c: { raise: { error: notFound } }\n"), @r"
    case.yaml:7:31: error[undefined-reference]: a text here is the name of a timeout under `use`, and `PT5S` is none
      at /do/0/a/timeout
      help: write `timeout: { after: PT5S }`
    case.yaml:8:31: error[undefined-reference]: the timeout `long` is not defined
      at /do/1/b/timeout
      help: define it under `use.timeouts`
    case.yaml:9:26: error[undefined-reference]: the error `notFound` is not defined
      at /do/2/c/raise/error
      help: define it under `use.errors`
    ");
    let reusable = "use:\n  timeouts: { long: { after: PT1H } }\n  errors: { notFound: { type: 'urn:x', status: 404 } }\n";
    assert_snapshot!(check_beside(&format!("{reusable}timeout: lnog\n")), @r"
    case.yaml:11:10: error[undefined-reference]: the timeout `lnog` is not defined
      at /timeout
      help: did you mean `long`?
    ");
    assert_snapshot!(check_beside(&format!("{reusable}timeout: long\n")), @"nothing");
}

#[test]
fn definitions_that_are_wrong() {
    assert_snapshot!(check_beside("use:\n  timeouts: { long: { hours: 1 }, short: PT1S }\n  errors: { x: { status: 1 } }\n  retries: [a]\n  secrets: { a: b }\n  authentications: { x: { use: y }, y: {} }\n"), @r"
    case.yaml:9:23: error[unknown-key]: unknown key `hours` in a timeout
      at /use/timeouts/long/hours
      help: it belongs inside `after`
    case.yaml:9:42: error[wrong-type]: expected a timeout (a mapping) or the name of one, found a string
      at /use/timeouts/short
    case.yaml:10:13: error[missing-key]: an error needs the key `type`
      at /use/errors/x
    case.yaml:11:3: error[wrong-type]: expected a mapping from names to definitions, found a list
      at /use/retries
    case.yaml:12:3: error[wrong-type]: expected a list, found a mapping
      at /use/secrets
    case.yaml:13:22: error[missing-key]: an authentication policy needs exactly one of the keys `basic`, `bearer`, `digest`, `oauth2`, `oidc`
      at /use/authentications/x
    case.yaml:13:27: error[unknown-key]: unknown key `use` in an authentication policy
      at /use/authentications/x/use
      help: a definition under `use` cannot refer to another
    case.yaml:13:37: error[missing-key]: an authentication policy needs exactly one of the keys `basic`, `bearer`, `digest`, `oauth2`, `oidc`
      at /use/authentications/y
    ");
    assert_snapshot!(check_beside("use:\n  functions: { f: { call: g }, h: { foo: 1 }, i: { set: { x: 1 }, then: f } }\n  extensions: [ { e: { extend: calls } } ]\n  catalogs: { c: { uri: 'http://a' } }\n  retry: {}\n"), @r"
    case.yaml:9:27: error[undefined-reference]: the function `g` is not defined
      at /use/functions/f/call
      help: define it under `use.functions`, or name the connector that has it: g@connector
    case.yaml:9:37: error[unknown-key]: unknown key `foo` in the task `h`
      at /use/functions/h/foo
      help: did you mean `for`?
    case.yaml:9:73: error[unknown-task]: `then` cannot lead to `f`: a function has no tasks beside it
      at /use/functions/i/then
      help: only `continue`, `exit` and `end` are possible here
    case.yaml:10:32: error[bad-value]: `calls` is not one of `call`, `emit`, `for`, `listen`, `raise`, `run`, `set`, `switch`, `try`, `wait`, `composite`, `all`
      at /use/extensions/0/e/extend
      help: did you mean `call`?
    case.yaml:11:15: error[missing-key]: a catalog needs the key `endpoint`
      at /use/catalogs/c
    case.yaml:11:20: error[unknown-key]: unknown key `uri` in a catalog
      at /use/catalogs/c/uri
      help: a catalog has the key `endpoint`
    case.yaml:12:3: error[unknown-key]: unknown key `retry` in `use`
      at /use/retry
      help: `use` has the keys `authentications`, `catalogs`, `errors`, `extensions`, `functions`, `retries`, `secrets`, `timeouts`
    ");
    // A definition that is wrong is there all the same: what refers to it is not wrong as well.
    assert_snapshot!(check_beside("timeout: long\nuse:\n  timeouts: { long: { after: 1h } }\n"), @r"
    case.yaml:10:30: error[bad-duration]: `1h` is not an ISO 8601 duration
      at /use/timeouts/long/after
      help: write { hours: 1 }
    ");
}
