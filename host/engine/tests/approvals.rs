//! What people are asked and decide, with a crash before and after every commit: everything is asked once, and
//! decided once.

mod support;

use std::sync::Arc;
use std::time::Duration;

use baton_engine::{
    Answer, ApprovalFilter, ApprovalStatus, ApprovalView, DecideError, Decision, NoteKind, RunId,
    Status, TenantId,
};
use baton_store::{Fault, MemoryStore};
use serde_json::{Value, json};

use support::crashing::{Crashing, faults, told};
use support::{Host, Script, start};

/// A call, a question and a call.
const ASKS: &str = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do:
  - before: { call: http, with: { method: get, endpoint: 'https://example.org/1' } }
  - ask: { call: approval, with: { title: 'Go?' } }
  - after:
      call: http
      with: { method: get, endpoint: 'https://example.org/2' }
      output: { as: '${ $input.by }' }
";

/// Where nobody decides within an hour, somebody else is asked.
const ESCALATES: &str = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do:
  - decide:
      try:
        - first: { call: approval, with: { title: First }, timeout: { after: PT1H } }
      catch:
        errors: { with: { status: 408 } }
        do: [ { second: { call: approval, with: { title: Second } } } ]
";

async fn listed(host: &Host, status: ApprovalStatus) -> Vec<ApprovalView> {
    let filter = ApprovalFilter {
        status: Some(status),
        ..ApprovalFilter::default()
    };
    let tenant = TenantId::default();
    let page = host.engine.approvals(&tenant, &filter, None, 9).await;
    page.expect("listed").items
}

/// How many of the run's questions are in each place: open, decided, withdrawn.
async fn places(host: &Host) -> [usize; 3] {
    let open = listed(host, ApprovalStatus::Open).await.len();
    let approved = listed(host, ApprovalStatus::Approved).await.len();
    let rejected = listed(host, ApprovalStatus::Rejected).await.len();
    let withdrawn = listed(host, ApprovalStatus::Withdrawn).await.len();
    [open, approved + rejected, withdrawn]
}

async fn decide(
    host: &Host,
    asked: &ApprovalView,
    by: &str,
    decision: Decision,
) -> Result<ApprovalView, DecideError> {
    let answer = Answer {
        decision,
        by: by.to_owned(),
        comment: None,
        data: Arc::new(Value::Null),
    };
    let tenant = TenantId::default();
    host.engine.decide(&tenant, &asked.id, answer).await
}

