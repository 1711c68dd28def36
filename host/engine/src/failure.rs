//! From how a call fails to the error that its run sees. The only place that decides it.

use baton_sandbox::{Failure, FailureKind, Refusal};
use baton_workflow::{Error, ErrorKind};
use serde_json::{Map, Value, json};

/// The error of a failed call. What it was refused is kept as `data.refusals`, so that the run's history
/// shows it.
pub(crate) fn error(failure: Failure, refusals: &[Refusal]) -> Error {
    let mut error = Error::new(kind(failure.kind), failure.title.clone(), "");
    error.status = failure.status();
    error.detail = failure.detail;
    error.data = failure.data;
    error.retry_after = failure
        .retry_after
        .map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX));
    if !refusals.is_empty() {
        error.data = with_refusals(error.data, refusals);
    }
    error
}

fn kind(kind: FailureKind) -> ErrorKind {
    match kind {
        FailureKind::Configuration => ErrorKind::Configuration,
        FailureKind::Validation => ErrorKind::Validation,
        FailureKind::Authentication => ErrorKind::Authentication,
        FailureKind::Authorization => ErrorKind::Authorization,
        FailureKind::Timeout => ErrorKind::Timeout,
        FailureKind::Communication => ErrorKind::Communication,
        FailureKind::Runtime => ErrorKind::Runtime,
    }
}

fn with_refusals(data: Option<Value>, refusals: &[Refusal]) -> Option<Value> {
    let listed = refusals
        .iter()
        .map(|it| json!({ "request": it.request, "reason": it.reason, "rule": it.rule }));
    let listed = Value::Array(listed.collect());
    match data {
        None => Some(json!({ "refusals": listed })),
        Some(Value::Object(mut members)) => {
            members.entry("refusals").or_insert(listed);
            Some(Value::Object(members))
        }
        Some(other) => Some(Value::Object(Map::from_iter([
            ("data".to_owned(), other),
            ("refusals".to_owned(), listed),
        ]))),
    }
}
