//! Every "no" as a problem: the server's own, and those of the engine.
//!
//! A [`Refusal`] has two readers. The client gets the problem; the log gets, under the same request id, what
//! the client should not know, such as a path on the host's disk.

use std::error::Error;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use baton_api::{Problem, ProblemKind};
use baton_engine::{
    CallError, ControlError, DecideError, DeleteError, GrantRefused, InstallError, ListError,
    PublishError, RemoveError, RemoveSecretError, RestartError, RetryError, ScheduleError,
    SecretRefused, SendError, StartError, Unavailable,
};

use crate::convert;

/// How long a client should wait before it asks again when the host does not take work.
const UNAVAILABLE_RETRY: Duration = Duration::from_secs(5);

/// A refusal on its way out. `observe` completes the problem and writes it.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) problem: Box<Problem>,
    /// What only the log gets.
    pub(crate) internal: Option<String>,
    headers: HeaderMap,
}

impl Refusal {
    pub(crate) fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            problem: Box::new(Problem::new(kind, detail)),
            internal: None,
            headers: HeaderMap::new(),
        }
    }

    /// There is no such workflow, as `message` says: where to see which there are.
    pub(crate) fn no_workflow(message: &str) -> Self {
        Self::not_found(format!(
            "{message}; GET /v1/workflows (`baton workflow list`) has those that there are"
        ))
    }

    /// There is no such run, as `message` says: where to see which there are.
    pub(crate) fn no_run(message: &str) -> Self {
        Self::not_found(format!(
            "{message}; GET /v1/runs (`baton runs list`) has those that there are"
        ))
    }

    /// There is no such approval, as `message` says: where to see which there are.
    pub(crate) fn no_approval(message: &str) -> Self {
        Self::not_found(format!(
            "{message}; GET /v1/approvals (`baton approvals list`) has those that are open"
        ))
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::NotFound, detail)
    }

    /// Something that only a defect of the host explains.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        let detail = "this is not your fault; the host's log has more under the request id";
        Self {
            internal: Some(message.into()),
            ..Self::new(ProblemKind::Internal, detail)
        }
    }

    pub(crate) fn busy(detail: impl Into<String>, retry_after: Duration) -> Self {
        Self::new(ProblemKind::Busy, detail).retry_after(retry_after)
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: HeaderValue) -> Self {
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn retry_after(self, duration: Duration) -> Self {
        // Whole seconds (RFC 9110 section 10.2.3), and never "at once".
        let seconds = duration.as_millis().div_ceil(1000).clamp(1, 3600) as u64;
        self.with_header("retry-after", HeaderValue::from(seconds))
    }

    fn invalid_document(
        diagnostics: &[baton_engine::Diagnostic],
        detail: impl Into<String>,
    ) -> Self {
        let mut refusal = Self::new(ProblemKind::InvalidDocument, detail);
        refusal.problem.diagnostics = diagnostics.iter().map(convert::diagnostic).collect();
        refusal
    }
}

/// An empty response that carries the refusal, for `observe` to write.
impl IntoResponse for Refusal {
    fn into_response(mut self) -> Response {
        let status =
            StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = std::mem::take(&mut self.headers);
        let mut response = (status, headers).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Unavailable> for Refusal {
    fn from(error: Unavailable) -> Self {
        match error {
            Unavailable::Storage(message) | Unavailable::Broken(message) => {
                let detail =
                    "the host can't write to its store; nothing was changed, and its log says why";
                let refusal =
                    Self::new(ProblemKind::StoreFailed, detail).retry_after(UNAVAILABLE_RETRY);
                Self {
                    internal: Some(message),
                    ..refusal
                }
            }
            Unavailable::Busy { retry_after } => Self::busy(error.to_string(), retry_after),
            Unavailable::ShuttingDown => Self::new(ProblemKind::Unavailable, error.to_string())
                .retry_after(UNAVAILABLE_RETRY),
        }
    }
}

impl From<PublishError> for Refusal {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Invalid(diagnostics) => {
                let detail = format!(
                    "{}; nothing was stored",
                    convert::count_errors(&diagnostics)
                );
                Self::invalid_document(&diagnostics, detail)
            }
            PublishError::Conflict { .. } => {
                Self::new(ProblemKind::VersionTaken, error.to_string())
            }
            PublishError::TooManySchedules { .. } => {
                Self::new(ProblemKind::TooManySchedules, error.to_string())
            }
            PublishError::Unavailable(error) => error.into(),
        }
    }
}

