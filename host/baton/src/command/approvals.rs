//! `baton approvals`: what people are asked.

mod decide;
mod list;
mod show;

use clap::Subcommand;

use crate::failure::Outcome;
use baton_api::approval::Decision;

/// `baton approvals …`
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List what people are asked
    List(list::Args),
    /// Show what somebody is asked, or was
    Show(show::Args),
    /// Say yes
    Approve(decide::Args),
    /// Say no
    Reject(decide::Args),
}

impl Command {
    pub(crate) async fn execute(self) -> Outcome {
        match self {
            Self::List(args) => args.execute().await,
            Self::Show(args) => args.execute().await,
            Self::Approve(args) => args.execute(Decision::Approved).await,
            Self::Reject(args) => args.execute(Decision::Rejected).await,
        }
    }
}
