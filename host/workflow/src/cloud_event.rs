//! Events as the world knows them: CloudEvents 1.0.2, in their JSON form and over HTTP.
//!
//! A [`CloudEvent`] is one that holds to the specification: whatever comes from outside is checked where it
//! becomes one. Sections that comments name are those of the CloudEvents specification (`spec.md`), its JSON
//! format (`formats/json-format.md`) and its HTTP binding (`bindings/http-protocol-binding.md`).

mod attribute;
pub mod http;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::data::Data;
use crate::document::EventRead;
use crate::extent;
use crate::pack::packed;

pub(crate) use attribute::{is_name as is_attribute_name, is_text as is_text_attribute};

/// The version of the specification that events are of.
pub const SPEC_VERSION: &str = "1.0";

/// What the types of the specification's lifecycle events begin with (dsl.md, "Lifecycle Events").
pub const LIFECYCLE_PREFIX: &str = "io.serverlessworkflow.";

/// The `source` of the lifecycle events of a workflow's runs: a reference with the workflow's namespace, name and version.
pub fn lifecycle_source(namespace: &str, name: &str, version: &str) -> String {
    format!("/{namespace}/{name}/{version}")
}

/// An event that holds to CloudEvents 1.0. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct CloudEvent {
    /// The JSON form, with nothing but what the specification allows.
    envelope: Data,
    /// The data, once more: what most readers want.
    data: Data,
}

packed!(struct CloudEvent { envelope, data });

/// Why something is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEvent {
    /// It is no JSON object.
    #[error("an event is a JSON object, and this is {0}")]
    NotAnObject(&'static str),
    /// A required attribute is missing.
    #[error(
        "the attribute `{0}` is missing: every event has `specversion`, `id`, `source` and `type`"
    )]
    Missing(&'static str),
    /// A version of the specification that the host does not speak.
    #[error("`specversion` is `{0}`, and this host takes events of version 1.0")]
    Version(String),
    /// A name that no attribute can have.
    #[error(
        "`{0}` can't be the name of an attribute: names are of lower-case letters a to z and digits \
         (CloudEvents, \"Naming Conventions\")"
    )]
    Name(String),
    /// An attribute has a value that it can't have.
    #[error("the attribute `{name}` {why}")]
    Value {
        /// The attribute.
        name: String,
        /// What is wrong, fit to stand behind the attribute's name.
        why: String,
    },
    /// Both forms of data at once.
    #[error("an event has `data` or `data_base64`, not both")]
    TwoKindsOfData,
    /// `data_base64` is none.
    #[error("`data_base64` is not Base64: {0}")]
    Base64(String),
    /// More than a run could hold.
    #[error("the event is too large: {0}")]
    TooLarge(String),
}

impl InvalidEvent {
    /// The attribute that is wrong, where it is one.
    pub fn attribute(&self) -> Option<&str> {
        match self {
            Self::Missing(name) => Some(name),
            Self::Version(_) => Some("specversion"),
            Self::Name(name) | Self::Value { name, .. } => Some(name),
            Self::TwoKindsOfData => Some("data"),
            Self::Base64(_) => Some("data_base64"),
            Self::NotAnObject(_) | Self::TooLarge(_) => None,
        }
    }
}

impl CloudEvent {
    /// The event of a JSON form (JSON format, section 3). Members that are null count as absent.
    ///
    /// # Errors
    ///
    /// See [`InvalidEvent`]; the first thing that is wrong, required attributes first.
    pub fn new(value: Value) -> Result<Self, InvalidEvent> {
        let Value::Object(mut members) = value else {
            return Err(InvalidEvent::NotAnObject(kind_of(&value)));
        };
        members.retain(|name, value| name == "data" || !value.is_null());
        for name in ["specversion", "id", "source", "type"] {
            if !members.contains_key(name) {
                return Err(InvalidEvent::Missing(name));
            }
        }
        for (name, value) in &members {
            attribute::check(name, value)?;
        }
        let data = match (members.get("data"), members.get("data_base64")) {
            (Some(_), Some(_)) => return Err(InvalidEvent::TwoKindsOfData),
            (Some(data), None) => data.clone(),
            (None, Some(Value::String(text))) => {
                STANDARD
                    .decode(text)
                    .map_err(|error| InvalidEvent::Base64(error.to_string()))?;
                Value::String(text.clone())
            }
            (None, _) => Value::Null,
        };
        let envelope = Value::Object(members);
        extent::check("the event", &envelope)
            .map_err(|error| InvalidEvent::TooLarge(error.detail.unwrap_or_default()))?;
        Ok(Self {
            envelope: Arc::new(envelope),
            data: Arc::new(data),
        })
    }

    /// The JSON form.
    pub fn envelope(&self) -> &Data {
        &self.envelope
    }

    /// The data; null where there is none, Base64 text where it is binary.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// What identifies the event among those of its source.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// The context in which it happened, a URI reference.
    pub fn source(&self) -> &str {
        self.text("source")
    }

