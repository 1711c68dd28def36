//! `baton runs`: the runs of a host.

mod cancel;
mod control;
mod delete;
mod history;
mod list;
mod restart;
mod retry;
mod show;
mod start;
mod watch;

use clap::Subcommand;

use crate::failure::Outcome;

/// `baton runs …`
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Start a run of a published workflow
    Start(start::Args),
    /// List runs, the newest first
    List(list::Args),
    /// Show a run: where it is, and what it was given and has given
    Show(show::Args),
    /// Show what happened in a run
    History(history::Args),
    /// Follow a run to its end
    Watch(watch::Args),
    /// Undo what a run has done, and end it
    Cancel(cancel::Args),
    /// Let nothing new begin in a run
    Suspend(control::Args),
    /// Let a suspended run go on
    Resume(control::Args),
    /// Try a faulted run again, from the task that failed
    #[command(disable_version_flag = true)]
    Retry(retry::Args),
    /// Start a new run with what an ended run was started with
    #[command(disable_version_flag = true)]
    Restart(restart::Args),
    /// Delete an ended run, with its history and all else that is kept of it
    Delete(delete::Args),
}

impl Command {
    pub(crate) async fn execute(self) -> Outcome {
        match self {
            Self::Start(args) => args.execute().await,
            Self::List(args) => args.execute().await,
            Self::Show(args) => args.execute().await,
            Self::History(args) => args.execute().await,
            Self::Watch(args) => args.execute().await,
            Self::Cancel(args) => args.execute().await,
            Self::Suspend(args) => args.execute(control::Wanted::Suspend).await,
            Self::Resume(args) => args.execute(control::Wanted::Resume).await,
            Self::Retry(args) => args.execute().await,
            Self::Restart(args) => args.execute().await,
            Self::Delete(args) => args.execute().await,
        }
    }
}
