//! A run's history as it grows: server-sent events (WHATWG HTML, section 9.2).

use std::convert::Infallible;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use baton_api::ProblemKind;
use baton_engine::{Note, Subscription};
use futures_util::stream::{self, Stream};
use tokio::sync::watch;

use crate::auth::Caller;
use crate::convert;
use crate::path::{self, Segments};
use crate::query::Query;
use crate::refusal::Refusal;
use crate::router::{Context, has_stopped};

pub(crate) async fn events(
    State(context): State<Context>,
    caller: Caller,
    Segments(id): Segments<String>,
    request: Request,
) -> Result<Response, Refusal> {
    Query::read(request.uri(), &[])?;
    let run = path::run(&id)?;
    let after = last_event_id(request.headers())?;
    let found = context
        .engine
        .subscribe(&caller.tenant, &run, after)
        .await?;
    let subscription = found.ok_or_else(|| path::no_such_run(&id))?;
    let keep_alive = KeepAlive::new().interval(context.settings.keep_alive);
    Ok(Sse::new(stream(subscription, context.stopping))
        .keep_alive(keep_alive)
        .into_response())
}

/// The lines until the run ends, the server stops, or the reader has fallen too far behind. In the latter
/// two cases the client goes on with `Last-Event-ID`.
fn stream(
    subscription: Subscription,
    stopping: watch::Receiver<bool>,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    stream::unfold(
        (subscription, stopping),
        |(mut subscription, stopping)| async move {
            let next = tokio::select! {
                next = subscription.next() => next,
                () = has_stopped(stopping.clone()) => None,
            };
            let note = next?.ok()?;
            Some((Ok(event(note)), (subscription, stopping)))
        },
    )
}

fn event(note: Note) -> Event {
    let item = convert::history_item(note);
    let data = serde_json::to_string(&item).expect("strings, numbers and JSON make JSON");
    Event::default()
        .id(item.seq.to_string())
        .event(&item.kind)
        .data(data)
}

/// The `seq` of the last line that the client has seen; 0 for none.
fn last_event_id(headers: &HeaderMap) -> Result<u64, Refusal> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(0);
    };
    value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| {
            let detail =
                "`Last-Event-ID`: expected the `id` of an event of this stream, a whole number";
            Refusal::new(ProblemKind::InvalidHeader, detail)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_event_is_a_number() {
        let read = |value: &'static str| {
            let pair = ("last-event-id".parse().unwrap(), value.parse().unwrap());
            last_event_id(&[pair].into_iter().collect()).ok()
        };
        assert_eq!(last_event_id(&HeaderMap::new()).ok(), Some(0));
        assert_eq!(read("7"), Some(7));
        for value in ["", "x", "-1", "1.5"] {
            assert_eq!(read(value), None, "{value}");
        }
    }
}
