//! A tenant that asks for little: a run now and then, whose end it waits for.

use std::time::{Duration, Instant};

use baton_system::priority;

use super::load::Runs;
use crate::driver::{Connection, Request, Target};
use crate::figures::rounded;

/// How often it starts a run.
const EVERY: Duration = Duration::from_millis(50);

/// How many runs a second it starts at most.
pub(super) fn per_second() -> u64 {
    rounded(1.0 / EVERY.as_secs_f64())
}

/// How long each of its runs took. What a client on another machine sees: it has a thread and a runtime of its own, so
/// that its answers do not wait in the queue of another client, nor for the processors, which here the host has and those that
/// make its load.
pub(super) async fn during(target: &Target, runs: &Runs, time: Duration) -> Vec<Duration> {
    let (target, runs) = (target.clone(), runs.clone());
    let client = move || {
        priority::go_at_once();
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
    let mut ticks = tokio::time::interval(EVERY);
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
