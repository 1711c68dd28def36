//! Events in the body and headers of an HTTP message: the three content modes of the HTTP binding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{CloudEvent, InvalidEvent, draft};

/// The media type of one event (structured mode).
pub const STRUCTURED: &str = "application/cloudevents+json";
/// The media type of a list of events (batched mode).
pub const BATCHED: &str = "application/cloudevents-batch+json";

/// How many events a batch may have. Most come in tens; this is some megabytes of the smallest.
pub const BATCH_MAX: usize = 1_000;

/// Why a message holds no events.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Neither the content type nor a header says that it is an event.
    #[error(
        "this is no event: send `{STRUCTURED}`, `{BATCHED}`, or the attributes as `ce-` headers{}",
        found(.0.as_deref())
    )]
    NoEvent(Option<String>),
    /// The body is no JSON.
    #[error("the body is not JSON: {0}")]
    Json(String),
    /// The body of a batch is no array.
    #[error("the body of a batch is a JSON array of events")]
    NotAList,
    /// More events than a batch may have.
    #[error("a batch has at most {BATCH_MAX} events, and this one has {0}")]
    TooMany(usize),
    /// An attribute's header can't be read.
    #[error("the header `ce-{0}` is not UTF-8, percent-encoded (HTTP binding, section 3.1.3.2)")]
    Header(String),
    /// One of the events is none.
    #[error("{}{error}", place(*.index))]
    Event {
        /// Which of a batch, from 0; none where there is but one.
        index: Option<usize>,
        /// What is wrong with it.
        error: InvalidEvent,
    },
}

fn found(content_type: Option<&str>) -> String {
    content_type.map_or_else(String::new, |it| format!(" (the content type is `{it}`)"))
}

fn place(index: Option<usize>) -> String {
    index.map_or_else(String::new, |index| format!("event {index} of the batch: "))
}

/// The events of a message, in their order: all of them or none. `headers` are all of the message's, with
/// names in any case.
///
/// # Errors
///
/// See [`DecodeError`].
pub fn decode<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    body: &[u8],
) -> Result<Vec<CloudEvent>, DecodeError> {
    let mut content_type = None;
    let mut attributes = Vec::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if name == "content-type" {
            content_type = Some(String::from_utf8_lossy(value).trim().to_owned());
        } else if let Some(attribute) = name.strip_prefix("ce-") {
            attributes.push((attribute.to_owned(), value));
        }
    }
    let essence = content_type.as_deref().map(essence).unwrap_or_default();
    match essence.as_str() {
        STRUCTURED => one(parse(body)?, None).map(|event| vec![event]),
        BATCHED => batch(parse(body)?),
        // Another format of events, whose attributes are in the body: not for binary mode to guess at.
        other if other.starts_with("application/cloudevents") => {
            Err(DecodeError::NoEvent(content_type))
        }
        _ if attributes.iter().any(|(name, _)| name == "specversion") => {
            binary(attributes, content_type, &essence, body).map(|event| vec![event])
        }
        _ => Err(DecodeError::NoEvent(content_type)),
    }
}

fn batch(value: Value) -> Result<Vec<CloudEvent>, DecodeError> {
    let Value::Array(items) = value else {
        return Err(DecodeError::NotAList);
    };
    if items.len() > BATCH_MAX {
        return Err(DecodeError::TooMany(items.len()));
    }
    let events = items.into_iter().enumerate();
    events.map(|(index, item)| one(item, Some(index))).collect()
}

fn one(value: Value, index: Option<usize>) -> Result<CloudEvent, DecodeError> {
    CloudEvent::new(value).map_err(|error| DecodeError::Event { index, error })
}

/// Attributes in headers, data in the body (HTTP binding, section 3.1).
fn binary(
    attributes: Vec<(String, &[u8])>,
    content_type: Option<String>,
    essence: &str,
    body: &[u8],
) -> Result<CloudEvent, DecodeError> {
    let mut members: Map<String, Value> = draft();
    for (name, value) in attributes {
        // An attribute of that name would be taken for the data of the JSON form.
        if matches!(name.as_str(), "data" | "data_base64") {
            let error = InvalidEvent::Name(name);
            return Err(DecodeError::Event { index: None, error });
        }
        let text = header_text(value).ok_or_else(|| DecodeError::Header(name.clone()))?;
        members.insert(name, Value::String(text));
    }
    if let Some(content_type) = content_type {
        members.insert("datacontenttype".to_owned(), Value::String(content_type));
    }
    if !body.is_empty() {
        let (name, data) = data(essence, body)?;
        members.insert(name.to_owned(), data);
    }
    one(Value::Object(members), None)
}

