//! Workflows: published documents, of which each version is immutable.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::diagnostic::Diagnostic;
use crate::schedule::Schedule;

/// Which content of which version of which workflow: what a run keeps to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowReference {
    /// `document.namespace`.
    pub namespace: String,
    /// `document.name`.
    pub name: String,
    /// `document.version`, a semantic version.
    pub version: String,
    /// The SHA-256 of the text: `sha256:` and 64 hex digits.
    pub digest: String,
}

/// A version of a workflow, as it stands in lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowSummary {
    /// `document.namespace`.
    pub namespace: String,
    /// `document.name`.
    pub name: String,
    /// `document.version`, a semantic version.
    pub version: String,
    /// `document.title`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `document.summary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The SHA-256 of the text: `sha256:` and 64 hex digits.
    pub digest: String,
    /// When it was first published.
    #[schema(format = DateTime)]
    pub published_at: String,
}

/// A version of a workflow, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Workflow {
    /// What lists show of it.
    #[serde(flatten)]
    pub summary: WorkflowSummary,
    /// The text as posted, byte for byte.
    pub text: String,
    /// When it starts by itself: where it is the highest version, and has a schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The plan that the host made of it, as a graph of nodes and edges; `null` where the connectors that it
    /// was published with are there no more.
    pub graph: Value,
}

/// The answer to a document that was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishedWorkflow {
    /// What was published.
    #[serde(flatten)]
    pub workflow: WorkflowReference,
    /// Whether this request stored it: false where the same content was there already.
    pub created: bool,
    /// What the document is probably not meant to be: diagnostics of severity `warning`.
    pub warnings: Vec<Diagnostic>,
}

/// Which workflows a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct WorkflowFilter {
    /// Only those of this namespace.
    pub namespace: Option<String>,
    /// Only those of this name.
    pub name: Option<String>,
}
