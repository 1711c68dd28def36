use crate::support::Run;
use baton_workflow::Event;
use baton_workflow::machine::{Answer, Decision, Status};
use serde_json::json;

fn suspend() -> Event {
    Event::SuspendRequested {
        by: "ada".into(),
        reason: Some("maintenance".into()),
    }
}

fn resume() -> Event {
    Event::ResumeRequested {
        by: "bob".into(),
        reason: None,
    }
}

const BOTH: &str = "
do:
  - both:
      fork:
        branches:
          - left: { do: [ { call: { call: f@any } }, { next: { call: g@any } } ] }
          - right: { do: [ { pause: { wait: PT1S } }, { last: { set: { at: '${ $task.startedAt.epoch.milliseconds }' } } } ] }
";

#[test]
fn nothing_goes_on_until_the_run_is_resumed() {
    let mut run = Run::start(BOTH, json!({}));
    run.apply(suspend());
    assert_eq!(run.status(), Status::Suspended);
    run.transcript();
    run.ok("call", json!(1));
    run.elapse();
    assert_eq!(run.transcript(), "");
    // What has happened meanwhile need not be waited for again, after a crash either.
    let outstanding = run.machine.outstanding();
    assert!(outstanding.calls.is_empty() && outstanding.timers.is_empty());
    run.pass(std::time::Duration::from_secs(9));
    run.apply(resume());
    assert_eq!(run.status(), Status::Running);
    run.ok("next", json!(2));
    assert_eq!(run.output(), json!([2, {"at": 10_000}]));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.resumed
      task.resumed both
      task.resumed left
      task.resumed right
      task.resumed call
      task.resumed pause
      task.completed call -> 1
      task.started next
    invoke next g@any {}
      task.completed pause -> {}
      task.started last
      task.completed last -> {"at":10000}
      task.completed right -> {"at":10000}
      task.completed next -> 2
      task.completed left -> 2
      task.completed both -> [2,{"at":10000}]
      workflow.completed -> [2,{"at":10000}]
    end: completed [2,{"at":10000}]
    "##);
}

#[test]
fn a_second_request_changes_nothing() {
    let mut run = Run::start(BOTH, json!({}));
    run.transcript();
    run.apply(resume());
    assert_eq!(run.transcript(), "");
    run.apply(suspend());
    run.apply(suspend());
    run.apply(resume());
    insta::assert_snapshot!(run.transcript(), @r"
      workflow.suspended
      task.suspended both
      task.suspended left
      task.suspended right
      task.suspended call
      task.suspended pause
      workflow.resumed
      task.resumed both
      task.resumed left
      task.resumed right
      task.resumed call
      task.resumed pause
    ");
}

#[test]
fn a_suspended_run_can_be_cancelled() {
    let mut run = Run::start(BOTH, json!({}));
    run.apply(suspend());
    run.ok("call", json!(1));
    run.apply(Event::CancelRequested {
        by: "ada".into(),
        reason: None,
    });
    assert_eq!(run.status(), Status::Cancelled);
}

#[test]
fn what_has_come_to_its_end_meanwhile_is_undone_when_the_run_is_cancelled() {
    let tasks = "
do:
  - book: { call: f@any, compensate: [ { cancel: { call: g@any, with: { n: '${ . }' } } } ] }
  - pay: { call: h@any }
";
    let mut run = Run::start(tasks, json!({}));
    run.apply(suspend());
    run.ok("book", json!(5));
    run.transcript();
    run.apply(Event::CancelRequested {
        by: "ada".into(),
        reason: None,
    });
    insta::assert_snapshot!(run.transcript(), @r##"
      task.completed book -> 5
      task.compensation.started book
      task.started cancel
    invoke cancel g@any {"n":5}
    "##);
    run.ok("cancel", json!(null));
    assert_eq!(run.status(), Status::Cancelled);
}

#[test]
fn a_cancelled_run_does_not_complete_by_what_has_come_to_its_end_meanwhile() {
    for last in ["{ call: f@any }", "{ call: f@any, then: end }"] {
        let last = last.replace("f@any", "f@any, compensate: [ { undo: { call: g@any } } ]");
        let tasks = format!("do: [ {{ around: {{ do: [ {{ last: {last} }} ] }} }} ]");
        let mut run = Run::start(&tasks, json!({}));
        run.apply(suspend());
        run.ok("last", json!(5));
        run.apply(Event::CancelRequested {
            by: "ada".into(),
            reason: None,
        });
        run.ok("undo", json!(null));
        assert_eq!(run.status(), Status::Cancelled, "{last}");
    }
}

#[test]
fn what_ends_the_run_makes_the_rest_void() {
    let mut run = Run::start(BOTH, json!({}));
    run.apply(suspend());
    run.fails("call", 500);
    run.elapse();
    run.apply(resume());
    assert_eq!(run.error().status, 500);
}

#[test]
fn who_was_asked_may_decide_meanwhile_once() {
    let tasks = "do: [ { ask: { call: approval, with: { title: x } } } ]";
    let mut run = Run::start(tasks, json!({}));
    let asked = run.machine.outstanding().approvals.remove(0);
    run.apply(suspend());
    assert!(run.machine.approval(&asked.task).is_some());
    run.apply(Event::Decided {
        task: asked.task.clone(),
        attempt: 1,
        answer: Answer {
            decision: Decision::Approved,
            by: "ada".into(),
            comment: None,
            data: json!(null).into(),
        },
    });
    assert!(run.machine.approval(&asked.task).is_none());
    run.apply(resume());
    assert_eq!(run.output()["decision"], json!("approved"));
}
