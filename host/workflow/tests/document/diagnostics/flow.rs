//! Names and where the flow goes.

use insta::assert_snapshot;

use super::check_tasks;

#[test]
fn names_that_stand_twice() {
    assert_snapshot!(check_tasks("- a: { set: { x: 1 } }\n- b: { set: { x: 1 } }\n- a: { set: { x: 1 } }\n"), @r"
    case.yaml:9:5: error[duplicate-name]: a second task with the name `a` in the same list
      at /do/2/a
      case.yaml:7:5: the first is here
      help: give one of them another name
    ");
    // The same name in another list is another task.
    assert_snapshot!(check_tasks("- a:\n    do:\n    - a: { set: { x: 1 } }\n"), @"nothing");
}

#[test]
fn then_to_nowhere() {
    assert_snapshot!(check_tasks("- first:\n    do:\n    - inner: { set: { x: 1 }, then: second }\n- second: { set: { x: 1 }, then: thrid }\n- third: { set: { x: 1 }, then: inner }\n- last: { set: { x: 1 }, then: END }\n"), @r"
    case.yaml:9:39: error[unknown-task]: there is no task `second` in this list
      at /do/0/first/do/0/inner/then
      help: `then` leads to a task of the same list, or is `continue`, `exit` or `end`
    case.yaml:10:36: error[unknown-task]: there is no task `thrid` in this list
      at /do/1/second/then
      help: did you mean `third`?
    case.yaml:11:35: error[unknown-task]: there is no task `inner` in this list
      at /do/2/third/then
      help: `then` leads to a task of the same list, or is `continue`, `exit` or `end`
    case.yaml:12:34: error[unknown-task]: there is no task `END` in this list
      at /do/3/last/then
      help: did you mean `end`?
    ");
}

#[test]
fn tasks_that_no_flow_leads_to() {
    assert_snapshot!(check_tasks("- a: { set: { x: 1 }, then: d }\n- b: { set: { x: 1 } }\n- c: { set: { x: 1 } }\n- d: { raise: { error: { type: 'urn:x', status: 400 } } }\n- e: { set: { x: 1 } }\n"), @r"
    case.yaml:8:5: warning[unreachable-task]: no flow leads to the task `b`
      at /do/1/b
      case.yaml:7:5: the flow does not go on after `a`
      help: name it in a `then`, or remove it
    case.yaml:11:5: warning[unreachable-task]: no flow leads to the task `e`
      at /do/4/e
      case.yaml:10:5: the flow does not go on after `d`
      help: name it in a `then`, or remove it
    ");
    assert_snapshot!(check_tasks("- a:\n    switch:\n    - x: { when: .x, then: c }\n    - y: { then: end }\n- b: { set: { x: 1 } }\n- c:\n    fork:\n      branches:\n      - d:\n          do:\n          - e: { set: { x: 1 }, then: exit }\n          - f: { set: { x: 1 } }\n"), @r"
    case.yaml:11:5: warning[unreachable-task]: no flow leads to the task `b`
      at /do/1/b
      case.yaml:7:5: the flow does not go on after `a`
      help: name it in a `then`, or remove it
    case.yaml:18:15: warning[unreachable-task]: no flow leads to the task `f`
      at /do/2/c/fork/branches/0/d/do/1/f
      case.yaml:17:15: the flow does not go on after `e`
      help: name it in a `then`, or remove it
    ");
    // None of these is certain never to be reached.
    assert_snapshot!(check_tasks("- a: { set: { x: 1 }, if: .x, then: end }\n- b:\n    switch:\n    - x: { when: .x, then: end }\n- c:\n    try: []\n    catch: { then: end }\n- d:\n    switch:\n    - x: { when: .x, then: end }\n    - y: { then: continue }\n- e: { set: { x: 1 }, then: a }\n"), @"nothing");
}

#[test]
fn switch() {
    assert_snapshot!(check_tasks("- a:\n    switch:\n    - x: { if: .x, then: end }\n    - y: { when: .y }\n    - z: { when: .z, do: [], then: b }\n"), @r"
    case.yaml:9:14: error[unknown-key]: unknown key `if` in a case
      at /do/0/a/switch/0/x/if
      help: did you mean `when`?
    case.yaml:10:9: error[missing-key]: a case needs the key `then`
      at /do/0/a/switch/1/y
    case.yaml:11:24: error[unknown-key]: unknown key `do` in a case
      at /do/0/a/switch/2/z/do
      help: a case only says where to go on: name a task of the list in `then`
    case.yaml:11:38: error[unknown-task]: there is no task `b` in this list
      at /do/0/a/switch/2/z/then
      help: `then` leads to a task of the same list, or is `continue`, `exit` or `end`
    ");
    assert_snapshot!(check_tasks("- a:\n    switch:\n    - x: { then: end }\n    - y: { then: exit }\n    - y: { when: .x, then: exit }\n"), @r"
    case.yaml:10:9: error[several-defaults]: `y` is a second case without `when`
      at /do/0/a/switch/1/y
      case.yaml:9:9: the first is here
      help: give all cases but one a condition
    case.yaml:11:9: error[duplicate-name]: a second case with the name `y` in the same list
      at /do/0/a/switch/2/y
      case.yaml:10:9: the first is here
      help: give one of them another name
    ");
    assert_snapshot!(check_tasks("- a: { switch: [] }\n- b: { switch: { x: { then: end } } }\n"), @r"
    case.yaml:7:10: error[bad-value]: a `switch` needs at least one case
      at /do/0/a/switch
    case.yaml:8:10: error[wrong-type]: expected a list of cases, found a mapping
      at /do/1/b/switch
      help: begin each case with a hyphen: `- x:`
    ");
}