impl From<StartError> for Refusal {
    fn from(error: StartError) -> Self {
        let message = error.to_string();
        match error {
            StartError::NoSuchWorkflow { .. } => Self::no_workflow(&message),
            StartError::Outdated(diagnostics) => Self::invalid_document(&diagnostics, message),
            StartError::InputTooLarge { .. } => Self::new(ProblemKind::ContentTooLarge, message),
            StartError::MissingSecrets { .. } => Self::new(ProblemKind::MissingSecrets, message),
            StartError::SealedSecrets(_) => Self::new(ProblemKind::SecretsSealed, message),
            StartError::Invalid(_) => Self::new(ProblemKind::InvalidInput, message),
            StartError::KeyReused => Self::new(ProblemKind::IdempotencyKeyReused, message),
            StartError::Busy { retry_after, .. } => Self::busy(message, retry_after),
            StartError::Unavailable(error) => error.into(),
        }
    }
}

impl From<SendError> for Refusal {
    fn from(error: SendError) -> Self {
        let message = error.to_string();
        match error {
            SendError::TooLarge { .. } => Self::new(ProblemKind::ContentTooLarge, message),
            SendError::Busy { retry_after } => Self::busy(message, retry_after),
            SendError::Unavailable(error) => error.into(),
        }
    }
}

impl From<ControlError> for Refusal {
    fn from(error: ControlError) -> Self {
        let message = error.to_string();
        match error {
            ControlError::NotFound(_) => Self::no_run(&message),
            ControlError::Ended(_) => Self::new(ProblemKind::RunEnded, message),
            ControlError::Busy { retry_after } => Self::busy(message, retry_after),
            ControlError::Unavailable(error) => error.into(),
            _ => Self::new(ProblemKind::WrongPhase, message),
        }
    }
}

impl From<RetryError> for Refusal {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::Control(error) => error.into(),
            RetryError::Start(error) => error.into(),
            RetryError::Differs { .. } => Self::new(ProblemKind::VersionDiffers, error.to_string()),
            _ => Self::new(ProblemKind::NotRetriable, error.to_string()),
        }
    }
}

impl From<DeleteError> for Refusal {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::NotFound(_) => Self::no_run(&error.to_string()),
            DeleteError::HasParent(_) | DeleteError::HasOpenChild(_) => {
                Self::new(ProblemKind::RunNeeded, error.to_string())
            }
            DeleteError::Unavailable(error) => error.into(),
            _ => Self::new(ProblemKind::WrongPhase, error.to_string()),
        }
    }
}

impl From<RestartError> for Refusal {
    fn from(error: RestartError) -> Self {
        match error {
            RestartError::NotFound(_) => Self::no_run(&error.to_string()),
            RestartError::Start(error) => error.into(),
            _ => Self::new(ProblemKind::WrongPhase, error.to_string()),
        }
    }
}

impl From<DecideError> for Refusal {
    fn from(error: DecideError) -> Self {
        let message = error.to_string();
        match error {
            DecideError::NotFound(_) => Self::no_approval(&message),
            DecideError::NotAssigned { .. } => Self::new(ProblemKind::NotAssigned, message),
            DecideError::Data(_) => Self::new(ProblemKind::InvalidInput, message),
            DecideError::Busy { retry_after } => Self::busy(message, retry_after),
            DecideError::Unavailable(error) => error.into(),
            _ => Self::new(ProblemKind::ApprovalSettled, message),
        }
    }
}

impl From<ScheduleError> for Refusal {
    fn from(error: ScheduleError) -> Self {
        match error {
            ScheduleError::NotFound => Self::not_found(format!(
                "{error}; GET /v1/schedules (`baton schedules list`) has those that there are"
            )),
            ScheduleError::Unavailable(error) => error.into(),
        }
    }
}

impl From<ListError> for Refusal {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Cursor => Self::new(ProblemKind::InvalidCursor, error.to_string()),
            ListError::Unavailable(error) => error.into(),
        }
    }
}

impl From<InstallError> for Refusal {
    fn from(error: InstallError) -> Self {
        match error {
            InstallError::Unavailable(error) => error.into(),
            InstallError::InvalidName { .. } | InstallError::NoName => {
                Self::new(ProblemKind::InvalidQuery, chain(&error))
            }
            _ => Self::new(ProblemKind::InvalidConnector, chain(&error)),
        }
    }
}

impl From<GrantRefused> for Refusal {
    fn from(error: GrantRefused) -> Self {
        match error {
            GrantRefused::Unavailable(error) => error.into(),
            GrantRefused::NoSuchConnector { .. } => Self::not_found(error.to_string()),
            _ => Self::new(ProblemKind::InvalidGrants, chain(&error)),
        }
    }
}

