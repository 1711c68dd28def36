//! Events.

use baton_api::event::{LoggedEvent, SentEvent};
use baton_engine::{EventView, Sent};
use serde_json::Value;

use super::time;

/// An event of the log.
pub(crate) fn logged_event(event: EventView) -> LoggedEvent {
    LoggedEvent {
        position: event.position,
        received_at: time(event.at),
        event: Value::clone(&event.event),
    }
}

/// What became of an event.
pub(crate) fn sent_event(sent: Sent) -> SentEvent {
    SentEvent {
        source: sent.source,
        id: sent.id,
        position: sent.position,
        duplicate: sent.was_there,
    }
}
