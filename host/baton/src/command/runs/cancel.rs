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
        let (id, status) = (&run.summary.id, run.summary.status);
        match self.output {
            Output::Text if status.is_ended() => print(format!("{id} is {}", status.name())),
            Output::Text => print(format!(
                "{id} is {}: what it has done is being undone, and then it is cancelled; \
                 `baton runs watch {id}` follows it",
                status.name()
            )),
            Output::Json => print_json(&run),
        }
    }
}
