//! `baton approvals show`: an approval as the host has it.

use crate::failure::Outcome;
use crate::output::{Output, print_json, print_pretty};
use crate::remote::Remote;

/// The arguments of `baton approvals show`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The approval's id
    #[arg(value_name = "APPROVAL")]
    approval: String,

    /// What the answer looks like: JSON in any case, for people on several lines
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let approval = self.remote.client()?.approval(&self.approval).await?;
        match self.output {
            Output::Text => print_pretty(&approval),
            Output::Json => print_json(&approval),
        }
    }
}
