//! The workflow of ten steps alone: no other run shares the disk with it.

use std::time::Duration;

use serde_json::{Value, json};

use super::load::Runs;
use crate::driver::{Connection, Request};
use crate::figures::{add, percentiles};
use crate::settings::Settings;
use crate::usage::Usage;
use crate::workflow::STEPS;
use crate::{host, workflow};

pub(super) async fn measure(settings: &Settings) -> Value {
    let host = host::alone(&[workflow::steps("steps", "adder")], &[]).await;
    let runs = Runs::of_steps("steps");
    let request = Request::start(runs.workflow, &runs.input).awaited();
    let count = settings.times(1_000, 20);
    let mut connection = Connection::open(&host::target(&host))
        .await
        .expect("the host is there");
    let mut took: Vec<Duration> = Vec::new();
    let mut before = Usage::of(&host);
    for number in 0..count + count / 10 {
        // The first tenth warms up.
        if number == count / 10 {
            before = Usage::of(&host);
            took.clear();
        }
        let answer = connection.send(&request).await.expect("the host answers");
        answer.expect_output(&runs.output);
        took.push(answer.took / u32::try_from(STEPS).expect("it is ten"));
    }
    let mut figures = percentiles("step", &took);
    figures["settings"] = json!({ "runs": count, "steps_per_run": STEPS });
    add(&mut figures, before.since(&host, count, STEPS));
    figures
}
