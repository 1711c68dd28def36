//! From how a call fails to the error that its run sees. The only place that decides it.

use baton_sandbox::{Capability, Failure, FailureKind, Refusal};
use baton_workflow::{Error, ErrorKind};
use serde_json::{Map, Value, json};

/// The error of a failed call of the connector of that name. What it was refused is kept as
/// `data.refusals`, so that the run's history shows it.
pub(crate) fn error(mut failure: Failure, refusals: &[Refusal], connector: &str) -> Error {
    // The sandbox makes this kind of every failure that follows a refusal.
    if failure.kind == FailureKind::Authorization
        && let Some(refusal) = refusals.first()
    {
        let way_out = way_out(refusal, connector);
        failure.detail = match failure.detail {
            Some(detail) => Some(detail + &way_out),
            None => Some(way_out),
        };
    }
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

/// The error of a task that the host has made a mistake with, while it did something.
pub(crate) fn of_host(did: &str) -> Error {
    let detail = format!("the host made a mistake while {did}; its log says more");
    Error::new(ErrorKind::Runtime, "The host failed", detail)
}

/// What to do about a refusal. Nothing where no rule would help.
fn way_out(refusal: &Refusal, connector: &str) -> String {
    if refusal.capability == Capability::Process {
        let setting = match connector {
            "container" => "container",
            _ => "shell",
        };
        return format!(
            "; to turn them on: `--allow-{setting}` with `baton run` or `baton dev`, else `[processes] {setting} = \
             [\"TENANT\"]` in the configuration of `baton serve`"
        );
    }
    let Some(rule) = &refusal.rule else {
        return String::new();
    };
    // On the command line, a rule without a name is for `http`.
    let name = match connector {
        "http" => String::new(),
        _ => format!("{connector}="),
    };
    format!(
        "; to allow it: `--allow '{name}{rule}'` with `baton run` or `baton dev`, else `baton connector grant {connector}`"
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(kind: FailureKind, rule: Option<&str>, connector: &str) -> String {
        let refusal = Refusal {
            capability: Capability::Http,
            request: "GET https://a.example/v1/x".to_owned(),
            reason: "the grant has no egress rules".to_owned(),
            rule: rule.map(str::to_owned),
        };
        let error = error(Failure::new(kind, "title", "why"), &[refusal], connector);
        assert!(
            error
                .data
                .is_some_and(|data| data["refusals"][0]["rule"] == json!(rule))
        );
        error.detail.unwrap_or_default()
    }

    #[test]
    fn a_refusal_says_the_way_out_for_its_connector() {
        let rule = Some("GET https://a.example/v1/");
        let authorization = FailureKind::Authorization;
        assert_eq!(
            refused(authorization, rule, "http"),
            "why; to allow it: `--allow 'GET https://a.example/v1/'` with `baton run` or `baton dev`, else \
             `baton connector grant http`"
        );
        assert!(
            refused(authorization, rule, "scim")
                .contains("`--allow 'scim=GET https://a.example/v1/'`")
        );
        assert_eq!(refused(authorization, None, "http"), "why");
        // A call that ran into its time limit did not fail for the refusal.
        assert_eq!(refused(FailureKind::Timeout, rule, "http"), "why");
    }
}
