//! `baton approvals show`: an approval as the host has it.

use crate::failure::Outcome;
use crate::output::print_json;
use crate::remote::Remote;

/// The arguments of `baton approvals show`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The approval's id
    #[arg(value_name = "APPROVAL")]
    approval: String,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        print_json(&self.remote.client()?.approval(&self.approval).await?)
    }
}
