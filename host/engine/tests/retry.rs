//! Runs that have ended, once more: tried again from the task that failed, under the same or a corrected version,
//! and restarted. Also with crashes at every commit.

mod support;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use baton_engine::outside::{Answer, Call, Invoke};
use baton_engine::{
    ApprovalFilter, ApprovalStatus, ControlError, Engine, Note, NoteKind, RestartError, RetryError,
    RunFilter, RunId, RunView, StartError, Status, TenantId,
};
use baton_store::{Direction, Fault, FaultyStore, MemoryStore, Store, key};
use serde_json::json;

use support::{Host, Script, start};

/// Something is done, something fails, and something waits beside it.
const WORK: &str = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do:
  - one: { call: http, with: { method: get, endpoint: 'https://example.org/1' } }
  - both:
      fork:
        branches:
          - two: { call: http, with: { method: get, endpoint: 'https://example.org/2' } }
          - pause: { wait: { hours: 1 } }
  - last: { call: http, with: { method: get, endpoint: 'https://example.org/3' } }
";

/// The same with another second call, and with one more thing to do.
fn corrected() -> String {
    let two = WORK.replace("example.org/2", "example.org/two");
    two.replace("version: '1.0.0'", "version: '1.0.1'")
        + "  - more: { call: http, with: { method: get, endpoint: 'https://example.org/4' } }\n"
}

fn tenant() -> TenantId {
    TenantId::default()
}

async fn publish(host: &Host, documents: &[&str]) {
    for document in documents {
        let published = host.engine.publish(&tenant(), document).await;
        published.expect("published");
    }
}

/// A host with a run of the workflow that has faulted, since these tasks are broken.
async fn faulted(
    store: &Arc<MemoryStore>,
    document: &str,
    broken: &[&str],
) -> (Host, Script, RunId) {
    let script = Script::default();
    script.break_only(broken);
    let host = Host::open(store.clone(), &script);
    publish(&host, &[document]).await;
    let mut request = start("work", json!({ "n": 1 }));
    request.tags.insert("team".into(), "x".into());
    let run = host.engine.start(&tenant(), request).await;
    let run = run.expect("started").id;
    let end = host.end(&run).await;
    assert_eq!(end.status, Status::Faulted, "{end:?}");
    script.break_only(&[]);
    (host, script, run)
}

async fn retry(host: &Host, run: &RunId, version: Option<&str>) -> Result<RunView, RetryError> {
    let version = version.map(str::to_owned);
    let (tenant, why) = (tenant(), Some("it answers again"));
    host.engine.retry(&tenant, run, version, "ada", why).await
}

async fn lines(engine: &Engine, run: &RunId) -> Vec<Note> {
    let lines = engine.history(&tenant(), run, 0, 999).await;
    let lines = lines.expect("read").expect("there");
    let numbers: Vec<u64> = lines.iter().map(|line| line.seq).collect();
    assert_eq!(numbers, (1..=lines.len() as u64).collect::<Vec<_>>());
    lines
}

fn count(lines: &[Note], kind: NoteKind) -> usize {
    lines.iter().filter(|line| line.kind == kind).count()
}

