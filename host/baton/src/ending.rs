//! The end of a run, told on standard output and in the exit code: the same for `run` and `runs watch`.

use std::sync::Arc;

use baton_workflow::Document;
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{Output, print_json, print_pretty};
use crate::render::failure::render;
use crate::render::history::error;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It has an output.
    Completed,
    /// It has an error.
    Faulted,
    /// Somebody ended it.
    Cancelled,
    /// It has not ended.
    Open,
}

impl Status {
    /// The name that the API has for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Faulted => "faulted",
            Self::Cancelled => "cancelled",
            Self::Open => "running",
        }
    }

    /// The status of that name in the API.
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "completed" => Self::Completed,
            "faulted" => Self::Faulted,
            "cancelled" => Self::Cancelled,
            _ => Self::Open,
        }
    }
}

/// A run that is not followed any more.
pub(crate) struct Ending {
    /// Its id.
    pub(crate) id: String,
    /// How it stands.
    pub(crate) status: Status,
    /// Its output, where it has completed.
    pub(crate) output: Value,
    /// Its error, where it has faulted.
    pub(crate) error: Option<Value>,
    /// All of it, in the form of the API.
    pub(crate) whole: Value,
    /// The document that it ran, where its text is at hand.
    pub(crate) document: Option<Arc<Document>>,
}

impl Ending {
    /// Prints the output alone for people, the whole run for programs; says on standard error why there is
    /// none.
    pub(crate) fn show(self, output: Output) -> Outcome {
        if output == Output::Json {
            print_json(&self.whole)?;
        } else if self.status == Status::Completed {
            print_pretty(&self.output)?;
        }
        match self.status {
            Status::Completed => return Ok(Exit::Done),
            Status::Faulted => self.tell_fault(),
            Status::Cancelled => anstream::eprintln!("run {} was cancelled", self.id),
            Status::Open => anstream::eprintln!("run {} has not ended", self.id),
        }
        Ok(Exit::Failed)
    }

    fn tell_fault(&self) {
        let cause = self.error.clone().unwrap_or_default();
        let place = cause
            .get("instance")
            .and_then(Value::as_str)
            .map(|task| format!(" at {task}"));
        let message = format!(
            "run {} faulted{}: {}",
            self.id,
            place.unwrap_or_default(),
            error(&cause)
        );
        let failure = Failure::new(message);
        let failure = match self.place_of(&cause) {
            Some((document, span)) => {
                let name = document.source().name().unwrap_or("the document");
                failure.at(name, document.text(), span)
            }
            None => failure,
        };
        anstream::eprintln!("{}", render(&failure));
    }

    /// Where in the document the error came up: at the task's name.
    fn place_of(&self, cause: &Value) -> Option<(&Document, std::ops::Range<usize>)> {
        let document = self.document.as_deref()?;
        let pointer = cause.get("instance")?.as_str()?;
        let span = document
            .key_span_of(pointer)
            .or_else(|| document.span_of(pointer))?;
        Some((document, span.start..span.end))
    }
}
