//! What is said about documents that are wrong, as a user sees it.

mod call;
mod error;
mod event;
mod flow;
mod header;
mod reuse;
mod schedule;
mod task;
mod text;

use baton_workflow::Document;

use super::{HEADER, render, with_tasks};

/// What is wrong with a text.
fn check(text: &str) -> String {
    match Document::parse(text, Some("case.yaml")) {
        Ok(document) if document.warnings().is_empty() => "nothing\n".to_owned(),
        Ok(document) => render(document.warnings()),
        Err(diagnostics) => {
            assert!(
                diagnostics
                    .windows(2)
                    .all(|pair| pair[0].span.start <= pair[1].span.start),
                "sorted by place"
            );
            for one in &diagnostics {
                assert!(
                    text.get(one.span.start..one.span.end).is_some(),
                    "a span is inside of the text: {one:?}"
                );
            }
            render(&diagnostics)
        }
    }
}

/// What is wrong with the tasks of a workflow, whose lines begin at 7.
fn check_tasks(tasks: &str) -> String {
    check(&with_tasks(tasks))
}

/// What is wrong with what stands beside the tasks of a workflow, whose lines begin at 8.
fn check_beside(lines: &str) -> String {
    check(&format!("{HEADER}do:\n- a: {{ set: {{ x: 1 }} }}\n{lines}"))
}
