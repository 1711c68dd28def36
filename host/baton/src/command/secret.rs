//! `baton secret`: what connectors may use without holding it.

mod key;
mod list;
mod remove;
mod set;

use clap::Subcommand;

use crate::failure::Outcome;

/// `baton secret …`
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Set a secret: its value, from standard input or a file, and the hosts that may have it
    Set(set::Args),
    /// List secrets, without their values
    List(list::Args),
    /// Remove a secret
    Remove(remove::Args),
    /// Make a master key, which a host seals secrets under
    ///
    /// It goes to standard output and is kept nowhere. Put it into a file that only the host's user can read, and
    /// name that with --secrets-key-file. To replace a key, put the new one in front of it, on a line of its own.
    Key,
}

impl Command {
    pub(crate) async fn execute(self) -> Outcome {
        match self {
            Self::Set(args) => args.execute().await,
            Self::List(args) => args.execute().await,
            Self::Remove(args) => args.execute().await,
            Self::Key => key::execute(),
        }
    }
}
