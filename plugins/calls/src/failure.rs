//! Failures, as `baton:connector/types` has them.

use std::fmt;

use outgoing::{ErrorKind, Request, Response, SendError};
use serde_json::Value;

use crate::retry_after;

/// How much of a response a failure shows in its detail, in characters.
const SHOWN_CHARACTERS: usize = 300;

/// A failure of a call. The fields are those of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// More to look at, as JSON: digit for digit, where it came as that.
    pub data: Option<String>,
}

/// What kinds of failures there are: those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What is asked for is not there or not supported as it is set up.
    Configuration,
    /// The arguments make no call.
    Validation,
    /// The other side does not take the credentials, or wants some.
    Authentication,
    /// The other side, or the host, knows and refuses.
    Authorization,
    /// Something took too long.
    Timeout,
    /// No answer, or one that is none or no success.
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

    /// Something that is not there, or not supported.
    pub fn configuration(title: &str, detail: impl Into<String>) -> Self {
        Self::new(Kind::Configuration, title, detail)
    }

    /// Something from the other side that its protocol does not have.
    pub fn broken(detail: impl Into<String>) -> Self {
        Self::new(Kind::Communication, "Invalid answer", detail)
    }

    /// No response to `request`, or one that broke off.
    pub fn no_response(request: &Request, error: &SendError) -> Self {
        let (kind, title) = kind_of(error.kind);
        let detail = format!("{} {}: {}", request.method, request.uri, error.detail);
        Self::new(kind, title, detail)
    }

    /// A response to `request` with a status that is no success, of a protocol that gives statuses their meaning.
    pub fn status(request: &Request, response: &Response) -> Self {
        let (kind, title) = match response.status {
            401 => (Kind::Authentication, "Authentication failed"),
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
            retry_after: retry_after::milliseconds(response),
            ..Self::new(kind, title, detail)
        }
    }

    /// The same with something more to look at.
    #[must_use]
    pub fn with_data(mut self, data: &Value) -> Self {
        self.data = Some(data.to_string());
        self
    }
}

/// Something that was wrong before there was a request.
impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error.kind {
            ErrorKind::Invalid => Self::validation(error.detail),
            other => {
                let (kind, title) = kind_of(other);
                Self::new(kind, title, error.detail)
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.title, self.detail)
    }
}

impl std::error::Error for Failure {}

fn kind_of(kind: ErrorKind) -> (Kind, &'static str) {
    match kind {
        ErrorKind::Configuration => (Kind::Configuration, "Not supported"),
        ErrorKind::Authentication => (Kind::Authentication, "Authentication failed"),
        ErrorKind::Refused => (Kind::Authorization, "Request not allowed"),
        ErrorKind::Invalid => (Kind::Validation, "Invalid request"),
        ErrorKind::Timeout => (Kind::Timeout, "Request timed out"),
        ErrorKind::Communication => (Kind::Communication, "Request failed"),
    }
}

/// The start of a content on one line, if it can be read.
pub fn start_of(body: &[u8]) -> String {
    let start = &body[..body.len().min(SHOWN_CHARACTERS * 4)];
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default(),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line = words.join(" ");
    line.retain(|character| !character.is_control());
    if let Some((end, _)) = line.char_indices().nth(SHOWN_CHARACTERS) {
        line.truncate(end);
        line.push('…');
    }
    line
}
