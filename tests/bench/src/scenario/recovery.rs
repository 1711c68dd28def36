//! SIGKILL under load, with many open runs: most of them wait, and of some a call is under way. The host is started
//! again on the same data: how long it takes until it works, and whether everything is as it was.
//!
//! And how long it takes to the first finished run where 64 runs of ten steps were under way, and nothing else.

use std::time::{Duration, Instant};

use baton_tests::eventually;
use serde_json::{Value, json};

use super::crowd::{self, Crowd};
use super::survivors::Survivors;
use crate::driver::{Request, Target, drive_all};
use crate::figures::{add, median, milliseconds};
use crate::host::{self, Many};
use crate::service::{Calls, Service};
use crate::settings::Settings;
use crate::usage::Usage;
use crate::workflow;

/// How many runs one tenant has: below the bound of open runs.
const PER_TENANT: usize = 30_000;

/// How many calls of each tenant are under way, below the bound of calls under one grant.
const CALLS_PER_TENANT: usize = 60;

/// How far away the timers are, so that none comes due meanwhile.
const FAR: Duration = Duration::from_secs(24 * 3600);

/// How many runs of ten steps are under way when the host is killed.
const IN_FLIGHT: usize = 64;

pub(super) async fn measure(settings: &Settings) -> Value {
    let mut figures = crowded(settings).await;
    add(&mut figures, alone(settings).await);
    figures
}

async fn crowded(settings: &Settings) -> Value {
    let count = settings.runs(100_000, 600);
    let service = Service::start().await;
    let mut documents = crowd::documents();
    documents.push(workflow::held("held", service.url()));
    documents.push(workflow::steps("steps", "adder"));
    let tenants = count.div_ceil(PER_TENANT);
    let mut many = Many::start(tenants, &documents, &[service.url()]).await;

    let calls = CALLS_PER_TENANT.min(count / 10);
    let under_way = calls * tenants;
    let held = hold(&many.tenants, calls).await;
    eventually("all calls are under way", async || {
        (service.held().len() == under_way).then_some(())
    })
    .await;
    let waiting = Crowd::gather(&many.tenants, count - under_way, FAR).await;

    let load = Survivors::start(&many.tenants[0], IN_FLIGHT);
    tokio::time::sleep(settings.load(3)).await;
    many.host.kill9().await;
    let load = load.broken().await;
    let since = Instant::now();
    many.restart().await;
    let ready = since.elapsed();
    let before = Usage::of(&many.host);
    let (first, ended) = load.go_on(&many.tenants[0], since).await;
    eventually("the calls under way are made again", async || {
        is_again(&service.held(), since).then_some(())
    })
    .await;
    let again = last(&service.held()).saturating_duration_since(since);

    assert!(
        service.done().values().all(|calls| calls.len() == 1),
        "a call that was recorded is not made again"
    );
    assert!(
        service.held().values().all(|calls| calls.len() == 2),
        "a call that was under way is made again, once"
    );
    service.let_go();
    completed(&many.tenants, &held).await;
    completed(&many.tenants[..1], &[ended]).await;
    let lost = waiting.missing(&many.tenants).await;
    assert_eq!(lost, 0, "no waiting run is lost");
    let (woken, _) = waiting.tell(&many.tenants).await;

    let mut figures = json!({
        "ready_ms": milliseconds(ready),
        "first_run_ms": milliseconds(first),
        "calls_again_ms": milliseconds(again),
        "lost": lost,
        "woken_afterwards": woken,
        "settings": { "runs": count, "tenants": tenants, "calls_under_way": under_way, "in_flight": IN_FLIGHT },
    });
    add(&mut figures, before.since(&many.host, count, 1));
    figures
}

/// The first run that ends after a crash with 64 runs under way.
async fn alone(settings: &Settings) -> Value {
    let mut host = host::alone(&[workflow::steps("steps", "adder")], &[]).await;
    let times = settings.times(9, 2);
    let (mut ready, mut first) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let load = Survivors::start(&host::target(&host), IN_FLIGHT);
        tokio::time::sleep(settings.warm_up()).await;
        host.kill9().await;
        let load = load.broken().await;
        let since = Instant::now();
        host.restart().await;
        ready.push(since.elapsed());
        let target = host::target(&host);
        let (after, ended) = load.go_on(&target, since).await;
        first.push(after);
        completed(&[target], &[ended]).await;
    }
    json!({ "at_64_in_flight": {
        "ready_ms": milliseconds(median(ready)),
        "first_run_ms": milliseconds(median(first)),
        "kills": times,
    } })
}

/// Starts so many runs of each tenant of which a call will be under way. Gives their ids, by tenant.
async fn hold(tenants: &[Target], count: usize) -> Vec<Vec<String>> {
    let mut held = Vec::new();
    for tenant in tenants {
        let (sender, mut started) = tokio::sync::mpsc::unbounded_channel();
        let starts = (0..count).map(|n| Request::start("held", &json!({ "n": n })));
        drive_all(tenant, IN_FLIGHT, starts.collect(), move |_, answer| {
            let id = answer.json(202)["id"].as_str().map(str::to_owned);
            let _ = sender.send(id.expect("a run has an id"));
        })
        .await;
        let mut ids = Vec::new();
        while let Some(id) = started.recv().await {
            ids.push(id);
        }
        held.push(ids);
    }
    held
}

/// Waits until these runs of each tenant have completed.
async fn completed(tenants: &[Target], runs: &[Vec<String>]) {
    for (tenant, runs) in tenants.iter().zip(runs) {
        let requests = runs
            .iter()
            .map(|id| Request::get(format!("/v1/runs/{id}")).awaited());
        drive_all(tenant, IN_FLIGHT, requests.collect(), |_, answer| {
            let run = answer.json(200);
            assert_eq!(run["status"], "completed", "{run:#}");
        })
        .await;
    }
}

/// Whether all have been made again.
fn is_again(calls: &Calls, since: Instant) -> bool {
    calls
        .values()
        .all(|calls| calls.iter().any(|at| *at >= since))
}

fn last(calls: &Calls) -> Instant {
    let all = calls.values().flatten().copied();
    all.max().expect("there have been calls")
}
