//! What a tenant notices of another one that has much to do: ten thousand runs, a connector that spins, or expressions
//! that take long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::load::Runs;
use super::modest;
use crate::driver::{Request, Target, drive, once};
use crate::figures::{add, percentiles, times_as_long};
use crate::host::Many;
use crate::settings::Settings;
use crate::usage::Usage;
use crate::workflow;

/// Requests for starts that are under way at once.
const STARTING: usize = 32;

/// Runs that compute without end, at once: more than the machine has processors.
const COMPUTING: usize = 16;

pub(super) async fn measure(settings: &Settings) -> Value {
    let documents = [
        workflow::steps("steps", "adder"),
        workflow::spin("spin"),
        workflow::ponder("ponder"),
    ];
    let many = Many::start(2, &documents, &[]).await;
    let (busy, neighbour) = (&many.tenants[0], &many.tenants[1]);
    let runs = Runs::of_steps("steps");
    let open = settings.runs(10_000, 200);
    let time = settings.load(60);
    modest::during(neighbour, &runs, settings.warm_up()).await;

    let before = Usage::of(&many.host);
    let alone = modest::during(neighbour, &runs, time).await;
    let flood = Flood::of(busy, &runs, open);
    let flooded = modest::during(neighbour, &runs, time).await;
    let begun = flood.ended().await;
    let spinning = start(busy, "spin").await;
    let spun = modest::during(neighbour, &runs, time).await;
    cancel(busy, &spinning).await;
    let pondering = start(busy, "ponder").await;
    let pondered = modest::during(neighbour, &runs, time).await;
    cancel(busy, &pondering).await;

    let mut figures = json!({
        "flood_p99_ratio": times_as_long(&flooded, &alone),
        "spinning_p99_ratio": times_as_long(&spun, &alone),
        "expressions_p99_ratio": times_as_long(&pondered, &alone),
        "flood_runs": begun,
    });
    let all = [
        ("alone", &alone),
        ("flood", &flooded),
        ("spinning", &spun),
        ("expressions", &pondered),
    ];
    for (name, took) in all {
        add(
            &mut figures,
            percentiles(&format!("neighbour_{name}_run"), took),
        );
    }
    let ended = begun + all.iter().map(|(_, took)| took.len()).sum::<usize>();
    add(&mut figures, before.since(&many.host, ended, runs.steps));
    figures["settings"] = json!({
        "seconds": time.as_secs(),
        "flood_runs_at_once": open,
        "computing_runs_at_once": COMPUTING,
        "neighbour_runs_per_second": modest::per_second(),
        "steps_per_run": runs.steps,
    });
    figures
}

/// So many runs, started as fast as the host accepts them; once they have ended, as many again.
struct Flood {
    is_over: Arc<AtomicBool>,
    task: JoinHandle<usize>,
}

impl Flood {
    fn of(target: &Target, runs: &Runs, open: usize) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (target, runs, over) = (target.clone(), runs.clone(), is_over.clone());
        let rounds = async move {
            let mut begun = 0;
            while !over.load(Ordering::Relaxed) {
                round(&target, &runs, open).await;
                begun += open + 1;
            }
            begun
        };
        let task = tokio::spawn(rounds);
        Self { is_over, task }
    }

    /// Lets what has begun come to its end. How many runs it was.
    async fn ended(self) -> usize {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.await.expect("no client fails")
    }
}

/// Starts so many runs, and waits for the end of one that is started after them.
async fn round(target: &Target, runs: &Runs, open: usize) {
    let request = Request::start(runs.workflow, &runs.input);
    let begun = AtomicUsize::new(0);
    let more = move || (begun.fetch_add(1, Ordering::Relaxed) < open).then(|| request.clone());
    drive(target, STARTING, more, |_, answer| {
        answer.json(202);
    })
    .await;
    runs.count(target, 1, 1).await;
}

/// Starts runs that do not come to their end.
async fn start(target: &Target, workflow: &'static str) -> Vec<String> {
    let request = Request::start(workflow, &json!(0));
    let mut runs = Vec::new();
    for _ in 0..COMPUTING {
        let run = once(target, &request).await.json(202);
        runs.push(run["id"].as_str().expect("a run has an id").to_owned());
    }
    runs
}

async fn cancel(target: &Target, runs: &[String]) {
    for id in runs {
        let request = Request::post(format!("/v1/runs/{id}/cancel"), &json!({}));
        let answer = once(target, &request).await;
        assert!(matches!(answer.status, 200 | 202), "{answer:?}");
    }
}
