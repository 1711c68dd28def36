//! Workflows, as the engine shows them.

use baton_store::Digest;
use baton_workflow::{Diagnostic, Timestamp};
use serde_json::Value;

use super::ScheduleView;

/// A workflow version and its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowReference {
    /// `document.namespace`.
    pub namespace: String,
    /// `document.name`.
    pub name: String,
    /// `document.version`.
    pub version: String,
    /// The SHA-256 of the text.
    pub digest: Digest,
}

/// What publishing came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// What was published.
    pub reference: WorkflowReference,
    /// Whether it is new; false where the same content was there already.
    pub created: bool,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Diagnostic>,
}

/// Which workflows a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkflowFilter {
    /// Of this namespace.
    pub namespace: Option<String>,
    /// Of this name.
    pub name: Option<String>,
}

/// A workflow version, as it stands in lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowSummary {
    /// What it is.
    pub reference: WorkflowReference,
    /// `document.title`.
    pub title: Option<String>,
    /// `document.summary`.
    pub summary: Option<String>,
    /// When it was published.
    pub published_at: Timestamp,
}

/// A workflow version, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkflowView {
    /// What lists show of it.
    pub summary: WorkflowSummary,
    /// The text, byte for byte as it was posted.
    pub text: String,
    /// When the workflow starts by itself, where this is the version whose schedule counts.
    pub schedule: Option<ScheduleView>,
    /// The plan as a graph: see [`baton_workflow::Plan::graph`]. Null where the connectors that the
    /// workflow was published with are there no more.
    pub graph: Value,
}
