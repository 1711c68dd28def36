//! Schemas of data (dsl-reference, "Schema").

use serde_json::Value;

use super::read::{Field, Read, Reader};
use super::{ExternalResource, Located, Location};

/// A schema.
#[derive(Debug, Clone)]
pub struct Schema {
    /// `format`: `json` for JSON Schema, possibly with a version: `json:2020-12`. Default: `json`.
    pub format: Option<Located<String>>,
    /// The schema itself.
    pub source: SchemaSource,
    /// Where it is written.
    pub location: Location,
}

/// Where a schema is.
#[derive(Debug, Clone)]
pub enum SchemaSource {
    /// `document`: here.
    Document(Located<Value>),
    /// `resource`: elsewhere.
    Resource(Box<ExternalResource>),
}

impl Schema {
    /// Whether it is a JSON Schema.
    pub fn is_json(&self) -> bool {
        self.format
            .as_ref()
            .is_none_or(|format| format.as_str() == "json" || format.starts_with("json:"))
    }
}

impl Read for Schema {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "a schema")?;
        let format = object.optional("format");
        let source = object
            .one_of(&["document", "resource"])
            .and_then(|key| match key {
                "document" => object.required("document").map(SchemaSource::Document),
                _ => object.required("resource").map(SchemaSource::Resource),
            });
        object.finish_with(|key| {
            matches!(key, "type" | "properties" | "required" | "$schema")
                .then_some("a JSON Schema belongs inside `document`")
        })?;
        Some(Self {
            format: format?,
            source: source?,
            location: field.location(),
        })
    }
}
