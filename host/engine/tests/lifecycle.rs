//! Lifecycle events: what happens to runs and tasks, as events in the log.

mod support;

use std::sync::Arc;
use std::time::Duration;

use baton_engine::{EventFilter, EventView, LifecycleEvents, Status, TenantId};
use baton_store::{Fault, FaultyStore, MemoryStore, Store};
use baton_workflow::CloudEvent;
use serde_json::{Value, json};

use support::{Host, Script, start};

const WORKFLOW: &str = "
document: { dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }
do:
  - greet: { set: { a: 1 } }
  - fail: { raise: { error: { type: 'https://example.org/bad', status: 400 } } }
";

async fn log(host: &Host) -> Vec<EventView> {
    let all = EventFilter::default();
    let page = host
        .engine
        .events(&TenantId::default(), &all, 0, 100, Duration::ZERO)
        .await;
    page.expect("listed").items
}

/// The types of all lifecycle events of the log without what they have in common, and their data.
async fn types(host: &Host) -> Vec<(String, Value)> {
    let all = log(host).await.into_iter();
    all.map(|it| {
        let kind = it.event["type"].as_str().unwrap_or_default();
        let kind = kind.trim_start_matches("io.serverlessworkflow.");
        let kind = kind.trim_end_matches(".v1");
        (kind.to_owned(), it.event["data"].clone())
    })
    .collect()
}

