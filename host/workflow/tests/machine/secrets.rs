//! `$secrets`: the placeholders that are a fact of the run, wherever an expression stands.

use serde_json::json;

use baton_workflow::Command;

use crate::support::Run;

#[test]
fn placeholders_are_there_wherever_an_expression_stands() {
    let tasks = "
use: { secrets: [token, login] }
input: { from: '{ a: $secrets.token }' }
output: { as: '. + { f: $secrets.token }' }
do:
  - one:
      if: $secrets.token != null
      input: { from: '. + { b: $secrets.login.password }' }
      set: { a: '${ .a }', b: '${ .b }', c: '${ \"Bearer \\($secrets.token)\" }' }
      output: { as: '. + { d: $secrets[\"token\"] }' }
      export: { as: '{ e: $secrets.token }' }
  - two:
      set: '. + { e: $context.e }'
";
    let output = Run::start(tasks, json!({})).output();
    let (one, two) = ("baton-secret-1", "baton-secret-2");
    assert_eq!(
        output,
        json!({"a": one, "b": two, "c": "Bearer baton-secret-1", "d": one, "e": one, "f": one})
    );
}

#[test]
fn a_secret_that_is_not_named_is_null() {
    let tasks = "do: [ { one: { set: { a: '${ $secrets.other }' } } } ]";
    assert_eq!(Run::start(tasks, json!({})).output(), json!({"a": null}));
}

#[test]
fn credentials_of_a_secret_are_what_stands_for_it() {
    let tasks = "
use:
  secrets: [token, login]
  authentications: { known: { bearer: { use: token } } }
do:
  - one: { call: http, with: { method: get, endpoint: { uri: 'http://a', authentication: { use: known } } } }
  - two: { call: http, with: { method: get, endpoint: { uri: 'http://a', authentication: { oauth2: { use: login } } } } }
";
    let mut run = Run::start(tasks, json!({}));
    run.answer("one", Ok(json!({})));
    let policies: Vec<_> = run
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Invoke(call) => Some(call.arguments["endpoint"]["authentication"].clone()),
            _ => None,
        })
        .collect();
    assert_eq!(
        policies,
        [
            json!({"bearer": "baton-secret-1"}),
            json!({"oauth2": {"password": "baton-secret-2"}}),
        ]
    );
}
