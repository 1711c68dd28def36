//! `baton connector`: components that workflows call functions of.

mod build;
mod call;
mod grant;
mod inspect;
mod install;
mod list;
mod new;
mod target;

use clap::Subcommand;

use crate::failure::Outcome;

/// `baton connector …`
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Start the crate of a new connector
    New(new::Args),
    /// Build a connector's crate into a component
    Build(build::Args),
    /// Show what a connector offers and what it asks for
    Inspect(inspect::Args),
    /// Install a component on a host, or upgrade it
    Install(install::Args),
    /// List the connectors of a host
    List(list::Args),
    /// Say what a connector may do, in place of what was granted before
    Grant(grant::Args),
    /// Call a function once, outside of any workflow
    Call(call::Args),
}

impl Command {
    pub(crate) async fn execute(self) -> Outcome {
        match self {
            Self::New(args) => args.execute(),
            Self::Build(args) => args.execute(),
            Self::Inspect(args) => args.execute().await,
            Self::Install(args) => args.execute().await,
            Self::List(args) => args.execute().await,
            Self::Grant(args) => args.execute().await,
            Self::Call(args) => args.execute().await,
        }
    }
}
