//! `baton runs show`: a run.

use crate::failure::Outcome;
use crate::output::{Output, print_json, print_pretty};
use crate::remote::Remote;

/// The arguments of `baton runs show`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,

    /// What the answer looks like: JSON in any case, for people on several lines
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let run = self.remote.client()?.run(&self.run).await?;
        match self.output {
            Output::Text => print_pretty(&run),
            Output::Json => print_json(&run),
        }
    }
}
