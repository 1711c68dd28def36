//! Schemas: what data must look like.
//!
//! They come from a tenant and are checked natively, by a library that has no bounds. What checking takes is told
//! beforehand ([`effort`]), and taken off what an event may make; what could not be told of it is refused at
//! publication ([`graph`]).

mod effort;
mod graph;
mod pattern;

use std::fmt::{self, Display, Write};

use serde_json::Value;

use self::graph::Graph;
use self::pattern::PATTERN_BYTES_MAX;
pub(crate) use self::pattern::SchemaPatterns;
use crate::diagnostic::Source;
use crate::error::{Error, ErrorKind};
use crate::extent;
use crate::yaml;

/// A JSON Schema (2020-12 unless it says otherwise), compiled.
pub(crate) struct Schema {
    validator: jsonschema::Validator,
    graph: Graph,
}

/// Why something is no schema.
#[derive(Debug)]
pub(crate) struct BadSchema {
    /// Where in it, as a JSON pointer.
    pub(crate) place: String,
    /// What is wrong there.
    pub(crate) message: String,
}

impl BadSchema {
    fn at(place: &str, why: impl Display) -> Self {
        Self {
            place: place.to_owned(),
            message: cut(why, MESSAGE_BYTES_MAX),
        }
    }
}

/// How many violations an error tells. The rest is counted.
const VIOLATIONS_MAX: usize = 5;

/// How long what is told of a violation may be, and how long the way to it, in bytes each. The library puts the whole
/// value into it.
const MESSAGE_BYTES_MAX: usize = 300;

/// How large a value may be, in bytes, that a violation is told with.
const SHOWN_BYTES_MAX: usize = 100;

/// Up to how many steps violations are looked for one by one: the library keeps them all, each with the way to it.
const STEPS_TOLD_MAX: usize = 250_000;

/// A step of checking counts as so many bytes of what an event may make ([`extent::BYTES_PER_EVENT_MAX`]): both are
/// work that holds others up.
const BYTES_PER_STEP: usize = 16;

impl Schema {
    /// Compiles a schema. Nothing is fetched: a `$ref` must stay within the document. `patterns` is the room that there is
    /// for regular expressions.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn new(document: &Value, patterns: &mut SchemaPatterns) -> Result<Self, BadSchema> {
        // Before it is compiled, which works by recursion too.
        let graph = Graph::new(document, patterns)?;
        let pattern = jsonschema::PatternOptions::regex().size_limit(PATTERN_BYTES_MAX);
        let validator = jsonschema::options()
            .with_pattern_options(pattern)
            .build(document)
            .map_err(|error| BadSchema::at(error.instance_path().as_str(), &error))?;
        Ok(Self { validator, graph })
    }

    /// Compiles the schema that a text in JSON or YAML is, which is kept at `uri`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with its place in the message: the text is nobody's document.
    pub(crate) fn read(
        uri: &str,
        text: &str,
        patterns: &mut SchemaPatterns,
    ) -> Result<Self, BadSchema> {
        let elsewhere = |message: String| BadSchema {
            place: String::new(),
            message,
        };
        let parsed = yaml::parse(&Source::new(text, Some(uri))).map_err(|diagnostics| {
            let first = diagnostics.first().map(|it| it.display(uri).to_string());
            elsewhere(first.unwrap_or_default())
        })?;
        let schema = Self::new(&parsed.root.to_value(), patterns);
        schema.map_err(|BadSchema { place, message }| {
            let place = if place.is_empty() { "/" } else { &place };
            elsewhere(format!("{message}, at {place} of {uri}"))
        })
    }

    /// Checks data. What it takes is taken off `left`, the bytes that may still be made.
    ///
    /// # Errors
    ///
    /// A `validation` error that lists what is wrong where, under the title "`what` does not match its
    /// schema"; or one that says that checking takes too much.
    pub(crate) fn check(&self, what: &str, value: &Value, left: &mut usize) -> Result<(), Error> {
        let steps = self.graph.effort(value, *left / BYTES_PER_STEP);
        let steps = steps.map_err(|why| {
            let title = format!("{what} takes too long to be checked against its schema");
            Error::new(ErrorKind::Validation, title, why.message())
        })?;
        *left -= steps * BYTES_PER_STEP;
        if self.validator.is_valid(value) {
            return Ok(());
        }
        let detail = match steps <= STEPS_TOLD_MAX {
            true => self.violations(value),
            false => {
                "it is too large to say where: check parts of it, each with a schema of its own"
                    .to_owned()
            }
        };
        let title = format!("{what} does not match its schema");
        Err(Error::new(ErrorKind::Validation, title, detail))
    }

    /// The first violations, and how many more there are.
    fn violations(&self, value: &Value) -> String {
        let mut violations = self.validator.iter_errors(value);
        let told: Vec<String> = violations
            .by_ref()
            .take(VIOLATIONS_MAX)
            .map(|it| told(&it))
            .collect();
        let mut detail = told.join("; ");
        let more = violations.count();
        if more > 0 {
            detail.push_str(&format!("; and {more} more"));
        }
        detail
    }
}

