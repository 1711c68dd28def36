//! Tasks and lists of them.

use insta::assert_snapshot;

use super::{HEADER, check, check_tasks};

#[test]
fn lists_that_are_none() {
    assert_snapshot!(check(&format!("{HEADER}do:\n  hello:\n    set: {{ x: 1 }}\n")), @r"
    case.yaml:6:1: error[wrong-type]: expected a list of tasks, found a mapping
      at /do
      help: begin each task with a hyphen: `- hello:`
    ");
    assert_snapshot!(check(&format!("{HEADER}do:\n")), @r"
    case.yaml:6:1: error[wrong-type]: expected a list of tasks, found nothing
      at /do
    ");
}

#[test]
fn items_that_are_no_tasks() {
    assert_snapshot!(check_tasks("- hello:\n  set: { x: 1 }\n- set: { x: 1 }\n  then: end\n- just text\n- {}\n- '': { set: { x: 1 } }\n"), @r"
    case.yaml:8:5: error[bad-task-item]: expected one task under its name, found the keys `hello` and `set` beside one another
      at /do/0
      help: indent what belongs to `hello` further than its name
    case.yaml:10:5: error[bad-task-item]: expected one task under its name, found the keys `set` and `then` beside one another
      at /do/1
      help: give the task a name and indent it below: `- name:`
    case.yaml:11:5: error[wrong-type]: expected a task: a mapping with its name as the only key, found a string
      at /do/2
    case.yaml:12:5: error[bad-task-item]: a task needs a name
      at /do/3
    case.yaml:13:5: error[bad-name]: the name of a task cannot be empty
      at /do/4
    ");
    assert_snapshot!(check_tasks("- a: { set: { x: 1 } }\n  b: { set: { x: 1 } }\n"), @r"
    case.yaml:8:5: error[bad-task-item]: expected one task under its name, found the keys `a` and `b` beside one another
      at /do/0
      help: begin each task with a hyphen: `- b:`
    ");
}

#[test]
fn tasks_that_do_nothing_or_too_much() {
    assert_snapshot!(check_tasks("- a:\n    then: end\n- b:\n    with: { x: 1 }\n    foo: 1\n- c:\n"), @r"
    case.yaml:7:5: error[no-task-kind]: the task `a` does not say what it does
      at /do/0/a
      help: give it one of the keys `call`, `do`, `emit`, `for`, `fork`, `listen`, `raise`, `run`, `set`, `switch`, `try`, `wait`
    case.yaml:11:7: error[unknown-key]: unknown key `foo` in the task `b`
      at /do/1/b/foo
      help: did you mean `for`?
    case.yaml:12:5: error[wrong-type]: expected a task (a mapping), found nothing
      at /do/2/c
    ");
    assert_snapshot!(check_tasks("- a:\n    call: http\n    with: { method: get }\n    set: { x: 1 }\n    foo: 1\n"), @r"
    case.yaml:10:7: error[several-task-kinds]: the task `a` does several things at once: `call` and `set`
      at /do/0/a/set
      case.yaml:8:7: `call` stands here
      help: make a task of each, or put them into the list of a `do`
    ");
    assert_snapshot!(check_tasks("- a:\n    cal: http\n    with: { method: get }\n"), @r"
    case.yaml:8:7: error[unknown-key]: unknown key `cal` in the task `a`
      at /do/0/a/cal
      help: did you mean `call`?
    ");
    assert_snapshot!(check_tasks("- a:\n    do: []\n    while: .x\n"), @r"
    case.yaml:9:7: error[unknown-key]: unknown key `while` in a `do` task
      at /do/0/a/while
      help: a `do` task has the keys `if`, `input`, `output`, `export`, `timeout`, `then`, `metadata`, `compensate`, `do`
    ");
}

#[test]
fn unknown_keys() {
    assert_snapshot!(check_tasks("- a:\n    call: http\n    wiht: { method: get, endpoint: 'http://a' }\n"), @r"
    case.yaml:9:7: error[unknown-key]: unknown key `wiht` in a `call` task
      at /do/0/a/wiht
      help: did you mean `with`?
    ");
    assert_snapshot!(check_tasks("- a:\n    set: { x: 1 }\n    when: .x\n    retry: {}\n    needs: [b]\n"), @r"
    case.yaml:9:7: error[unknown-key]: unknown key `when` in a `set` task
      at /do/0/a/when
      help: did you mean `if`?
    case.yaml:10:7: error[unknown-key]: unknown key `retry` in a `set` task
      at /do/0/a/retry
      help: put the task into the list of a `try` to catch its errors
    case.yaml:11:7: error[unknown-key]: unknown key `needs` in a `set` task
      at /do/0/a/needs
      help: only branches of a `fork` can need one another
    ");
    assert_snapshot!(check_tasks("- a:\n    try: []\n    catch: {}\n    retry: {}\n    finally: []\n"), @r"
    case.yaml:10:7: error[unknown-key]: unknown key `retry` in a `try` task
      at /do/0/a/retry
      help: it belongs inside `catch`
    case.yaml:11:7: error[unknown-key]: unknown key `finally` in a `try` task
      at /do/0/a/finally
      help: a `try` task has the keys `if`, `input`, `output`, `export`, `timeout`, `then`, `metadata`, `compensate`, `try`, `catch`
    ");
}

#[test]
fn common_keys_of_the_wrong_type() {
    assert_snapshot!(check_tasks("- a:\n    set: { x: 1 }\n    if: true\n    timeout: 5\n    then: [end]\n    export: .x\n    metadata: x\n"), @r"
    case.yaml:9:11: error[wrong-type]: expected a string, found a boolean
      at /do/0/a/if
      help: put it into quotes: 'true'
    case.yaml:10:16: error[wrong-type]: expected a timeout (a mapping) or the name of one, found a number
      at /do/0/a/timeout
    case.yaml:11:7: error[wrong-type]: expected a string, found a list
      at /do/0/a/then
    case.yaml:12:15: error[wrong-type]: expected `export` (a mapping), found a string
      at /do/0/a/export
      help: write { as: '.x' }
    case.yaml:13:17: error[wrong-type]: expected a mapping, found a string
      at /do/0/a/metadata
    ");
}

#[test]
fn set() {
    assert_snapshot!(check_tasks("- a: { set: {} }\n- b: { set: [1] }\n- c: { set: }\n"), @r"
    case.yaml:7:10: error[bad-value]: `set` has nothing to set
      at /do/0/a/set
    case.yaml:8:10: error[wrong-type]: expected a mapping or an expression, found a list
      at /do/1/b/set
    case.yaml:9:10: error[wrong-type]: expected a mapping or an expression, found nothing
      at /do/2/c/set
    ");
}

#[test]
fn wait() {
    assert_snapshot!(check_tasks("- a: { wait: 30s }\n- b: { wait: 30 }\n- c: { wait: {} }\n- d: { wait: { secs: 1 } }\n- e: { wait: PT1D }\n- f: { wait: { seconds: -1 } }\n- g: { wait: { seconds: '1' } }\n- h: { wait: { days: 400000 } }\n- i: { wait: { seconds: 1.5 } }\n"), @r"
    case.yaml:7:16: error[bad-duration]: `30s` is not an ISO 8601 duration
      at /do/0/a/wait
      help: write { seconds: 30 }
    case.yaml:8:16: error[wrong-type]: expected a duration, found a number
      at /do/1/b/wait
      help: say of what: { seconds: 30 }
    case.yaml:9:10: error[bad-duration]: the duration is empty
      at /do/2/c/wait
      help: write { seconds: 30 }
    case.yaml:10:18: error[unknown-key]: unknown key `secs` in a duration
      at /do/3/d/wait/secs
      help: a duration has the keys `days`, `hours`, `minutes`, `seconds`, `milliseconds`
    case.yaml:11:16: error[bad-duration]: `PT1D` is not an ISO 8601 duration
      at /do/4/e/wait
      help: write it like PT30S, P1DT12H or { seconds: 30 }
    case.yaml:12:27: error[bad-value]: expected an integer from 0, found -1
      at /do/5/f/wait/seconds
    case.yaml:13:27: error[wrong-type]: expected an integer, found a string
      at /do/6/g/wait/seconds
      help: remove the quotes: 1
    case.yaml:14:10: error[bad-duration]: the duration is longer than 1000 years
      at /do/7/h/wait
    case.yaml:15:27: error[bad-value]: expected an integer from 0, found 1.5
      at /do/8/i/wait/seconds
    ");
}

#[test]
fn for_each() {
    assert_snapshot!(check_tasks("- a:\n    for: { each: $x, in: .xs, at: task, while: .x }\n    do: []\n"), @r"
    case.yaml:8:20: error[bad-name]: the name of a variable is written without its dollar sign here
      at /do/0/a/for/each
      help: write `x`
    case.yaml:8:37: error[bad-name]: `$task` is given by the language and cannot be a variable here
      at /do/0/a/for/at
      help: choose another name
    case.yaml:8:43: error[unknown-key]: unknown key `while` in `for`
      at /do/0/a/for/while
      help: it belongs beside `for`, not inside it
    ");
    assert_snapshot!(check_tasks("- a:\n    for: { each: index }\n- b:\n    for: { in: 3, concurrency: 0 }\n    do: []\n- c:\n    for: { in: .x, each: first name }\n    do: []\n"), @r"
    case.yaml:7:5: error[missing-key]: a `for` task needs the key `do`
      at /do/0/a
    case.yaml:8:7: error[missing-key]: `for` needs the key `in`
      at /do/0/a/for
    case.yaml:8:20: error[bad-name]: the item and its index are both called `index`
      at /do/0/a/for/each
      help: give one of them another name
    case.yaml:10:18: error[wrong-type]: expected an expression or a list, found a number
      at /do/1/b/for/in
    case.yaml:10:34: error[bad-value]: `concurrency` must be a number from 1 to 1000
      at /do/1/b/for/concurrency
    case.yaml:13:28: error[bad-name]: `first name` cannot be the name of a variable
      at /do/2/c/for/each
      help: use letters, digits and underscores, with no digit at the start
    ");
    assert_snapshot!(check_tasks("- a:\n    for: { in: .x, each: same, at: same }\n    do: []\n"), @r"
    case.yaml:8:38: error[bad-name]: the item and its index are both called `same`
      at /do/0/a/for/at
      help: give one of them another name
    ");
}

#[test]
fn fork() {
    assert_snapshot!(check_tasks("- a:\n    fork:\n      branches:\n      - x: { set: { x: 1 }, then: y }\n      - y: { set: { x: 1 }, needs: [z, x] }\n      compete: yes\n"), @r"
    case.yaml:10:37: error[unknown-task]: `then` cannot lead to `y`: the branches of a `fork` run at the same time
      at /do/0/a/fork/branches/0/x/then
      help: only `continue`, `exit` and `end` are possible here
    case.yaml:11:39: error[unknown-task]: there is no branch `z` in this `fork`
      at /do/0/a/fork/branches/1/y/needs/0
    case.yaml:12:18: error[wrong-type]: expected a boolean, found a string
      at /do/0/a/fork/compete
      help: write true or false, without quotes
    ");
    assert_snapshot!(check_tasks("- a:\n    fork:\n      branches:\n      - x: { set: { x: 1 }, needs: [y] }\n      - y: { set: { x: 1 }, needs: [w, z] }\n      - z: { set: { x: 1 }, needs: [y] }\n      - w: { set: { x: 1 } }\n"), @r"
    case.yaml:11:39: error[cycle]: these branches wait for one another: `y` needs `z` needs `y`
      at /do/0/a/fork/branches/1/y/needs/0
      help: remove one of the needs
    ");
    assert_snapshot!(check_tasks("- a:\n    fork:\n      branches:\n      - x: { set: { x: 1 } }\n      - y: { set: { x: 1 }, needs: [x] }\n      compete: true\n- b:\n    fork:\n      branches:\n      - z: { set: { x: 1 }, needs: [z] }\n"), @r"
    case.yaml:11:39: error[conflicting-keys]: a branch of a race cannot wait for another: whoever completes first ends the others
      at /do/0/a/fork/branches/1/y/needs/0
      help: remove `needs`, or `compete`
    case.yaml:16:39: error[cycle]: these branches wait for one another: `z` needs `z`
      at /do/1/b/fork/branches/0/z/needs/0
      help: remove one of the needs
    ");
    assert_snapshot!(check_tasks("- a:\n    fork: [x]\n- b: { fork: {} }\n"), @r"
    case.yaml:8:7: error[wrong-type]: expected `fork` (a mapping), found a list
      at /do/0/a/fork
    case.yaml:9:10: error[missing-key]: `fork` needs the key `branches`
      at /do/1/b/fork
    ");
}

#[test]
fn run() {
    assert_snapshot!(check_tasks("- a: { run: {} }\n- b: { run: { shell: { comand: ls } } }\n- c: { run: { shell: { command: ls }, script: { language: js, code: x }, return: out } }\n- d: { run: { script: { language: js } } }\n- e: { run: { container: { image: x, lifetime: { cleanup: always, after: PT1S } } } }\n- f: { run: { container: { image: x, lifetime: { cleanup: eventually } } } }\n- g: { run: { workflow: { name: x, namespace: y } } }\n"), @r"
    case.yaml:7:10: error[missing-key]: `run` needs exactly one of the keys `container`, `script`, `shell`, `workflow`
      at /do/0/a/run
    case.yaml:8:26: error[unknown-key]: unknown key `comand` in `shell`
      at /do/1/b/run/shell/comand
      help: did you mean `command`?
    case.yaml:9:41: error[conflicting-keys]: `run` can have only one of the keys `container`, `script`, `shell`, `workflow`
      at /do/2/c/run/script
      case.yaml:9:17: `shell` stands here
      help: remove one of `script` and `shell`
    case.yaml:9:84: error[bad-value]: `out` is not one of `stdout`, `stderr`, `code`, `all`, `none`
      at /do/2/c/run/return
    case.yaml:10:17: error[missing-key]: `script` needs exactly one of the keys `code`, `source`
      at /do/3/d/run/script
    case.yaml:11:69: error[conflicting-keys]: `after` goes with `cleanup: eventually`
      at /do/4/e/run/container/lifetime/after
      help: remove it
    case.yaml:12:40: error[missing-key]: `lifetime` needs the key `after`
      at /do/5/f/run/container/lifetime
    case.yaml:13:17: error[missing-key]: `workflow` needs the key `version`
      at /do/6/g/run/workflow
    ");
}

#[test]
fn compensate() {
    assert_snapshot!(check_tasks("- a:\n    set: { x: 1 }\n    compensate: { undo: { set: { x: 1 } } }\n"), @r"
    case.yaml:9:7: error[wrong-type]: expected a list of tasks, found a mapping
      at /do/0/a/compensate
      help: begin each task with a hyphen: `- undo:`
    ");
    assert_snapshot!(check_tasks("- a:\n    set: { x: 1 }\n    compensate:\n    - undo:\n        set: { x: 1 }\n        compensate: []\n    - more: { do: [ { last: { set: { x: 1 }, then: end } } ] }\n"), @r"
    case.yaml:12:11: error[conflicting-keys]: what undoes something is not undone in turn
      at /do/0/a/compensate/0/undo/compensate
      help: remove this `compensate`, and let the undo steps `try` again if need be
    case.yaml:13:54: error[bad-value]: the workflow cannot end where something is undone
      at /do/0/a/compensate/1/more/do/0/last/then
      help: write `exit`: the undo steps are over then
    ");
}
