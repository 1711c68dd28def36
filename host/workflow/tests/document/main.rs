//! The document model, from outside: what is accepted, what is said about what isn't, and what hostile
//! text can't do.

mod accepted;
mod diagnostics;
mod examples;
mod hostile;
mod mutated;
mod unsupported;

use baton_workflow::{Diagnostic, Document};

/// A document that is right, around `tasks`, the lines of its `do` without indentation.
fn with_tasks(tasks: &str) -> String {
    format!("{HEADER}do:\n{}", indent(tasks))
}

/// The lines of a workflow's `document`.
const HEADER: &str =
    "document:\n  dsl: '1.0.3'\n  namespace: test\n  name: case\n  version: '1.0.0'\n";

fn indent(text: &str) -> String {
    text.lines()
        .map(|line| {
            if line.is_empty() {
                "\n".to_owned()
            } else {
                format!("  {line}\n")
            }
        })
        .collect()
}

/// The document that a text is. Fails the test with what is wrong with it.
fn parse(text: &str) -> Document {
    Document::parse(text, Some("case.yaml"))
        .unwrap_or_else(|diagnostics| panic!("{}\n---\n{text}", render(&diagnostics)))
}

/// Diagnostics as plain text.
fn render(diagnostics: &[Diagnostic]) -> String {
    diagnostics
        .iter()
        .map(|one| format!("{}\n", one.display("case.yaml")))
        .collect()
}