/// The same, with the names of the tasks in place of the data.
async fn told(host: &Host) -> Vec<String> {
    let all = types(host).await.into_iter();
    all.map(|(kind, data)| match data["task"].as_str() {
        Some(task) => format!("{kind} {}", task.rsplit('/').next().unwrap_or_default()),
        None => kind,
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_runs_and_tasks_is_told_as_events() {
    let tenant = TenantId::default();
    for (level, expected) in [
        (LifecycleEvents::Off, &[][..]),
        (
            LifecycleEvents::Workflows,
            &["workflow.started", "workflow.faulted"],
        ),
        (
            LifecycleEvents::Tasks,
            &[
                "workflow.started",
                "task.created",
                "task.started",
                "task.completed",
                "task.created",
                "task.started",
                "task.faulted",
                "workflow.faulted",
            ],
        ),
    ] {
        let host = Host::open_telling(Arc::new(MemoryStore::new()), &Script::default(), level);
        host.engine
            .publish(&tenant, WORKFLOW)
            .await
            .expect("published");
        let run = host.engine.start(&tenant, start("test", json!({}))).await;
        let run = host.end(&run.expect("started").id).await;
        let told = types(&host).await;
        let names: Vec<&str> = told.iter().map(|(kind, _)| &**kind).collect();
        assert_eq!(names, expected);
        let name = format!("test-{}.test", run.id);
        if let Some((_, data)) = told.first() {
            let definition = json!({"name": "test", "namespace": "test", "version": "1.0.0"});
            assert_eq!(
                (&data["name"], &data["definition"]),
                (&json!(name), &definition)
            );
            assert!(data["startedAt"].is_string());
        }
        if let Some((_, data)) = told.last() {
            assert_eq!(data["error"]["status"], 400, "{data}");
        }
        if let Some((_, data)) = told.iter().find(|(kind, _)| kind == "task.completed") {
            assert_eq!(
                (&data["workflow"], &data["task"]),
                (&json!(name), &json!("/do/0/greet"))
            );
        }
        host.engine.shutdown().await;
    }
}

const ALL_SORTS: &str = "
document: { dsl: '1.0.3', namespace: test, name: sorts, version: '1.0.0' }
do:
  - race:
      fork:
        compete: true
        branches:
          - slow: { wait: PT1H }
          - fast: { set: { a: 1 } }
  - careful:
      try: [ { bad: { raise: { error: { type: 'https://example.org/bad', status: 503 } } } } ]
      catch: { retry: { delay: { seconds: 1 }, limit: { attempt: { count: 1 } } }, do: [ { after: { set: { b: 1 } } } ] }
  - never: { if: '${ false }', set: { c: 1 } }
  - rooms:
      listen: { to: { one: { with: { type: reading }, correlate: { room: { from: .data.room } } } } }
";

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_told_in_the_order_in_which_it_happens() {
    let tenant = TenantId::default();
    let host = Host::open_telling(
        Arc::new(MemoryStore::new()),
        &Script::default(),
        LifecycleEvents::Tasks,
    );
    let engine = &host.engine;
    engine.publish(&tenant, ALL_SORTS).await.expect("published");
    let run = engine.start(&tenant, start("sorts", json!({}))).await;
    let run = run.expect("started").id;
    host.until(&run, Status::Waiting).await;
    host.clock.advance(Duration::from_secs(1));
    support::until("the run listens", async || {
        told(&host)
            .await
            .last()
            .is_some_and(|it| it == "workflow.correlation-started")
    })
    .await;
    engine
        .suspend(&tenant, &run, "ada", None)
        .await
        .expect("suspended");
    engine
        .resume(&tenant, &run, "ada", None)
        .await
        .expect("resumed");
    let reading = json!({
        "specversion": "1.0", "id": "1", "source": "/test", "type": "reading", "data": { "room": "kitchen" },
    });
    let reading = CloudEvent::new(reading).expect("an event");
    engine
        .send_events(&tenant, vec![reading])
        .await
        .expect("sent");
    let end = host.end(&run).await;
    assert_eq!(end.status, Status::Completed, "{end:?}");
    let expected = [
        "workflow.started",
        "task.created race",
        "task.started race",
        "task.created slow",
        "task.started slow",
        "task.created fast",
        "task.started fast",
        "task.completed fast",
        "task.cancelled slow",
        "task.completed race",
        "task.created careful",
        "task.started careful",
        "task.created bad",
        "task.started bad",
        "task.faulted bad",
        "task.retried careful",
        "task.created bad",
        "task.started bad",
        "task.faulted bad",
        "task.created after",
        "task.started after",
        "task.completed after",
        "task.completed careful",
        "task.created rooms",
        "task.started rooms",
        "workflow.correlation-started",
        "workflow.suspended",
        "task.suspended rooms",
        "workflow.resumed",
        "task.resumed rooms",
        "reading",
        "workflow.correlation-completed",
        "task.completed rooms",
        "workflow.completed",
    ];
    assert_eq!(told(&host).await, expected);

    let types = types(&host).await;
    let data = |kind: &str| {
        let found = types.iter().find(|(it, _)| it == kind);
        &found.unwrap_or_else(|| panic!("no {kind}")).1
    };
    assert_eq!(
        data("workflow.correlation-completed")["correlationKeys"],
        json!({"room": "kitchen"})
    );
    assert_eq!(
        data("workflow.completed")["outputUri"],
        format!("/v1/runs/{run}")
    );
    assert_eq!(data("task.faulted")["error"]["status"], 503);
    // Each says when, under a name of its own, and nothing besides what the reference has.
    for (kind, member) in [
        ("workflow.started", "startedAt"),
        ("workflow.suspended", "suspendedAt"),
        ("workflow.resumed", "resumedAt"),
        ("workflow.correlation-started", "startedAt"),
        ("workflow.correlation-completed", "completedAt"),
        ("workflow.completed", "completedAt"),
        ("task.created", "createdAt"),
        ("task.started", "startedAt"),
        ("task.suspended", "suspendedAt"),
        ("task.resumed", "resumedAt"),
        ("task.retried", "retriedAt"),
        ("task.cancelled", "cancelledAt"),
        ("task.faulted", "faultedAt"),
        ("task.completed", "completedAt"),
    ] {
        let data = data(kind).as_object().expect("an object");
        let names: Vec<_> = data.keys().map(String::as_str).collect();
        let about = match kind.starts_with("task") {
            true => &["workflow", "task"][..],
            false => &["name"],
        };
        let extra: Vec<_> = names
            .iter()
            .copied()
            .filter(|it| *it != member && !about.contains(it))
            .filter(|it| !["definition", "correlationKeys", "error", "outputUri"].contains(it))
            .collect();
        assert!(
            names.contains(&member) && about.iter().all(|it| names.contains(it)),
            "{kind}: {names:?}"
        );
        assert!(extra.is_empty(), "{kind}: {extra:?}");
    }
    for event in log(&host)
        .await
        .iter()
        .filter(|it| it.event["type"] != "reading")
    {
        assert_eq!(event.event["subject"], run.to_string());
        assert_eq!(event.event["source"], "/test/sorts/1.0.0");
        assert_eq!(event.event["datacontenttype"], "application/json");
    }
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_is_told_with_its_tasks() {
    let tenant = TenantId::default();
    let host = Host::open_telling(
        Arc::new(MemoryStore::new()),
        &Script::default(),
        LifecycleEvents::Tasks,
    );
    let text = "
document: { dsl: '1.0.3', namespace: test, name: waits, version: '1.0.0' }
do: [ { pause: { wait: PT1H } } ]
";
    host.engine.publish(&tenant, text).await.expect("published");
    let run = host.engine.start(&tenant, start("waits", json!({}))).await;
    let run = run.expect("started").id;
    host.until(&run, Status::Waiting).await;
    host.engine
        .cancel(&tenant, &run, "ada", None)
        .await
        .expect("cancelled");
    host.end(&run).await;
    let expected = [
        "workflow.started",
        "task.created pause",
        "task.started pause",
        "task.cancelled pause",
        "workflow.cancelled",
    ];
    assert_eq!(told(&host).await, expected);
    host.engine.shutdown().await;
}

const CALLS: &str = "
document: { dsl: '1.0.3', namespace: test, name: calls, version: '1.0.0' }
do:
  - first: { set: { a: 1 } }
  - call: { call: http, with: { method: get, endpoint: 'https://example.org/1' } }
  - last: { set: { b: 1 } }
";

#[tokio::test(flavor = "multi_thread")]
async fn each_is_told_once_and_in_order_whatever_crashes() {
    let tenant = TenantId::default();
    let expected = [
        "workflow.started",
        "task.created first",
        "task.started first",
        "task.completed first",
        "task.created call",
        "task.started call",
        "task.completed call",
        "task.created last",
        "task.started last",
        "task.completed last",
        "workflow.completed",
    ];
    let open = |store: Arc<dyn Store>| {
        Host::open_telling(store, &Script::default(), LifecycleEvents::Tasks)
    };
    let mut crashes = 0;
    for number in 1..10 {
        for fault in [Fault::CrashBefore(number), Fault::CrashAfter(number)] {
            let memory = Arc::new(MemoryStore::new());
            let host = open(memory.clone());
            host.engine
                .publish(&tenant, CALLS)
                .await
                .expect("published");
            host.engine.shutdown().await;

            let faulty = Arc::new(FaultyStore::new(memory.clone(), fault));
            let host = open(faulty.clone());
            if let Ok(run) = host.engine.start(&tenant, start("calls", json!({}))).await {
                let done = async || {
                    let now = host.engine.run(&tenant, &run.id).await;
                    faulty.is_crashed() || now.expect("read").expect("there").status.is_ended()
                };
                support::until("an end or a crash", done).await;
            }
            crashes += usize::from(faulty.is_crashed());
            host.engine.shutdown().await;

            let host = open(memory.clone());
            let all = baton_engine::RunFilter::default();
            let runs = host.engine.runs(&tenant, &all, None, 9).await;
            let runs = runs.expect("listed").items;
            let run = match runs.first() {
                Some(run) => run.id,
                // The crash came before the start was durable.
                None => {
                    let started = host.engine.start(&tenant, start("calls", json!({}))).await;
                    started.expect("started").id
                }
            };
            host.end(&run).await;
            // Once more, with nothing left to do.
            host.engine.shutdown().await;
            let host = open(memory.clone());
            assert_eq!(told(&host).await, expected, "{fault:?}");
            host.engine.shutdown().await;
        }
    }
    assert!(crashes > 4, "the faults have to hit the run: {crashes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_retry_only_what_follows_is_told() {
    let tenant = TenantId::default();
    let script = Script::default();
    script.break_only(&["call"]);
    let store = Arc::new(MemoryStore::new());
    let host = Host::open_telling(store, &script, LifecycleEvents::Tasks);
    let published = host.engine.publish(&tenant, CALLS).await;
    published.expect("published");
    let run = host.engine.start(&tenant, start("calls", json!({}))).await;
    let run = run.expect("started").id;
    host.end(&run).await;
    let before = told(&host).await;
    assert_eq!(before.last().map(String::as_str), Some("workflow.faulted"));
    script.break_only(&[]);
    let retried = host.engine.retry(&tenant, &run, None, "ada", None).await;
    retried.expect("retried");
    host.end(&run).await;
    // The specification has no event that a workflow is tried again.
    let after = told(&host).await;
    let expected = [
        "task.created call",
        "task.started call",
        "task.completed call",
        "task.created last",
        "task.started last",
        "task.completed last",
        "workflow.completed",
    ];
    assert_eq!(after[before.len()..], expected);
    host.engine.shutdown().await;
}
