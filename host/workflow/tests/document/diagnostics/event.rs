//! Events.

use insta::assert_snapshot;

use super::check_tasks;

#[test]
fn emit() {
    assert_snapshot!(check_tasks("- a: { emit: { with: { type: x } } }\n- b: { emit: { event: { type: x } } }\n- c: { emit: { event: { with: { source: 'a b' } } } }\n- d: { emit: { event: { with: { data: 1 } } } }\n"), @r"
    case.yaml:7:18: error[unknown-key]: unknown key `with` in `emit`
      at /do/0/a/emit/with
      help: it belongs inside `event`
    case.yaml:8:27: error[unknown-key]: unknown key `type` in `event`
      at /do/1/b/emit/event/type
      help: it belongs inside `with`
    case.yaml:9:43: error[bad-uri]: `a b` is neither a URI nor an expression
      at /do/2/c/emit/event/with/source
      help: write it like https://example.org/path or https://example.org/{id}
    case.yaml:10:33: error[missing-key]: an event needs the key `type`
      at /do/3/d/emit/event/with
    ");
}

#[test]
fn listen() {
    assert_snapshot!(check_tasks("- a: { listen: { one: { with: { type: x } } } }\n- b: { listen: { to: { one: { type: x } } } }\n- c: { listen: { to: { one: { with: {} } } } }\n- d: { listen: { to: {} } }\n"), @r"
    case.yaml:7:20: error[unknown-key]: unknown key `one` in `listen`
      at /do/0/a/listen/one
      help: it belongs inside `to`
    case.yaml:8:33: error[unknown-key]: unknown key `type` in an event filter
      at /do/1/b/listen/to/one/type
      help: it belongs inside `with`
    case.yaml:9:39: error[bad-value]: an event filter needs at least one attribute
      at /do/2/c/listen/to/one/with
    case.yaml:10:20: error[missing-key]: an event consumption strategy needs exactly one of the keys `all`, `any`, `one`
      at /do/3/d/listen/to
    ");
    assert_snapshot!(check_tasks("- a: { listen: { to: { all: [], until: .x } } }\n- b: { listen: { to: { all: [], any: [] }, read: body } }\n- c: { listen: { to: { any: {} }, foreach: { each: x } } }\n- d: { listen: { to: { any: [] } }, foreach: { item: input, at: 1st, do: [] } }\n"), @r"
    case.yaml:7:35: error[conflicting-keys]: `until` goes with `any`, not with `all`
      at /do/0/a/listen/to/until
      help: remove it
    case.yaml:8:35: error[conflicting-keys]: an event consumption strategy can have only one of the keys `all`, `any`, `one`
      at /do/1/b/listen/to/any
      case.yaml:8:26: `all` stands here
      help: remove one of `all` and `any`
    case.yaml:8:52: error[bad-value]: `body` is not one of `data`, `envelope`, `raw`
      at /do/1/b/listen/read
    case.yaml:9:26: error[wrong-type]: expected a list, found a mapping
      at /do/2/c/listen/to/any
    case.yaml:9:37: error[unknown-key]: unknown key `foreach` in `listen`
      at /do/2/c/listen/foreach
      help: it belongs beside `listen`, not inside it
    case.yaml:10:56: error[bad-name]: `$input` is given by the language and cannot be a variable here
      at /do/3/d/foreach/item
      help: choose another name
    case.yaml:10:67: error[bad-name]: `1st` cannot be the name of a variable
      at /do/3/d/foreach/at
      help: use letters, digits and underscores, with no digit at the start
    ");
    assert_snapshot!(check_tasks("- a: { listen: { to: { any: [ { with: { type: x }, correlate: { id: { form: .id } } } ], until: { one: {} } } } }\n"), @r"
    case.yaml:7:73: error[unknown-key]: unknown key `form` in a correlation
      at /do/0/a/listen/to/any/0/correlate/id/form
      help: did you mean `from`?
    case.yaml:7:101: error[missing-key]: an event filter needs the key `with`
      at /do/0/a/listen/to/until/one
    ");
}
