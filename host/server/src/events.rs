//! Events of the world: send, list.

use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use baton_api::ProblemKind;
use baton_api::event::{LoggedEvent, SentEvents};
use baton_api::page::Page;
use baton_engine::{EventFilter, EventView};
use baton_workflow::cloud_event::http::{DecodeError, decode};

use crate::auth::Caller;
use crate::page::{self, CURSOR, LIMIT};
use crate::path::Segments;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::router::{Context, has_stopped};
use crate::runs::PREFERENCE_APPLIED;
use crate::{body, convert, prefer};

/// The list, for its cursors.
const LIST: &str = "events";

/// How many of the sources that have sent an event with the same id are told.
const SOURCES_TOLD: usize = 8;

pub(crate) async fn send(
    State(context): State<Context>,
    caller: Caller,
    request: Request,
) -> Result<(StatusCode, Json<SentEvents>), Refusal> {
    Query::read(request.uri(), &[])?;
    let headers = request.headers().clone();
    let held = body::read(&context, &caller, request, body::EVENTS).await?;
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    let events = decode(headers, &held.bytes)?;
    let sent = context.engine.send_events(&caller.tenant, events).await?;
    let events = sent.into_iter().map(convert::sent_event).collect();
    Ok((StatusCode::ACCEPTED, Json(SentEvents { events })))
}

pub(crate) async fn list(
    State(context): State<Context>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let known = ["type", "source", "subject", "after", CURSOR, LIMIT];
    let query = Query::read(request.uri(), &known)?;
    let wait = prefer::wait(request.headers())?;
    let text = |name| query.text(name).map(str::to_owned);
    let filter = EventFilter {
        kind: text("type"),
        source: text("source"),
        subject: text("subject"),
    };
    let after = query.number("after", 0, u64::MAX)?.unwrap_or(0);
    let cursor = page::decode(&query, LIST)?.and_then(|last| last.parse().ok());
    let after = cursor.unwrap_or(after);
    let limit = page::limit(&query)?;
    let reading = context.engine.events(
        &caller.tenant,
        &filter,
        after,
        limit,
        wait.unwrap_or(Duration::ZERO),
    );
    let found = tokio::select! {
        found = reading => found?,
        () = has_stopped(context.stopping.clone()) => baton_engine::Page { items: Vec::new(), next: None },
    };
    let mut headers = HeaderMap::new();
    if let Some(wait) = wait {
        headers.insert(PREFERENCE_APPLIED, prefer::applied(wait));
    }
    Ok((headers, Json(events(found))).into_response())
}

pub(crate) async fn read(
    State(context): State<Context>,
    caller: Caller,
    Segments(id): Segments<String>,
    request: Request,
) -> Result<Json<LoggedEvent>, Refusal> {
    let query = Query::read(request.uri(), &["source"])?;
    let source = query.text("source");
    let mut found = context.engine.event(&caller.tenant, &id, source).await?;
    match (found.pop(), found.len()) {
        (Some(event), 0) => Ok(Json(convert::logged_event(event))),
        (Some(event), _) => Err(ambiguous(&id, found.into_iter().chain([event]))),
        (None, _) => {
            let of = source.map(|it| format!(" of the source `{it}`"));
            Err(Refusal::not_found(format!(
                "there is no event `{id}`{} in the log: it keeps events for a time and up to a size",
                of.unwrap_or_default()
            )))
        }
    }
}

fn ambiguous(id: &str, events: impl Iterator<Item = EventView>) -> Refusal {
    let sources = events.map(|it| format!("`{}`", it.event["source"].as_str().unwrap_or_default()));
    let mut sources: Vec<_> = sources.collect();
    sources.sort();
    let several = sources.len();
    sources.truncate(SOURCES_TOLD);
    let more = match several > SOURCES_TOLD {
        true => " and others",
        false => "",
    };
    let sources = sources.join(", ");
    Refusal::new(
        ProblemKind::AmbiguousEvent,
        format!("{sources}{more} have each sent an event `{id}`: say which one with `source`"),
    )
}

fn events(found: baton_engine::Page<EventView>) -> Page<LoggedEvent> {
    let next = found.next.as_deref().map(|last| page::encode(LIST, last));
    Page {
        next,
        ..convert::page(found, convert::logged_event)
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        let kind = match error {
            DecodeError::NoEvent(_) => ProblemKind::UnsupportedMediaType,
            DecodeError::Json(_) => ProblemKind::InvalidJson,
            DecodeError::Header(_) => ProblemKind::InvalidHeader,
            DecodeError::NotAList | DecodeError::TooMany(_) | DecodeError::Event { .. } => {
                ProblemKind::InvalidEvent
            }
        };
        Self::new(kind, error.to_string())
    }
}
