use std::time::Duration;

use crate::support::Run;
use baton_workflow::machine::Status;
use serde_json::json;

#[test]
fn a_wait_ends_when_its_time_is_over() {
    let tasks = "do: [ { pause: { wait: { minutes: 1 } } }, { more: { wait: '${ .more }' } } ]";
    let mut run = Run::start(tasks, json!({"more": "PT5S"}));
    assert_eq!(run.status(), Status::Waiting);
    run.elapse();
    assert_eq!(
        (run.status(), run.now.as_millis()),
        (Status::Waiting, 60_000)
    );
    run.elapse();
    assert_eq!(
        (run.output(), run.now.as_millis()),
        (json!({"more": "PT5S"}), 65_000)
    );
}

#[test]
fn what_is_no_duration_faults() {
    let run = Run::start("do: [ { pause: { wait: '${ 5 }' } } ]", json!({}));
    assert!(
        run.error()
            .detail
            .is_some_and(|detail| detail.contains("PT30S"))
    );
}

#[test]
fn a_cancelled_run_waits_no_longer() {
    let mut run = Run::start("do: [ { pause: { wait: { days: 1 } } } ]", json!({}));
    run.pass(Duration::from_secs(1));
    run.transcript();
    run.apply(baton_workflow::Event::CancelRequested {
        by: "ada".to_owned(),
        reason: None,
    });
    assert_eq!(run.status(), Status::Cancelled);
    insta::assert_snapshot!(run.transcript(), @r##"
    clear wait pause
      task.cancelled pause
      workflow.cancelled
    end: cancelled
    "##);
}
