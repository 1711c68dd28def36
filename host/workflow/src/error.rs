//! Errors as a workflow sees them: problem details with the specification's types.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::extent;
use crate::pack::packed;

/// The types of error that the specification names (dsl-reference, "Standard Error Types").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorKind {
    /// A setting is missing or wrong.
    Configuration,
    /// Data does not have the form that it must have.
    Validation,
    /// An expression could not be evaluated.
    Expression,
    /// The other side does not know who is calling.
    Authentication,
    /// The other side, or the host, knows and refuses.
    Authorization,
    /// Something took longer than it may.
    Timeout,
    /// The other side could not be reached, or answered with an error.
    Communication,
    /// Anything else that goes wrong while a run is under way.
    Runtime,
}

/// How long each text of an error may be, in bytes: enough for what people read.
const TEXT_BYTES_MAX: usize = 4 << 10;

/// What stands where a text was cut.
const CUT: &str = "…";

/// What stands before the kind in the type of an emitted error.
const TYPE_PREFIX: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/";

impl ErrorKind {
    /// All kinds, in the order of the specification's table.
    pub const ALL: [Self; 8] = [
        Self::Configuration,
        Self::Validation,
        Self::Expression,
        Self::Authentication,
        Self::Authorization,
        Self::Timeout,
        Self::Communication,
        Self::Runtime,
    ];

    /// The last segment of the type's URI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Validation => "validation",
            Self::Expression => "expression",
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Timeout => "timeout",
            Self::Communication => "communication",
            Self::Runtime => "runtime",
        }
    }

    /// The type's URI, as it is emitted.
    pub fn uri(self) -> String {
        format!("{TYPE_PREFIX}{}", self.name())
    }

    /// The status that an error of this type has where nothing better is known.
    pub fn status(self) -> u16 {
        match self {
            Self::Configuration | Self::Validation | Self::Expression => 400,
            Self::Authentication => 401,
            Self::Authorization => 403,
            Self::Timeout => 408,
            Self::Communication | Self::Runtime => 500,
        }
    }
}

/// A problem detail (RFC 9457) that a run carries, catches, raises or ends with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Error {
    /// A URI that says what type of error this is.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// An HTTP status, or what stands for one.
    pub status: u16,
    /// The JSON pointer of the task that the error comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// A summary of the type, the same for each occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What happened this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What a connector gave along; not among the specification's members, an extension in the sense
    /// of RFC 9457 section 3.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// How long to wait at least before the next attempt, in milliseconds, as the other side asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

packed!(struct Error { type_uri, status, instance, title, detail, data, retry_after });

impl Error {
    /// An error of a standard type under its default status.
    pub fn new(kind: ErrorKind, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            type_uri: kind.uri(),
            status: kind.status(),
            instance: None,
            title: Some(title.into()),
            detail: Some(detail.into()),
            data: None,
            retry_after: None,
        }
    }

    /// The same error, said to come from the task at `pointer` unless it says otherwise already.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Self {
        self.instance.get_or_insert_with(|| pointer.to_owned());
        self
    }

    /// The same error, without data that is larger than a run can hold, and with texts of at most 4 KiB each: an
    /// error is written down at each task that it leaves, and in every list of runs.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.data = self.data.filter(extent::fits_in_an_error);
        for text in [&mut self.instance, &mut self.title, &mut self.detail] {
            text.iter_mut().for_each(shorten);
        }
        shorten(&mut self.type_uri);
        self
    }

    /// The error as JSON data, as `catch.as` gives it to expressions.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("strings, numbers and JSON make JSON")
    }
}

/// Cuts a text that is longer than one in an error may be.
fn shorten(text: &mut String) {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX - CUT.len()));
        text.push_str(CUT);
    }
}

/// Whether two type URIs mean the same type.
///
/// The specification changed its name and, with it, the host of its types; it also spells the path in
/// two ways. What is meant is the same, so that the hosts `serverlessworkflow.io` and
/// `open-workflow-specification.org`, and the paths `/spec/1.0.0/errors/` and `/dsl/errors/types/`, are
/// held equal.
pub fn same_type(one: &str, other: &str) -> bool {
    one == other || standard_name(one).is_some_and(|name| standard_name(other) == Some(name))
}

/// The last segment of a standard type's URI in any of its spellings.
fn standard_name(uri: &str) -> Option<&str> {
    let rest = uri
        .strip_prefix("https://")
        .or_else(|| uri.strip_prefix("http://"))?;
    let path = rest
        .strip_prefix("serverlessworkflow.io/")
        .or_else(|| rest.strip_prefix("open-workflow-specification.org/"))?;
    path.strip_prefix("spec/1.0.0/errors/")
        .or_else(|| path.strip_prefix("dsl/errors/types/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_a_bound() {
        let long = "ä".repeat(TEXT_BYTES_MAX);
        let error = Error::new(ErrorKind::Runtime, "short", long).bounded();
        assert_eq!(error.title.as_deref(), Some("short"));
        let detail = error.detail.unwrap_or_default();
        assert!(detail.len() <= TEXT_BYTES_MAX && detail.ends_with("ä…"));
    }

    #[test]
    fn every_spelling_of_a_standard_type_is_the_same() {
        let spellings = [
            "https://serverlessworkflow.io/spec/1.0.0/errors/communication",
            "https://open-workflow-specification.org/spec/1.0.0/errors/communication",
            "https://serverlessworkflow.io/dsl/errors/types/communication",
            "https://open-workflow-specification.org/dsl/errors/types/communication",
        ];
        for one in spellings {
            for other in spellings {
                assert!(same_type(one, other), "{one} and {other}");
            }
            assert!(!same_type(one, &ErrorKind::Timeout.uri()));
        }
        assert!(!same_type("https://example.org/a", "https://example.org/b"));
        assert!(same_type("https://example.org/a", "https://example.org/a"));
    }
}
