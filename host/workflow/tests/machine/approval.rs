use crate::support::Run;
use baton_workflow::machine::{Answer, Decision};
use baton_workflow::{Command, Event};
use serde_json::{Value, json};

const RELEASE: &str = "
do:
  - ask:
      call: approval
      with:
        title: '${ \"Release \\(.version)?\" }'
        description: It goes to everybody.
        assignees: [ada, '${ .second }']
        form: { type: object, required: [reason], properties: { reason: { type: string } } }
      timeout: { after: PT1H }
  - then: { set: '${ .decision }' }
";

fn decided(run: &Run, decision: Decision, data: Value) -> Event {
    let asked = &run.machine.outstanding().approvals[0];
    Event::Decided {
        task: asked.task.clone(),
        attempt: asked.attempt,
        answer: Answer {
            decision,
            by: "ada".into(),
            comment: None,
            data: data.into(),
        },
    }
}

#[test]
fn a_person_is_asked_and_what_they_decide_is_the_output() {
    let mut run = Run::start(RELEASE, json!({"version": 7, "second": "bob"}));
    let asked = run.machine.outstanding().approvals.remove(0);
    assert_eq!(asked.title, "Release 7?");
    assert_eq!(asked.assignees, ["ada", "bob"]);
    assert!(asked.may_be_decided_by("bob") && !asked.may_be_decided_by("eve"));
    assert_eq!(asked.check(&json!({"reason": "ready"})), Ok(()));
    let wrong = asked.check(&json!({"reason": 1})).expect_err("a number");
    assert!(wrong.detail.is_some_and(|it| it.starts_with("/reason: ")));
    let event = decided(&run, Decision::Rejected, json!({"reason": "no"}));
    run.apply(event.clone());
    run.apply(event);
    assert_eq!(run.output(), json!("rejected"));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started ask
    set timeout ask 3600000ms
    ask ask: Release 7?
    clear timeout ask
      task.completed ask -> {"decision":"rejected","by":"ada","comment":null,"data":{"reason":"no"},"at":"1970-01-01T00:00:00.000Z"}
      task.started then
      task.completed then -> "rejected"
      workflow.completed -> "rejected"
    end: completed "rejected"
    "##);
}

#[test]
fn nobody_needs_to_decide_when_the_time_is_over_or_the_run_ends() {
    let mut run = Run::start(RELEASE, json!({"second": "bob"}));
    run.transcript();
    run.elapse();
    assert!(run.error().type_uri.ends_with("/timeout"));
    insta::assert_snapshot!(run.transcript(), @r##"
    withdraw ask
      task.faulted ask !! timeout 408
      workflow.faulted !! timeout 408
    end: faulted 408 at /do/0/ask
    "##);

    let mut run = Run::start(RELEASE, json!({"second": "bob"}));
    run.apply(Event::CancelRequested {
        by: "ada".into(),
        reason: None,
    });
    let withdrawn = |it: &Command| matches!(it, Command::Withdraw { .. });
    assert!(run.commands.iter().any(withdrawn));
}

#[test]
fn what_cannot_be_asked_is_an_error() {
    for (with, title) in [
        ("assignees: '${ 5 }'", "There is nobody to ask"),
        ("assignees: '${ [1] }'", "There is nobody to ask"),
        (
            "form: '${ { type: \"strange\" } }'",
            "The form is no JSON Schema",
        ),
    ] {
        let tasks =
            format!("do: [ {{ ask: {{ call: approval, with: {{ title: x, {with} }} }} }} ]");
        let error = Run::start(&tasks, json!({})).error();
        assert_eq!(error.title.as_deref(), Some(title));
    }
}
