//! Why no response arrived.

use std::fmt;

/// Why no response arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    /// What kind of reason.
    pub kind: ErrorKind,
    /// What happened, as part of a sentence: "the connection was refused".
    pub detail: String,
}

/// What kind of reason there is for no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The host does not let the connector send there.
    Refused,
    /// What is asked for is not supported, or not as it is set up.
    Configuration,
    /// The other side, or a server that gives out tokens, does not take the credentials.
    Authentication,
    /// The request cannot be sent as it is: a method, header or URI that HTTP does not have.
    Invalid,
    /// Something took too long.
    Timeout,
    /// The other side could not be reached, or what came from it was no HTTP.
    Communication,
}

impl SendError {
    /// An error of some kind, with what happened.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.detail)
    }
}

impl std::error::Error for SendError {}
