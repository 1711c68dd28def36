//! Failures, as `baton:connector/types` has them.

use std::fmt;

use outgoing::{ErrorKind, Request, Response, SendError};
use serde_json::Value;

/// How much of a response a failure shows in its detail, in characters.
const SHOWN_CHARACTERS: usize = 300;

/// A failure of a call. The fields are those of the contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What kind of failure.
    pub kind: Kind,
    /// A short summary of the kind of problem.
    pub title: String,
    /// What happened this time, and what to do about it.
    pub detail: String,
    /// The HTTP status, where there is one.
    pub status: Option<u16>,
    /// How long to wait at least before the next attempt, in milliseconds.
    pub retry_after: Option<u64>,
    /// More to look at.
    pub data: Option<Value>,
}

/// What kinds of failures there are: those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What is asked for is not there or not supported as it is set up.
    Configuration,
    /// The arguments make no call.
    Validation,
    /// The other side does not know who is calling.
    Authentication,
    /// The other side, or the host, knows and refuses.
    Authorization,
    /// Something took too long.
    Timeout,
    /// No answer, or one that is none.
    Communication,
    /// The other side answered that it failed.
    Runtime,
}

impl Failure {
    /// A failure of some kind: `title` is the same for every occurrence, `detail` says what happened this time.
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

    /// Arguments that make no call.
    pub fn validation(detail: impl Into<String>) -> Self {
        Self::new(Kind::Validation, "Invalid arguments", detail)
    }

    /// Something from the other side that its protocol does not have.
    pub fn broken(detail: impl Into<String>) -> Self {
        Self::new(Kind::Communication, "Invalid answer", detail)
    }

    /// No response to `request`, or one that broke off.
    pub fn no_response(request: &Request, error: &SendError) -> Self {
        let (kind, title) = match error.kind {
            ErrorKind::Configuration => (Kind::Configuration, "Not supported"),
            ErrorKind::Authentication => (Kind::Authentication, "Not authenticated"),
            ErrorKind::Refused => (Kind::Authorization, "Request not allowed"),
            ErrorKind::Invalid => (Kind::Validation, "Invalid request"),
            ErrorKind::Timeout => (Kind::Timeout, "Request timed out"),
            ErrorKind::Communication => (Kind::Communication, "Request failed"),
        };
        let detail = format!("{} {}: {}", request.method, request.uri, error.detail);
        Self::new(kind, title, detail)
    }

    /// A response to `request` with a status that is no success.
    pub fn status(request: &Request, response: &Response) -> Self {
        let (kind, title) = match response.status {
            401 => (Kind::Authentication, "Not authenticated"),
            403 => (Kind::Authorization, "Not allowed"),
            408 | 504 => (Kind::Timeout, "Request timed out"),
            _ => (Kind::Communication, "Request failed"),
        };
        let mut detail = format!(
            "{} {} answered {}",
            request.method, request.uri, response.status
        );
        let shown = start_of(&response.body);
        if !shown.is_empty() {
            detail.push_str(": ");
            detail.push_str(&shown);
        }
        Self {
            status: Some(response.status),
            retry_after: response.header("retry-after").and_then(seconds),
            ..Self::new(kind, title, detail)
        }
    }

    /// The same with something more to look at.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.title, self.detail)
    }
}

impl std::error::Error for Failure {}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3), as milliseconds. A date is not waited for.
fn seconds(text: &str) -> Option<u64> {
    text.trim().parse::<u64>().ok()?.checked_mul(1000)
}

/// The start of a content on one line, if it can be read.
pub fn start_of(body: &[u8]) -> String {
    let start = &body[..body.len().min(SHOWN_CHARACTERS * 4)];
    let text = String::from_utf8_lossy(start);
    if text.contains('\0') {
        return String::new();
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line: String = words.join(" ");
    line.retain(|character| !character.is_control());
    if let Some((end, _)) = line.char_indices().nth(SHOWN_CHARACTERS) {
        line.truncate(end);
        line.push('…');
    }
    line
}