/// What a violation says, with a value that is short.
fn told(violation: &jsonschema::ValidationError<'_>) -> String {
    let size = extent::measure(violation.instance());
    let message = match size.is_some_and(|bytes| bytes <= SHOWN_BYTES_MAX) {
        true => cut(violation, MESSAGE_BYTES_MAX),
        false => cut(violation.masked_with("the value"), MESSAGE_BYTES_MAX),
    };
    let pointer = violation.instance_path().as_str();
    match pointer.is_empty() {
        true => message,
        false => format!("{}: {message}", cut(pointer, MESSAGE_BYTES_MAX)),
    }
}

/// The beginning of what something says, in at most so many bytes and a mark. No more than that is written.
fn cut(what: impl Display, bytes: usize) -> String {
    struct Beginning {
        text: String,
        left: usize,
    }
    impl Write for Beginning {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let end = text.floor_char_boundary(self.left.min(text.len()));
            self.text.push_str(&text[..end]);
            self.left -= end;
            match end < text.len() {
                true => Err(fmt::Error),
                false => Ok(()),
            }
        }
    }
    let mut beginning = Beginning {
        text: String::new(),
        left: bytes,
    };
    match write!(beginning, "{what}") {
        Ok(()) => beginning.text,
        Err(_) => beginning.text + "…",
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

    fn compiled(document: &Value) -> Result<Schema, BadSchema> {
        Schema::new(document, &mut SchemaPatterns::default())
    }

    fn check(schema: &Value, value: &Value) -> Result<(), Error> {
        let schema = compiled(schema).expect("a schema");
        schema.check("it", value, &mut (64 << 20))
    }

    #[track_caller]
    fn detail(schema: &Value, value: &Value) -> String {
        let error = check(schema, value).expect_err("it does not fit");
        error.detail.unwrap_or_default()
    }

    /// A schema of many, each of which leads to the next.
    fn chain(length: usize, step: impl Fn(Value) -> Value, last: Value) -> Value {
        let refer = |at: usize| json!({ "$ref": format!("#/$defs/a{at}") });
        let mut all: serde_json::Map<String, Value> = (0..length)
            .map(|at| (format!("a{at}"), step(refer(at + 1))))
            .collect();
        all.insert(format!("a{length}"), last);
        json!({ "$ref": "#/$defs/a0", "$defs": all })
    }

    fn nested(depth: usize) -> Value {
        (0..depth).fold(json!({}), |inner, _| json!({ "x": inner }))
    }

    #[test]
    fn violations_are_told_with_their_place() {
        let schema = json!({
            "type": "object",
            "required": ["id"],
            "properties": { "id": { "type": "integer", "minimum": 1 }, "name": { "pattern": "^(a+)+$" } },
        });
        assert_eq!(check(&schema, &json!({"id": 1, "name": "aaa"})), Ok(()));
        let error = check(&schema, &json!({"id": 0})).expect_err("0 is less than 1");
        assert_eq!(error.title.as_deref(), Some("it does not match its schema"));
        let detail = error.detail.unwrap_or_default();
        assert_eq!(detail, "/id: 0 is less than the minimum of 1");
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        assert!(compiled(&json!({"type": "objekt"})).is_err());
        assert!(compiled(&json!({"$ref": "https://example.org/other.json"})).is_err());
        assert!(compiled(&json!({"pattern": "("})).is_err());
    }

    #[test]
    fn references_of_all_kinds_are_followed() {
        let schema = json!({
            "$id": "https://example.org/tree",
            "$ref": "tree#node",
            "$defs": {
                "node": {
                    "$anchor": "node",
                    "properties": { "children": { "items": { "$ref": "/tree#/$defs/node" } }, "of": { "$ref": "other.json" } },
                },
                "other": { "$id": "other.json", "type": "string" },
            },
        });
        let tree = |leaf: Value| json!({ "children": [{ "children": [{ "of": leaf }] }] });
        assert_eq!(check(&schema, &tree(json!("leaf"))), Ok(()));
        let of_it = "/children/0/children/0/of: 1 is not of type \"string\"";
        assert_eq!(detail(&schema, &tree(json!(1))), of_it);
        let is_schema = json!({ "$ref": "https://json-schema.org/draft/2020-12/schema" });
        let fits = json!({ "properties": { "a": { "items": { "type": "string" } } } });
        assert_eq!(check(&is_schema, &fits), Ok(()));
        assert!(check(&is_schema, &json!({ "properties": 1 })).is_err());
    }

    #[test]
    fn work_that_doubles_with_each_level_is_not_done() {
        let twice = |next: Value| json!({ "allOf": [next, next] });
        let too_much = "too many subschemas look at the same values";
        for last in [json!({}), json!(false)] {
            let schema = chain(60, twice, last);
            for value in [json!({}), json!("text"), Value::Null] {
                assert!(detail(&schema, &value).starts_with(too_much));
            }
        }
        let within =
            json!({ "properties": { "x": { "allOf": [{ "$ref": "#" }, { "$ref": "#" }] } } });
        assert_eq!(check(&within, &nested(10)), Ok(()));
        assert!(detail(&within, &nested(99)).starts_with(too_much));
        let inner = |inner: Value, _| json!({ "allOf": [inner], "unevaluatedProperties": false });
        let unevaluated = (0..40).fold(json!({}), inner);
        assert!(detail(&unevaluated, &json!({})).starts_with(too_much));
    }

    #[test]
    fn what_checking_takes_is_taken_off_what_is_left() {
        let schema = compiled(&json!({ "items": { "type": "integer" } })).expect("a schema");
        let items = json!(vec![1; 1_000]);
        let mut left = 30_000;
        assert_eq!(schema.check("it", &items, &mut left), Ok(()));
        assert!(left < 30_000 - 1_000 * BYTES_PER_STEP);
        assert!(schema.check("it", &items, &mut left).is_err());
    }

    #[test]
    fn chains_and_circles_are_refused() {
        let refused = |schema: &Value| compiled(schema).expect_err("it is refused");
        let plain = |next: Value| next;
        let unevaluated = |next: Value| json!({ "allOf": [next], "unevaluatedProperties": false });
        assert!(compiled(&chain(100, plain, json!({}))).is_ok());
        for schema in [
            chain(30_000, plain, json!({})),
            chain(1_000, unevaluated, json!({})),
        ] {
            let message = refused(&schema).message;
            assert!(message.starts_with("more than 128 subschemas lead from one to the next"));
        }
        let circle = json!({ "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/a" }] } }, "properties": { "x": { "$ref": "#/$defs/a" } } });
        let BadSchema { place, message } = refused(&circle);
        assert_eq!(place, "/$defs/a");
        assert!(message.starts_with("it leads back to itself"));
        // Through the value, it may be long.
        let through = chain(
            10_000,
            |next| json!({ "properties": { "x": next } }),
            json!({}),
        );
        assert_eq!(check(&through, &nested(99)), Ok(()));
    }

    #[test]
    fn patterns_have_no_more_than_their_room() {
        let one = compiled(&json!({ "pattern": "\\p{L}{200}" })).expect_err("it is too large");
        assert_eq!(one.place, "/pattern");
        assert!(
            one.message
                .starts_with("the pattern takes more than 1048576 bytes")
        );
        let many = |at: usize| {
            (
                format!("p{at}"),
                json!({ "pattern": format!("\\p{{L}}{{15}}{at}") }),
            )
        };
        let many: serde_json::Map<String, Value> = (0..20).map(many).collect();
        let many = compiled(&json!({ "properties": many })).expect_err("they are too many");
        assert!(
            many.message
                .starts_with("the patterns of the workflow take more than")
        );
        let names = json!({ "patternProperties": { "[ab]*a[ab]{9000}c": {} } });
        let name = "ab".repeat(1 << 22);
        assert!(check(&names, &json!({ name: 1 })).is_err());
    }

    #[test]
    fn violations_are_told_without_the_value() {
        let large = Value::String("x".repeat(4 << 20));
        let many = json!({ "allOf": vec![json!({ "type": "array" }); 1_000] });
        let detail_of_many = detail(&many, &large);
        assert_eq!(
            detail_of_many,
            "the value is not of type \"array\"; ".repeat(5) + "and 995 more"
        );
        let name = "n".repeat(1 << 20);
        let closed = json!({ "allOf": vec![json!({ "additionalProperties": false }); 3] });
        assert!(detail(&closed, &json!({ name: 1 })).len() < 2_000);
        let items = json!({ "items": { "type": "string" } });
        let told = detail(&items, &json!(vec![1; 300_000]));
        assert!(told.starts_with("it is too large to say where"));
    }
}
