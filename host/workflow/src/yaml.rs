//! YAML 1.2 and JSON text as a tree of JSON values in which every value and key knows its place.
//!
//! The core schema decides what a plain scalar is (YAML 1.2.2, section 10.3): `on`, `yes` and `no` are
//! strings. Anchors and aliases work, and what they expand to is bounded like the text itself. What has
//! no JSON value, like tags of one's own, merge keys and `.nan`, is refused with advice.
//!
//! The text comes from anybody. Its size, its depth and the number of its values are bounded, nothing
//! here recurses deeper than [`DEPTH_MAX`], and time and memory grow with the size of the text only.

mod build;
mod json;
mod scalar;

use serde_json::{Map, Number, Value};

use crate::diagnostic::{Diagnostic, Source, Span, code};

/// How large a text may be, in bytes: 1 MiB. The strings and keys that aliases repeat are held to the
/// same bound.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// How deep lists and mappings may be nested.
pub const DEPTH_MAX: usize = 64;
/// How many values a text may have, counting what aliases repeat.
pub const NODES_MAX: usize = 100_000;
/// How long a key may be, in bytes. YAML has a bound of about the same size for keys of the usual form.
pub const KEY_BYTES_MAX: usize = 1024;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value's bytes, without what surrounds them. Empty for a null that is not written.
    pub span: Span,
    /// The value.
    pub data: Data,
}

/// A value, as JSON knows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number. Integers outside of 64 bits are floating-point numbers, as in most JSON implementations.
    Number(Number),
    /// A string.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping, in the order of declaration. No key stands twice.
    Mapping(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key. Scalars that are no strings are taken as they are written: `1` is `"1"`.
    pub key: String,
    /// The key's bytes.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// What kind of value it is, with its article: `a string`.
    pub fn kind(&self) -> &'static str {
        match self.data {
            Data::Null => "nothing",
            Data::Bool(_) => "a boolean",
            Data::Number(_) => "a number",
            Data::String(_) => "a string",
            Data::Sequence(_) => "a list",
            Data::Mapping(_) => "a mapping",
        }
    }

    /// The entries, if it is a mapping.
    pub fn as_mapping(&self) -> Option<&[Entry]> {
        if let Data::Mapping(entries) = &self.data {
            Some(entries)
        } else {
            None
        }
    }

    /// The items, if it is a list.
    pub fn as_sequence(&self) -> Option<&[Node]> {
        if let Data::Sequence(items) = &self.data {
            Some(items)
        } else {
            None
        }
    }

    /// The entry under `key`, if it is a mapping that has one.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.as_mapping()?.iter().find(|entry| entry.key == key)
    }

    /// It as JSON.
    pub fn to_value(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Number(value) => Value::Number(value.clone()),
            Data::String(value) => Value::String(value.clone()),
            Data::Sequence(items) => items.iter().map(Self::to_value).collect(),
            Data::Mapping(entries) => {
                let pairs = entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.value.to_value()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }
}

/// What a text says.
#[derive(Debug)]
pub struct Parsed {
    /// The one document of the text.
    pub root: Node,
    /// What can be read and is probably not meant.
    pub warnings: Vec<Diagnostic>,
}

/// Reads the one document that a text is.
///
/// # Errors
///
/// All that is wrong with it, as far as it could be read, sorted by place.
pub fn parse(source: &Source) -> Result<Parsed, Vec<Diagnostic>> {
    let text = source.text();
    if text.len() > TEXT_BYTES_MAX {
        let message = format!(
            "the text has {} bytes, more than the {TEXT_BYTES_MAX} that are allowed",
            text.len()
        );
        let help = "keep large data out of the document: pass it as input, or let a task fetch it"
            .to_owned();
        return Err(vec![
            Diagnostic::error(source, code::TOO_LARGE, Span::default(), message).with_help(help),
        ]);
    }
    // Programs write JSON, and not all of JSON is YAML: tabs, long keys, escaped surrogate pairs. What
    // starts like JSON and is none may still be YAML in flow style.
    match json::parse(source) {
        Some(parsed) => parsed,
        None => build::parse(source),
    }
}
