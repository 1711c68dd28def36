//! `baton workflow show`: a document as it was published.

use crate::failure::Outcome;
use crate::output::{Output, print_exact, print_json};
use crate::reference::WorkflowName;
use crate::remote::Remote;

/// The arguments of `baton workflow show`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The workflow; without a version, the highest
    #[arg(value_name = "NAMESPACE/NAME[@VERSION]")]
    workflow: WorkflowName,

    /// What the answer looks like: the document alone, byte for byte, or all about it
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let WorkflowName {
            namespace,
            name,
            version,
        } = &self.workflow;
        let workflow = self
            .remote
            .client()?
            .workflow(namespace, name, version.as_deref())
            .await?;
        match self.output {
            Output::Text => print_exact(&workflow.text),
            Output::Json => print_json(&workflow),
        }
    }
}