/// A body as data: JSON and text as what they are, all else as bytes. A body without a content type is JSON
/// (dsl-reference, "Event Properties", `datacontenttype`).
fn data(essence: &str, body: &[u8]) -> Result<(&'static str, Value), DecodeError> {
    let is_json = essence.is_empty() || essence == "application/json" || essence.ends_with("+json");
    if is_json {
        return parse(body).map(|value| ("data", value));
    }
    match std::str::from_utf8(body) {
        Ok(text) if essence.starts_with("text/") || essence == "application/xml" => {
            Ok(("data", Value::String(text.to_owned())))
        }
        _ => Ok(("data_base64", Value::String(STANDARD.encode(body)))),
    }
}

fn parse(body: &[u8]) -> Result<Value, DecodeError> {
    serde_json::from_slice(body).map_err(|error| DecodeError::Json(error.to_string()))
}

/// A header's value: in quotes or not, and percent-encoded (HTTP binding, section 3.1.3.2).
fn header_text(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let unquoted = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let text = match unquoted {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => text.to_owned(),
    };
    percent_decode_str(&text)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

/// A media type without its parameters, in lower case.
fn essence(content_type: &str) -> String {
    content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn decoded(headers: &[(&str, &str)], body: &str) -> Result<Vec<Value>, String> {
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()));
        match decode(headers, body.as_bytes()) {
            Ok(events) => Ok(events
                .iter()
                .map(|it| Value::clone(it.envelope()))
                .collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    const BINARY: [(&str, &str); 4] = [
        ("CE-SpecVersion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/a"),
        ("ce-type", "t"),
    ];

    fn binary_with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
        BINARY.into_iter().chain([(name, value)]).collect()
    }

    #[test]
    fn one_event_in_the_body() {
        let body = r#"{"specversion":"1.0","id":"1","source":"/a","type":"t","data":{"n":1}}"#;
        let types = [
            "application/cloudevents+json",
            "Application/CloudEvents+JSON; charset=UTF-8",
        ];
        for content_type in types {
            let events = decoded(&[("Content-Type", content_type)], body).expect("an event");
            assert_eq!(events[0]["data"], json!({"n": 1}));
        }
    }

    #[test]
    fn a_batch_is_taken_whole_or_not_at_all() {
        let good = json!({"specversion": "1.0", "id": "1", "source": "/a", "type": "t"});
        let headers = [("content-type", BATCHED)];
        let two = decoded(&headers, &json!([good, good]).to_string()).expect("events");
        assert_eq!(two.len(), 2);
        assert_eq!(decoded(&headers, "[]"), Ok(Vec::new()));
        let error = decoded(&headers, &json!([good, {"id": "2"}]).to_string());
        assert!(error.is_err_and(|it| it.starts_with("event 1 of the batch: ")));
        assert!(decoded(&headers, "{}").is_err());
        let many = Value::Array(vec![good; BATCH_MAX + 1]).to_string();
        assert!(decoded(&headers, &many).is_err_and(|it| it.contains("1001")));
    }

    #[test]
    fn attributes_in_headers() {
        let events = decoded(&binary_with("content-type", "application/json"), "[1]");
        assert_eq!(
            events.expect("an event"),
            [json!({
                "specversion": "1.0", "id": "1", "source": "/a", "type": "t",
                "datacontenttype": "application/json", "data": [1],
            })]
        );
        let quoted = decoded(&binary_with("ce-subject", "\"Euro%20%E2%82%AC\""), "");
        assert_eq!(quoted.expect("an event")[0]["subject"], "Euro €");
        let text = decoded(&binary_with("content-type", "text/plain"), "hello");
        assert_eq!(text.expect("an event")[0]["data"], "hello");
        let bytes = decoded(&binary_with("content-type", "image/png"), "hello");
        assert_eq!(bytes.expect("an event")[0]["data_base64"], "aGVsbG8=");
    }

    #[test]
    fn what_is_no_event_is_refused_with_its_reason() {
        let wrong = |headers: &[(&str, &str)], body| decoded(headers, body).expect_err("refused");
        assert!(wrong(&[], "{}").contains("ce-"));
        assert!(wrong(&[("content-type", "application/json")], "{}").contains("application/json"));
        assert!(wrong(&[("content-type", "application/cloudevents+avro")], "").contains("avro"));
        assert!(wrong(&[("content-type", STRUCTURED)], "{").contains("not JSON"));
        assert!(wrong(&BINARY[..3], "").contains("`type` is missing"));
        assert!(wrong(&binary_with("ce-subject", "%ff"), "").contains("ce-subject"));
        assert!(wrong(&binary_with("ce-room-id", "5"), "").contains("room-id"));
        assert!(wrong(&binary_with("ce-data", "5"), "").contains("`data`"));
    }
}
