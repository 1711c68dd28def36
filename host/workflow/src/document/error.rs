//! Errors as a document defines them (dsl-reference, "Error").

use super::endpoint::is_uri_template;
use super::read::{Field, Kind, Read, Reader, is_expression};
use super::r#use::read_reusable;
use super::{Located, Location, Reusable};
use crate::diagnostic::code;

/// An error to raise. Its strings may be expressions.
#[derive(Debug, Clone)]
pub struct ErrorDefinition {
    /// `type`: a URI that says what kind of error it is.
    pub r#type: Located<String>,
    /// `status`: an HTTP status, usually.
    pub status: Located<u16>,
    /// `instance`: the part of the workflow that it comes from, a JSON pointer. Default: the task that raises it.
    pub instance: Option<Located<String>>,
    /// `title`: a summary, the same for every occurrence.
    pub title: Option<Located<String>>,
    /// `detail`: what happened this time.
    pub detail: Option<Located<String>>,
    /// Where it is defined.
    pub location: Location,
}

impl Read for ErrorDefinition {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "an error")?;
        let r#type = object.required::<Located<String>>("type");
        let status = object.required::<Status>("status");
        let instance = object.optional::<Located<String>>("instance");
        let title = object.optional("title");
        let detail = object.optional("detail");
        let r#type = r#type.and_then(|text| error_type(text, object.reader()));
        let instance = instance.and_then(|text| match text {
            Some(text) if !is_expression(&text) && !text.is_empty() && !text.starts_with('/') => {
                let message = format!("`{}` is not a JSON pointer", text.value);
                object.reader().error(
                    code::BAD_VALUE,
                    &text.location,
                    message,
                    "write it like /do/0/hello".to_owned(),
                );
                None
            }
            text => Some(text),
        });
        object.finish_with(|key| {
            matches!(key, "message" | "details").then_some("did you mean `detail`?")
        })?;
        Some(Self {
            r#type: r#type?,
            status: status?.0,
            instance: instance?,
            title: title?,
            detail: detail?,
            location: field.location(),
        })
    }
}

/// The `status` of an error: an HTTP status, usually. What is none may still mean something to somebody; beyond
/// 16 bits, where no error can have it, it can't.
pub(super) struct Status(pub(super) Located<u16>);

impl Read for Status {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let status = Located::<u64>::read(field, reader)?;
        if let Ok(small) = u16::try_from(status.value) {
            return Some(Self(field.located(small)));
        }
        let message = format!("no error has the status {}", status.value);
        let help = format!(
            "write an HTTP status, like 404, or another number up to {}",
            u16::MAX
        );
        reader.error(code::BAD_VALUE, &status.location, message, help);
        None
    }
}

/// Checks a type: a URI reference or an expression.
pub(super) fn error_type(
    text: Located<String>,
    reader: &mut Reader<'_>,
) -> Option<Located<String>> {
    if is_expression(&text) || is_uri_template(&text) {
        return Some(text);
    }
    let message = format!(
        "the type of an error must be a URI, `{}` is none",
        text.value
    );
    let help = "use one of the standard types, like https://serverlessworkflow.io/spec/1.0.0/errors/validation, or a URI of your own";
    reader.error(code::BAD_URI, &text.location, message, help.to_owned());
    None
}

impl Read for Reusable<ErrorDefinition> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        read_reusable(field, reader, Kind::Errors)
    }
}
