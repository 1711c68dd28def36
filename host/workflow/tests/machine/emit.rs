use crate::support::{AnyFunction, Run};
use baton_workflow::machine::Status;
use baton_workflow::{Document, Plan};
use serde_json::json;

#[test]
fn an_event_gets_what_the_document_leaves_out_and_the_input_passes_through() {
    let tasks = "
do:
  - notify:
      emit:
        event:
          with:
            type: com.example.order.placed
            subject: ${ .order }
            priority: 5
            data: { id: '${ .order }' }
";
    let mut run = Run::start(tasks, json!({"order": "o-1"}));
    assert_eq!(run.output(), json!({"order": "o-1"}));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started notify
    emit {"specversion":"1.0","type":"com.example.order.placed","subject":"o-1","priority":5,"data":{"id":"o-1"},"id":"run-1/do/0/notify/1/1","source":"/test/test/1.0.0","time":"1970-01-01T00:00:00.000Z"}
      task.completed notify -> {"order":"o-1"}
      workflow.completed -> {"order":"o-1"}
    end: completed {"order":"o-1"}
    "##);
}

#[test]
fn what_the_document_gives_goes_first() {
    let tasks = "
do:
  - notify:
      emit: { event: { with: { id: '${ .id }', source: 'https://example.org/{shop}', type: t, time: '2024-07-26T16:59:57Z' } } }
";
    let mut run = Run::start(tasks, json!({"id": 7, "shop": "a"}));
    insta::assert_snapshot!(run.transcript().lines().nth(2).unwrap_or_default(), @r##"emit {"specversion":"1.0","id":"7","source":"https://example.org/a","type":"t","time":"2024-07-26T16:59:57Z"}"##);
}

#[test]
fn each_visit_and_each_attempt_emits_another_event() {
    let tasks = "
do:
  - loop:
      for: { in: '[1, 2]' }
      do:
        - attempt:
            try:
              - notify: { emit: { event: { with: { type: t } } } }
              - step: { call: f@any }
            catch: { retry: { delay: PT1S, limit: { attempt: { count: 3 } } } }
";
    let mut run = Run::start(tasks, json!({}));
    run.fails("step", 500);
    run.elapse();
    run.ok("step", json!({}));
    let transcript = run.transcript();
    let ids: Vec<&str> = transcript
        .lines()
        .filter_map(|line| line.split_once("\"id\":\"")?.1.split('"').next())
        .map(|id| id.rsplit_once("/notify/").expect("its pointer").1)
        .collect();
    assert_eq!(ids, ["1/1", "1/2", "2/1"]);
}

#[test]
fn what_is_no_event_faults() {
    let tasks = "do: [ { notify: { emit: { event: { with: { type: '${ .type }' } } } } } ]";
    let error = Run::start(tasks, json!({"type": ""})).error();
    assert_eq!(error.status, 400);
    assert_eq!(
        error.detail.as_deref(),
        Some("the attribute `type` must not be empty")
    );
}

#[test]
fn a_name_that_no_attribute_can_have_is_seen_before() {
    let text = "document: { dsl: '1.0.3', namespace: a, name: b, version: '1.0.0' }\ndo:\n- a: { emit: { event: { with: { type: x, roomId: 5 } } } }\n";
    let document = Document::parse(text, None).expect("a document");
    let diagnostics = Plan::new(&document, &AnyFunction).expect_err("it is wrong");
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].pointer, "/do/0/a/emit/event/with/roomId");
}

#[test]
fn an_event_that_is_larger_than_may_be_is_an_error() {
    let tasks = "
do:
  - notify: { emit: { event: { with: { type: t, data: '${ .text }' } } } }
";
    let fits = Run::start(tasks, json!({"text": "x".repeat((1 << 20) - 500)}));
    assert_eq!(fits.status(), Status::Completed);
    let run = Run::start(tasks, json!({"text": "x".repeat(1 << 20)}));
    let error = run.error();
    assert_eq!(error.status, 400);
    let detail = error.detail.as_deref().unwrap_or_default();
    assert!(
        detail.contains("the largest event may have 1048576"),
        "{detail}"
    );
}
