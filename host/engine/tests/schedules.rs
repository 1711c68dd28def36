//! Workflows that start by themselves, on a clock that is moved by hand.

mod support;

use std::sync::Arc;
use std::time::Duration;

use baton_engine::{
    EngineLimits, PublishError, RunFilter, RunView, ScheduleError, ScheduleView, Status, TenantId,
    TriggerView,
};
use baton_store::{Fault, FaultyStore, MemoryStore};
use serde_json::json;

use support::{Host, Script};

const MINUTE: Duration = Duration::from_secs(60);

fn document(version: &str, schedule: &str) -> String {
    format!(
        "
document: {{ dsl: '1.0.3', namespace: test, name: tick, version: '{version}' }}
{schedule}
do: [ {{ note: {{ set: {{ input: '${{ $workflow.input }}' }} }} }} ]
"
    )
}

async fn host(documents: &[String]) -> Host {
    let host = Host::open(Arc::new(MemoryStore::new()), &Script::default());
    for document in documents {
        publish(&host, document).await;
    }
    host
}

async fn publish(host: &Host, document: &str) {
    let published = host.engine.publish(&TenantId::default(), document).await;
    published.expect("published");
}

async fn schedule(host: &Host) -> ScheduleView {
    let found = host
        .engine
        .schedule(&TenantId::default(), "test", "tick")
        .await;
    found.expect("read").expect("there")
}

/// All runs, the newest first.
async fn runs(host: &Host) -> Vec<RunView> {
    let listed = host
        .engine
        .runs(&TenantId::default(), &RunFilter::default(), None, 99)
        .await;
    listed.expect("listed").items
}

/// Waits until the schedule has started so many runs.
async fn started(host: &Host, count: u64) {
    support::until("the runs are started", async || {
        schedule(host).await.started == count
    })
    .await;
}

