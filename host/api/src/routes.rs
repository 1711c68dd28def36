//! Every path of the API: a template for the server and the OpenAPI document, a builder for the client.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// `GET`: whether the host is alive. No token needed.
pub const HEALTH: &str = "/healthz";
/// `GET`: whether the host has recovered its runs and takes work. No token needed.
pub const READY: &str = "/readyz";
/// `GET`: the OpenAPI document. No token needed.
pub const OPENAPI: &str = "/openapi.json";
/// `GET`: the JSON Schema of workflow documents. No token needed.
pub const WORKFLOW_SCHEMA: &str = "/schema/workflow.json";
/// `POST`: what is wrong with a document; nothing is stored.
pub const VALIDATE: &str = "/v1/validate";
/// `POST`: publish a document. `GET`: list the versions of all workflows.
pub const WORKFLOWS: &str = "/v1/workflows";
/// `GET`: the highest version of a workflow.
pub const WORKFLOW: &str = "/v1/workflows/{namespace}/{name}";
/// `GET`: a version of a workflow.
pub const WORKFLOW_VERSION: &str = "/v1/workflows/{namespace}/{name}/{version}";
/// `POST`: start a run.
pub const WORKFLOW_RUNS: &str = "/v1/workflows/{namespace}/{name}/runs";
/// `GET`: list runs.
pub const RUNS: &str = "/v1/runs";
/// `GET`: a run. `DELETE`: delete it, once it has ended.
pub const RUN: &str = "/v1/runs/{id}";
/// `GET`: a run's history.
pub const RUN_HISTORY: &str = "/v1/runs/{id}/history";
/// `GET`: a run's history and what is added to it, as server-sent events.
pub const RUN_EVENTS: &str = "/v1/runs/{id}/events";
/// `POST`: cancel a run.
pub const RUN_CANCEL: &str = "/v1/runs/{id}/cancel";
/// `POST`: suspend a run.
pub const RUN_SUSPEND: &str = "/v1/runs/{id}/suspend";
/// `POST`: resume a suspended run.
pub const RUN_RESUME: &str = "/v1/runs/{id}/resume";
/// `POST`: try a faulted run again from the task that failed.
pub const RUN_RETRY: &str = "/v1/runs/{id}/retry";
/// `POST`: start a new run with what a run was started with.
pub const RUN_RESTART: &str = "/v1/runs/{id}/restart";
/// `GET`: list what people are asked.
pub const APPROVALS: &str = "/v1/approvals";
/// `GET`: an approval. `POST`: decide it.
pub const APPROVAL: &str = "/v1/approvals/{id}";
/// `POST`: send events. `GET`: list those of the log.
pub const EVENTS: &str = "/v1/events";
/// `GET`: an event of the log.
pub const EVENT: &str = "/v1/events/{id}";
/// `GET`: list the workflows that start by themselves.
pub const SCHEDULES: &str = "/v1/schedules";
/// `GET`: when a workflow starts by itself.
pub const SCHEDULE: &str = "/v1/schedules/{namespace}/{name}";
/// `POST`: let a workflow start no more by itself.
pub const SCHEDULE_PAUSE: &str = "/v1/schedules/{namespace}/{name}/pause";
/// `POST`: let a workflow start by itself again.
pub const SCHEDULE_RESUME: &str = "/v1/schedules/{namespace}/{name}/resume";
/// `POST`: install a connector. `GET`: list connectors.
pub const CONNECTORS: &str = "/v1/connectors";
/// `GET`: a connector. `DELETE`: remove it.
pub const CONNECTOR: &str = "/v1/connectors/{connector}";
/// `PUT`: what a connector may do.
pub const CONNECTOR_GRANTS: &str = "/v1/connectors/{connector}/grants";
/// `POST`: call a function once.
pub const CONNECTOR_CALL: &str = "/v1/connectors/{connector}/call";
/// `GET`: list secrets.
pub const SECRETS: &str = "/v1/secrets";
/// `PUT`: set a secret. `DELETE`: remove it.
pub const SECRET: &str = "/v1/secrets/{secret}";

/// `GET`: all that the host keeps, as a file. For operators.
pub const BACKUP: &str = "/v1/backup";

/// A method on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path, one of the templates above.
    pub path: &'static str,
    /// Whether it is answered without a token.
    pub open: bool,
}

/// All routes: the server serves these and no other, and the OpenAPI document describes each. Tests hold
/// both to it.
pub const ALL: [Route; 40] = [
    open("GET", HEALTH),
    open("GET", READY),
    open("GET", OPENAPI),
    open("GET", WORKFLOW_SCHEMA),
    route("POST", VALIDATE),
    route("POST", WORKFLOWS),
    route("GET", WORKFLOWS),
    route("GET", WORKFLOW),
    route("GET", WORKFLOW_VERSION),
    route("POST", WORKFLOW_RUNS),
    route("GET", RUNS),
    route("GET", RUN),
    route("DELETE", RUN),
    route("GET", RUN_HISTORY),
    route("GET", RUN_EVENTS),
    route("POST", RUN_CANCEL),
    route("POST", RUN_SUSPEND),
    route("POST", RUN_RESUME),
    route("POST", RUN_RETRY),
    route("POST", RUN_RESTART),
    route("GET", APPROVALS),
    route("GET", APPROVAL),
    route("POST", APPROVAL),
    route("POST", EVENTS),
    route("GET", EVENTS),
    route("GET", EVENT),
    route("GET", SCHEDULES),
    route("GET", SCHEDULE),
    route("POST", SCHEDULE_PAUSE),
    route("POST", SCHEDULE_RESUME),
    route("POST", CONNECTORS),
    route("GET", CONNECTORS),
    route("GET", CONNECTOR),
    route("DELETE", CONNECTOR),
    route("PUT", CONNECTOR_GRANTS),
    route("POST", CONNECTOR_CALL),
    route("GET", SECRETS),
    route("PUT", SECRET),
    route("DELETE", SECRET),
    route("GET", BACKUP),
];

