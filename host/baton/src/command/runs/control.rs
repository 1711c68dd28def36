//! `baton runs suspend` and `resume`: a run stands still, or goes on.

use baton_api::run::ControlRun;

use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::remote::Remote;

/// The arguments of `baton runs suspend` and `resume`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,

    /// Why, for the run's history
    #[arg(long)]
    reason: Option<String>,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

/// What is wanted of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    Suspend,
    Resume,
}

impl Args {
    pub(crate) async fn execute(self, wanted: Wanted) -> Outcome {
        let client = self.remote.client()?;
        let control = ControlRun {
            reason: self.reason,
        };
        let run = match wanted {
            Wanted::Suspend => client.suspend(&self.run, &control).await?,
            Wanted::Resume => client.resume(&self.run, &control).await?,
        };
        let status = run.summary.status.name();
        match self.output {
            Output::Text => print(format!("{} is {status}", run.summary.id)),
            Output::Json => print_json(&run),
        }
    }
}
