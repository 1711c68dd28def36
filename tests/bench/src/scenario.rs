//! The scenarios.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use baton_tests::{Client, Host, Start, guests};
use serde_json::{Value, json};

/// Calls in the workflow.
const STEPS: usize = 10;

/// How long a load lasts, and before it a warm-up that is not counted.
const LOAD: Duration = Duration::from_secs(10);
const WARM_UP: Duration = Duration::from_secs(2);

/// Runs alone, one after the other, for their latency.
const RUNS_ALONE: usize = 300;

/// Calls through the API.
const CALLS: usize = 2_000;

/// Starts of the host; the median counts.
const STARTS: usize = 9;

pub(crate) async fn throughput() -> Value {
    let mut loads = Vec::new();
    for in_flight in [64, 256] {
        let host = prepared().await;
        load(&host, in_flight, WARM_UP).await;
        let cpu = host.process().cpu_seconds();
        let (runs, elapsed) = load(&host, in_flight, LOAD).await;
        loads.push(json!({
            "in_flight": in_flight,
            "steps_per_second": per_second(runs * STEPS, elapsed),
            "runs": runs,
            "seconds": elapsed.as_secs_f64(),
            "peak_memory_bytes": host.process().peak_memory(),
            "cpu_seconds": host.process().cpu_seconds() - cpu,
        }));
    }
    json!({ "steps_per_second": loads[0]["steps_per_second"], "steps_per_run": STEPS, "loads": loads })
}

pub(crate) async fn latency() -> Value {
    let host = prepared().await;
    let mut steps = Vec::new();
    for number in 0..RUNS_ALONE + RUNS_ALONE / 10 {
        let since = Instant::now();
        run(&host).await;
        if number >= RUNS_ALONE / 10 {
            steps.push(since.elapsed() / u32::try_from(STEPS).expect("it is ten"));
        }
    }
    let mut figures = percentiles("step", &steps);
    figures["runs"] = RUNS_ALONE.into();
    figures["steps_per_run"] = STEPS.into();
    with_process(figures, &host)
}

pub(crate) async fn call() -> Value {
    let host = prepared().await;
    let arguments = json!({ "function": "add-one", "arguments": { "value": 1 } });
    let (mut calls, mut requests) = (Vec::new(), Vec::new());
    for number in 0..CALLS + CALLS / 10 {
        let since = Instant::now();
        let result = host.post("/v1/connectors/adder/call", &arguments).await;
        let called = since.elapsed();
        assert_eq!(result.expect(200).json()["output"], 2);
        let since = Instant::now();
        host.get("/healthz").await.expect(200);
        if number >= CALLS / 10 {
            calls.push(called);
            requests.push(since.elapsed());
        }
    }
    let mut figures = percentiles("call", &calls);
    // What a request costs that does nothing: the rest is instance, call and JSON.
    let empty = percentiles("empty_request", &requests);
    figures["empty_request_p50_us"] = empty["empty_request_p50_us"].clone();
    figures["calls"] = CALLS.into();
    with_process(figures, &host)
}

pub(crate) async fn startup() -> Value {
    let mut host = prepared().await;
    for _ in 0..100 {
        run(&host).await;
    }
    let (mut ready, mut first) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        host.kill9().await;
        let since = Instant::now();
        host.restart().await;
        ready.push(since.elapsed());
        run(&host).await;
        first.push(since.elapsed());
    }
    let milliseconds = |times: Vec<Duration>| percentile(times, 50).as_secs_f64() * 1_000.0;
    let figures = json!({
        "ready_ms": milliseconds(ready),
        "first_run_ms": milliseconds(first),
        "starts": STARTS,
        "memory_bytes": host.process().memory(),
    });
    with_process(figures, &host)
}

/// A host with the connector and the workflow.
async fn prepared() -> Host {
    let host = Start::default().start().await;
    host.install("adder", guests::adder()).await.expect(201);
    let mut text =
        "document:\n  dsl: '1.0.3'\n  namespace: bench\n  name: steps\n  version: '1.0.0'\ndo:\n"
            .to_owned();
    for step in 0..STEPS {
        text.push_str(&format!(
            "- step{step}:\n    call: add-one@adder\n    with:\n      value: ${{ . }}\n"
        ));
    }
    host.publish(text).await.expect(201);
    host
}

/// One run, awaited.
async fn run(host: &Client) {
    let headers = [("content-type", "application/json"), ("prefer", "wait=60")];
    let run = host
        .send(
            "POST",
            "/v1/workflows/bench/steps/runs",
            &headers,
            r#"{"input":0}"#,
        )
        .await
        .expect(200)
        .json();
    assert_eq!(run["output"], STEPS, "{run:#}");
}

/// Keeps so many runs under way for this long. Answers how many ended, and the time until the last did.
async fn load(host: &Client, in_flight: usize, duration: Duration) -> (usize, Duration) {
    let ended = Arc::new(AtomicUsize::new(0));
    let since = Instant::now();
    let clients: Vec<_> = (0..in_flight)
        .map(|_| {
            let (client, ended) = (host.clone(), Arc::clone(&ended));
            tokio::spawn(async move {
                while since.elapsed() < duration {
                    run(&client).await;
                    ended.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.expect("no client fails");
    }
    (ended.load(Ordering::Relaxed), since.elapsed())
}

fn with_process(mut figures: Value, host: &Host) -> Value {
    figures["peak_memory_bytes"] = host.process().peak_memory().into();
    figures["cpu_seconds"] = host.process().cpu_seconds().into();
    figures
}

fn per_second(count: usize, elapsed: Duration) -> u64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a few million")]
    let rate = count as f64 / elapsed.as_secs_f64();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is positive and far below 2^53"
    )]
    let rounded = rate.round() as u64;
    rounded
}

fn percentiles(what: &str, times: &[Duration]) -> Value {
    let microseconds = |percent| percentile(times.to_vec(), percent).as_secs_f64() * 1e6;
    let mut figures = json!({});
    for percent in [50, 99] {
        figures[format!("{what}_p{percent}_us")] = microseconds(percent).into();
    }
    figures
}

/// The smallest time that so many percent do not exceed.
fn percentile(mut times: Vec<Duration>, percent: usize) -> Duration {
    times.sort();
    times[(times.len() * percent).div_ceil(100) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_rank() {
        let times: Vec<Duration> = (1..=200).rev().map(Duration::from_micros).collect();
        assert_eq!(percentile(times.clone(), 50), Duration::from_micros(100));
        assert_eq!(percentile(times, 99), Duration::from_micros(198));
        assert_eq!(per_second(30, Duration::from_secs(2)), 15);
    }
}
