//! `baton runs show`: a run, and the runs that it has started.

use baton_api::run::{Run, RunFilter, RunStatus, RunSummary};
use serde::Serialize;

use crate::failure::Outcome;
use crate::output::{Output, print_json, print_pretty};
use crate::remote::{Remote, collect};

/// How many of the runs that it has started are shown at most.
const CHILDREN_MAX: usize = 100;

/// The arguments of `baton runs show`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,

    /// What the answer looks like: JSON in any case, for people on several lines
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

/// A run, with those that it has started.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    run: Run,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<Child>,
}

/// A run that the run has started.
#[derive(Serialize)]
struct Child {
    id: String,
    workflow: String,
    status: RunStatus,
    /// The task that started it, as a JSON pointer.
    task: Option<String>,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let client = self.remote.client()?;
        let run = client.run(&self.run).await?;
        let filter = RunFilter {
            parent: Some(self.run),
            ..RunFilter::default()
        };
        let (children, _) =
            collect(CHILDREN_MAX, async |page| client.runs(&filter, &page).await).await?;
        let shown = Shown {
            run,
            children: children.into_iter().map(child).collect(),
        };
        match self.output {
            Output::Text => print_pretty(&shown),
            Output::Json => print_json(&shown),
        }
    }
}

fn child(from: RunSummary) -> Child {
    let workflow = from.workflow;
    Child {
        id: from.id,
        workflow: format!(
            "{}/{}@{}",
            workflow.namespace, workflow.name, workflow.version
        ),
        status: from.status,
        task: from.parent.map(|parent| parent.task),
    }
}
