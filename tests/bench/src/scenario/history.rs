//! Throughput over a store of many finished runs, against the same host while its store was empty.

use std::time::Instant;

use serde_json::{Value, json};

use super::load::Runs;
use crate::driver::{Request, once};
use crate::figures::{add, milliseconds, per_second};
use crate::settings::Settings;
use crate::usage::Usage;
use crate::{host, workflow};

const IN_FLIGHT: usize = 64;

pub(super) async fn measure(settings: &Settings) -> Value {
    let documents = [workflow::steps("steps", "adder"), workflow::keep("keep")];
    let mut host = host::alone(&documents, &[]).await;
    let runs = Runs::of_steps("steps");
    let empty = runs.measured(&host, IN_FLIGHT, 10, settings).await;

    let count = settings.runs(1_000_000, 2_000);
    let small = Runs {
        workflow: "keep",
        input: json!({ "order": 4711 }),
        output: json!({ "order": 4711 }),
        steps: 1,
    };
    let before = Usage::of(&host);
    let filled = small.count(&host::target(&host), 256, count).await;
    let mut fill = json!({
        "runs": count,
        "seconds": filled.elapsed.as_secs_f64(),
        "runs_per_second": per_second(count, filled.elapsed),
    });
    add(&mut fill, before.since(&host, count, 1));

    let full = runs.measured(&host, IN_FLIGHT, 10, settings).await;
    let ratio = full["steps_per_second"].as_f64().unwrap_or_default()
        / empty["steps_per_second"].as_f64().unwrap_or(1.0).max(1.0);
    let mut figures = json!({
        "steps_per_second": full["steps_per_second"],
        "ratio": ratio,
        "peak_memory_bytes": full["peak_memory_bytes"],
        "cpu_seconds": full["cpu_seconds"],
        "disk_bytes_per_run": fill["disk_bytes_per_run"],
        "settings": { "runs": count, "in_flight": IN_FLIGHT, "steps_per_run": runs.steps },
        "empty": empty,
        "fill": fill,
        "full": full,
    });
    add(&mut figures, restarted(&mut host, &runs).await);
    figures
}

/// Kills the host, and has it begin anew on what it has.
async fn restarted(host: &mut baton_tests::Host, runs: &Runs) -> Value {
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
