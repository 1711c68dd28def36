//! What is wrong with a workflow document.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing that is wrong with a document, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing it is, for programs. A code keeps its meaning.
    #[schema(examples("unknown-key"))]
    pub code: String,
    /// What is wrong and why, for people.
    pub message: String,
    /// The line where it is, from 1.
    pub line: usize,
    /// The column where it starts, in characters, from 1.
    pub column: usize,
    /// Which bytes of the posted text are meant.
    pub span: Span,
    /// The part of the document that is meant, as a JSON pointer (RFC 6901); empty for all of it.
    #[schema(examples("/do/0/hello/call"))]
    pub pointer: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Other places that have to do with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document cannot be used.
    Error,
    /// The document can be used, and is probably not what its author means.
    Warning,
}

/// A range of bytes of the posted text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// The first byte, from 0.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// Another place that has to do with a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Related {
    /// What this place has to do with it.
    pub label: String,
    /// The line, from 1.
    pub line: usize,
    /// The column where it starts, in characters, from 1.
    pub column: usize,
    /// Which bytes of the posted text are meant.
    pub span: Span,
}

/// The answer to a document that was sent for validation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// Whether the document could be published as it is: no diagnostic is an error.
    pub valid: bool,
    /// What is wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}