/// When something is due, in seconds since the first host was started.
fn due(at: Option<baton_engine::Timestamp>) -> Option<i64> {
    at.map(|at| (at.as_millis() - 1_800_000_000_000) / 1000)
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_start_when_they_are_due() {
    let host = host(&[document("1.0.0", "schedule: { every: PT1M }")]).await;
    assert_eq!(due(schedule(&host).await.next_due), Some(60));
    for number in 1..=3 {
        host.clock.advance(MINUTE);
        started(&host, number).await;
    }
    let now = schedule(&host).await;
    assert_eq!((due(now.next_due), now.missed), (Some(240), 0));
    let runs = runs(&host).await;
    assert_eq!(runs.len(), 3);
    let trigger = runs[0].trigger.clone().expect("scheduled");
    assert_eq!(
        (
            trigger.kind.as_str(),
            due(Some(trigger.due)),
            trigger.missed
        ),
        ("every", Some(180), 0)
    );
    let last = now.last.expect("a start");
    assert_eq!((last.run, due(Some(last.due))), (runs[0].id, Some(180)));
    let run = host.end(&runs[0].id).await;
    assert_eq!(run.output.as_deref(), Some(&json!({ "input": {} })));
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_made_up_for_by_one_run() {
    let store = Arc::new(MemoryStore::new());
    let host = Host::open(store.clone(), &Script::default());
    // 2027-01-15T08:00:00Z; the host comes back at half past ten.
    let cron = "schedule: { cron: '0 * * * *', timezone: Europe/Berlin }";
    publish(&host, &document("1.0.0", cron)).await;
    let trigger = TriggerView {
        kind: "cron",
        spec: "0 * * * *".into(),
        timezone: Some("Europe/Berlin".into()),
        next_due: schedule(&host).await.next_due,
        waits_for: None,
    };
    assert_eq!(schedule(&host).await.triggers, [trigger]);
    assert_eq!(due(schedule(&host).await.next_due), Some(3600));
    host.engine.shutdown().await;

    let host = Host::open(store, &Script::default());
    host.clock.advance(MINUTE * 150);
    started(&host, 1).await;
    let now = schedule(&host).await;
    assert_eq!((due(now.next_due), now.missed), (Some(3 * 3600), 1));
    let runs = runs(&host).await;
    let trigger = runs[0].trigger.clone().expect("scheduled");
    assert_eq!((due(Some(trigger.due)), trigger.missed), (Some(7200), 1));
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_counts_from_the_end_of_the_run_also_when_it_faults() {
    let text = "
document: { dsl: '1.0.3', namespace: test, name: tick, version: '1.0.0' }
schedule: { after: PT1M }
do:
  - pause: { wait: { minutes: 2 } }
  - fail: { raise: { error: { type: https://example.org/no, status: 500, title: No } } }
";
    let store = Arc::new(MemoryStore::new());
    let host = Host::open(store.clone(), &Script::default());
    publish(&host, text).await;
    host.clock.advance(MINUTE);
    started(&host, 1).await;
    let run = runs(&host).await.remove(0).id;
    host.until(&run, Status::Waiting).await;
    let now = schedule(&host).await;
    assert_eq!((now.next_due, now.triggers[0].waits_for), (None, Some(run)));
    host.clock.advance(MINUTE * 2);
    assert_eq!(host.end(&run).await.status, Status::Faulted);
    support::until("the next start is due", async || {
        due(schedule(&host).await.next_due) == Some(240)
    })
    .await;
    host.clock.advance(MINUTE);
    started(&host, 2).await;
    host.engine.shutdown().await;

    // What ends before the schedule is told of it, it knows when the host is back.
    let host = Host::open(store, &Script::default());
    let second = runs(&host).await.remove(0).id;
    host.clock.advance(MINUTE * 6);
    host.end(&second).await;
    support::until("the next start is due", async || {
        schedule(&host).await.next_due.is_some()
    })
    .await;
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_can_be_paused_and_resumed() {
    let host = host(&[document("1.0.0", "schedule: { every: PT1M }")]).await;
    let tenant = TenantId::default();
    let paused = host
        .engine
        .pause_schedule(&tenant, "test", "tick", "ada")
        .await
        .expect("paused");
    assert_eq!(paused.next_due, None);
    assert_eq!(paused.paused.expect("a pause").by, "ada");
    host.clock.advance(MINUTE * 5);
    let resumed = host
        .engine
        .resume_schedule(&tenant, "test", "tick")
        .await
        .expect("resumed");
    assert_eq!((due(resumed.next_due), resumed.started), (Some(360), 0));
    host.clock.advance(MINUTE);
    started(&host, 1).await;
    assert_eq!(schedule(&host).await.missed, 0);
    let other = TenantId::new("other").expect("a tenant");
    for (tenant, name) in [(&tenant, "tock"), (&other, "tick")] {
        let refused = host
            .engine
            .pause_schedule(tenant, "test", name, "ada")
            .await;
        assert!(matches!(refused, Err(ScheduleError::NotFound)));
    }
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_highest_version_is_the_one_that_is_scheduled() {
    let every =
        |version, interval: &str| document(version, &format!("schedule: {{ every: {interval} }}"));
    let host = host(&[every("1.1.0", "PT1M"), every("1.0.0", "PT5M")]).await;
    host.clock.advance(Duration::from_secs(30));
    // The same schedule goes on as it was, an older version and a pre-release change nothing.
    publish(&host, &every("1.2.0", "PT1M")).await;
    publish(&host, &every("2.0.0-rc.1", "PT9M")).await;
    let now = schedule(&host).await;
    assert_eq!(
        (now.version.as_str(), due(now.next_due)),
        ("1.2.0", Some(60))
    );
    publish(&host, &every("1.3.0", "PT2M")).await;
    assert_eq!(due(schedule(&host).await.next_due), Some(150));
    let tenant = TenantId::default();
    let read = async |version| {
        let found = host.engine.workflow(&tenant, "test", "tick", version).await;
        found.expect("read").expect("there").schedule
    };
    assert_eq!(read(None).await, Some(schedule(&host).await));
    assert_eq!(read(Some("1.2.0")).await, None);
    let page = host.engine.schedules(&tenant, None, 9).await;
    assert_eq!(page.expect("listed").items, [schedule(&host).await]);

    publish(&host, &document("2.0.0", "")).await;
    let gone = host.engine.schedule(&tenant, "test", "tick").await;
    assert_eq!(gone.expect("read"), None);
    host.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_commit_starts_what_is_due_once() {
    let mut crashes = 0;
    for number in 1..6 {
        for fault in [Fault::CrashBefore(number), Fault::CrashAfter(number)] {
            let memory = Arc::new(MemoryStore::new());
            let host = Host::open(memory.clone(), &Script::default());
            let every = document("1.0.0", "schedule: { every: PT1M }");
            publish(&host, &every).await;
            host.engine.shutdown().await;

            let faulty = Arc::new(FaultyStore::new(memory.clone(), fault));
            let host = Host::open(faulty.clone(), &Script::default());
            host.clock.advance(MINUTE);
            support::until("a run or a crash", async || {
                faulty.is_crashed() || schedule(&host).await.started == 1
            })
            .await;
            crashes += usize::from(faulty.is_crashed());
            host.engine.shutdown().await;

            let host = Host::open(memory, &Script::default());
            host.clock.advance(MINUTE);
            started(&host, 1).await;
            host.clock.advance(MINUTE);
            started(&host, 2).await;
            let runs = runs(&host).await;
            let dues: Vec<_> = runs
                .iter()
                .map(|run| due(run.trigger.as_ref().map(|it| it.due)))
                .collect();
            assert_eq!(dues, [Some(120), Some(60)], "{fault:?}");
            for run in &runs {
                assert_eq!(host.end(&run.id).await.status, Status::Completed);
            }
            host.engine.shutdown().await;
        }
    }
    assert!(crashes > 1, "the faults have to hit the start: {crashes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_has_so_many_schedules_and_no_more() {
    let store = Arc::new(MemoryStore::new());
    let limits = EngineLimits {
        schedules_per_tenant: 2,
        ..EngineLimits::default()
    };
    let open = || {
        Host::open_with(
            store.clone(),
            support::shared_sandbox(),
            Some(&Script::default()),
            limits.clone(),
        )
    };
    let host = open();
    let every = "schedule: { every: PT1M }";
    let named =
        |name: &str, version: &str, schedule| document(version, schedule).replace("tick", name);
    publish(&host, &named("one", "1.0.0", every)).await;
    publish(&host, &named("two", "1.0.0", every)).await;
    // What is not counted: other versions of the same, workflows without a schedule, and those of others.
    publish(&host, &named("two", "1.1.0", "schedule: { every: PT2M }")).await;
    publish(&host, &named("other", "1.0.0", "")).await;
    let three = named("three", "1.0.0", every);
    let neighbour = TenantId::new("neighbour").expect("a tenant");
    let published = host.engine.publish(&neighbour, &three).await;
    published.expect("of another tenant");

    let tenant = TenantId::default();
    for host in [&host, &open()] {
        let refused = host.engine.publish(&tenant, &three).await;
        let Err(error @ PublishError::TooManySchedules { max: 2 }) = refused else {
            panic!("{refused:?}");
        };
        assert!(error.to_string().contains("without `schedule`"));
        let read = host.engine.workflow(&tenant, "test", "three", None).await;
        assert!(read.expect("read").is_none(), "nothing was stored");
    }
    // One ends, and makes room.
    publish(&host, &named("one", "1.1.0", "")).await;
    publish(&host, &three).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_retried_starts_nothing_by_its_second_end() {
    let text = "
document: { dsl: '1.0.3', namespace: test, name: tick, version: '1.0.0' }
schedule: { after: PT1M }
do:
  - ask: { call: http, with: { method: get, endpoint: 'https://example.org/1' } }
";
    let (tenant, script) = (TenantId::default(), Script::default());
    script.break_only(&["ask"]);
    let store = Arc::new(MemoryStore::new());
    let host = Host::open(store.clone(), &script);
    publish(&host, text).await;
    host.clock.advance(MINUTE);
    started(&host, 1).await;
    let run = runs(&host).await.remove(0).id;
    assert_eq!(host.end(&run).await.status, Status::Faulted);
    let is_due = async || due(schedule(&host).await.next_due) == Some(120);
    support::until("the next start is due", is_due).await;

    script.break_only(&[]);
    host.clock.advance(MINUTE / 2);
    let retried = host.engine.retry(&tenant, &run, None, "ada", None).await;
    retried.expect("retried");
    assert_eq!(host.end(&run).await.status, Status::Completed);
    host.engine.shutdown().await;
    // Neither when the schedule is told of it, nor when it looks for itself.
    let host = Host::open(store, &script);
    support::until("the host has recovered", async || host.engine.is_ready()).await;
    let now = schedule(&host).await;
    assert_eq!((due(now.next_due), now.started), (Some(120), 1));
    host.clock.advance(MINUTE * 2);
    started(&host, 2).await;
    assert_eq!(runs(&host).await.len(), 2);
    host.engine.shutdown().await;
}