/// Lets an hour pass once the run waits for it, and gives its end.
async fn pass(host: &Host, run: &RunId) -> RunView {
    support::until("the run waits or ends", async || {
        let now = host.engine.run(&tenant(), run).await;
        let status = now.expect("read").expect("there").status;
        status == Status::Waiting || status.is_ended()
    })
    .await;
    host.clock.advance(Duration::from_secs(3601));
    host.end(run).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_from_the_task_that_failed() {
    let store = Arc::new(MemoryStore::new());
    let (host, script, run) = faulted(&store, WORK, &["two"]).await;
    let retried = retry(&host, &run, None).await.expect("retried");
    assert!(!retried.status.is_ended() && retried.ended_at.is_none() && retried.error.is_none());
    let end = pass(&host, &run).await;
    assert_eq!(
        end.output,
        Some(Arc::new(json!({ "called": "/do/2/last" })))
    );
    let called = script.called();
    assert_eq!(called.len(), 4);
    assert_eq!(called[1], called[2], "the same visit, under the same key");

    let lines = lines(&host.engine, &run).await;
    let retried = lines
        .iter()
        .find(|line| line.kind == NoteKind::WorkflowRetried);
    let detail = &retried.expect("a line says so").detail;
    assert_eq!(
        (
            detail.by.as_deref(),
            detail.reason.as_deref(),
            &detail.workflow
        ),
        (Some("ada"), Some("it answers again"), &None)
    );
    let again = lines.iter().rfind(|line| line.attempt == Some(2));
    let again = again.and_then(|line| line.task.as_ref()).expect("a task");
    assert_eq!(
        (&*again.pointer, again.visit),
        ("/do/1/both/fork/branches/0/two", 1)
    );

    for (status, listed) in [(Status::Completed, 1), (Status::Faulted, 0)] {
        let filter = RunFilter {
            status: Some(status),
            ..RunFilter::default()
        };
        let page = host.engine.runs(&tenant(), &filter, None, 9).await;
        assert_eq!(page.expect("listed").items.len(), listed, "{status:?}");
    }
    let error = retry(&host, &run, None)
        .await
        .expect_err("it has completed");
    let not_faulted = ControlError::NotFaulted(Status::Completed);
    assert_eq!(error.to_string(), not_faulted.to_string());
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_retried_once_whoever_asks_at_the_same_time() {
    let (host, _, run) = faulted(&Arc::default(), WORK, &["two"]).await;
    let asked: Vec<_> = (0..8)
        .map(|_| {
            let engine = host.engine.clone();
            tokio::spawn(async move { engine.retry(&tenant(), &run, None, "ada", None).await })
        })
        .collect();
    let mut taken = 0;
    for answer in asked {
        match answer.await.expect("no panic") {
            Ok(_) => taken += 1,
            Err(RetryError::Control(ControlError::NotFaulted(_) | ControlError::Busy { .. })) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(taken, 1);
    let end = pass(&host, &run).await;
    assert_eq!(end.status, Status::Completed);
    let lines = lines(&host.engine, &run).await;
    assert_eq!(count(&lines, NoteKind::WorkflowRetried), 1);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_faults_again_can_be_retried_again() {
    let (host, script, run) = faulted(&Arc::default(), WORK, &["two"]).await;
    script.break_only(&["two"]);
    for number in 1..=3 {
        retry(&host, &run, None).await.expect("retried");
        assert_eq!(host.end(&run).await.status, Status::Faulted);
        let lines = lines(&host.engine, &run).await;
        assert_eq!(count(&lines, NoteKind::WorkflowFaulted), number + 1);
    }
    script.break_only(&["last"]);
    retry(&host, &run, None).await.expect("retried");
    let end = pass(&host, &run).await;
    assert_eq!(
        end.error.and_then(|error| error.instance).as_deref(),
        Some("/do/2/last")
    );
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_run_sees_it_to_its_last_end() {
    let (host, _, run) = faulted(&Arc::default(), WORK, &["two"]).await;
    let follow = async |after| {
        let lines = host.engine.subscribe(&tenant(), &run, after).await;
        lines.expect("read").expect("there")
    };
    let mut ended = follow(0).await;
    let mut before = 0;
    while let Some(line) = ended.next().await {
        before = line.expect("in time").seq;
    }
    retry(&host, &run, None).await.expect("retried");
    let (mut from_start, mut from_end) = (follow(0).await, follow(before).await);
    pass(&host, &run).await;
    let mut all = Vec::new();
    while let Some(line) = from_start.next().await {
        all.push(line.expect("in time"));
    }
    assert_eq!(all, lines(&host.engine, &run).await);
    let mut rest = Vec::new();
    while let Some(line) = from_end.next().await {
        rest.push(line.expect("in time"));
    }
    assert_eq!(rest[0].kind, NoteKind::WorkflowRetried);
    assert_eq!(all[before as usize..], rest);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_under_a_corrected_version() {
    let store = Arc::new(MemoryStore::new());
    let (host, script, run) = faulted(&store, WORK, &["two"]).await;
    let other = corrected().replace("example.org/1", "example.org/one");
    let other = other.replace("1.0.1", "1.0.2");
    publish(&host, &[&corrected(), &other]).await;

    let refused = retry(&host, &run, Some("1.0.2"))
        .await
        .expect_err("another task");
    assert_eq!(
        refused.to_string(),
        "the run can't go on under version 1.0.2: /do/0/one has been performed, and is another in the other version; \
         leave it as it was, in a version of a new number, or restart the run under this one"
    );
    let missing = retry(&host, &run, Some("3.0.0"))
        .await
        .expect_err("not there");
    assert!(matches!(
        missing,
        RetryError::Start(StartError::NoSuchWorkflow { .. })
    ));
    let now = host.engine.run(&tenant(), &run).await;
    let now = now.expect("read").expect("there");
    assert_eq!(
        (now.status, &*now.workflow.version),
        (Status::Faulted, "1.0.0")
    );

    let retried = retry(&host, &run, Some("1.0.1")).await.expect("retried");
    assert_eq!(retried.workflow.version, "1.0.1");
    host.until(&run, Status::Waiting).await;
    // What the run keeps now is found again.
    host.engine.shutdown().await;
    let host = Host::open(store, &script);
    let end = pass(&host, &run).await;
    assert_eq!(
        end.output,
        Some(Arc::new(json!({ "called": "/do/3/more" })))
    );
    assert_eq!(end.workflow.version, "1.0.1");
    assert_eq!(script.called().len(), 5);
    let lines = lines(&host.engine, &run).await;
    let retried = lines
        .iter()
        .find(|line| line.kind == NoteKind::WorkflowRetried);
    let workflow = retried.and_then(|line| line.detail.workflow.as_deref());
    assert_eq!(workflow, Some("test/work 1.0.1"));
    host.engine.shutdown().await;
}

/// Faults, is retried on a store that fails as `fault` says, and then goes on with what is left.
async fn check(fault: Fault, version: Option<&str>) -> (bool, bool) {
    let memory = Arc::new(MemoryStore::new());
    let (host, script, run) = faulted(&memory, WORK, &["two"]).await;
    publish(&host, &[&corrected()]).await;
    host.engine.shutdown().await;

    let faulty = Arc::new(FaultyStore::new(memory.clone(), fault));
    let host = Host::open(faulty.clone(), &script);
    let crash = async || support::until("a crash", async || faulty.is_crashed()).await;
    let acknowledged = tokio::select! {
        retried = retry(&host, &run, version) => retried.is_ok(),
        // Nobody answers then.
        () = crash() => false,
    };
    if acknowledged {
        support::until("the run waits or the host crashes", async || {
            let now = host.engine.run(&tenant(), &run).await;
            faulty.is_crashed() || now.expect("read").expect("there").status == Status::Waiting
        })
        .await;
        host.clock.advance(Duration::from_secs(3601));
        support::until("the run ends or the host crashes", async || {
            let now = host.engine.run(&tenant(), &run).await;
            faulty.is_crashed() || now.expect("read").expect("there").status.is_ended()
        })
        .await;
    }
    let crashed = faulty.is_crashed();
    script.dead.store(true, Ordering::SeqCst);
    host.engine.shutdown().await;
    script.dead.store(false, Ordering::SeqCst);

    let host = Host::open(memory as Arc<dyn Store>, &script);
    let now = host.engine.run(&tenant(), &run).await;
    let now = now.expect("read").expect("there");
    if now.status == Status::Faulted {
        assert!(!acknowledged, "{fault:?}: what was answered is lost");
        assert!(
            now.error.is_some() && now.workflow.version == "1.0.0",
            "{fault:?}"
        );
        retry(&host, &run, version).await.expect("retried");
    }
    let end = pass(&host, &run).await;
    assert_eq!(end.status, Status::Completed, "{fault:?}: {:?}", end.error);
    assert_eq!(
        end.workflow.version,
        version.unwrap_or("1.0.0"),
        "{fault:?}"
    );
    let lines = lines(&host.engine, &run).await;
    for kind in [
        NoteKind::WorkflowFaulted,
        NoteKind::WorkflowRetried,
        NoteKind::WorkflowCompleted,
    ] {
        assert_eq!(count(&lines, kind), 1, "{fault:?}: {kind:?}");
    }
    let called = script.called();
    let different: BTreeSet<_> = called.iter().collect();
    let tasks = if version.is_some() { 4 } else { 3 };
    assert_eq!(different.len(), tasks, "{fault:?}: {called:?}");
    assert_eq!(
        called.iter().filter(|call| **call == called[0]).count(),
        1,
        "{fault:?}: what had completed is not done again"
    );
    let all = RunFilter::default();
    let all = host.engine.runs(&tenant(), &all, None, 9).await;
    assert_eq!(all.expect("listed").items.len(), 1, "{fault:?}");
    host.engine.shutdown().await;
    (acknowledged, crashed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_commit_takes_back_the_end_or_leaves_it() {
    for version in [None, Some("1.0.1")] {
        let (mut lost, mut crashes) = (0, 0);
        for number in 1..10 {
            for fault in [Fault::CrashBefore(number), Fault::CrashAfter(number)] {
                let (acknowledged, crashed) = check(fault, version).await;
                crashes += usize::from(crashed);
                lost += usize::from(!acknowledged);
            }
        }
        assert!(
            lost > 0 && crashes > 4,
            "the faults have to hit the run: {lost} {crashes}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_undone_is_nothing_to_go_on_from() {
    let document = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do:
  - one:
      call: http
      with: { method: get, endpoint: 'https://example.org/1' }
      compensate: [ { undo: { call: http, with: { method: delete, endpoint: 'https://example.org/1' } } } ]
  - two: { call: http, with: { method: get, endpoint: 'https://example.org/2' } }
";
    let (host, _, run) = faulted(&Arc::default(), document, &["two"]).await;
    let refused = retry(&host, &run, None).await.expect_err("undone");
    assert!(matches!(refused, RetryError::Undone), "{refused}");
    assert_eq!(host.end(&run).await.status, Status::Faulted);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_is_retried_by_its_parent() {
    let child = WORK
        .replace("name: work", "name: child")
        .replace("hours: 1", "hours: 0");
    let parent = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do: [ { sub: { run: { workflow: { namespace: test, name: child, version: latest } } } } ]
";
    let script = Script::default();
    script.break_only(&["two"]);
    let host = Host::open(Arc::new(MemoryStore::new()), &script);
    publish(&host, &[&child, parent]).await;
    let run = host.engine.start(&tenant(), start("work", json!({}))).await;
    let run = run.expect("started").id;
    host.end(&run).await;
    let filter = RunFilter {
        parent: Some(run),
        ..RunFilter::default()
    };
    let children = async || {
        let page = host.engine.runs(&tenant(), &filter, None, 9).await;
        page.expect("listed").items
    };
    let first = children().await.remove(0).id;
    let refused = retry(&host, &first, None).await.expect_err("a child");
    assert!(
        matches!(refused, RetryError::Awaited { parent } if parent == run),
        "{refused}"
    );
    script.break_only(&[]);
    retry(&host, &run, None).await.expect("retried");
    let end = host.end(&run).await;
    assert_eq!(
        end.output,
        Some(Arc::new(json!({ "called": "/do/2/last" })))
    );
    let all = children().await;
    let mut ends: Vec<_> = all
        .iter()
        .map(|child| (child.id == first, child.status))
        .collect();
    ends.sort();
    assert_eq!(
        ends,
        [(false, Status::Completed), (true, Status::Faulted)],
        "another attempt of the task is another run"
    );
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_again() {
    let document = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do:
  - both:
      fork:
        branches:
          - ask: { call: approval, with: { title: Go? } }
          - two: { call: http, with: { method: get, endpoint: 'https://example.org/2' } }
";
    let store = Arc::new(MemoryStore::new());
    let (host, script, run) = faulted(&store, document, &["two"]).await;
    let asked = async |host: &Host, status| {
        let filter = ApprovalFilter {
            status: Some(status),
            ..ApprovalFilter::default()
        };
        let page = host.engine.approvals(&tenant(), &filter, None, 9).await;
        page.expect("listed").items.len()
    };
    assert_eq!(asked(&host, ApprovalStatus::Withdrawn).await, 1);
    retry(&host, &run, None).await.expect("retried");
    host.until(&run, Status::Waiting).await;
    assert_eq!(asked(&host, ApprovalStatus::Withdrawn).await, 0);
    assert_eq!(asked(&host, ApprovalStatus::Open).await, 1);
    host.engine.shutdown().await;
    let host = Host::open(store, &script);
    assert_eq!(asked(&host, ApprovalStatus::Open).await, 1);
    host.until(&run, Status::Waiting).await;
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_a_new_run_of_the_same() {
    let store = Arc::new(MemoryStore::new());
    let (host, script, run) = faulted(&store, WORK, &["two"]).await;
    publish(&host, &[&corrected()]).await;
    let restart = async |version: Option<&str>, key: Option<&str>| {
        let (version, key) = (version.map(str::to_owned), key.map(str::to_owned));
        host.engine
            .restart(&tenant(), &run, version, "ada", key)
            .await
    };
    let again = restart(None, Some("k")).await.expect("restarted");
    assert_eq!(
        (
            &*again.workflow.version,
            &*again.input,
            &again.tags["team"][..]
        ),
        ("1.0.0", &json!({ "n": 1 }), "x")
    );
    let of = again.restart_of.clone().expect("a link");
    assert_eq!((of.run, &*of.by), (run, "ada"));
    let repeated = restart(None, Some("k")).await.expect("the same");
    assert_eq!(repeated.id, again.id);
    let newer = restart(Some("1.0.1"), None).await.expect("restarted");
    assert_eq!(newer.workflow.version, "1.0.1");
    let missing = restart(Some("9.0.0"), None).await.expect_err("not there");
    assert!(matches!(
        missing,
        RestartError::Start(StartError::NoSuchWorkflow { .. })
    ));
    let open = host
        .engine
        .restart(&tenant(), &again.id, None, "ada", None)
        .await;
    assert!(matches!(open, Err(RestartError::Open(_))), "{open:?}");
    for id in [again.id, newer.id] {
        assert_eq!(pass(&host, &id).await.status, Status::Completed);
    }
    host.engine.shutdown().await;

    let host = Host::open(store, &script);
    let filter = RunFilter {
        restart_of: Some(run),
        ..RunFilter::default()
    };
    let page = host.engine.runs(&tenant(), &filter, None, 9).await;
    // Both were started at the same time, so that either may stand first.
    let listed: BTreeSet<_> = page.expect("listed").items.iter().map(|it| it.id).collect();
    assert_eq!(listed, BTreeSet::from([newer.id, again.id]));
    let nobody = TenantId::new("other").expect("a tenant");
    let page = host.engine.runs(&nobody, &filter, None, 9).await;
    assert!(page.expect("listed").items.is_empty());
    let foreign = host.engine.restart(&nobody, &run, None, "eve", None).await;
    assert!(
        matches!(foreign, Err(RestartError::NotFound(_))),
        "{foreign:?}"
    );
    let foreign = host.engine.retry(&nobody, &run, None, "eve", None).await;
    assert!(
        matches!(foreign, Err(RetryError::Control(ControlError::NotFound(_)))),
        "{foreign:?}"
    );
    assert_eq!(
        host.end(&run).await.status,
        Status::Faulted,
        "it stays as it was"
    );
    host.engine.shutdown().await;
}

/// Fails as soon as the run has a child, as long as it is out of order.
#[derive(Clone)]
struct Rival {
    store: Arc<MemoryStore>,
    is_out_of_order: Arc<AtomicBool>,
}

impl Invoke for Rival {
    fn invoke(&self, call: Call) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        let Self {
            store,
            is_out_of_order,
        } = self.clone();
        Box::pin(async move {
            if !is_out_of_order.load(Ordering::SeqCst) {
                return answer(Ok(Arc::new(json!(2))));
            }
            let run = call.run.parse().expect("a run");
            let range = key::children(&tenant(), &run);
            let has_child = || store.scan(&range, Direction::Ascending, 1);
            while has_child().expect("read").is_empty() {
                tokio::task::yield_now().await;
            }
            let kind = baton_workflow::ErrorKind::Communication;
            let error = baton_workflow::Error::new(kind, "Out of order", "503");
            answer(Err(error))
        })
    }
}

fn answer(result: Result<Arc<serde_json::Value>, baton_workflow::Error>) -> Answer {
    Answer {
        result,
        log: Vec::new(),
        refusals: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_nobody_waits_for_is_started_once_though_its_parent_faults_over_it() {
    let child = "
document: { dsl: '1.0.3', namespace: test, name: child, version: '1.0.0' }
do: [ { note: { set: { n: 1 } } } ]
";
    let parent = "
document: { dsl: '1.0.3', namespace: test, name: work, version: '1.0.0' }
do:
  - both:
      fork:
        branches:
          - sub: { run: { await: false, workflow: { namespace: test, name: child, version: latest } } }
          - two: { call: http, with: { method: get, endpoint: 'https://example.org/2' } }
";
    let store = Arc::new(MemoryStore::new());
    let rival = Rival {
        store: store.clone(),
        is_out_of_order: Arc::default(),
    };
    let invoke = Some(Arc::new(rival.clone()) as Arc<dyn Invoke>);
    let limits = baton_engine::EngineLimits::default();
    let host = Host::open_calling(store, support::shared_sandbox(), invoke, limits);
    publish(&host, &[child, parent]).await;
    let mut lost = 0;
    // Whether the parent faults before it hears of the child's start is a matter of luck, which comes in the end.
    for number in 1.. {
        rival.is_out_of_order.store(true, Ordering::SeqCst);
        let run = host.engine.start(&tenant(), start("work", json!({}))).await;
        let run = run.expect("started").id;
        assert_eq!(host.end(&run).await.status, Status::Faulted);
        let heard = lines(&host.engine, &run).await;
        let heard = heard.iter().filter(|it| it.kind == NoteKind::TaskCompleted);
        lost += usize::from(heard.count() == 0);
        rival.is_out_of_order.store(false, Ordering::SeqCst);
        retry(&host, &run, None).await.expect("retried");
        assert_eq!(host.end(&run).await.status, Status::Completed);
        let filter = RunFilter {
            parent: Some(run),
            ..RunFilter::default()
        };
        let children = host.engine.runs(&tenant(), &filter, None, 9).await;
        assert_eq!(children.expect("listed").items.len(), 1);
        if lost > 0 && number >= 40 {
            break;
        }
        assert!(
            number < 4_000,
            "no parent has faulted before it heard of a start"
        );
    }
    host.engine.shutdown().await;
}
