//! A restart on the data of earlier runs: until the host is ready, and until it has finished a run. And its memory
//! when it has nothing to do.

use std::time::Instant;

use serde_json::{Value, json};

use super::load::Runs;
use crate::driver::{Request, once};
use crate::figures::{add, median, milliseconds};
use crate::settings::Settings;
use crate::usage::Usage;
use crate::{host, workflow};

pub(super) async fn measure(settings: &Settings) -> Value {
    let mut host = host::alone(&[workflow::steps("steps", "adder")], &[]).await;
    let runs = Runs::of_steps("steps");
    let request = Request::start(runs.workflow, &runs.input).awaited();
    let earlier = settings.times(100, 5);
    runs.count(&host::target(&host), 1, earlier).await;
    let starts = settings.times(9, 2);
    let (mut ready, mut first, mut idle) = (Vec::new(), Vec::new(), 0);
    let mut used = json!({});
    for _ in 0..starts {
        host.kill9().await;
        let since = Instant::now();
        host.restart().await;
        ready.push(since.elapsed());
        idle = host.process().memory();
        let before = Usage::of(&host);
        let answer = once(&host::target(&host), &request).await;
        answer.expect_output(&runs.output);
        first.push(since.elapsed());
        used = before.since(&host, 1, runs.steps);
    }
    let mut figures = json!({
        "ready_ms": milliseconds(median(ready)),
        "first_run_ms": milliseconds(median(first)),
        "idle_memory_bytes": idle,
        "memory_bytes": host.process().memory(),
        "settings": { "starts": starts, "earlier_runs": earlier },
    });
    add(&mut figures, used);
    figures
}
