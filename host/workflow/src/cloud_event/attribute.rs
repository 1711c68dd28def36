//! What the attributes of an event may be called and hold (CloudEvents, "Context Attributes").

use serde_json::Value;

use super::{InvalidEvent, SPEC_VERSION};

/// Checks a member of an event's JSON form.
pub(super) fn check(name: &str, value: &Value) -> Result<(), InvalidEvent> {
    let wrong = |why: &str| {
        Err(InvalidEvent::Value {
            name: name.to_owned(),
            why: why.to_owned(),
        })
    };
    match name {
        "data" => return Ok(()),
        "data_base64" if value.is_string() => return Ok(()),
        "data_base64" => return wrong("must be a string"),
        "specversion" if value.as_str() == Some(SPEC_VERSION) => return Ok(()),
        "specversion" => return Err(InvalidEvent::Version(shown(value))),
        _ if !is_name(name) => return Err(InvalidEvent::Name(name.to_owned())),
        _ => {}
    }
    let text = match value {
        Value::String(text) => text,
        Value::Bool(_) if !is_text(name) => return Ok(()),
        Value::Number(number) if !is_text(name) => {
            return match number.as_i64().map(i32::try_from) {
                Some(Ok(_)) => Ok(()),
                _ => wrong("is a number that is no integer of 32 bits"),
            };
        }
        _ if is_text(name) => return wrong("must be a string"),
        _ => return wrong("must be a string, a boolean or an integer"),
    };
    if text.chars().any(char::is_control) {
        return wrong("has a control character in it");
    }
    match name {
        "id" | "type" | "subject" if text.is_empty() => wrong("must not be empty"),
        "source" if !is_uri_reference(text) => wrong("must be a URI reference, and not empty"),
        "dataschema" if !is_uri(text) => wrong("must be an absolute URI"),
        "datacontenttype" if !is_media_type(text) => {
            wrong("must be a media type, such as `application/json`")
        }
        "time" if text.parse::<jiff::Timestamp>().is_err() => {
            wrong("must be a time of RFC 3339, such as `2024-07-26T16:59:57Z`")
        }
        _ => Ok(()),
    }
}

/// Whether an attribute can have that name. The specification recommends at most 20 characters, and sets no
/// bound.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// The attributes of the specification are texts; extensions may be numbers and booleans too.
pub(crate) fn is_text(name: &str) -> bool {
    matches!(
        name,
        "id" | "source" | "type" | "subject" | "time" | "dataschema" | "datacontenttype"
    )
}

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn is_uri_reference(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|character| {
            !character.is_whitespace()
                && !matches!(
                    character,
                    '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '}' | '|'
                )
        })
}

fn is_uri(text: &str) -> bool {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    is_uri_reference(text)
        && scheme.is_some_and(|scheme| {
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        })
}

/// `type/subtype`, and parameters behind it that nobody here looks at.
fn is_media_type(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim();
    let is_token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte))
    };
    essence
        .split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}