const fn route(method: &'static str, path: &'static str) -> Route {
    Route {
        method,
        path,
        open: false,
    }
}

const fn open(method: &'static str, path: &'static str) -> Route {
    Route {
        method,
        path,
        open: true,
    }
}

/// The path of [`WORKFLOW`].
pub fn workflow(namespace: &str, name: &str) -> String {
    fill(WORKFLOW, &[namespace, name])
}

/// The path of [`WORKFLOW_VERSION`].
pub fn workflow_version(namespace: &str, name: &str, version: &str) -> String {
    fill(WORKFLOW_VERSION, &[namespace, name, version])
}

/// The path of [`WORKFLOW_RUNS`].
pub fn workflow_runs(namespace: &str, name: &str) -> String {
    fill(WORKFLOW_RUNS, &[namespace, name])
}

/// The path of [`RUN`].
pub fn run(id: &str) -> String {
    fill(RUN, &[id])
}

/// The path of [`RUN_HISTORY`].
pub fn run_history(id: &str) -> String {
    fill(RUN_HISTORY, &[id])
}

/// The path of [`RUN_EVENTS`].
pub fn run_events(id: &str) -> String {
    fill(RUN_EVENTS, &[id])
}

/// The path of [`RUN_CANCEL`].
pub fn run_cancel(id: &str) -> String {
    fill(RUN_CANCEL, &[id])
}

/// The path of [`RUN_SUSPEND`].
pub fn run_suspend(id: &str) -> String {
    fill(RUN_SUSPEND, &[id])
}

/// The path of [`RUN_RESUME`].
pub fn run_resume(id: &str) -> String {
    fill(RUN_RESUME, &[id])
}

/// The path of [`RUN_RETRY`].
pub fn run_retry(id: &str) -> String {
    fill(RUN_RETRY, &[id])
}

/// The path of [`RUN_RESTART`].
pub fn run_restart(id: &str) -> String {
    fill(RUN_RESTART, &[id])
}

/// The path of [`EVENT`].
pub fn event(id: &str) -> String {
    fill(EVENT, &[id])
}

/// The path of [`APPROVAL`].
pub fn approval(id: &str) -> String {
    fill(APPROVAL, &[id])
}

/// The path of [`SCHEDULE`].
pub fn schedule(namespace: &str, name: &str) -> String {
    fill(SCHEDULE, &[namespace, name])
}

/// The path of [`SCHEDULE_PAUSE`].
pub fn schedule_pause(namespace: &str, name: &str) -> String {
    fill(SCHEDULE_PAUSE, &[namespace, name])
}

/// The path of [`SCHEDULE_RESUME`].
pub fn schedule_resume(namespace: &str, name: &str) -> String {
    fill(SCHEDULE_RESUME, &[namespace, name])
}

/// The path of [`CONNECTOR`].
pub fn connector(name: &str) -> String {
    fill(CONNECTOR, &[name])
}

/// The path of [`CONNECTOR_GRANTS`].
pub fn connector_grants(name: &str) -> String {
    fill(CONNECTOR_GRANTS, &[name])
}

/// The path of [`CONNECTOR_CALL`].
pub fn connector_call(name: &str) -> String {
    fill(CONNECTOR_CALL, &[name])
}

/// The path of [`SECRET`].
pub fn secret(name: &str) -> String {
    fill(SECRET, &[name])
}

/// What a segment of a path keeps as it is: the unreserved characters of RFC 3986 section 2.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The template with each `{…}` replaced by the next value, encoded.
fn fill(template: &str, values: &[&str]) -> String {
    let mut values = values.iter();
    let segments = template
        .split('/')
        .map(|segment| match segment.starts_with('{') {
            true => {
                utf8_percent_encode(values.next().copied().unwrap_or_default(), SEGMENT).to_string()
            }
            false => segment.to_owned(),
        });
    segments.collect::<Vec<_>>().join("/")
}

/// Whether a path is another's than that of the route it was made from: a value in it is empty, or one that URLs take
/// away with what stands before it (RFC 3986 section 5.2.4), encoded or not.
pub(crate) fn leads_elsewhere(path: &str) -> bool {
    path.split('/')
        .skip(1)
        .any(|segment| matches!(segment, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_leave_their_segment() {
        assert_eq!(
            workflow_version("it", "a/b", "1.0.0+x"),
            "/v1/workflows/it/a%2Fb/1.0.0%2Bx"
        );
        assert_eq!(run("a?b=c#d"), "/v1/runs/a%3Fb%3Dc%23d");
        assert_eq!(connector_grants("scim"), "/v1/connectors/scim/grants");
    }

    #[test]
    fn values_cannot_lead_to_another_route() {
        for path in [
            connector(".."),
            connector_grants("."),
            secret(""),
            workflow_version("it", "..", "1.0.0"),
        ] {
            assert!(leads_elsewhere(&path), "{path}");
        }
        for path in [connector("..."), connector("a/.."), OPENAPI.to_owned()] {
            assert!(!leads_elsewhere(&path), "{path}");
        }
    }

    #[test]
    fn each_route_stands_there_once() {
        for route in ALL {
            assert_eq!(
                ALL.iter().filter(|other| **other == route).count(),
                1,
                "{route:?}"
            );
        }
    }
}
