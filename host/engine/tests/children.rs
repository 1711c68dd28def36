//! Runs that runs start: data in and out, endings, and crashes at every commit.

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use baton_engine::{Diagnostic, RunFilter, RunId, RunView, Status, TenantId};
use baton_store::{Fault, FaultyStore, MemoryStore, Store};
use serde_json::{Value, json};

use support::{Host, Script, start};

const PARENT: &str = "
document: { dsl: '1.0.3', namespace: test, name: parent, version: '1.0.0' }
do:
  - both:
      fork:
        branches:
          - one: { run: { workflow: { namespace: test, name: child, version: latest, input: { n: 1 } } } }
          - two: { run: { workflow: { namespace: test, name: child, version: '1.0.0', input: { n: 2 } } } }
  - aside: { run: { await: false, workflow: { namespace: test, name: child, version: latest, input: { n: 3 } } } }
";

const CHILD: &str = "
document: { dsl: '1.0.3', namespace: test, name: child, version: '1.0.0' }
input:
  schema:
    document: { type: object, required: [n], properties: { n: { type: integer } } }
do:
  - ask: { call: http, with: { method: get, endpoint: 'https://example.org/' }, output: { as: '${ {n: $workflow.input.n} }' } }
";

const LONG: &str = "
document: { dsl: '1.0.3', namespace: test, name: child, version: '1.0.0' }
do: [ { pause: { wait: { hours: 1 } } } ]
";

fn awaiting(task: &str) -> String {
    format!(
        "
document: {{ dsl: '1.0.3', namespace: test, name: parent, version: '1.0.0' }}
do:
  - other:
      run: {{ workflow: {{ namespace: test, name: child, version: latest, input: {{ n: x }} }} }}
{task}
"
    )
}

async fn publish(host: &Host, documents: &[&str]) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    for document in documents {
        let published = host.engine.publish(&TenantId::default(), document).await;
        warnings.extend(published.expect("published").warnings);
    }
    warnings
}

/// Starts the parent on a new host with these workflows.
async fn started(documents: &[&str]) -> (Host, RunId) {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    publish(&host, documents).await;
    let run = start("parent", json!({}));
    let run = host.engine.start(&TenantId::default(), run).await;
    let id = run.expect("started").id;
    (host, id)
}

async fn children(host: &Host, parent: &RunId) -> Vec<RunView> {
    let filter = RunFilter {
        parent: Some(*parent),
        ..RunFilter::default()
    };
    let listed = host
        .engine
        .runs(&TenantId::default(), &filter, None, 99)
        .await;
    listed.expect("listed").items
}

