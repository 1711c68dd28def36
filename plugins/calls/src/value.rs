//! What stands in arguments: URIs, and names and values of headers.

use outgoing::Uri;
use serde_json::Value;

use crate::failure::Failure;

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
    if scheme == "file" {
        return Err(broken(&format!(
            "{text:?} is a file, and a run has no files: put it on a server and name it by https"
        )));
    }
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
            "the URI holds credentials: give them as `authentication`",
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
