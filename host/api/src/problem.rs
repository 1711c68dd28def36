//! Refusals: problem details (RFC 9457), sent as `application/problem+json`.
//!
//! [`ProblemKind`] is the whole list. A kind decides the status once and for all; `detail` says what was
//! wrong this time and what to do. Somebody else's resource is `not-found` rather than forbidden, so that
//! names tell nothing to those who may not see them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::diagnostic::Diagnostic;

/// The media type of a problem (RFC 9457 section 3).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What stands before the name in a problem's `type`.
pub const TYPE_PREFIX: &str = "urn:baton:problem:";

/// A problem detail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The kind of problem: `urn:baton:problem:` and a name that never changes its meaning.
    #[serde(rename = "type")]
    #[schema(examples("urn:baton:problem:not-found"))]
    pub type_uri: String,
    /// The kind of problem in words, the same each time.
    pub title: String,
    /// The status of the response.
    pub status: u16,
    /// What was wrong this time, and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The path that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The request's id, as in `X-Request-Id`: what to look for in the host's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The line of the body where it is, from 1; for `invalid-json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column of that line, from 1; for `invalid-json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// What is wrong with the document; for `invalid-document`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
}

impl Problem {
    /// A problem of this kind, with what was wrong this time.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            type_uri: kind.type_uri(),
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: Some(detail.into()),
            instance: None,
            request_id: None,
            line: None,
            column: None,
            diagnostics: Vec::new(),
        }
    }

    /// The kind, unless it is one that this version does not know.
    pub fn kind(&self) -> Option<ProblemKind> {
        let name = self.type_uri.strip_prefix(TYPE_PREFIX)?;
        ProblemKind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// `title: detail`, as a terminal shows it after "error: ".
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.detail {
            Some(detail) => f.write_str(detail),
            None => f.write_str(&self.title),
        }
    }
}

impl std::error::Error for Problem {}