/// A run asks and ada approves; after the crash, bob rejects. Says whether ada was answered, and whether the crash
/// came.
async fn ask_and_decide(fault: Fault) -> (bool, bool) {
    let script = Script::default();
    script.hold_only(&["before"]);
    let called = script.clone();
    let is_called = async |_: &Host, _: &RunId| !called.called().is_empty();
    let mut world = Crashing::start(ASKS, script.clone(), fault, is_called).await;
    script.hold_only(&[]);
    let is_asked = async || !listed(&world.host, ApprovalStatus::Open).await.is_empty();
    world.until("somebody is asked", is_asked).await;
    let asked = listed(&world.host, ApprovalStatus::Open).await.pop();
    let mut acknowledged = false;
    if let Some(asked) = asked {
        let decided = world.ask(decide(&world.host, &asked, "ada", Decision::Approved));
        acknowledged = decided.await.is_some_and(|answer| answer.is_ok());
        if acknowledged {
            let ended = async || world.view().await.status.is_ended();
            world.until("the run ends", ended).await;
        }
    }
    let crashed = world.open_again().await;

    support::until("it is asked or decided", async || {
        let [open, decided, withdrawn] = places(&world.host).await;
        assert_eq!(withdrawn, 0, "{fault:?}");
        open + decided == 1
    })
    .await;
    if let Some(open) = listed(&world.host, ApprovalStatus::Open).await.pop() {
        assert!(!acknowledged, "{fault:?}: what was answered is lost");
        let decided = decide(&world.host, &open, "bob", Decision::Rejected).await;
        assert_eq!(decided.expect("decided").status(), ApprovalStatus::Rejected);
    } else {
        let first = listed(&world.host, ApprovalStatus::Approved)
            .await
            .remove(0);
        let late = decide(&world.host, &first, "bob", Decision::Rejected).await;
        let is_late = matches!(&late, Err(DecideError::Decided { by, .. }) if by == "ada");
        assert!(is_late, "{fault:?}: {late:?}");
    }
    let end = world.host.end(&world.run).await;
    assert_eq!(end.status, Status::Completed, "{fault:?}: {:?}", end.error);
    let by = end.output.expect("an output");
    let expected = match listed(&world.host, ApprovalStatus::Approved).await.len() {
        1 => json!("ada"),
        _ => json!("bob"),
    };
    assert_eq!(*by, expected, "{fault:?}: the run has what is on record");
    assert_eq!(places(&world.host).await, [0, 1, 0], "{fault:?}");
    let lines = world.history().await;
    let completed = told(&lines, NoteKind::TaskCompleted);
    assert_eq!(completed, ["before", "ask", "after"], "{fault:?}");
    world.host.engine.shutdown().await;
    (acknowledged, crashed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_once_and_decides_once_through_a_crash_at_any_commit() {
    let (mut lost, mut crashes) = (0, 0);
    for fault in faults(7) {
        let (acknowledged, crashed) = ask_and_decide(fault).await;
        lost += usize::from(!acknowledged);
        crashes += usize::from(crashed);
    }
    assert!(
        lost > 1 && crashes > 4,
        "the faults have to hit the run: {lost} {crashes}"
    );
}

/// Nobody decides in time, and then somebody else does.
async fn escalate(fault: Fault) -> bool {
    let is_asked = async |host: &Host, _: &RunId| places(host).await[0] == 1;
    let mut world = Crashing::start(ESCALATES, Script::default(), fault, is_asked).await;
    world.host.clock.advance(Duration::from_secs(3601));
    let titled = async |host: &Host, title: &str| {
        let open = listed(host, ApprovalStatus::Open).await;
        open.into_iter().find(|it| it.approval.title == title)
    };
    let is_second = async || titled(&world.host, "Second").await.is_some();
    world.until("somebody else is asked", is_second).await;
    let [open, decided, _] = places(&world.host).await;
    assert_eq!(open + decided, 1, "{fault:?}: one at a time");
    let mut acknowledged = false;
    if let Some(second) = titled(&world.host, "Second").await {
        let decided = world.ask(decide(&world.host, &second, "ada", Decision::Approved));
        acknowledged = decided.await.is_some_and(|answer| answer.is_ok());
    }
    let crashed = world.open_again().await;

    world.host.clock.advance(Duration::from_secs(3601));
    support::until("somebody else is asked, or has decided", async || {
        is_settled(&world.host).await || titled(&world.host, "Second").await.is_some()
    })
    .await;
    if let Some(second) = titled(&world.host, "Second").await {
        assert!(!acknowledged, "{fault:?}: what was answered is lost");
        let decided = decide(&world.host, &second, "bob", Decision::Approved).await;
        decided.expect("decided");
    }
    let end = world.host.end(&world.run).await;
    assert_eq!(end.status, Status::Completed, "{fault:?}: {:?}", end.error);
    assert_eq!(places(&world.host).await, [0, 1, 1], "{fault:?}");
    let first = listed(&world.host, ApprovalStatus::Withdrawn)
        .await
        .remove(0);
    assert_eq!(first.approval.title, "First", "{fault:?}");
    let late = decide(&world.host, &first, "eve", Decision::Approved).await;
    assert!(matches!(late, Err(DecideError::Withdrawn)), "{late:?}");
    world.host.engine.shutdown().await;
    crashed
}

/// Whether somebody has decided.
async fn is_settled(host: &Host) -> bool {
    places(host).await[1] == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_decides_in_time_another_is_asked_through_a_crash_at_any_commit() {
    let mut crashes = 0;
    for fault in faults(4) {
        crashes += usize::from(escalate(fault).await);
    }
    assert!(crashes > 2, "the faults have to hit the run: {crashes}");
}

/// What a run has asked is open as long as the run is.
async fn cancel(fault: Fault) -> bool {
    let is_asked = async |host: &Host, _: &RunId| places(host).await[0] == 1;
    let mut world = Crashing::start(ASKS, Script::default(), fault, is_asked).await;
    let tenant = TenantId::default();
    let request = world.host.engine.cancel(&tenant, &world.run, "ada", None);
    let acknowledged = world.ask(request).await.is_some_and(|it| it.is_ok());
    let crashed = world.open_again().await;
    let cancelled = world.view().await.status == Status::Cancelled;
    assert!(
        cancelled || !acknowledged,
        "{fault:?}: what was answered is lost"
    );
    let expected = if cancelled { [0, 0, 1] } else { [1, 0, 0] };
    assert_eq!(places(&world.host).await, expected, "{fault:?}");
    world.host.engine.shutdown().await;
    crashed
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_is_withdrawn_with_the_run_through_a_crash_at_any_commit() {
    let mut crashes = 0;
    for fault in faults(2) {
        crashes += usize::from(cancel(fault).await);
    }
    assert!(crashes > 1, "the faults have to hit the run: {crashes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_decides_whoever_does_at_the_same_time() {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    let tenant = TenantId::default();
    host.engine.publish(&tenant, ASKS).await.expect("published");
    let run = host.engine.start(&tenant, start("work", json!({}))).await;
    let run = run.expect("started").id;
    host.until(&run, Status::Waiting).await;
    let asked = listed(&host, ApprovalStatus::Open).await.remove(0).id;
    let decisions: Vec<_> = (0..8)
        .map(|number| {
            let (engine, tenant) = (host.engine.clone(), tenant.clone());
            let answer = Answer {
                decision: Decision::Approved,
                by: format!("person-{number}"),
                comment: None,
                data: Arc::new(Value::Null),
            };
            tokio::spawn(async move { engine.decide(&tenant, &asked, answer).await })
        })
        .collect();
    let (mut taken, mut told) = (Vec::new(), Vec::new());
    for (number, decided) in decisions.into_iter().enumerate() {
        match decided.await.expect("no panic") {
            Ok(_) => taken.push(format!("person-{number}")),
            Err(DecideError::Decided { by, .. }) => told.push(by),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((taken.len(), told.len()), (1, 7));
    assert!(told.iter().all(|by| *by == taken[0]), "{taken:?} {told:?}");
    let end = host.end(&run).await;
    assert_eq!(*end.output.expect("an output"), json!(taken[0]));
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_that_tries_again_asks_again_under_the_same_id() {
    let document = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do:
  - careful:
      try:
        - ask: { call: approval, with: { title: 'Go?' } }
        - go: { call: http, with: { method: get, endpoint: 'https://example.org/1' }, output: { as: '${ $input.by }' } }
      catch: { retry: { delay: { hours: 1 }, limit: { attempt: { count: 1 } } } }
";
    let script = Script::default();
    script.break_only(&["go"]);
    let host = Host::open(Arc::new(MemoryStore::new()), &script);
    let tenant = TenantId::default();
    let published = host.engine.publish(&tenant, document).await;
    published.expect("published");
    let run = host.engine.start(&tenant, start("work", json!({}))).await;
    let run = run.expect("started").id;
    host.until(&run, Status::Waiting).await;
    let first = listed(&host, ApprovalStatus::Open).await.remove(0);
    let approved = decide(&host, &first, "ada", Decision::Approved).await;
    approved.expect("decided");
    support::until("it pauses before it tries again", async || {
        let lines = host.engine.history(&tenant, &run, 0, 999).await;
        let lines = lines.expect("read").expect("there");
        !told(&lines, NoteKind::TaskRetried).is_empty()
    })
    .await;
    assert_eq!(places(&host).await, [0, 1, 0]);
    script.break_only(&[]);
    host.clock.advance(Duration::from_secs(3601));
    let is_asked = async || places(&host).await == [1, 0, 0];
    support::until("it is asked again", is_asked).await;
    let again = listed(&host, ApprovalStatus::Open).await.remove(0);
    assert_eq!((again.id, again.approval.attempt), (first.id, 2));
    let approved = decide(&host, &again, "bob", Decision::Approved).await;
    approved.expect("decided");
    let end = host.end(&run).await;
    assert_eq!(*end.output.expect("an output"), json!("bob"));
    host.engine.shutdown().await;
}
