//! The end of a run, told on standard output and in the exit code: the same for `run` and `runs watch`.

use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::{Output, print_json, print_pretty};
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
        anstream::eprintln!(
            "run {} faulted{}: {}",
            self.id,
            place.unwrap_or_default(),
            error(&cause)
        );
    }
}
