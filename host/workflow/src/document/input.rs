//! What goes into and comes out of a workflow or task (dsl-reference, "Input", "Output" and "Export").

use serde_json::Value;

use super::read::{Field, Read, Reader};
use super::{Located, Schema};

/// What a workflow or task takes.
#[derive(Debug, Clone)]
pub struct Input {
    /// `schema`: what the raw input must be.
    pub schema: Option<Schema>,
    /// `from`: what is made of the raw input, an expression or a mapping with expressions anywhere inside.
    pub from: Option<Located<Value>>,
}

/// What a workflow or task gives.
#[derive(Debug, Clone)]
pub struct Output {
    /// `schema`: what the output must be after `as`.
    pub schema: Option<Schema>,
    /// `as`: what is made of the raw output, an expression or a mapping with expressions anywhere inside.
    pub r#as: Option<Located<Value>>,
}

/// What a task makes of the workflow's context.
#[derive(Debug, Clone)]
pub struct Export {
    /// `schema`: what the context must be then.
    pub schema: Option<Schema>,
    /// `as`: the new context, an expression or a mapping with expressions anywhere inside.
    pub r#as: Option<Located<Value>>,
}

impl Read for Input {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let (schema, from) = read(field, reader, "`input`", "from")?;
        Some(Self { schema, from })
    }
}

impl Read for Output {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let (schema, r#as) = read(field, reader, "`output`", "as")?;
        Some(Self { schema, r#as })
    }
}

impl Read for Export {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let (schema, r#as) = read(field, reader, "`export`", "as")?;
        Some(Self { schema, r#as })
    }
}

type Parts = (Option<Schema>, Option<Located<Value>>);

fn read(
    field: &Field<'_>,
    reader: &mut Reader<'_>,
    what: &'static str,
    key: &'static str,
) -> Option<Parts> {
    if let Some(text) = field.as_str() {
        let text: String = text.chars().take(80).collect();
        reader.wrong_type(
            field,
            &format!("{what} (a mapping)"),
            format!("write {{ {key}: '{text}' }}"),
        );
        return None;
    }
    let mut object = reader.object(field, what)?;
    let schema = object.optional("schema");
    let value = object.optional::<Shaped>(key);
    object.finish_with(|unknown| match (key, unknown) {
        ("from", "as") => Some("did you mean `from`?"),
        ("as", "from") => Some("did you mean `as`?"),
        _ => None,
    })?;
    Some((schema?, value?.map(|shaped| shaped.0)))
}

/// An expression, or a mapping with expressions anywhere inside.
struct Shaped(Located<Value>);

impl Read for Shaped {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let value = field.located(field.node.to_value());
        if matches!(value.value, Value::String(_) | Value::Object(_)) {
            return Some(Self(value));
        }
        reader.wrong_type(field, "an expression or a mapping", None);
        None
    }
}
