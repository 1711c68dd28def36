//! Events of the world: CloudEvents 1.0, in the tenant's log.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// The media type of one event (CloudEvents HTTP binding, structured mode).
pub const STRUCTURED: &str = "application/cloudevents+json";

/// The media type of a list of events (batched mode).
pub const BATCHED: &str = "application/cloudevents-batch+json";

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoggedEvent {
    /// Its place in the log, from 1 on. Places of events that have been dropped are not given again.
    pub position: u64,
    /// When it came.
    #[schema(format = DateTime)]
    pub received_at: String,
    /// The event in its JSON form.
    pub event: Value,
}

/// What became of the events of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SentEvents {
    /// One for each event, in their order.
    pub events: Vec<SentEvent>,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SentEvent {
    /// Its source.
    pub source: String,
    /// Its id.
    pub id: String,
    /// Its place in the log.
    pub position: u64,
    /// Whether an event of that source and id was in the log before, so that this one changed nothing.
    pub duplicate: bool,
}

/// Which events are wanted: those for which all of this holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct EventFilter {
    /// Of this type.
    #[param(rename = "type")]
    pub kind: Option<String>,
    /// Of this source.
    pub source: Option<String>,
    /// About this subject.
    pub subject: Option<String>,
    /// Behind this position. Without it, from the oldest on.
    pub after: Option<u64>,
}
