//! From the argument `body` to bytes.

use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::value::kind_of;
use crate::{MediaType, query};

/// The bytes of a body, and the content type to send where the workflow gives none.
///
/// # Errors
///
/// `validation`, where it can't be sent as that type.
pub fn encode(body: Value, content_type: Option<&str>) -> Result<(Vec<u8>, &'static str), Failure> {
    let media_type = content_type.map(MediaType::parse);
    match (body, media_type) {
        // A string is what is sent, whatever it is said to be: it may be JSON or XML already.
        (Value::String(text), _) => Ok((text.into_bytes(), "text/plain; charset=utf-8")),
        (Value::Object(fields), Some(media_type)) if media_type.is_form() => {
            Ok((form(&fields)?.into_bytes(), ""))
        }
        (value @ (Value::Bool(_) | Value::Number(_)), Some(media_type)) if media_type.is_text() => {
            Ok((value.to_string().into_bytes(), ""))
        }
        (value, Some(media_type)) if !media_type.is_json() => Err(Failure::validation(format!(
            "body: {} cannot be sent as {}: it can be sent as JSON, an object also as \
                 application/x-www-form-urlencoded, and a string as anything",
            kind_of(&value),
            media_type.essence(),
        ))),
        (value, _) => Ok((value.to_string().into_bytes(), "application/json")),
    }
}

/// The form's own encoding, with a space as `+` (URL standard, "application/x-www-form-urlencoded").
fn form(fields: &Map<String, Value>) -> Result<String, Failure> {
    Ok(query::encode("body", fields)?.replace("%20", "+"))
}