    /// What kind of occurrence it tells of.
    pub fn kind(&self) -> &str {
        self.text("type")
    }

    /// What it is about, where it says.
    pub fn subject(&self) -> Option<&str> {
        self.attribute("subject").and_then(Value::as_str)
    }

    /// An attribute, context or extension; not the data.
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        match name {
            "data" | "data_base64" => None,
            _ => self.envelope.get(name),
        }
    }

    /// Whether its type is one of the specification's lifecycle events.
    pub fn is_lifecycle(&self) -> bool {
        self.kind().starts_with(LIFECYCLE_PREFIX)
    }

    /// What a reader gets of it (dsl-reference, "Listen", `read`): its data as JSON, the whole JSON form, or the
    /// data as text the way it was sent. Binary data is Base64 text either way.
    pub fn read(&self, what: EventRead) -> Data {
        match what {
            EventRead::Data => self.data.clone(),
            EventRead::Envelope => self.envelope.clone(),
            EventRead::Raw => match &*self.data {
                Value::String(_) | Value::Null => self.data.clone(),
                other => Arc::new(Value::String(other.to_string())),
            },
        }
    }

    fn text(&self, name: &str) -> &str {
        self.envelope
            .get(name)
            .and_then(Value::as_str)
            .expect("required attributes are texts")
    }
}

/// The JSON form under construction, for what the host itself says: `specversion` is filled in.
pub(crate) fn draft() -> Map<String, Value> {
    Map::from_iter([("specversion".to_owned(), Value::from(SPEC_VERSION))])
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn minimal() -> Value {
        json!({"specversion": "1.0", "id": "1", "source": "/a", "type": "t"})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut event = minimal();
        event[name] = value;
        event
    }

    #[test]
    fn an_event_is_read_in_three_ways() {
        let event = CloudEvent::new(with("data", json!({"n": 1}))).expect("an event");
        assert_eq!(*event.read(EventRead::Data), json!({"n": 1}));
        assert_eq!(*event.read(EventRead::Raw), json!("{\"n\":1}"));
        assert_eq!(event.read(EventRead::Envelope)["source"], "/a");
        let binary = CloudEvent::new(with("data_base64", json!("AAE="))).expect("an event");
        assert_eq!(*binary.read(EventRead::Data), json!("AAE="));
        let empty = CloudEvent::new(minimal()).expect("an event");
        assert_eq!(*empty.read(EventRead::Raw), Value::Null);
    }

    #[test]
    fn what_is_missing_is_named() {
        for name in ["specversion", "id", "source", "type"] {
            for absent in [None, Some(Value::Null)] {
                let mut event = minimal();
                match absent {
                    None => drop(event.as_object_mut().expect("an object").remove(name)),
                    Some(null) => event[name] = null,
                }
                let error = CloudEvent::new(event).expect_err("it is missing");
                assert_eq!(error.attribute(), Some(name));
            }
        }
        assert!(CloudEvent::new(json!([])).is_err());
    }

    #[test]
    fn what_no_event_can_have_is_refused() {
        let wrong = [
            ("specversion", json!("0.3")),
            ("specversion", json!(1.0)),
            ("id", json!("")),
            ("id", json!(7)),
            ("source", json!("")),
            ("source", json!("a b")),
            ("type", json!("a\u{7}b")),
            ("time", json!("yesterday")),
            ("subject", json!("")),
            ("dataschema", json!("relative")),
            ("datacontenttype", json!("json")),
            ("roomId", json!("5")),
            ("", json!("5")),
            ("room_id", json!("5")),
            ("number", json!(1.5)),
            ("number", json!(2_147_483_648_i64)),
            ("list", json!([1])),
            ("data_base64", json!("no base64!")),
            ("data_base64", json!(5)),
        ];
        for (name, value) in wrong {
            assert!(
                CloudEvent::new(with(name, value.clone())).is_err(),
                "{name}: {value}"
            );
        }
        let mut both = with("data", json!(1));
        both["data_base64"] = json!("AAE=");
        assert_eq!(CloudEvent::new(both), Err(InvalidEvent::TwoKindsOfData));
    }

    #[test]
    fn what_an_event_can_have_is_taken() {
        let right = [
            ("time", json!("2024-07-26T16:59:57.123-05:00")),
            ("time", json!("2024-07-26T16:59:57Z")),
            ("dataschema", json!("https://example.org/schema")),
            ("datacontenttype", json!("application/json; charset=utf-8")),
            (
                "source",
                json!("urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"),
            ),
            ("source", json!("/cloudevents/spec/pull#123")),
            ("comexampleextension1", json!("value")),
            ("number", json!(-2_147_483_648_i64)),
            ("flag", json!(true)),
            ("data", Value::Null),
            ("data", json!("text")),
        ];
        for (name, value) in right {
            let event = CloudEvent::new(with(name, value.clone()));
            assert!(event.is_ok(), "{name}: {value}: {event:?}");
        }
    }
}
