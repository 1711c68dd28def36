//! `baton runs restart`: what a run has done, once more.

use baton_api::client::StartOptions;
use baton_api::run::RestartRun;

use super::watch::follow;
use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::remote::Remote;

/// The arguments of `baton runs restart`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The ended run's id
    #[arg(value_name = "RUN")]
    run: String,

    /// The version of the workflow [default: the one that the ended run kept to]
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,

    /// A name for this request: sent again under the same, it starts no second run
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,

    /// Follow the new run to its end, as `baton runs watch` does
    #[arg(long)]
    watch: bool,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    /// Prints the new run's id or, when it is followed, its output.
    pub(crate) async fn execute(self) -> Outcome {
        let client = self.remote.client()?;
        let restart = RestartRun {
            version: self.version,
        };
        let options = StartOptions {
            idempotency_key: self.idempotency_key,
            ..StartOptions::default()
        };
        let run = client.restart(&self.run, &restart, &options).await?;
        match (self.watch, self.output) {
            (true, output) => follow(&client, &run, output).await,
            (false, Output::Text) => print(&run.summary.id),
            (false, Output::Json) => print_json(&run),
        }
    }
}
