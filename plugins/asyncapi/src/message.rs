//! What goes out and what comes in.

use calls::Failure;
use calls::arguments::not;
use calls::placeholder;
use calls::value::kind_of;
use serde_json::{Map, Value, json};

/// A message to publish (dsl-reference, "AsyncAPI Outbound Message").
#[derive(Clone, Debug, PartialEq)]
pub struct Outbound {
    /// The payload, as JSON text.
    pub payload: Vec<u8>,
    /// Names and values.
    pub headers: Vec<(String, String)>,
}

impl Outbound {
    /// Reads the argument `message`.
    ///
    /// # Errors
    ///
    /// `validation` where it is none.
    pub fn read(argument: &Value) -> Result<Self, Failure> {
        let Value::Object(members) = argument else {
            return Err(not("message", "an object with `payload`", argument));
        };
        let payload = members.get("payload").unwrap_or(&Value::Null);
        let mut headers = Vec::new();
        match members.get("headers") {
            None | Some(Value::Null) => {}
            Some(Value::Object(given)) => {
                for (name, value) in given {
                    headers.extend(header(name, value)?.map(|value| (name.clone(), value)));
                }
            }
            Some(other) => return Err(not("message.headers", "an object", other)),
        }
        Ok(Self {
            payload: payload.to_string().into_bytes(),
            headers,
        })
    }
}

impl Outbound {
    /// That the message holds no placeholder of a secret: where a message has its length before it, or is masked, the
    /// host can't put a value in its place.
    ///
    /// # Errors
    ///
    /// `configuration` where it does.
    pub fn without_secrets(&self) -> Result<(), Failure> {
        let headers = self.headers.iter();
        placeholder::refuse(
            headers
                .map(|(_, value)| value.as_bytes())
                .chain([&*self.payload]),
        )
    }
}

/// The value of a header as text; none for null.
fn header(name: &str, value: &Value) -> Result<Option<String>, Failure> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        other => {
            let found = kind_of(other);
            return Err(Failure::validation(format!(
                "message.headers.{name}: expected text, and found {found}"
            )));
        }
    };
    let is_plain = |text: &str| !text.chars().any(char::is_control);
    if !is_plain(&text) || !is_plain(name) || name.is_empty() || name.contains(':') {
        return Err(Failure::validation(format!(
            "message.headers: {name:?} is no header, or its value holds a control character"
        )));
    }
    Ok(Some(text))
}

/// A message that was received (dsl-reference, "AsyncAPI Inbound Message"). `correlation` is where the document says
/// that its correlation id is.
#[must_use]
pub fn inbound(payload: &[u8], headers: &[(String, String)], correlation: Option<&str>) -> Value {
    let payload = serde_json::from_slice(payload)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(payload).into_owned()));
    let headers: Map<String, Value> = headers
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect();
    let headers = Value::from(headers);
    let id = correlation.and_then(|place| match place.split_once('#')? {
        ("$message.header", pointer) => headers.pointer(pointer),
        ("$message.payload", pointer) => payload.pointer(pointer),
        _ => None,
    });
    let mut message = json!({ "payload": payload, "headers": headers });
    if let Some(id) = id.cloned() {
        message["correlationId"] = id;
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_json_or_text() {
        let headers = [("id".to_owned(), "7".to_owned())];
        assert_eq!(
            inbound(b"{\"a\":1}", &headers, Some("$message.payload#/a")),
            json!({"payload": {"a": 1}, "headers": {"id": "7"}, "correlationId": 1})
        );
        assert_eq!(
            inbound(b"hi", &headers, Some("$message.header#/id")),
            json!({"payload": "hi", "headers": {"id": "7"}, "correlationId": "7"})
        );
        assert_eq!(
            inbound(&[0xff], &[], Some("elsewhere")),
            json!({"payload": "\u{fffd}", "headers": {}})
        );
    }

    #[test]
    fn headers_hold_text() {
        let read = |headers: Value| Outbound::read(&json!({"payload": 1, "headers": headers}));
        assert_eq!(
            read(json!({"a": 1, "b": null, "c": "x"}))
                .expect("a message")
                .headers,
            [
                ("a".to_owned(), "1".to_owned()),
                ("c".to_owned(), "x".to_owned())
            ]
        );
        for wrong in [
            json!({"a": []}),
            json!({"a": "x\r\ny: z"}),
            json!({"a:b": "x"}),
            json!(1),
        ] {
            read(wrong).expect_err("no headers");
        }
    }
}