impl From<RemoveError> for Refusal {
    fn from(error: RemoveError) -> Self {
        match error {
            RemoveError::Unavailable(error) => error.into(),
            _ => Self::not_found(error.to_string()),
        }
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Unavailable(error) => error.into(),
            CallError::NoSuchConnector { .. } => Self::not_found(error.to_string()),
            CallError::NoSuchFunction(_) => Self::new(ProblemKind::InvalidInput, error.to_string()),
            CallError::Busy { retry_after } => Self::busy(error.to_string(), retry_after),
            _ => Self::new(ProblemKind::InvalidConnector, chain(&error)),
        }
    }
}

impl From<SecretRefused> for Refusal {
    fn from(error: SecretRefused) -> Self {
        match error {
            SecretRefused::Unavailable(error) => error.into(),
            SecretRefused::NoKey(message) => Self::new(ProblemKind::SecretsSealed, message),
            _ => Self::new(ProblemKind::InvalidSecret, error.to_string()),
        }
    }
}

impl From<RemoveSecretError> for Refusal {
    fn from(error: RemoveSecretError) -> Self {
        match error {
            RemoveSecretError::Unavailable(error) => error.into(),
            _ => Self::not_found(error.to_string()),
        }
    }
}

/// The messages of an error and its causes, down to the root.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        // Some errors repeat their cause in their own message.
        if !text.ends_with(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(refusal: &Refusal) -> ProblemKind {
        refusal.problem.kind().unwrap()
    }

    #[test]
    fn overload_says_when_to_come_again() {
        for (after, expected) in [
            (0, "1"),
            (1, "1"),
            (1000, "1"),
            (1001, "2"),
            (u64::MAX, "3600"),
        ] {
            let error = StartError::Busy {
                reason: "full".to_owned(),
                retry_after: Duration::from_millis(after),
            };
            let response = Refusal::from(error).into_response();
            assert_eq!(response.status(), 429);
            assert_eq!(response.headers()["retry-after"], expected);
        }
    }

    #[test]
    fn a_client_does_not_learn_where_the_store_is() {
        let refusal = Refusal::from(PublishError::from(Unavailable::Storage(
            "/var/lib/baton: full".to_owned(),
        )));
        assert_eq!(kind(&refusal), ProblemKind::StoreFailed);
        assert!(!refusal.problem.detail.as_ref().unwrap().contains("/var"));
        assert_eq!(refusal.internal.as_deref(), Some("/var/lib/baton: full"));
    }

    #[test]
    fn each_error_has_its_kind() {
        let name = || "x".to_owned();
        let workflow = StartError::NoSuchWorkflow {
            namespace: name(),
            name: name(),
            version: None,
        };
        let conflict = PublishError::Conflict {
            namespace: name(),
            name: name(),
            version: name(),
        };
        for (refusal, expected) in [
            (workflow.into(), ProblemKind::NotFound),
            (conflict.into(), ProblemKind::VersionTaken),
            (
                PublishError::TooManySchedules { max: 1 }.into(),
                ProblemKind::TooManySchedules,
            ),
            (
                StartError::InputTooLarge { bytes: 2, max: 1 }.into(),
                ProblemKind::ContentTooLarge,
            ),
            (
                StartError::KeyReused.into(),
                ProblemKind::IdempotencyKeyReused,
            ),
            (
                StartError::Unavailable(Unavailable::ShuttingDown).into(),
                ProblemKind::Unavailable,
            ),
            (
                ControlError::NotFound(baton_engine::RunId::new(0, &[0; 10])).into(),
                ProblemKind::NotFound,
            ),
            (
                ControlError::Ended(baton_engine::Status::Completed).into(),
                ProblemKind::RunEnded,
            ),
            (ListError::Cursor.into(), ProblemKind::InvalidCursor),
            (InstallError::NoName.into(), ProblemKind::InvalidQuery),
            (
                GrantRefused::NoSuchConnector { name: name() }.into(),
                ProblemKind::NotFound,
            ),
            (
                RemoveError::NoSuchConnector { name: name() }.into(),
                ProblemKind::NotFound,
            ),
            (
                CallError::NoSuchFunction(name()).into(),
                ProblemKind::InvalidInput,
            ),
        ] as [(Refusal, ProblemKind); 13]
        {
            assert_eq!(kind(&refusal), expected);
        }
    }
}
