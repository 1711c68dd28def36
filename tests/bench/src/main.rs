//! The load generator: drives the real binary over HTTP, as a client would, and prints one JSON object for
//! each scenario to standard output.
//!
//! ```text
//! cargo run --release -p baton-bench                          the scenarios of a minute or two
//! cargo run --release -p baton-bench -- latency history       those that are named
//! cargo run --release -p baton-bench -- waiting --runs 100000 with fewer runs than it takes by default
//! cargo run --release -p baton-bench -- --quick throughput    seconds instead of minutes, to see that it works
//! ```
//!
//! | scenario | measures |
//! |---|---|
//! | `throughput` | `steps_per_second`: workflows of ten sequential calls, 64 and 256 at once |
//! | `latency` | `step_p50_us`, `step_p99_us`: the same workflow alone, its time divided by ten |
//! | `fanout` | `steps_per_second`: a hundred calls at once and their join, by `for` and by `fork` |
//! | `pure` | `throughput` with a connector that is seen to be pure |
//! | `http` | `throughput` with calls of an HTTP service on this machine, and how many connections they took |
//! | `call` | `call_p50_us`: a function called once through the API: fresh instance, call, JSON both ways |
//! | `startup` | `ready_ms` and `first_run_ms`, from the start of the process, on the data of earlier runs |
//! | `size` | `disk_bytes_per_run`: what a finished workflow of ten steps leaves on disk |
//! | `history` | `ratio`: `throughput` with a million finished runs in the store, against an empty one |
//! | `waiting` | `memory_bytes` of a million waiting runs, and how many a second are woken |
//! | `recovery` | `ready_ms` and `first_run_ms` after SIGKILL with 100,000 open runs, and what became of them |
//! | `neighbour` | `flood_p99_ratio`, `spinning_p99_ratio` and `expressions_p99_ratio`: a tenant beside 10,000 runs of another, beside a connector that spins, and beside expressions that take long |
//! | `overload` | memory, refusals and latency under ten minutes of twice the load that can be sustained |
//!
//! A step is a call to a connector that adds one and reads the clock, so that each result must be on disk
//! before the next step starts. A client waits for the end of its run (`Prefer: wait`) before it starts
//! the next. The load generator shares the machine with the host.
//!
//! Every object has the `machine`, the `settings` of the scenario, and of the host's process
//! `peak_memory_bytes`, `cpu_seconds` (all threads, while it was measured) and `disk_bytes_per_run`.
//! Latencies are in microseconds, under names that end in `_us`.

mod driver;
mod figures;
mod host;
mod machine;
mod scenario;
mod service;
mod settings;
mod usage;
mod workflow;

use std::process::ExitCode;

use clap::Parser as _;

use crate::scenario::Scenario;
use crate::settings::Settings;

/// What is typed.
#[derive(clap::Parser, Debug)]
#[command(name = "baton-bench", about = "Measures the host, as a client sees it")]
struct Arguments {
    /// The scenarios; without any, those that take a minute or two
    #[arg(value_enum, value_name = "SCENARIO")]
    scenarios: Vec<Scenario>,

    #[command(flatten)]
    settings: Settings,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(problem) = machine::build() {
        eprintln!("error: {problem}");
        return ExitCode::FAILURE;
    }
    let wanted = match arguments.scenarios.as_slice() {
        [] => Scenario::SHORT,
        named => named,
    };
    for scenario in wanted {
        eprintln!("{} …", scenario.name());
        let mut figures = scenario.measure(&arguments.settings).await;
        figures["scenario"] = scenario.name().into();
        figures["settings"]["quick"] = arguments.settings.quick.into();
        figures["machine"] = machine::describe();
        println!("{figures}");
    }
    ExitCode::SUCCESS
}
