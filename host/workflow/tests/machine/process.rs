use crate::support::{Run, diagnostics};
use baton_workflow::machine::Status;
use serde_json::json;

const SCRIPT: &str = "
do:
  - greet:
      run:
        script:
          language: js
          code: |
            console.log(`${process.argv[2]}`)
          arguments: [ '${ .name }', '${ .age }', plain ]
          environment: { HOME: /home, AGE: '${ .age }', NONE: '${ .missing }' }
          stdin: ${ {name} }
";

fn ended(code: i32) -> serde_json::Value {
    json!({"code": code, "stdout": "out\n", "stderr": "line 1\nline 2\n"})
}

#[test]
fn a_script_is_a_call_with_texts_and_its_standard_output_the_tasks_output() {
    let mut run = Run::start(SCRIPT, json!({"name": "Ada", "age": 36}));
    assert_eq!(run.status(), Status::Running);
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started greet
    invoke greet run@javascript {"code":"console.log(`${process.argv[2]}`)\n","arguments":["Ada","36","plain"],"environment":[["HOME","/home"],["AGE","36"]],"stdin":"{\"name\":\"Ada\"}"}
    "##);
    run.ok("greet", ended(0));
    assert_eq!(run.output(), json!("out\n"));
}

/// What of a process that ended with `code` is the output where `return` says this.
fn returned(what: &str, code: i32) -> Result<serde_json::Value, serde_json::Value> {
    let tasks =
        format!("do: [ {{ x: {{ run: {{ shell: {{ command: ls }}, return: {what} }} }} }} ]");
    let mut run = Run::start(&tasks, json!({}));
    run.ok("x", ended(code));
    match run.status() {
        Status::Completed => Ok(run.output()),
        _ => Err(run.error().to_value()),
    }
}

#[test]
fn return_says_what_of_the_process_is_the_output() {
    assert_eq!(returned("stdout", 0), Ok(json!("out\n")));
    assert_eq!(returned("stderr", 0), Ok(json!("line 1\nline 2\n")));
    assert_eq!(returned("code", 0), Ok(json!(0)));
    assert_eq!(returned("all", 0), Ok(ended(0)));
    assert_eq!(returned("none", 0), Ok(json!(null)));
}

#[test]
fn an_exit_code_that_nobody_asked_for_is_an_error() {
    let expected = json!({
        "type": "https://serverlessworkflow.io/spec/1.0.0/errors/runtime",
        "status": 500,
        "instance": "/do/0/x",
        "title": "The process failed",
        "detail": "the process ended with the exit code 3: line 1\nline 2",
        "data": ended(3),
    });
    assert_eq!(returned("stdout", 3), Err(expected.clone()));
    assert_eq!(returned("none", 3), Err(expected));
    assert_eq!(returned("code", 3), Ok(json!(3)));
    assert_eq!(returned("all", 3), Ok(ended(3)));
    assert_eq!(returned("stderr", 3), Ok(json!("line 1\nline 2\n")));
}

#[test]
fn a_container_has_the_recommended_name_unless_it_is_given_one() {
    let tasks = "
do:
  - first:
      run: { container: { image: alpine, lifetime: { cleanup: eventually, after: PT30M }, ports: { '8080': 80 } } }
  - second:
      run:
        container: { image: '${ .image }', name: '${ \"n-\\($workflow.id)\" }', command: echo $1, pullPolicy: always }
      input: { from: '{image: \"busybox\"}' }
";
    let mut run = Run::start(tasks, json!({}));
    run.ok("first", ended(0));
    run.ok("second", ended(0));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started first
    invoke first run@container {"image":"alpine","arguments":[],"environment":[],"ports":[["8080","80"]],"volumes":[],"cleanup":"eventually","pull-policy":"if-not-present","detached":false,"name":"test-run-1.test-first","after":1800000}
      task.completed first -> "out\n"
      task.started second
    invoke second run@container {"image":"busybox","name":"n-run-1","command":"echo $1","arguments":[],"environment":[],"ports":[],"volumes":[],"cleanup":"never","pull-policy":"always","detached":false}
      task.completed second -> "out\n"
      workflow.completed -> "out\n"
    end: completed "out\n"
    "##);
}

const UNAWAITED: &str = "
do:
  - back:
      run: { shell: { command: sleep 1 }, await: false }
  - pause: { wait: { seconds: 1 } }
";

#[test]
fn what_is_not_awaited_lets_the_input_pass_and_its_end_changes_nothing() {
    let mut run = Run::start(UNAWAITED, json!({"x": 1}));
    insta::assert_snapshot!(run.transcript(), @r#"
      workflow.started
      task.started back
    invoke back run@shell {"command":"sleep 1","arguments":[],"environment":[]}
      task.completed back -> {"x":1}
      task.started pause
    set wait pause 1000ms
    "#);
    assert_eq!(
        run.machine.outstanding().calls.len(),
        1,
        "it is made again after a crash"
    );
    assert_eq!(run.status(), Status::Waiting);
    run.fails("back", 500);
    assert_eq!(run.transcript(), "");
    assert_eq!(run.machine.outstanding().calls, []);
    run.elapse();
    assert_eq!(run.output(), json!({"x": 1}));
}

#[test]
fn cancelling_a_run_ends_what_it_has_not_awaited_too() {
    let mut run = Run::start(UNAWAITED, json!({}));
    run.transcript();
    run.apply(baton_workflow::Event::CancelRequested {
        by: "me".to_owned(),
        reason: None,
    });
    assert!(run.transcript().contains("abandon back\n"));
}

#[test]
fn what_is_wrong_with_a_process_is_said_at_publication() {
    let tasks = "
do:
  - a: { run: { script: { language: ruby, code: puts 1 } } }
  - b: { run: { shell: { command: 'echo \"Hello, ${ .user.name } ${HOME}\"' } } }
";
    insta::assert_snapshot!(diagnostics(tasks), @r#"
    test.yaml:4:37: error[unsupported]: there is no script language `ruby`
      at /do/0/a/run/script/language
      help: write `js` or `python`
    test.yaml:5:35: warning[no-effect]: `${ }` inside a longer text is not evaluated
      at /do/1/b/run/shell/command
      help: give the value as an argument, `arguments: [ '${ .name }' ]`, and write "$1" in the command
    "#);
}
