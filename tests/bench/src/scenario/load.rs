//! A load of runs: so many at once, each awaited, for a time or up to a number.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use baton_tests::Host;
use serde_json::{Value, json};

use crate::driver::{Request, Target, drive};
use crate::figures::{add, per_second};
use crate::host;
use crate::settings::Settings;
use crate::usage::Usage;

/// The runs that a load consists of.
#[derive(Clone)]
pub(crate) struct Runs {
    /// The workflow, of the namespace `bench`.
    pub(crate) workflow: &'static str,
    /// What each is given.
    pub(crate) input: Value,
    /// What each comes to.
    pub(crate) output: Value,
    /// How many steps each has.
    pub(crate) steps: usize,
}

/// What a load has done.
pub(crate) struct Done {
    pub(crate) runs: usize,
    pub(crate) elapsed: Duration,
}

impl Runs {
    /// Ten calls that add one, of the workflow of this name.
    pub(crate) fn of_steps(workflow: &'static str) -> Self {
        Self {
            workflow,
            input: json!(0),
            output: json!(crate::workflow::STEPS),
            steps: crate::workflow::STEPS,
        }
    }

    /// Keeps so many under way for so long.
    pub(crate) async fn during(&self, target: &Target, in_flight: usize, time: Duration) -> Done {
        let since = Instant::now();
        self.keep(target, in_flight, move || since.elapsed() < time)
            .await
    }

    /// So many, some at once.
    pub(crate) async fn count(&self, target: &Target, in_flight: usize, count: usize) -> Done {
        let begun = AtomicUsize::new(0);
        self.keep(target, in_flight, move || {
            begun.fetch_add(1, Ordering::Relaxed) < count
        })
        .await
    }

    async fn keep(
        &self,
        target: &Target,
        in_flight: usize,
        go_on: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Done {
        let request = Request::start(self.workflow, &self.input).awaited();
        let runs = Arc::new(AtomicUsize::new(0));
        let (output, ended) = (self.output.clone(), Arc::clone(&runs));
        let elapsed = drive(
            target,
            in_flight,
            move || go_on().then(|| request.clone()),
            move |_, answer| {
                answer.expect_output(&output);
                ended.fetch_add(1, Ordering::Relaxed);
            },
        )
        .await;
        Done {
            runs: runs.load(Ordering::Relaxed),
            elapsed,
        }
    }

    /// Keeps so many under way on this host, for a while that is not counted and one that is: steps a second,
    /// and what the host used for them.
    pub(crate) async fn measured(
        &self,
        host: &Host,
        in_flight: usize,
        seconds: u64,
        settings: &Settings,
    ) -> Value {
        let target = host::target(host);
        self.during(&target, in_flight, settings.warm_up()).await;
        let before = Usage::of(host);
        let done = self
            .during(&target, in_flight, settings.load(seconds))
            .await;
        let mut figures = json!({
            "in_flight": in_flight,
            "steps_per_second": per_second(done.runs * self.steps, done.elapsed),
            "runs": done.runs,
            "seconds": done.elapsed.as_secs_f64(),
        });
        add(&mut figures, before.since(host, done.runs, self.steps));
        figures
    }
}

/// The figures of several loads: those of the first stand for all.
pub(crate) fn together(runs: &Runs, loads: Vec<Value>) -> Value {
    let mut figures = json!({ "settings": { "steps_per_run": runs.steps } });
    for member in [
        "steps_per_second",
        "peak_memory_bytes",
        "cpu_seconds",
        "cpu_us_per_step",
        "disk_bytes",
        "disk_bytes_per_run",
    ] {
        figures[member] = loads[0][member].clone();
    }
    figures["loads"] = loads.into();
    figures
}
