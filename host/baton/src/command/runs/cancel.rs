//! `baton runs cancel`: the end of a run.

use baton_api::run::CancelRun;

use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::remote::Remote;

/// The arguments of `baton runs cancel`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,

    /// Why, for the run's history
    #[arg(long)]
    reason: Option<String>,

    /// End it now, and undo nothing
    #[arg(long)]
    no_compensation: bool,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let run = self
            .remote
            .client()?
            .cancel(
                &self.run,
                &CancelRun {
                    reason: self.reason,
                    compensate: !self.no_compensation,
                },
            )
            .await?;
        match self.output {
            Output::Text => print(format!(
                "{} is {}",
                run.summary.id,
                run.summary.status.name()
            )),
            Output::Json => print_json(&run),
        }
    }
}
