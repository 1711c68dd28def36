use crate::history::HistoryItem;
use crate::page::{Page, PageRequest};
use crate::routes;
use crate::run::{
    CancelRun, ControlRun, RestartRun, RetryRun, Run, RunFilter, RunSummary, StartRun,
};

/// Start a run
///
/// The run is durable when it is answered. With `Idempotency-Key`, a request that is sent again starts
/// nothing and is answered with the run that it started.
#[utoipa::path(
    post,
    path = routes::WORKFLOW_RUNS,
    tag = "runs",
    operation_id = "startRun",
    params(
        ("namespace" = String, Path, description = "`document.namespace`."),
        ("name" = String, Path, description = "`document.name`."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "A key of 1 to 255 visible ASCII characters that the client makes up for this request."),
        ("Prefer" = Option<String>, Header,
            description = "`wait=SECONDS`: answer when the run has ended, or after that time (RFC 7240), 60 at most."),
    ),
    request_body(content = Option<StartRun>, content_type = "application/json",
        description = "The input, at most 4 MiB. No body is an empty object as input."),
    responses(
        (status = 202, description = "The run is under way.", body = Run,
            headers(
                ("Location" = String, description = "The run's path."),
                ("Preference-Applied" = String, description = "`wait=SECONDS`, if the answer was held back."))),
        (status = 200, description = "The run has ended while the answer was held back.", body = Run,
            headers(
                ("Location" = String, description = "The run's path."),
                ("Preference-Applied" = String, description = "`wait=SECONDS`."))),
        (status = 404, response = crate::openapi::ProblemResponse),
        (status = 429, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn start() {}

/// List runs
///
/// The newest first.
#[utoipa::path(
    get,
    path = routes::RUNS,
    tag = "runs",
    operation_id = "listRuns",
    params(RunFilter, PageRequest),
    responses((status = 200, description = "A page of the list.", body = Page<RunSummary>))
)]
pub(super) fn list() {}

