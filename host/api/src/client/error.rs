use std::time::Duration;

use crate::problem::Problem;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum NewClientError {
    /// The server's URL isn't one.
    #[error("`{0}` is not the address of a server: {1}; give one like http://127.0.0.1:7070")]
    Url(String, String),
    /// No certificate to trust was found on this machine.
    #[error(
        "no root certificates were found for https; install them (package ca-certificates) or set SSL_CERT_FILE"
    )]
    NoRoots,
    /// TLS could not be set up.
    #[error("TLS could not be set up: {0}")]
    Tls(#[source] rustls::Error),
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up")]
    Setup(#[source] reqwest::Error),
}

/// Why a request gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server refused.
    #[error("{problem}")]
    Refused {
        /// What it said.
        problem: Box<Problem>,
        /// How long to wait before another try, where it said so.
        retry_after: Option<Duration>,
    },
    /// Nothing was asked: with such a name or id, the address would be another's.
    #[error("no name and no id is empty, `.` or `..`")]
    NotAName,
    /// No connection came about, or it broke.
    #[error("no answer from {server}: {reason}")]
    Unreachable {
        /// The server's URL.
        server: String,
        /// What went wrong, down to its root.
        reason: String,
    },
    /// Something answered that isn't this API.
    #[error(
        "{server} answered {status} with what this client does not understand ({reason}); is it a Baton host of this version?"
    )]
    NotUnderstood {
        /// The server's URL.
        server: String,
        /// The status of the answer.
        status: u16,
        /// What was wrong with it.
        reason: String,
    },
}

impl ClientError {
    /// The problem, where the server refused.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused { problem, .. } => Some(problem),
            _ => None,
        }
    }

    pub(super) fn unreachable(server: &str, error: &dyn std::error::Error) -> Self {
        Self::Unreachable {
            server: server.to_owned(),
            reason: root(error),
        }
    }
}

/// The message of the innermost cause: `connection refused` rather than `error sending request`.
fn root(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
