//! `baton schedules pause` and `resume`.

use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::reference::WorkflowName;
use crate::remote::Remote;

/// The arguments of `baton schedules pause` and `resume`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The workflow
    #[arg(value_name = "NAMESPACE/NAME")]
    workflow: WorkflowName,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

/// What is to be done with a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Pause,
    Resume,
}

impl Args {
    pub(crate) async fn execute(self, action: Action) -> Outcome {
        let client = self.remote.client()?;
        let WorkflowName {
            namespace, name, ..
        } = &self.workflow;
        let schedule = match action {
            Action::Pause => client.pause_schedule(namespace, name).await?,
            Action::Resume => client.resume_schedule(namespace, name).await?,
        };
        if self.output == Output::Json {
            return print_json(&schedule);
        }
        print(match (&schedule.paused, &schedule.next_due) {
            (Some(pause), _) => format!("{namespace}/{name} is paused by {}", pause.by),
            (None, Some(due)) => format!("{namespace}/{name} starts next at {due}"),
            (None, None) => format!("{namespace}/{name} is not paused"),
        })
    }
}
