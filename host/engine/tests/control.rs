//! What people do to open runs, with a crash before and after every commit: what was answered stays, what was not
//! can be asked for again, and nothing happens twice.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use baton_engine::{ControlError, NoteKind, RunId, Status, TenantId};
use baton_store::Fault;

use support::crashing::{Crashing, faults, told};
use support::{Host, Script};

/// A call and a wait beside each other, and a call after both.
const BOTH: &str = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do:
  - both:
      fork:
        branches:
          - left: { call: http, with: { method: get, endpoint: 'https://example.org/1' } }
          - right: { wait: { hours: 1 } }
  - last: { call: http, with: { method: get, endpoint: 'https://example.org/2' } }
";

/// Two calls that can be undone, and a wait.
const SAGA: &str = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do:
  - one:
      call: http
      with: { method: post, endpoint: 'https://example.org/1' }
      compensate: [ { undoOne: { call: http, with: { method: delete, endpoint: 'https://example.org/1' } } } ]
  - two:
      call: http
      with: { method: post, endpoint: 'https://example.org/2' }
      compensate: [ { undoTwo: { call: http, with: { method: delete, endpoint: 'https://example.org/2' } } } ]
  - rest: { wait: { hours: 1 } }
";

const HOUR: Duration = Duration::from_secs(3601);

async fn is_waiting(host: &Host, run: &RunId) -> bool {
    let now = host.engine.run(&TenantId::default(), run).await;
    now.expect("read").expect("there").status == Status::Waiting
}

impl Crashing {
    /// Whether the answer came.
    async fn suspend(&self, by: &str) -> bool {
        let tenant = TenantId::default();
        let request = self.host.engine.suspend(&tenant, &self.run, by, None);
        self.ask(request).await.is_some_and(|answer| answer.is_ok())
    }

    async fn resume(&self, by: &str) -> bool {
        let tenant = TenantId::default();
        let request = self.host.engine.resume(&tenant, &self.run, by, None);
        self.ask(request).await.is_some_and(|answer| answer.is_ok())
    }

    async fn cancel(&self, by: &str) -> bool {
        let tenant = TenantId::default();
        let request = self.host.engine.cancel(&tenant, &self.run, by, None);
        self.ask(request).await.is_some_and(|answer| answer.is_ok())
    }

    async fn stop(&self, by: &str) -> bool {
        let tenant = TenantId::default();
        let request = self.host.engine.stop(&tenant, &self.run, by, None);
        self.ask(request).await.is_some_and(|answer| answer.is_ok())
    }
}

