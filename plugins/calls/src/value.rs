//! Arguments as JSON texts, and the URIs and names in them.

use outgoing::Uri;
use serde_json::{Map, Value};

use crate::failure::Failure;

/// An argument that may be any JSON.
///
/// # Errors
///
/// `validation`, where the text is none.
pub fn any(argument: &str, text: Option<&str>) -> Result<Option<Value>, Failure> {
    text.map(serde_json::from_str)
        .transpose()
        .map_err(|error| Failure::validation(format!("{argument}: no JSON: {error}")))
}

/// An argument that is an object; none where it is absent or null.
///
/// # Errors
///
/// `validation`, where it is something else.
pub fn object(argument: &str, text: Option<&str>) -> Result<Option<Map<String, Value>>, Failure> {
    match any(argument, text)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(fields)) => Ok(Some(fields)),
        Some(other) => Err(Failure::validation(format!(
            "{argument}: expected an object of names and values, and found {}",
            kind_of(&other)
        ))),
    }
}

/// Reads an absolute URI of HTTP (RFC 9110, section 4.2).
///
/// # Errors
///
/// `validation`, where it is none, or holds credentials.
pub fn uri(argument: &str, text: &str) -> Result<Uri<String>, Failure> {
    let broken = |why: &str| Failure::validation(format!("{argument}: {why}"));
    let uri = Uri::parse(text).map_err(|error| {
        broken(&format!(
            "{text:?} is no absolute URI: {error}; encode what a URI may not hold"
        ))
    })?;
    let scheme = uri.scheme().as_str().to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(broken(&format!(
            "the scheme of {text:?} is neither http nor https"
        )));
    }
    let Some(authority) = uri
        .authority()
        .filter(|authority| !authority.host().is_empty())
    else {
        return Err(broken(&format!("{text:?} names no host")));
    };
    if authority.userinfo().is_some() {
        // They would show up wherever the URI does (RFC 9110, section 4.2.4, deprecates them).
        return Err(broken(
            "the URI holds credentials: give them as `authentication` with `basic`",
        ));
    }
    Ok(uri.to_owned())
}

/// The value of a header, as text; none for null.
///
/// # Errors
///
/// `validation`, where it is no scalar, or holds what no header may. The value may be a secret: it is not shown.
pub fn header(name: &str, value: Value) -> Result<Option<String>, Failure> {
    if !is_token(name) {
        return Err(Failure::validation(format!(
            "headers: {name:?} is no name of a header"
        )));
    }
    let value = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        value @ (Value::Bool(_) | Value::Number(_)) => value.to_string(),
        other => {
            return Err(Failure::validation(format!(
                "headers: expected text for {name}, and found {}",
                kind_of(&other)
            )));
        }
    };
    // RFC 9110, section 5.5.
    if value
        .chars()
        .any(|character| character.is_control() && character != '\t')
    {
        return Err(Failure::validation(format!(
            "headers: the value of {name} holds a control character, which no header may"
        )));
    }
    Ok(Some(value.trim().to_owned()))
}

/// The value of the first header of that name, in any case.
pub fn header_of<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let found = headers
        .iter()
        .find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Whether a text is a token (RFC 9110, section 5.6.2).
pub fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

/// What a value is, for messages.
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
