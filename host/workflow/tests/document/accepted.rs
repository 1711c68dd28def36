//! What is accepted, and what the model says about it.

use std::time::Duration;

use baton_workflow::document::{Call, Flow, FunctionTarget, TaskKind};
use serde_json::json;

use super::{HEADER, parse, with_tasks};

#[test]
fn yaml_1_2_scalars_are_what_they_say() {
    let document = parse(&with_tasks(
        "- a:\n    set: { on: yes, no: ~, t: true, i: 0x10, f: 1e3, s: '1', big: 18446744073709551615 }\n",
    ));
    let expected = json!({"on": "yes", "no": null, "t": true, "i": 16, "f": 1000.0, "s": "1", "big": u64::MAX});
    assert_eq!(document.value_at("/do/0/a/set"), Some(&expected));
}

#[test]
fn json_that_is_no_yaml_is_read() {
    let key = "k".repeat(1024);
    let text = format!(
        "{{\n\t\"document\": {{\"dsl\": \"1.0.3\", \"namespace\": \"t\", \"name\": \"a\", \"version\": \"1.0.0\"}},\n\t\"do\": [{{\"a\": {{\"set\": {{\"face\": \"\\ud83d\\ude00\\/\", \"{key}\": 1}}}}}}]\n}}\n"
    );
    let document = parse(&text);
    assert_eq!(document.value_at("/do/0/a/set/face"), Some(&json!("😀/")));
    assert_eq!(document.text(), text);
}

#[test]
fn places_are_found_by_pointer() {
    let text = with_tasks("- a/b:\n    set:\n      ä: [1, two]\n      nothing:\n    then: end\n");
    let document = parse(&text);
    let at = |pointer: &str| {
        document
            .span_of(pointer)
            .map(|span| &text[span.start..span.end])
    };
    assert_eq!(at("/do/0/a~1b/then"), Some("end"));
    assert_eq!(at("/do/0/a~1b/set/ä/1"), Some("two"));
    assert_eq!(at("/do/0/a~1b/set/ä"), Some("[1, two]"));
    assert_eq!(at("/do/0/a~1b/set/nothing"), Some("nothing"));
    assert_eq!(at("/do/0/a~1b/set"), Some("ä: [1, two]\n        nothing"));
    assert_eq!(at("/do/1"), None);
    let key = document
        .key_span_of("/do/0/a~1b")
        .map(|span| &text[span.start..span.end]);
    assert_eq!(key, Some("a/b"));
    let error = document.error_at("/do/0/a~1b/set/ä/7/x", "unsupported", "missing");
    assert_eq!(
        &text[error.span.start..error.span.end],
        "ä",
        "the nearest part around it"
    );
}

#[test]
fn a_task_is_read_as_what_it_is() {
    let document = parse(&with_tasks(
        "- a: { call: 'users/create-user:1.2@scim', with: { user: x }, then: c, timeout: { after: PT1M } }\n- b: { wait: { minutes: 1, seconds: 30 } }\n- c: { for: { in: .xs }, while: .x, do: [] }\n",
    ));
    let tasks = &document.workflow().tasks.tasks;
    let TaskKind::Call(Call::Function(call)) = &tasks[0].kind else {
        panic!("{:?}", tasks[0].kind)
    };
    let target = FunctionTarget::Connector {
        interface: Some("users".to_owned()),
        function: "create-user".to_owned(),
        version: Some("1.2".to_owned()),
        connector: "scim".to_owned(),
    };
    assert_eq!(call.target, target);
    assert_eq!(tasks[0].location.pointer.to_string(), "/do/0/a");
    assert_eq!(tasks[0].then.as_deref(), Some(&Flow::To("c".to_owned())));
    let timeout = tasks[0].timeout.as_ref().expect("it has one");
    assert_eq!(
        document.workflow().timeout(timeout).after.fixed(),
        Some(Duration::from_secs(60))
    );
    let TaskKind::Wait(wait) = &tasks[1].kind else {
        panic!("{:?}", tasks[1].kind)
    };
    assert_eq!(wait.duration.fixed(), Some(Duration::from_secs(90)));
    let TaskKind::For(each) = &tasks[2].kind else {
        panic!("{:?}", tasks[2].kind)
    };
    assert_eq!(
        (each.item_variable(), each.index_variable()),
        ("item", "index")
    );
}

#[test]
fn references_lead_to_definitions() {
    let document = parse(&format!(
        "{HEADER}use:\n  errors: {{ gone: {{ type: 'urn:gone', status: 410 }} }}\ndo:\n- a: {{ raise: {{ error: gone }} }}\n"
    ));
    let workflow = document.workflow();
    let TaskKind::Raise(raise) = &workflow.tasks.tasks[0].kind else {
        panic!("a `raise` task")
    };
    assert_eq!(*workflow.error(&raise.error).status, 410);
}
