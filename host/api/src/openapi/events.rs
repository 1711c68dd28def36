use crate::event::{EventFilter, LoggedEvent, SentEvents};
use crate::page::{Page, PageRequest};
use crate::routes;

/// Send events
///
/// CloudEvents 1.0 in any content mode of the HTTP binding: one event as `application/cloudevents+json`, up to 1,000
/// as `application/cloudevents-batch+json`, or one with its attributes as `ce-` headers and its data as the body.
/// All of them are taken or none. They are durable when this is answered. An event whose `source` and `id` one in the
/// log has already changes nothing, so that a request may be sent again.
#[utoipa::path(
    post,
    path = routes::EVENTS,
    tag = "events",
    operation_id = "sendEvents",
    params(
        ("ce-specversion" = Option<String>, Header,
            description = "`1.0`, where the attributes are headers: `ce-id`, `ce-source`, `ce-type` and so on."),
    ),
    request_body(
        content(
            (serde_json::Value = "application/cloudevents+json"),
            (Vec<serde_json::Value> = "application/cloudevents-batch+json"),
        ),
        description = "The event or events, 4 MiB at most, 1 MiB each."),
    responses(
        (status = 202, description = "The events are in the log.", body = SentEvents),
        (status = 413, response = crate::openapi::ProblemResponse),
        (status = 415, response = crate::openapi::ProblemResponse),
        (status = 422, response = crate::openapi::ProblemResponse),
        (status = 429, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn send() {}

/// List events
///
/// The oldest that is kept first. With `Prefer: wait=SECONDS` and none to show, the answer is held back until one
/// comes, or for that time: give the position of the last one seen as `after` to follow the log.
#[utoipa::path(
    get,
    path = routes::EVENTS,
    tag = "events",
    operation_id = "listEvents",
    params(
        EventFilter,
        PageRequest,
        ("Prefer" = Option<String>, Header,
            description = "`wait=SECONDS`: answer when there is an event, or after that time (RFC 7240), 60 at most."),
    ),
    responses((status = 200, description = "A page of the log.", body = Page<LoggedEvent>,
        headers(("Preference-Applied" = String, description = "`wait=SECONDS`, if the answer was held back."))))
)]
pub(super) fn list() {}

/// Read an event
///
/// Ids are unique for each source: where several sources have sent an event with this id, `source` says which one is
/// meant.
#[utoipa::path(
    get,
    path = routes::EVENT,
    tag = "events",
    operation_id = "readEvent",
    params(
        ("id" = String, Path, description = "The event's `id`, percent-encoded."),
        ("source" = Option<String>, Query, description = "The event's `source`."),
    ),
    responses(
        (status = 200, description = "The event.", body = LoggedEvent),
        (status = 404, response = crate::openapi::ProblemResponse),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn read() {}
