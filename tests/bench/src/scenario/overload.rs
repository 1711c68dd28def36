//! Twice the load that can be sustained, from clients that do not wait: what becomes of the host's memory, of what is
//! accepted, and of another tenant that asks for little.

use std::time::{Duration, Instant};

use baton_tests::Host;
use serde_json::{Value, json};

use super::flood::Flood;
use super::load::Runs;
use crate::driver::{Connection, Request, Target};
use crate::figures::{add, float, percentiles, rounded};
use crate::host::Many;
use crate::settings::Settings;
use crate::usage::Usage;
use crate::workflow;

/// How often the other tenant starts a run.
const MODEST: Duration = Duration::from_millis(50);

/// How many runs at once make the most of the host: more of them do no more.
const IN_FLIGHT: usize = 512;

/// How often the memory is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Looks at the memory that are told of.
const POINTS: usize = 30;

pub(super) async fn measure(settings: &Settings) -> Value {
    let many = Many::start(2, &[workflow::steps("steps", "adder")], &[]).await;
    let (flooding, modest) = (&many.tenants[0], &many.tenants[1]);
    let runs = Runs::of_steps("steps");
    runs.during(flooding, IN_FLIGHT, settings.warm_up()).await;
    let sustained = runs.during(flooding, IN_FLIGHT, settings.load(5)).await;
    let sustained = float(sustained.runs) / sustained.elapsed.as_secs_f64();
    let alone = neighbour(modest, &runs, settings.load(10)).await;

    let before = Usage::of(&many.host);
    let time = settings.load(600);
    let flood = Flood::start(flooding, &runs, 2.0 * sustained, time);
    let (memory, beside) = tokio::join!(watch(&many.host, time), neighbour(modest, &runs, time));
    let flood = flood.ended().await;
    let used = before.since(&many.host, flood.accepted(), runs.steps);

    let mut figures = flood.figures(time);
    add(&mut figures, memory_figures(&memory));
    add(&mut figures, percentiles("neighbour_run", &beside));
    add(&mut figures, percentiles("neighbour_alone_run", &alone));
    add(&mut figures, used);
    figures["neighbour_p99_ratio"] = (figures["neighbour_run_p99_us"].as_f64().unwrap_or_default()
        / figures["neighbour_alone_run_p99_us"]
            .as_f64()
            .unwrap_or(1.0))
    .into();
    figures["settings"] = json!({
        "seconds": time.as_secs(),
        "sustained_runs_per_second": rounded(sustained),
        "offered_runs_per_second": rounded(2.0 * sustained),
        "neighbour_runs_per_second": rounded(1.0 / MODEST.as_secs_f64()),
        "steps_per_run": runs.steps,
    });
    figures
}

/// What a client on another machine sees: a thread and a runtime of its own, so that its answers do not wait in the queue of
/// the flood's client.
async fn neighbour(target: &Target, runs: &Runs, time: Duration) -> Vec<Duration> {
    let (target, runs) = (target.clone(), runs.clone());
    let client = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime
            .expect("a runtime")
            .block_on(now_and_then(&target, &runs, time))
    };
    tokio::task::spawn_blocking(client)
        .await
        .expect("no client fails")
}

/// Starts a run every while, waits for its end, and says how long each took. A run that takes longer than the while puts
/// the next one off.
async fn now_and_then(target: &Target, runs: &Runs, time: Duration) -> Vec<Duration> {
    let request = Request::start(runs.workflow, &runs.input).awaited();
    let mut connection = Connection::open(target).await.expect("the host is there");
    let mut ticks = tokio::time::interval(MODEST);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (since, mut took) = (Instant::now(), Vec::new());
    while since.elapsed() < time {
        ticks.tick().await;
        let answer = connection.send(&request).await.expect("the host answers");
        answer.expect_output(&runs.output);
        took.push(answer.took);
    }
    took
}

/// The memory of the host, again and again.
async fn watch(host: &Host, time: Duration) -> Vec<u64> {
    let (since, mut memory) = (Instant::now(), Vec::new());
    while since.elapsed() < time {
        memory.push(host.process().memory());
        tokio::time::sleep(LOOK.min(time / 10)).await;
    }
    memory
}

/// The memory over time, and how much more it is in the last third than in the one before: 1 where it is flat.
fn memory_figures(memory: &[u64]) -> Value {
    let third = memory.len() / 3;
    let mean = |part: &[u64]| {
        let sum: u64 = part.iter().sum();
        #[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
        let sum = sum as f64;
        sum / float(part.len().max(1))
    };
    let every = memory.len().div_ceil(POINTS).max(1);
    let points: Vec<_> = memory.iter().step_by(every).collect();
    json!({
        "memory_bytes_over_time": points,
        "memory_growth": mean(&memory[2 * third..]) / mean(&memory[third..2 * third]).max(1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_of_the_last_third_over_the_one_before() {
        let memory: Vec<u64> = [vec![1; 10], vec![100; 10], vec![150; 10]].concat();
        let figures = memory_figures(&memory);
        assert_eq!(figures["memory_growth"], 1.5);
        assert_eq!(figures["memory_bytes_over_time"], json!(memory));
    }
}