/// The run's only child, once it is there.
async fn only_child(host: &Host, parent: &RunId) -> RunView {
    support::until("the child starts", async || {
        !children(host, parent).await.is_empty()
    })
    .await;
    let mut children = children(host, parent).await;
    assert_eq!(children.len(), 1);
    children.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_starts_others_and_takes_their_outputs() {
    let (host, id) = started(&[CHILD, PARENT]).await;
    let run = host.end(&id).await;
    assert_eq!(
        run.output.as_deref(),
        Some(&json!([{"n": 1}, {"n": 2}])),
        "{:?}",
        run.error
    );
    let children = children(&host, &id).await;
    let tasks: Vec<_> = children
        .iter()
        .map(|child| child.parent.as_ref().expect("a parent"))
        .map(|parent| (parent.run, &*parent.task.pointer))
        .collect();
    assert_eq!(tasks.len(), 3);
    for task in [
        "/do/0/both/fork/branches/0/one",
        "/do/0/both/fork/branches/1/two",
        "/do/1/aside",
    ] {
        assert!(tasks.contains(&(id, task)), "{tasks:?}");
    }
    for child in &children {
        assert_eq!(host.end(&child.id).await.status, Status::Completed);
    }
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_error_of_a_child_is_the_task_s() {
    let (host, id) = started(&[CHILD, &awaiting("")]).await;
    let run = host.end(&id).await;
    let error = run.error.expect("an error");
    let child = only_child(&host, &id).await.error.expect("an error");
    assert_eq!(
        (error.status, error.instance.as_deref()),
        (400, Some("/do/0/other"))
    );
    assert_eq!(
        (&error.type_uri, &error.title, &error.detail),
        (&child.type_uri, &child.title, &child.detail)
    );
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_is_not_there_is_an_error_of_the_task_and_a_warning_before() {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    let parent = awaiting("").replace("latest", "'2.0.0'");
    let warnings = publish(&host, &[CHILD, &parent]).await;
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        (warnings[0].code, warnings[0].message.as_str()),
        (
            "unknown-workflow",
            "the workflow test/child 2.0.0 is not published yet"
        )
    );
    let run = host
        .engine
        .start(&TenantId::default(), start("parent", json!({})))
        .await
        .expect("started");
    let error = host.end(&run.id).await.error.expect("an error");
    assert_eq!(
        (error.status, error.detail.as_deref()),
        (
            404,
            Some("there is no workflow test/child 2.0.0: there are 1.0.0")
        )
    );
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_ends_with_the_run_that_waits_for_it() {
    let (host, id) = started(&[LONG, &awaiting("")]).await;
    let child = only_child(&host, &id).await.id;
    host.engine
        .cancel(&TenantId::default(), &id, "ada", None)
        .await
        .expect("cancelled");
    assert_eq!(host.end(&child).await.status, Status::Cancelled);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_ends_with_the_task_that_waits_for_it() {
    let parent = awaiting("      timeout: { after: PT5S }");
    let (host, id) = started(&[LONG, &parent]).await;
    let child = only_child(&host, &id).await.id;
    host.clock.advance(Duration::from_secs(6));
    assert_eq!(
        host.end(&id).await.error.map(|error| error.status),
        Some(408)
    );
    assert_eq!(host.end(&child).await.status, Status::Cancelled);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_is_cancelled_is_an_error_of_the_task() {
    let (host, id) = started(&[LONG, &awaiting("")]).await;
    let child = only_child(&host, &id).await.id;
    host.engine
        .cancel(&TenantId::default(), &child, "ada", None)
        .await
        .expect("cancelled");
    let error = host.end(&id).await.error.expect("an error");
    assert_eq!(error.title.as_deref(), Some("The run was cancelled"));
    assert!(
        error
            .detail
            .is_some_and(|it| it.contains(&child.to_string()))
    );
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_runs_itself_comes_to_an_end() {
    let itself = "
document: { dsl: '1.0.3', namespace: test, name: parent, version: '1.0.0' }
do: [ { again: { run: { workflow: { namespace: test, name: parent, version: latest } } } } ]
";
    let (host, id) = started(&[itself]).await;
    let error = host.end(&id).await.error.expect("an error");
    assert_eq!(
        error.title.as_deref(),
        Some("The runs are nested too deeply")
    );
    assert_eq!(error.instance.as_deref(), Some("/do/0/again"));
    host.engine.shutdown().await;
}

/// Runs the parent on a store that fails as `fault` says, and then on what is left. Gives its output, and how
/// many runs there are; nothing where it was not accepted before the crash.
async fn check(fault: Fault) -> Option<(Value, usize, bool)> {
    let tenant = TenantId::default();
    let memory = Arc::new(MemoryStore::new());
    let script = Script::default();
    let host = Host::open(memory.clone(), &script);
    publish(&host, &[CHILD, PARENT]).await;
    host.engine.shutdown().await;

    let faulty = Arc::new(FaultyStore::new(memory.clone(), fault));
    let host = Host::open(faulty.clone(), &script);
    let started = host.engine.start(&tenant, start("parent", json!({}))).await;
    if let Ok(run) = &started {
        support::until("an end or a crash", async || {
            let now = host.engine.run(&tenant, &run.id).await;
            faulty.is_crashed() || now.expect("read").expect("there").status.is_ended()
        })
        .await;
    }
    let crashed = faulty.is_crashed();
    script.dead.store(true, Ordering::SeqCst);
    host.engine.shutdown().await;
    script.dead.store(false, Ordering::SeqCst);

    let host = Host::open(memory as Arc<dyn Store>, &script);
    let run = started.ok()?;
    let end = host.end(&run.id).await;
    assert_eq!(end.status, Status::Completed, "{fault:?}: {:?}", end.error);
    let all = host
        .engine
        .runs(&tenant, &RunFilter::default(), None, 99)
        .await
        .expect("listed")
        .items;
    for run in &all {
        assert_eq!(
            host.end(&run.id).await.status,
            Status::Completed,
            "{fault:?}"
        );
    }
    host.engine.shutdown().await;
    Some((Value::clone(end.output.as_deref()?), all.len(), crashed))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_commit_starts_each_child_once_and_loses_none() {
    let expected = json!([{"n": 1}, {"n": 2}]);
    let mut crashes = 0;
    for number in 1..24 {
        for fault in [Fault::CrashBefore(number), Fault::CrashAfter(number)] {
            let Some((output, runs, crashed)) = check(fault).await else {
                continue;
            };
            assert_eq!((output, runs), (expected.clone(), 4), "{fault:?}");
            crashes += usize::from(crashed);
        }
    }
    assert!(crashes > 8, "the faults have to hit the runs: {crashes}");
}

/// A parent and a child that wait for an hour, on a store that fails when the parent is cancelled.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_commit_leaves_no_child_behind() {
    let tenant = TenantId::default();
    let mut crashes = 0;
    for number in 1..8 {
        for fault in [Fault::CrashBefore(number), Fault::CrashAfter(number)] {
            let memory = Arc::new(MemoryStore::new());
            let script = Script::default();
            let host = Host::open(memory.clone(), &script);
            publish(&host, &[LONG, &awaiting("")]).await;
            let run = host.engine.start(&tenant, start("parent", json!({}))).await;
            let run = run.expect("started").id;
            let child = only_child(&host, &run).await.id;
            host.until(&child, Status::Waiting).await;
            host.engine.shutdown().await;

            let faulty = Arc::new(FaultyStore::new(memory.clone(), fault));
            let host = Host::open(faulty.clone(), &script);
            let cancelled = host.engine.cancel(&tenant, &run, "ada", None);
            // After the crash nobody answers.
            let answered = tokio::time::timeout(Duration::from_millis(500), cancelled).await;
            if answered.is_ok_and(|it| it.is_ok()) {
                support::until("an end or a crash", async || {
                    let now = host.engine.run(&tenant, &child).await;
                    faulty.is_crashed() || now.expect("read").expect("there").status.is_ended()
                })
                .await;
            }
            crashes += usize::from(faulty.is_crashed());
            host.engine.shutdown().await;

            let host = Host::open(memory, &script);
            support::until("recovered", async || host.engine.is_ready()).await;
            let parent = host.engine.run(&tenant, &run).await;
            let parent = parent.expect("read").expect("there");
            if parent.status.is_ended() {
                assert_eq!(
                    host.end(&child).await.status,
                    Status::Cancelled,
                    "{fault:?}"
                );
            } else {
                host.clock.advance(Duration::from_secs(3601));
                assert_eq!(host.end(&run).await.status, Status::Completed, "{fault:?}");
            }
            host.engine.shutdown().await;
        }
    }
    assert!(crashes > 3, "the faults have to hit the runs: {crashes}");
}
