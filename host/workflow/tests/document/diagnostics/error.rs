//! Errors: raising, catching and retrying.

use insta::assert_snapshot;

use super::check_tasks;

fn check_catch(catch: &str) -> String {
    check_tasks(&format!("- a:\n    try: []\n    catch: {catch}\n"))
}

#[test]
fn raise() {
    assert_snapshot!(check_tasks("- a: { raise: { type: 'urn:x', status: 400 } }\n"), @r"
    case.yaml:7:19: error[unknown-key]: unknown key `type` in `raise`
      at /do/0/a/raise/type
      help: it belongs inside `error`
    case.yaml:7:34: error[unknown-key]: unknown key `status` in `raise`
      at /do/0/a/raise/status
      help: it belongs inside `error`
    ");
    assert_snapshot!(check_tasks("- a: { raise: { error: { type: not a uri, status: '400', message: x } } }\n"), @r"
    case.yaml:7:34: error[bad-uri]: the type of an error must be a URI, `not a uri` is none
      at /do/0/a/raise/error/type
      help: use one of the standard types, like https://serverlessworkflow.io/spec/1.0.0/errors/validation, or a URI of your own
    case.yaml:7:53: error[wrong-type]: expected an integer, found a string
      at /do/0/a/raise/error/status
      help: remove the quotes: 400
    case.yaml:7:60: error[unknown-key]: unknown key `message` in an error
      at /do/0/a/raise/error/message
      help: did you mean `detail`?
    ");
    assert_snapshot!(check_tasks("- a: { raise: { error: { type: 'urn:x', status: 70000 } } }\n"), @r"
    case.yaml:7:51: error[bad-value]: no error has the status 70000
      at /do/0/a/raise/error/status
      help: write an HTTP status, like 404, or another number up to 65535
    ");
    assert_snapshot!(check_tasks("- a: { raise: { error: { type: 'urn:x', status: 65535 } } }\n"), @"nothing");
    assert_snapshot!(check_tasks("- a: { raise: { error: { title: x, instance: do/0 } } }\n"), @r"
    case.yaml:7:19: error[missing-key]: an error needs the keys `type`, `status`
      at /do/0/a/raise/error
    case.yaml:7:48: error[bad-value]: `do/0` is not a JSON pointer
      at /do/0/a/raise/error/instance
      help: write it like /do/0/hello
    ");
}

#[test]
fn try_without_catch() {
    assert_snapshot!(check_tasks("- a:\n    try:\n    - b: { set: { x: 1 } }\n"), @r"
    case.yaml:7:5: error[missing-key]: a `try` task needs the key `catch`
      at /do/0/a
    ");
}

#[test]
fn catch() {
    assert_snapshot!(check_catch("{ error: { with: { status: 503 } } }"), @r"
    case.yaml:9:16: error[unknown-key]: unknown key `error` in `catch`
      at /do/0/a/catch/error
      help: did you mean `errors`?
    ");
    // 65966 is 430, cut to 16 bits.
    assert_snapshot!(check_catch("{ errors: { with: { status: 65966 } } }"), @r"
    case.yaml:9:42: error[bad-value]: no error has the status 65966
      at /do/0/a/catch/errors/with/status
      help: write an HTTP status, like 404, or another number up to 65535
    ");
    assert_snapshot!(check_catch("{ errors: { type: 'urn:x' } }"), @r"
    case.yaml:9:26: error[unknown-key]: unknown key `type` in `errors`
      at /do/0/a/catch/errors/type
      help: it belongs inside `with`
    ");
    assert_snapshot!(check_catch("{ errors: { with: { stauts: 503 } } }"), @r"
    case.yaml:9:34: error[unknown-key]: unknown key `stauts` in an error filter
      at /do/0/a/catch/errors/with/stauts
      help: did you mean `status`?
    ");
    assert_snapshot!(check_catch("{ errors: { with: {} } }"), @r"
    case.yaml:9:26: error[bad-value]: the error filter is empty
      at /do/0/a/catch/errors/with
      help: leave `errors` out to catch every error
    ");
    assert_snapshot!(check_catch("{ errors: { with: { status: ${ .x } } } }"), @r"
    case.yaml:9:43: error[syntax]: this is neither YAML nor JSON: while parsing a flow mapping, did not find expected ',' or '}'
      help: an expression inside of curly braces, or with quotes in it, must be in single quotes: '${ … }'
    ");
    assert_snapshot!(check_catch("{ as: $err, when: true, then: b }"), @r"
    case.yaml:9:20: error[bad-name]: the name of a variable is written without its dollar sign here
      at /do/0/a/catch/as
      help: write `err`
    case.yaml:9:32: error[wrong-type]: expected a string, found a boolean
      at /do/0/a/catch/when
      help: put it into quotes: 'true'
    case.yaml:9:44: error[unknown-task]: there is no task `b` in this list
      at /do/0/a/catch/then
      help: `then` leads to a task of the same list, or is `continue`, `exit` or `end`
    ");
    assert_snapshot!(check_catch("{ do: [ { x: { set: { y: 1 }, then: a } } ] }"), @r"
    case.yaml:9:50: error[unknown-task]: there is no task `a` in this list
      at /do/0/a/catch/do/0/x/then
      help: `then` leads to a task of the same list, or is `continue`, `exit` or `end`
    ");
}

#[test]
fn retry() {
    assert_snapshot!(check_catch("{ retry: { delay: 3s, backoff: { exponential: {}, linear: {} } } }"), @r"
    case.yaml:9:32: error[bad-duration]: `3s` is not an ISO 8601 duration
      at /do/0/a/catch/retry/delay
      help: write { seconds: 3 }
    case.yaml:9:64: error[conflicting-keys]: `backoff` can have only one of the keys `constant`, `exponential`, `linear`
      at /do/0/a/catch/retry/backoff/linear
      case.yaml:9:47: `exponential` stands here
      help: remove one of `exponential` and `linear`
    ");
    assert_snapshot!(check_catch("{ retry: { backoff: {}, limit: { count: 5 } } }"), @r"
    case.yaml:9:25: error[missing-key]: `backoff` needs exactly one of the keys `constant`, `exponential`, `linear`
      at /do/0/a/catch/retry/backoff
    case.yaml:9:47: error[unknown-key]: unknown key `count` in `limit`
      at /do/0/a/catch/retry/limit/count
      help: it belongs inside `attempt`
    ");
    assert_snapshot!(check_catch("{ retry: { backoff: { exponential: } } }"), @r"
    case.yaml:9:36: error[wrong-type]: expected a mapping, found nothing
      at /do/0/a/catch/retry/backoff/exponential
    ");
    assert_snapshot!(check_catch("{ retry: { backoff: exponential, limit: { attempt: { count: -1 } } } }"), @r"
    case.yaml:9:34: error[wrong-type]: expected `backoff` (a mapping), found a string
      at /do/0/a/catch/retry/backoff
      help: write { exponential: {} }
    case.yaml:9:74: error[bad-value]: expected an integer from 0, found -1
      at /do/0/a/catch/retry/limit/attempt/count
    ");
    assert_snapshot!(check_catch("{ retry: { jitter: { from: PT2S } } }"), @r"
    case.yaml:9:25: error[missing-key]: `jitter` needs the key `to`
      at /do/0/a/catch/retry/jitter
    ");
    assert_snapshot!(check_catch("{ retry: { jitter: { from: PT2S, to: { seconds: 1 } } } }"), @r"
    case.yaml:9:51: error[bad-value]: `to` is shorter than `from`
      at /do/0/a/catch/retry/jitter/to
      help: exchange the two
    ");
    assert_snapshot!(check_catch("{ retry: { backoff: { exponential: { multiplier: 2 } }, attempts: 3 } }"), @r"
    case.yaml:9:49: warning[no-effect]: the specification defines no parameters of a backoff; these have no effect
      at /do/0/a/catch/retry/backoff/exponential
      help: use `delay`, `jitter` and `limit`
    case.yaml:9:70: error[unknown-key]: unknown key `attempts` in a retry policy
      at /do/0/a/catch/retry/attempts
      help: write limit: { attempt: { count: … } }
    ");
    assert_snapshot!(check_catch("{ retry: { backoff: { exponential: { multiplier: 2 } } } }"), @r"
    case.yaml:9:49: warning[no-effect]: the specification defines no parameters of a backoff; these have no effect
      at /do/0/a/catch/retry/backoff/exponential
      help: use `delay`, `jitter` and `limit`
    ");
    assert_snapshot!(check_catch("{ retry: never }"), @r"
    case.yaml:9:23: error[undefined-reference]: the retry policy `never` is not defined
      at /do/0/a/catch/retry
      help: define it under `use.retries`
    ");
    assert_snapshot!(check_catch("{ retry: 5 }"), @r"
    case.yaml:9:23: error[wrong-type]: expected a retry policy (a mapping) or the name of one, found a number
      at /do/0/a/catch/retry
    ");
}
