//! What finished workflows of ten steps leave on disk: so many that what the file has in reserve is little beside them.

use serde_json::{Value, json};

use super::load::Runs;
use crate::figures::{add, per_second};
use crate::settings::Settings;
use crate::usage::{Usage, disk_bytes};
use crate::{host, workflow};

pub(super) async fn measure(settings: &Settings) -> Value {
    let mut host = host::alone(&[workflow::steps("steps", "adder")], &[]).await;
    let runs = Runs::of_steps("steps");
    let count = settings.runs(100_000, 200);
    let before = Usage::of(&host);
    let done = runs.count(&host::target(&host), 64, count).await;
    let mut figures = json!({
        "steps_per_second": per_second(done.runs * runs.steps, done.elapsed),
        "settings": { "runs": count, "steps_per_run": runs.steps, "in_flight": 64 },
    });
    add(&mut figures, before.since(&host, count, runs.steps));
    // What a host that is stopped in order leaves behind.
    assert!(host.stop().await.success(), "the host stops in order");
    figures["disk_bytes_stopped"] = disk_bytes(&host).into();
    figures
}
