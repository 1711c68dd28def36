//! `baton runs retry`: a faulted run goes on from the task that failed.

use baton_api::run::RetryRun;

use super::watch::follow;
use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::remote::Remote;

/// The arguments of `baton runs retry`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,

    /// Go on under this version of the workflow, in which what has been performed is the same
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,

    /// Why, for the run's history
    #[arg(long)]
    reason: Option<String>,

    /// Follow the run to its end, as `baton runs watch` does
    #[arg(long)]
    watch: bool,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let client = self.remote.client()?;
        let retry = RetryRun {
            version: self.version,
            reason: self.reason,
        };
        let run = client.retry(&self.run, &retry).await?;
        let status = run.summary.status.name();
        match (self.watch, self.output) {
            (true, output) => follow(&client, &run, output).await,
            (false, Output::Text) => print(format!("{} is {status}", run.summary.id)),
            (false, Output::Json) => print_json(&run),
        }
    }
}
