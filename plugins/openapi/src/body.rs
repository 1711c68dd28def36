//! The body of a request: JSON, a form, or parts.

use calls::{Failure, MediaType, body, query};
use serde_json::{Map, Value};

use crate::serialize::scalar;

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// Which of the media types that an operation takes is sent: JSON where that is among them, else a form, else the
/// first.
pub(crate) fn choose<'t>(types: impl Iterator<Item = &'t str> + Clone) -> &'t str {
    let is_json = |it: &&str| MediaType::parse(it).is_json();
    let is_form = |it: &&str| [FORM, MULTIPART].contains(&MediaType::parse(it).essence());
    let found = types.clone().find(is_json);
    let found = found.or_else(|| types.clone().find(is_form));
    found
        .or_else(|| types.clone().next())
        .unwrap_or("application/json")
}

/// The bytes of a body, and the content type that says what they are.
///
/// # Errors
///
/// `validation`, where the value can't be sent as that type.
pub(crate) fn encode(
    value: Value,
    content_type: &str,
    key: &str,
) -> Result<(Vec<u8>, String), Failure> {
    let media_type = MediaType::parse(content_type);
    match value {
        Value::Object(fields) if media_type.essence() == MULTIPART => multipart(&fields, key),
        Value::Object(fields) if media_type.is_form() => {
            let form = query::encode("parameters", &fields)?.replace("%20", "+");
            Ok((form.into_bytes(), content_type.to_owned()))
        }
        // What is JSON is JSON, a text too.
        value if media_type.is_json() => {
            Ok((value.to_string().into_bytes(), content_type.to_owned()))
        }
        value => {
            let (bytes, _) = body::encode(value, Some(content_type))?;
            Ok((bytes, content_type.to_owned()))
        }
    }
}

/// RFC 7578: each member a part, what is made of others as JSON.
fn multipart(fields: &Map<String, Value>, key: &str) -> Result<(Vec<u8>, String), Failure> {
    let inside = Value::from(fields.clone()).to_string();
    let mut boundary = format!(
        "baton-{}",
        key.replace(|it: char| !it.is_ascii_alphanumeric(), "-")
    );
    boundary.truncate(60);
    while inside.contains(&boundary) {
        boundary.push('x');
    }
    let mut text = String::new();
    for (name, value) in fields {
        let name = name.replace('"', "%22").replace(['\r', '\n'], " ");
        let (kind, value) = match value {
            Value::Null => continue,
            Value::Object(_) | Value::Array(_) => {
                ("Content-Type: application/json\r\n", value.to_string())
            }
            other => ("", scalar(&name, other)?),
        };
        text.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n{kind}\r\n{value}\r\n"
        ));
    }
    text.push_str(&format!("--{boundary}--\r\n"));
    Ok((
        text.into_bytes(),
        format!("{MULTIPART}; boundary={boundary}"),
    ))
}