/// Read a run
///
/// With `Prefer: wait=SECONDS`, the answer is held back until the run has ended, or for that time.
#[utoipa::path(
    get,
    path = routes::RUN,
    tag = "runs",
    operation_id = "readRun",
    params(
        ("id" = String, Path, description = "The run's id."),
        ("Prefer" = Option<String>, Header,
            description = "`wait=SECONDS`: answer when the run has ended, or after that time (RFC 7240), 60 at most."),
    ),
    responses(
        (status = 200, description = "The run.", body = Run,
            headers(("Preference-Applied" = String, description = "`wait=SECONDS`, if the answer was held back."))),
        (status = 404, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn read() {}

/// Read a run's history
#[utoipa::path(
    get,
    path = routes::RUN_HISTORY,
    tag = "runs",
    operation_id = "readRunHistory",
    params(("id" = String, Path, description = "The run's id."), PageRequest),
    responses(
        (status = 200, description = "A page of the history, from the first line on.", body = Page<HistoryItem>),
        (status = 404, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn history() {}

/// Watch a run
///
/// The history so far and each line that is added to it, as server-sent events: `id` is the line's `seq`,
/// `event` its `type`, `data` the line as JSON. The stream ends when the run has ended; a run that was retried
/// has lines behind its first end. A reader
/// that falls far behind is cut off, and goes on with `Last-Event-ID`.
#[utoipa::path(
    get,
    path = routes::RUN_EVENTS,
    tag = "runs",
    operation_id = "watchRun",
    params(
        ("id" = String, Path, description = "The run's id."),
        ("Last-Event-ID" = Option<u64>, Header, description = "The `seq` of the last line seen; lines after it are sent."),
    ),
    responses(
        (status = 200, description = "A stream of history items.", body = HistoryItem, content_type = "text/event-stream"),
        (status = 404, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn events() {}

/// Cancel a run
///
/// Calls under way are abandoned, what was done is undone where the workflow says how (`compensate`), and
/// the run ends as `cancelled`; it is still open in the answer where there is something to undo. A run that
/// is cancelled already is answered as it is; one that has ended otherwise is a problem.
#[utoipa::path(
    post,
    path = routes::RUN_CANCEL,
    tag = "runs",
    operation_id = "cancelRun",
    params(("id" = String, Path, description = "The run's id.")),
    request_body(content = Option<CancelRun>, content_type = "application/json",
        description = "Why. May be left out."),
    responses(
        (status = 200, description = "The run.", body = Run),
        (status = 404, response = crate::openapi::ProblemResponse),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn cancel() {}

/// Suspend a run
///
/// Calls under way come to their end, and nothing new begins until the run is resumed. What happens meanwhile,
/// timers that come due for example, acts then.
#[utoipa::path(
    post,
    path = routes::RUN_SUSPEND,
    tag = "runs",
    operation_id = "suspendRun",
    params(("id" = String, Path, description = "The run's id.")),
    request_body(content = Option<ControlRun>, content_type = "application/json",
        description = "Why. May be left out."),
    responses(
        (status = 200, description = "The run.", body = Run),
        (status = 404, response = crate::openapi::ProblemResponse),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn suspend() {}

/// Resume a suspended run
#[utoipa::path(
    post,
    path = routes::RUN_RESUME,
    tag = "runs",
    operation_id = "resumeRun",
    params(("id" = String, Path, description = "The run's id.")),
    request_body(content = Option<ControlRun>, content_type = "application/json",
        description = "Why. May be left out."),
    responses(
        (status = 200, description = "The run.", body = Run),
        (status = 404, response = crate::openapi::ProblemResponse),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn resume() {}

/// Retry a faulted run
///
/// The run is open again, from the task that failed: what had completed is not done again, and what failed or was
/// under way then begins again as another attempt of the same visit, under the same idempotency key. With a
/// `version`, the run goes on under that version of its workflow, in which what has been performed must be the same.
#[utoipa::path(
    post,
    path = routes::RUN_RETRY,
    tag = "runs",
    operation_id = "retryRun",
    params(("id" = String, Path, description = "The run's id.")),
    request_body(content = Option<RetryRun>, content_type = "application/json",
        description = "Under which version, and why. May be left out."),
    responses(
        (status = 200, description = "The run, which is open again.", body = Run),
        (status = 404, response = crate::openapi::ProblemResponse),
        (status = 409, response = crate::openapi::ProblemResponse),
        (status = 429, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn retry() {}

/// Restart a run
///
/// Starts a new run of an ended run's workflow, with its input and its tags; `restartOf` of the new run names the
/// ended one, which stays as it is. With `Idempotency-Key`, a request that is sent again starts nothing and is
/// answered with the run that it started.
#[utoipa::path(
    post,
    path = routes::RUN_RESTART,
    tag = "runs",
    operation_id = "restartRun",
    params(
        ("id" = String, Path, description = "The ended run's id."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "A key of 1 to 255 visible ASCII characters that the client makes up for this request."),
        ("Prefer" = Option<String>, Header,
            description = "`wait=SECONDS`: answer when the new run has ended, or after that time (RFC 7240), 60 at most."),
    ),
    request_body(content = Option<RestartRun>, content_type = "application/json",
        description = "Which version. May be left out."),
    responses(
        (status = 202, description = "The new run is under way.", body = Run,
            headers(
                ("Location" = String, description = "The new run's path."),
                ("Preference-Applied" = String, description = "`wait=SECONDS`, if the answer was held back."))),
        (status = 200, description = "The new run has ended while the answer was held back.", body = Run,
            headers(
                ("Location" = String, description = "The new run's path."),
                ("Preference-Applied" = String, description = "`wait=SECONDS`."))),
        (status = 404, response = crate::openapi::ProblemResponse),
        (status = 409, response = crate::openapi::ProblemResponse),
        (status = 429, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn restart() {}

/// Delete a run
///
/// A run that has ended, with its history and all else that is kept of it: there is no way back. A run that another
/// one has started can be deleted once that one is, and a run that has started others once those have ended. Events
/// that it has emitted stay in the log.
#[utoipa::path(
    delete,
    path = routes::RUN,
    tag = "runs",
    operation_id = "deleteRun",
    params(("id" = String, Path, description = "The run's id.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, response = crate::openapi::ProblemResponse),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn delete() {}
