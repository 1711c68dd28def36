//! `baton schema`: the language as a JSON Schema, for editors.

use baton_workflow::document::SCHEMA;

use crate::failure::Outcome;
use crate::output::print_exact;

/// The arguments of `baton schema`.
///
/// A host serves the same at `/schema/workflow.json`. An editor with the YAML language server takes it from
/// the first line of a document: `# yaml-language-server: $schema=workflow.schema.json`
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn execute(self) -> Outcome {
        print_exact(SCHEMA)
    }
}
