//! `baton schedules`: the workflows that start by themselves.

mod list;
mod pause;

use clap::Subcommand;

use crate::failure::Outcome;

/// `baton schedules …`
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List the workflows that start by themselves, with what is due next
    List(list::Args),
    /// Let a workflow start no more by itself, until it is resumed
    Pause(pause::Args),
    /// Let a workflow start by itself again
    Resume(pause::Args),
}

impl Command {
    pub(crate) async fn execute(self) -> Outcome {
        match self {
            Self::List(args) => args.execute().await,
            Self::Pause(args) => args.execute(pause::Action::Pause).await,
            Self::Resume(args) => args.execute(pause::Action::Resume).await,
        }
    }
}
