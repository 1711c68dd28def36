//! What a call came to: its result, and what the host saw on the way.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Capability, Failure};

/// The end of a call.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The function's result as JSON (`null` where it has none), or why there is none.
    pub result: Result<Value, Failure>,
    /// Whether the call used nothing that could differ next time: no network, no clock, no settings. A pure
    /// call can be made again instead of being remembered.
    pub pure: bool,
    /// What the call asked for and was refused, whether or not it then failed. At most
    /// [`crate::limits::REFUSALS_MAX`].
    pub refusals: Vec<Refusal>,
    /// What the call wrote to its log, to standard output and to standard error. At most
    /// [`crate::limits::LOG_BYTES_MAX`] bytes.
    pub log: Vec<LogLine>,
    /// What the call took.
    pub usage: Usage,
}

/// Something that a call asked for and was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The capability that was used.
    pub capability: Capability,
    /// What was asked for: `GET https://api.example.org/v1/users`. Never with a query, which may carry
    /// secrets.
    pub request: String,
    /// Why it was refused, as a sentence's part that fits after "refused: ".
    pub reason: String,
    /// The egress rule that would allow it, where one would.
    pub rule: Option<String>,
}

impl Refusal {
    /// What was asked for, without the method: `https://api.example.org/v1/users`.
    pub(crate) fn url(&self) -> &str {
        self.request
            .split_once(' ')
            .map_or(&*self.request, |(_, url)| url)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} was refused: {}", self.request, self.reason)?;
        self.rule
            .iter()
            .try_for_each(|rule| write!(f, "; the egress rule `{rule}` would allow it"))
    }
}

/// How important a line of the log is (`wasi:logging`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// The values of variables and the flow of control.
    Trace,
    /// Of interest to someone debugging. Standard output comes as this.
    Debug,
    /// Of interest to someone monitoring.
    Info,
    /// A hazardous situation. Standard error comes as this.
    Warn,
    /// A serious error.
    Error,
    /// A fatal error.
    Critical,
}

/// A line of a call's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How important it is.
    pub level: LogLevel,
    /// What the guest named as its context; `stdout` and `stderr` for what it printed.
    pub context: String,
    /// The text, without a line break at its end.
    pub message: String,
}

/// What a call took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The most bytes that its linear memories had together.
    pub memory_peak: usize,
    /// From the call's start to its end, waiting for a free instance included.
    pub wall: Duration,
    /// How long the guest, or the host on its behalf, computed.
    pub cpu: Duration,
}
