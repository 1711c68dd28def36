//! Events as they are shown.

use baton_workflow::{Data, Timestamp};

/// An event of a tenant's log.
#[derive(Clone, Debug, PartialEq)]
pub struct EventView {
    /// Its place in the log, from 1 on.
    pub position: u64,
    /// When it came.
    pub at: Timestamp,
    /// The event in its JSON form (CloudEvents).
    pub event: Data,
}

/// What became of an event that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its source.
    pub source: String,
    /// Its id.
    pub id: String,
    /// Its place in the log.
    pub position: u64,
    /// Whether one of that source and id was there before, so that this one changed nothing.
    pub was_there: bool,
}

/// Which events a list shows: those for which all of this holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this type.
    pub kind: Option<String>,
    /// Of this source.
    pub source: Option<String>,
    /// About this subject.
    pub subject: Option<String>,
}
