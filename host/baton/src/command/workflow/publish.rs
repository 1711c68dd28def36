//! `baton workflow publish`: documents become workflows.

use std::path::PathBuf;

use baton_api::client::ClientError;
use baton_api::workflow::PublishedWorkflow;

use crate::check::Checked;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::input;
use crate::output::{Output, print, print_json};
use crate::remote::Remote;

/// The arguments of `baton workflow publish`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The documents, YAML or JSON; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// What the answer looks like; in JSON, a line for each document
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    /// Publishes one document after the other. One that is refused does not keep the others back.
    pub(crate) async fn execute(self) -> Outcome {
        let client = self.remote.client()?;
        let mut exit = Exit::Done;
        for file in &self.files {
            let source = input::document(file)?;
            match client.publish(source.text.clone()).await {
                Ok(published) => {
                    Checked {
                        source,
                        diagnostics: published.warnings.clone(),
                    }
                    .report();
                    show(&published, self.output)?;
                }
                Err(ClientError::Refused { problem, .. }) if !problem.diagnostics.is_empty() => {
                    Checked {
                        source,
                        diagnostics: problem.diagnostics,
                    }
                    .report();
                    exit = Exit::Failed;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(exit)
    }
}

fn show(published: &PublishedWorkflow, output: Output) -> Outcome {
    let PublishedWorkflow {
        workflow, created, ..
    } = published;
    match output {
        Output::Json => print_json(published),
        Output::Text => {
            let state = if *created {
                "published"
            } else {
                "was there already"
            };
            print(format!(
                "{}/{}@{} {state}",
                workflow.namespace, workflow.name, workflow.version
            ))
        }
    }
}
