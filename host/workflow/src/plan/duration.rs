//! Durations that may hold expressions.

use std::time::Duration;

use serde_json::Value;

use super::template::{Filling, Template};
use crate::data::Data;
use crate::document;

/// A duration, or what evaluates to one.
#[derive(Clone, Debug)]
pub(crate) enum DurationTemplate {
    Constant(Duration),
    /// Evaluates to an ISO 8601 string (dsl-reference, "Duration").
    Template(Template),
}

impl DurationTemplate {
    /// Fills it in.
    ///
    /// # Errors
    ///
    /// The expression fails, or does not give a duration.
    pub(crate) fn evaluate(
        &self,
        input: &Data,
        filling: &mut Filling<'_>,
    ) -> Result<Duration, String> {
        match self {
            Self::Constant(duration) => Ok(*duration),
            Self::Template(template) => template
                .evaluate(input, filling)
                .and_then(|value| from_value(&value)),
        }
    }
}

fn from_value(value: &Value) -> Result<Duration, String> {
    match value {
        Value::String(text) => {
            document::Duration::parse_iso8601(text).map_err(|error| error.to_string())
        }
        _ => Err(format!(
            "{value} is no duration; an expression must give an ISO 8601 text such as \"PT30S\""
        )),
    }
}
