//! Throughput over a store of many finished runs, against that of hosts with an empty store.

use std::time::Instant;

use baton_tests::Host;
use serde_json::{Value, json};

use super::load::Runs;
use crate::driver::{Request, once};
use crate::figures::{add, float, milliseconds, per_second, rounded};
use crate::settings::Settings;
use crate::usage::Usage;
use crate::{host, workflow};

const IN_FLIGHT: usize = 64;

pub(super) async fn measure(settings: &Settings) -> Value {
    let runs = Runs::of_steps("steps");
    let mut host = fresh().await;
    let count = settings.runs(1_000_000, 2_000);
    let fill = filled(&host, count).await;

    // In turn, since a machine does not do as much at all times.
    let (mut full, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..settings.times(5, 1) {
        full.push(runs.measured(&host, IN_FLIGHT, 5, settings).await);
        empty.push(runs.measured(&fresh().await, IN_FLIGHT, 5, settings).await);
    }
    let last = full.last().cloned().unwrap_or_default();
    let mut figures = json!({
        "steps_per_second": rounded(mean(&full, "steps_per_second")),
        "ratio": mean(&full, "steps_per_second") / mean(&empty, "steps_per_second").max(1.0),
        "cpu_us_per_step": mean(&full, "cpu_us_per_step"),
        "peak_memory_bytes": last["peak_memory_bytes"],
        "cpu_seconds": last["cpu_seconds"],
        "disk_bytes_per_run": fill["disk_bytes_per_run"],
        "settings": { "runs": count, "in_flight": IN_FLIGHT, "steps_per_run": runs.steps },
        "fill": fill,
        "full": full,
        "empty": empty,
    });
    add(&mut figures, restarted(&mut host, &runs).await);
    figures
}

/// A host with an empty store.
async fn fresh() -> Host {
    let documents = [workflow::steps("steps", "adder"), workflow::keep("keep")];
    host::alone(&documents, &[]).await
}

/// Has so many runs end in a store.
async fn filled(host: &Host, count: usize) -> Value {
    let small = Runs {
        workflow: "keep",
        input: json!({ "order": 4711 }),
        output: json!({ "order": 4711 }),
        steps: 1,
    };
    let before = Usage::of(host);
    let filled = small.count(&host::target(host), 256, count).await;
    let mut fill = json!({
        "runs": count,
        "seconds": filled.elapsed.as_secs_f64(),
        "runs_per_second": per_second(count, filled.elapsed),
    });
    add(&mut fill, before.since(host, count, 1));
    fill
}

/// The mean of a figure of several loads that took as long.
fn mean(loads: &[Value], figure: &str) -> f64 {
    let sum: f64 = loads.iter().filter_map(|load| load[figure].as_f64()).sum();
    sum / float(loads.len().max(1))
}

/// Kills the host, and has it begin anew on what it has.
async fn restarted(host: &mut Host, runs: &Runs) -> Value {
    host.kill9().await;
    let since = Instant::now();
    host.restart().await;
    let ready = since.elapsed();
    let request = Request::start(runs.workflow, &runs.input).awaited();
    let answer = once(&host::target(host), &request).await;
    answer.expect_output(&runs.output);
    json!({
        "ready_ms": milliseconds(ready),
        "first_run_ms": milliseconds(since.elapsed()),
        "idle_memory_bytes": host.process().memory(),
    })
}
