//! The load generator: drives the real binary over HTTP, as a client would, and prints one JSON object for
//! each scenario to standard output.
//!
//! ```text
//! cargo run --release -p baton-bench                the four scenarios
//! cargo run --release -p baton-bench -- latency     only those that are named
//! ```
//!
//! | scenario | measures |
//! |---|---|
//! | `throughput` | `steps_per_second`: workflows of ten sequential calls, 64 and 256 at once |
//! | `latency` | `step_p50_us`, `step_p99_us`: the same workflow alone, its time divided by ten |
//! | `call` | `call_p50_us`: a function called once through the API: fresh instance, call, JSON both ways |
//! | `startup` | `ready_ms` and `first_run_ms`, from the start of the process, on the data of earlier runs |
//!
//! A step is a call to a connector that adds one and reads the clock, so that each result must be on disk
//! before the next step starts. A client waits for the end of its run (`Prefer: wait`) before it starts
//! the next. The load generator shares the machine with the host.

mod machine;
mod scenario;

use std::process::ExitCode;

/// A scenario and its name.
const SCENARIOS: [&str; 4] = ["throughput", "latency", "call", "startup"];

#[tokio::main]
async fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = wanted
        .iter()
        .find(|name| !SCENARIOS.contains(&name.as_str()))
    {
        eprintln!(
            "error: there is no scenario `{unknown}`: name some of {}, or none for all",
            SCENARIOS.join(", ")
        );
        return ExitCode::from(2);
    }
    if let Err(problem) = machine::build() {
        eprintln!("error: {problem}");
        return ExitCode::FAILURE;
    }
    for name in SCENARIOS {
        if !wanted.is_empty() && !wanted.iter().any(|scenario| scenario == name) {
            continue;
        }
        eprintln!("{name} …");
        let mut figures = match name {
            "throughput" => scenario::throughput().await,
            "latency" => scenario::latency().await,
            "call" => scenario::call().await,
            _ => scenario::startup().await,
        };
        figures["scenario"] = name.into();
        figures["machine"] = machine::describe();
        println!("{figures}");
    }
    ExitCode::SUCCESS
}