macro_rules! problem_kinds {
    ($($(#[$doc:meta])* $variant:ident = $status:literal $name:literal, $title:literal;)*) => {
        /// The kinds of problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ProblemKind {
            $($(#[$doc])* $variant,)*
        }

        impl ProblemKind {
            /// All of them, by status.
            pub const ALL: [Self; [$(Self::$variant),*].len()] = [$(Self::$variant),*];

            /// The last part of the type's URI.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The status of a response with this problem.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The kind in words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

problem_kinds! {
    /// The body is no JSON, or JSON of another shape than the route takes. Correct the body at `line` and `column`.
    InvalidJson = 400 "invalid-json", "the body is not what this route takes";
    /// A query parameter is unknown, or has a value that it can't have.
    InvalidQuery = 400 "invalid-query", "a query parameter is wrong";
    /// A header has a value that it can't have.
    InvalidHeader = 400 "invalid-header", "a header is wrong";
    /// The cursor isn't one of this list. Start again without a cursor.
    InvalidCursor = 400 "invalid-cursor", "the cursor is not of this list";
    /// The body ended before its end, or could not be read for another reason.
    UnreadableBody = 400 "unreadable-body", "the body could not be read";
    /// No token, or one that isn't known. Send `Authorization: Bearer TOKEN`.
    Unauthorized = 401 "unauthorized", "a valid token is needed";
    /// A host that takes no token was asked by a web page of another origin, or under a foreign host name.
    /// Ask it as `127.0.0.1` or `localhost`, or start it with tokens.
    ForeignOrigin = 403 "foreign-origin", "the request comes from a foreign page";
    /// Somebody else was asked to decide. The detail says who.
    NotAssigned = 403 "not-assigned", "somebody else is asked";
    /// What is asked for is of the host as a whole, and the token is one of a tenant alone.
    NotAnOperator = 403 "not-an-operator", "the token is no operator's";
    /// There is nothing of that name, or it isn't yours.
    NotFound = 404 "not-found", "there is no such thing";
    /// The path exists, and doesn't do this. `Allow` lists what it does.
    MethodNotAllowed = 405 "method-not-allowed", "the path does not take this method";
    /// Other content was published under this version before. Count the version up.
    VersionTaken = 409 "version-taken", "the version has other content";
    /// As many workflows start by themselves as may. Publish a version without `schedule` of one that need not.
    TooManySchedules = 409 "too-many-schedules", "too many workflows start by themselves";
    /// The run has ended, so that nothing can be done to it any more.
    RunEnded = 409 "run-ended", "the run has ended";
    /// The workflow names secrets under `use.secrets` that are not there. Set them, and start again.
    MissingSecrets = 409 "missing-secrets", "secrets that are needed are not there";
    /// The host has no master key, or not the one that a secret was sealed under.
    SecretsSealed = 409 "secrets-sealed", "the host cannot seal or open secrets";
    /// The run is in another phase than the one that this can be done in.
    WrongPhase = 409 "wrong-phase", "the run is in another phase";
    /// Another run needs this one. The detail says which, and what to do first.
    RunNeeded = 409 "run-needed", "another run needs the run";
    /// The run has faulted, and can't go on from there. The detail says why, and what can be done instead.
    NotRetriable = 409 "not-retriable", "the run cannot be tried again";
    /// What the run has performed is another in the version that it should go on under. The detail names the task.
    VersionDiffers = 409 "version-differs", "the run cannot go on under this version";
    /// Several sources have sent an event with this id. Say which one with `source`.
    AmbiguousEvent = 409 "ambiguous-event", "several sources have sent an event with this id";
    /// The approval is settled: somebody has decided, or nobody needs to any more.
    ApprovalSettled = 409 "approval-settled", "the approval is settled";
    /// The body is larger than the route takes (RFC 9110 section 15.5.14). See [`crate::limits`].
    ContentTooLarge = 413 "content-too-large", "the body is too large";
    /// The route takes no content of this type. The detail lists what it takes.
    UnsupportedMediaType = 415 "unsupported-media-type", "the route does not take this type of content";
    /// The document has errors; `diagnostics` lists all of them. Nothing was stored.
    InvalidDocument = 422 "invalid-document", "the document has errors";
    /// The bytes are no connector that this host can run. Nothing was stored.
    InvalidConnector = 422 "invalid-connector", "the connector cannot be used";
    /// A rule or a setting of the grants is wrong. Nothing was stored.
    InvalidGrants = 422 "invalid-grants", "the grants are wrong";
    /// The name, the value or a host of the secret is wrong. Nothing was stored.
    InvalidSecret = 422 "invalid-secret", "the secret is wrong";
    /// The input or the arguments do not have the form that they must have.
    InvalidInput = 422 "invalid-input", "the data does not have the form that it must have";
    /// One of the events is none; the detail names the attribute. No event was taken.
    InvalidEvent = 422 "invalid-event", "this is no event";
    /// The key was used before, for another request. Use a new one.
    IdempotencyKeyReused = 422 "idempotency-key-reused", "the idempotency key belongs to another request";
    /// A bound is reached. Try again after `Retry-After` seconds.
    Busy = 429 "busy", "the host has too much to do";
    /// Something inside the host went wrong. The host's log has it under the request id.
    Internal = 500 "internal", "something inside the host went wrong";
    /// The host does not take work now: it recovers, shuts down or holds all that it can. Try again.
    Unavailable = 503 "unavailable", "the host does not take work now";
    /// The host can't write to its store: the disk is full, say. Nothing was changed.
    StoreFailed = 503 "store-failed", "the host cannot write to its store";
}

impl ProblemKind {
    /// The URI that a problem of this kind has as its `type`.
    pub fn type_uri(self) -> String {
        format!("{TYPE_PREFIX}{}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_kinds_found_again() {
        for kind in ProblemKind::ALL {
            let same = ProblemKind::ALL
                .into_iter()
                .filter(|other| other.name() == kind.name())
                .count();
            assert_eq!(same, 1, "{}", kind.name());
            assert_eq!(Problem::new(kind, "").kind(), Some(kind));
            assert!((400..600).contains(&kind.status()));
        }
    }

    #[test]
    fn a_kind_of_a_later_version_can_be_read() {
        let text = r#"{"type":"urn:baton:problem:new","title":"new","status":418,"more":1}"#;
        let problem: Problem = serde_json::from_str(text).unwrap();
        assert_eq!(problem.kind(), None);
        assert_eq!(problem.to_string(), "new");
    }
}