/// Suspends a run while a call is under way and a timer is set, lets both come to their end, and resumes it. Says
/// what of it was answered, and whether the crash came.
async fn suspend_and_resume(fault: Fault) -> (bool, bool, bool) {
    let script = Script::default();
    script.hold_only(&["left"]);
    let called = script.clone();
    let is_called = async |_: &Host, _: &RunId| !called.called().is_empty();
    let mut world = Crashing::start(BOTH, script.clone(), fault, is_called).await;
    world
        .until("it is called again", async || script.called().len() > 1)
        .await;
    let suspended = world.suspend("ada").await;
    let mut resumed = false;
    if suspended {
        assert_eq!(world.view().await.status, Status::Suspended, "{fault:?}");
        let before = world.events();
        script.hold_only(&[]);
        world.host.clock.advance(HOUR);
        world
            .until("the answer and the time are kept", async || {
                world.events() == before + 2
            })
            .await;
        assert_eq!(world.view().await.status, Status::Suspended, "{fault:?}");
        resumed = world.resume("bob").await;
        let ended = async || world.view().await.status.is_ended();
        if resumed {
            world.until("the run ends", ended).await;
        }
    }
    let crashed = world.open_again().await;

    script.hold_only(&[]);
    let now = world.view().await;
    if now.status == Status::Suspended {
        assert!(!resumed, "{fault:?}: what was answered is lost");
        assert!(world.resume("bob").await, "{fault:?}");
    } else if suspended && !now.status.is_ended() {
        assert!(
            told(&world.history().await, NoteKind::WorkflowResumed).len() == 1,
            "{fault:?}: what was answered is lost"
        );
    }
    world.host.clock.advance(HOUR);
    let end = world.host.end(&world.run).await;
    assert_eq!(end.status, Status::Completed, "{fault:?}: {:?}", end.error);

    let lines = world.history().await;
    let suspensions = told(&lines, NoteKind::WorkflowSuspended).len();
    assert!(suspensions <= 1, "{fault:?}");
    assert!(!suspended || suspensions == 1, "{fault:?}");
    let resumptions = told(&lines, NoteKind::WorkflowResumed).len();
    assert_eq!(resumptions, suspensions, "{fault:?}");
    let mut completed = told(&lines, NoteKind::TaskCompleted);
    completed.sort_unstable();
    assert_eq!(completed, ["both", "last", "left", "right"], "{fault:?}");
    let different: BTreeSet<_> = script.called().into_iter().collect();
    assert_eq!(different.len(), 2, "{fault:?}: the same calls, again");
    world.host.engine.shutdown().await;
    (suspended, resumed, crashed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_run_stands_still_and_goes_on_through_a_crash_at_any_commit() {
    let (mut unsuspended, mut unresumed, mut crashes) = (0, 0, 0);
    for fault in faults(9) {
        let (suspended, resumed, crashed) = suspend_and_resume(fault).await;
        unsuspended += usize::from(!suspended);
        unresumed += usize::from(suspended && !resumed);
        crashes += usize::from(crashed);
    }
    assert!(
        unsuspended > 0 && unresumed > 0 && crashes > 4,
        "the faults have to hit the run: {unsuspended} {unresumed} {crashes}"
    );
}

/// Cancels a run that has done something. Says whether it was answered, and whether the crash came.
async fn cancel(fault: Fault) -> (bool, bool) {
    let mut world = Crashing::start(SAGA, Script::default(), fault, is_waiting).await;
    let acknowledged = world.cancel("ada").await;
    if acknowledged {
        let ended = async || world.view().await.status.is_ended();
        world.until("the run ends", ended).await;
    }
    let crashed = world.open_again().await;
    let lost = world.view().await.status == Status::Waiting;
    if lost {
        assert!(!acknowledged, "{fault:?}: what was answered is lost");
        assert!(world.cancel("bob").await, "{fault:?}");
    }
    let end = world.host.end(&world.run).await;
    assert_eq!(end.status, Status::Cancelled, "{fault:?}");

    let lines = world.history().await;
    for kind in [
        NoteKind::TaskCompensationStarted,
        NoteKind::TaskCompensationCompleted,
    ] {
        assert_eq!(told(&lines, kind), ["two", "one"], "{fault:?}");
    }
    let by: Vec<_> = lines
        .iter()
        .filter(|line| line.kind == NoteKind::WorkflowCancelled)
        .map(|line| line.detail.by.as_deref())
        .collect();
    let who = if lost { "bob" } else { "ada" };
    assert_eq!(by, [Some(who)], "{fault:?}");
    let called = world.script.called();
    let different: BTreeSet<_> = called.iter().collect();
    assert_eq!(different.len(), 4, "{fault:?}: {called:?}");
    for done in &called[..2] {
        let times = called.iter().filter(|call| *call == done).count();
        assert_eq!(times, 1, "{fault:?}: what was done is not done again");
    }
    let tenant = TenantId::default();
    let again = world.host.engine.cancel(&tenant, &world.run, "eve", None);
    let again = again.await.expect_err("it has ended");
    assert!(
        matches!(again, ControlError::Ended(Status::Cancelled)),
        "{again}"
    );
    world.host.engine.shutdown().await;
    (acknowledged, crashed)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_cancelled_run_has_done_is_undone_once_through_a_crash_at_any_commit() {
    let (mut lost, mut crashes) = (0, 0);
    for fault in faults(8) {
        let (acknowledged, crashed) = cancel(fault).await;
        lost += usize::from(!acknowledged);
        crashes += usize::from(crashed);
    }
    assert!(
        lost > 0 && crashes > 4,
        "the faults have to hit the run: {lost} {crashes}"
    );
}

/// Cuts the undoing of a cancelled run short, while its first call is under way.
async fn stop(fault: Fault) -> (bool, bool) {
    let script = Script::default();
    script.hold_only(&["undoTwo"]);
    let mut world = Crashing::start(SAGA, script.clone(), fault, is_waiting).await;
    let cancelled = world.cancel("ada").await;
    let is_undoing = async || script.called().len() > 2;
    if cancelled {
        world.until("it is being undone", is_undoing).await;
    }
    let stopped = cancelled && !world.is_crashed() && world.stop("bob").await;
    let crashed = world.open_again().await;
    let now = world.view().await.status;
    if !now.is_ended() {
        assert!(!stopped, "{fault:?}: what was answered is lost");
        assert!(
            !cancelled || now == Status::Running,
            "{fault:?}: it is being undone"
        );
        assert!(world.stop("bob").await, "{fault:?}");
    }
    let end = world.host.end(&world.run).await;
    assert_eq!(end.status, Status::Cancelled, "{fault:?}");
    let lines = world.history().await;
    assert_eq!(told(&lines, NoteKind::WorkflowCancelled).len(), 1);
    assert!(told(&lines, NoteKind::TaskCompensationCompleted).is_empty());
    world.host.engine.shutdown().await;
    (stopped, crashed)
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_is_cut_short_through_a_crash_at_any_commit() {
    let (mut lost, mut crashes) = (0, 0);
    for fault in faults(5) {
        let (stopped, crashed) = stop(fault).await;
        lost += usize::from(!stopped);
        crashes += usize::from(crashed);
    }
    assert!(
        lost > 0 && crashes > 2,
        "the faults have to hit the run: {lost} {crashes}"
    );
}
