//! `baton workflow`: the published workflows of a host.

mod list;
mod publish;
mod show;

use clap::Subcommand;

use crate::failure::Outcome;

/// `baton workflow …`
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Publish documents, so that runs can be started
    Publish(publish::Args),
    /// List the published versions
    List(list::Args),
    /// Show a document as it was published
    Show(show::Args),
}

impl Command {
    pub(crate) async fn execute(self) -> Outcome {
        match self {
            Self::Publish(args) => args.execute().await,
            Self::List(args) => args.execute().await,
            Self::Show(args) => args.execute().await,
        }
    }
}
