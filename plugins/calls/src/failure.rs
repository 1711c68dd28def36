//! Failures, as `baton:connector/types` has them.

use outgoing::{ErrorKind, Request, SendError};

/// A failure of a call. The fields are those of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub kind: Kind,
    /// A short summary of the kind of problem.
    pub title: String,
    /// What happened this time.
    pub detail: String,
    /// The HTTP status, where there is one.
    pub status: Option<u16>,
    /// How long to wait at least before the next attempt, in milliseconds.
    pub retry_after: Option<u64>,
    /// More to look at, as JSON.
    pub data: Option<String>,
}

/// What kinds of failures there are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What is asked for is not supported as it is set up.
    Configuration,
    /// The arguments make no request.
    Validation,
    /// The other side does not take the credentials.
    Authentication,
    /// The host refuses.
    Authorization,
    /// Something took too long.
    Timeout,
    /// No response, or no success.
    Communication,
}

impl Failure {
    /// Arguments that make no request.
    pub fn validation(detail: impl Into<String>) -> Self {
        Self::new(Kind::Validation, "Invalid HTTP request", detail)
    }

    /// Something that is not supported.
    pub fn configuration(title: &str, detail: impl Into<String>) -> Self {
        Self::new(Kind::Configuration, title, detail)
    }

    /// Something that was wrong before there was a request.
    pub fn of(error: SendError) -> Self {
        match error.kind {
            ErrorKind::Configuration => Self::configuration("Not supported", error.detail),
            ErrorKind::Authentication => {
                Self::new(Kind::Authentication, "Authentication failed", error.detail)
            }
            _ => Self::validation(error.detail),
        }
    }

    /// No response to `request`.
    pub fn no_response(request: &Request, error: &SendError) -> Self {
        let (kind, title) = match error.kind {
            ErrorKind::Configuration => (Kind::Configuration, "Not supported"),
            ErrorKind::Authentication => (Kind::Authentication, "Authentication failed"),
            ErrorKind::Refused => (Kind::Authorization, "Request not allowed"),
            ErrorKind::Invalid => (Kind::Validation, "Invalid HTTP request"),
            ErrorKind::Timeout => (Kind::Timeout, "Request timed out"),
            ErrorKind::Communication => (Kind::Communication, "Request failed"),
        };
        Self::new(
            kind,
            title,
            format!("{} {}: {}", request.method, request.uri, error.detail),
        )
    }

    /// A failure of a kind, with a title and what happened.
    pub fn new(kind: Kind, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: title.to_owned(),
            detail: detail.into(),
            status: None,
            retry_after: None,
            data: None,
        }
    }
}
