//! How a call fails: the `failure` of `wit/connector.wit`, on the host's side.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What kind of failure a call ended with (`failure-kind` in `wit/connector.wit`).
///
/// Each is an error type of the Open Workflow Specification (dsl-reference, "Standard Error Types").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// A setting is missing or wrong.
    Configuration,
    /// The given data does not have the form or the values that the function needs.
    Validation,
    /// The other side does not know who is calling.
    Authentication,
    /// The other side, or the host, knows and refuses.
    Authorization,
    /// Something took longer than it may.
    Timeout,
    /// The other side could not be reached, or answered with an error.
    Communication,
    /// Anything else: traps and exceeded limits among them.
    Runtime,
}

impl FailureKind {
    /// All kinds, in the order of `wit/connector.wit`.
    pub const ALL: [Self; 7] = [
        Self::Configuration,
        Self::Validation,
        Self::Authentication,
        Self::Authorization,
        Self::Timeout,
        Self::Communication,
        Self::Runtime,
    ];

    /// The name, as in `wit/connector.wit` and at the end of the specification's error types.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Validation => "validation",
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Timeout => "timeout",
            Self::Communication => "communication",
            Self::Runtime => "runtime",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The status of an occurrence that has none of its own (dsl-reference, "Standard Error Types").
    #[must_use]
    pub const fn default_status(self) -> u16 {
        match self {
            Self::Configuration | Self::Validation => 400,
            Self::Authentication => 401,
            Self::Authorization => 403,
            Self::Timeout => 408,
            Self::Communication | Self::Runtime => 500,
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A failed call: a problem detail (RFC 9457), and advice on retrying.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// A short summary, the same for every occurrence.
    pub title: String,
    /// What happened this time, and what to do about it.
    pub detail: Option<String>,
    /// The status of this occurrence; [`FailureKind::default_status`] where there is none.
    pub status: Option<u16>,
    /// How long to wait at least before the next attempt.
    pub retry_after: Option<Duration>,
    /// Anything more that a workflow may want to look at.
    pub data: Option<Value>,
}

impl Failure {
    /// A failure with a title and a detail.
    #[must_use]
    pub fn new(kind: FailureKind, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: title.into(),
            detail: Some(detail.into()),
            status: None,
            retry_after: None,
            data: None,
        }
    }

    /// The status of this occurrence, or the default one of its kind.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.unwrap_or_else(|| self.kind.default_status())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.title)?;
        self.detail
            .iter()
            .try_for_each(|detail| write!(f, ": {detail}"))
    }
}

impl std::error::Error for Failure {}
