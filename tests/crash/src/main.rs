//! The crash harness as a command.
//!
//! ```text
//! cargo run --release -p baton-crash                        200 kills, some minutes
//! cargo run --release -p baton-crash -- --full --times 50   a disk that fills up, again and again
//! cargo run --release -p baton-crash -- --failing --seed 7  writes that fail; what was left to chance with seed 7
//! ```
//!
//! It says how far it is on standard error, then what has happened on standard output, and ends with 1 where a law
//! was broken.

use std::process::ExitCode;

use baton_crash::{Plan, Trouble};
use clap::Parser as _;

/// What is typed.
#[derive(clap::Parser, Debug)]
#[command(
    about = "Makes trouble for the host at random moments, and looks whether anything is lost or done twice"
)]
struct Arguments {
    /// How often trouble comes
    #[arg(long, alias = "kills", default_value_t = 200, value_name = "COUNT")]
    times: usize,

    /// What chance begins with; another one each time by default
    #[arg(long)]
    seed: Option<u64>,

    /// How many runs are under way at once
    #[arg(long, default_value_t = 32, value_name = "COUNT")]
    customers: u64,

    /// The disk is full for a while, instead of SIGKILL each time
    #[arg(long)]
    full: bool,

    /// Writes to the store fail for a while, instead of SIGKILL each time
    #[arg(long, conflicts_with = "full")]
    failing: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let trouble = match (arguments.full, arguments.failing) {
        (true, _) => Trouble::Full,
        (_, true) => Trouble::Failing,
        _ => Trouble::Kill,
    };
    let plan = Plan {
        seed: arguments.seed.unwrap_or_else(rand::random),
        trouble,
        times: arguments.times,
        customers: arguments.customers,
        ballast: if arguments.full { 64 << 10 } else { 0 },
    };
    let report = baton_crash::run(&plan).await;
    println!(
        "seed {}: {} times {:?}, {} kills, {} runs, {} calls of which {} were made again, {} refusals: {} violations",
        plan.seed,
        plan.times,
        plan.trouble,
        report.kills,
        report.runs,
        report.calls,
        report.repeated,
        report.refusals.len(),
        report.violations.len()
    );
    for violation in &report.violations {
        println!("{violation}");
    }
    if report.violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
