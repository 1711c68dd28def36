//! Twice the load that can be sustained, from clients that do not wait: what becomes of the host's memory, of what is
//! accepted, and of another tenant that asks for little.

use std::time::{Duration, Instant};

use baton_tests::Host;
use serde_json::{Value, json};

use super::flood::Flood;
use super::load::Runs;
use super::modest;
use crate::figures::{add, float, percentiles, rounded, times_as_long};
use crate::host::Many;
use crate::settings::Settings;
use crate::usage::Usage;
use crate::workflow;

/// How many runs at once make the most of the host: more of them do no more.
const IN_FLIGHT: usize = 512;

/// How often the memory is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Looks at the memory that are told of.
const POINTS: usize = 30;

pub(super) async fn measure(settings: &Settings) -> Value {
    let many = Many::start(2, &[workflow::steps("steps", "adder")], &[]).await;
    let (flooding, neighbour) = (&many.tenants[0], &many.tenants[1]);
    let runs = Runs::of_steps("steps");
    runs.during(flooding, IN_FLIGHT, settings.warm_up()).await;
    let sustained = runs.during(flooding, IN_FLIGHT, settings.pause(5, 1)).await;
    let sustained = float(sustained.runs) / sustained.elapsed.as_secs_f64();
    let alone = modest::during(neighbour, &runs, settings.pause(10, 1)).await;

    let before = Usage::of(&many.host);
    let time = settings.load(600);
    let flood = Flood::start(flooding, &runs, 2.0 * sustained, time);
    let asks = modest::during(neighbour, &runs, time);
    let (memory, beside) = tokio::join!(watch(&many.host, time), asks);
    let flood = flood.ended().await;
    let used = before.since(&many.host, flood.accepted(), runs.steps);

    let mut figures = flood.figures(time);
    add(&mut figures, memory_figures(&memory));
    add(&mut figures, percentiles("neighbour_run", &beside));
    add(&mut figures, percentiles("neighbour_alone_run", &alone));
    figures["neighbour_p99_ratio"] = times_as_long(&beside, &alone).into();
    add(&mut figures, used);
    figures["settings"] = json!({
        "seconds": time.as_secs(),
        "sustained_runs_per_second": rounded(sustained),
        "offered_runs_per_second": rounded(2.0 * sustained),
        "neighbour_runs_per_second": modest::per_second(),
        "steps_per_run": runs.steps,
    });
    figures
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
