//! Schemas: what data must look like.

use serde_json::Value;

use crate::diagnostic::Source;
use crate::error::{Error, ErrorKind};
use crate::yaml;

/// A JSON Schema (2020-12 unless it says otherwise), compiled.
pub(crate) struct Schema {
    validator: jsonschema::Validator,
}

/// Why something is no schema.
#[derive(Debug)]
pub(crate) struct BadSchema {
    /// Where in it, as a JSON pointer.
    pub(crate) place: String,
    /// What is wrong there.
    pub(crate) message: String,
}

/// How many violations an error tells. The rest is counted.
const VIOLATIONS_MAX: usize = 5;

impl Schema {
    /// Compiles a schema. Nothing is fetched: a `$ref` must stay within the document.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn new(document: &Value) -> Result<Self, BadSchema> {
        // Regular expressions come from the tenant and run natively, so that they must be of the kind
        // that takes linear time.
        let validator = jsonschema::options()
            .with_pattern_options(jsonschema::PatternOptions::regex())
            .build(document)
            .map_err(|error| BadSchema {
                place: error.instance_path().to_string(),
                message: error.to_string(),
            })?;
        Ok(Self { validator })
    }

    /// Compiles the schema that a text in JSON or YAML is, which is kept at `uri`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with its place in the message: the text is nobody's document.
    pub(crate) fn read(uri: &str, text: &str) -> Result<Self, BadSchema> {
        let elsewhere = |message: String| BadSchema {
            place: String::new(),
            message,
        };
        let parsed = yaml::parse(&Source::new(text, Some(uri))).map_err(|diagnostics| {
            let first = diagnostics.first().map(|it| it.display(uri).to_string());
            elsewhere(first.unwrap_or_default())
        })?;
        Self::new(&parsed.root.to_value()).map_err(|BadSchema { place, message }| {
            let place = if place.is_empty() { "/" } else { &place };
            elsewhere(format!("{message}, at {place} of {uri}"))
        })
    }

    /// Checks data.
    ///
    /// # Errors
    ///
    /// A `validation` error that lists what is wrong where, under the title "`what` does not match its
    /// schema".
    pub(crate) fn check(&self, what: &str, value: &Value) -> Result<(), Error> {
        let violations: Vec<String> = self
            .validator
            .iter_errors(value)
            .map(|it| place(&it))
            .collect();
        if violations.is_empty() {
            return Ok(());
        }
        let more = violations.len().saturating_sub(VIOLATIONS_MAX);
        let mut detail = violations[..violations.len() - more].join("; ");
        if more > 0 {
            detail.push_str(&format!("; and {more} more"));
        }
        Err(Error::new(
            ErrorKind::Validation,
            format!("{what} does not match its schema"),
            detail,
        ))
    }
}

fn place(violation: &jsonschema::ValidationError<'_>) -> String {
    let pointer = violation.instance_path().to_string();
    if pointer.is_empty() {
        violation.to_string()
    } else {
        format!("{pointer}: {violation}")
    }
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Schema")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn violations_are_told_with_their_place() {
        let schema = Schema::new(&json!({
            "type": "object",
            "required": ["id"],
            "properties": { "id": { "type": "integer", "minimum": 1 }, "name": { "pattern": "^(a+)+$" } },
        }))
        .expect("a schema");
        assert_eq!(
            schema.check("input", &json!({"id": 1, "name": "aaa"})),
            Ok(())
        );
        let error = schema
            .check("input", &json!({"id": 0}))
            .expect_err("0 is less than 1");
        assert_eq!(
            error.title.as_deref(),
            Some("input does not match its schema")
        );
        assert!(
            error
                .detail
                .is_some_and(|detail| detail.starts_with("/id: "))
        );
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        assert!(Schema::new(&json!({"type": "objekt"})).is_err());
        assert!(Schema::new(&json!({"$ref": "https://example.org/other.json"})).is_err());
    }
}
