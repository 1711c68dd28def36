//! `baton runs delete`: nothing is left of a run.

use crate::failure::Outcome;
use crate::output::print;
use crate::remote::Remote;

/// The arguments of `baton runs delete`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The ended run's id
    #[arg(value_name = "RUN")]
    run: String,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        self.remote.client()?.delete_run(&self.run).await?;
        print(format!("{} is deleted", self.run))
    }
}
