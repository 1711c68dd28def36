//! `baton secret remove`: a secret, no more.

use crate::exit::Exit;
use crate::failure::Outcome;
use crate::remote::Remote;

/// The arguments of `baton secret remove`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The secret's name
    #[arg(value_name = "NAME")]
    name: String,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        self.remote.client()?.remove_secret(&self.name).await?;
        Ok(Exit::Done)
    }
}
