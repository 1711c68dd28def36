//! Which events may be of interest: how those that listen to an event are found among many.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cloud_event::CloudEvent;
use crate::pack::packed;

/// The events that may be of interest to a strategy. All that it would let through are among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Topics {
    /// Any event may be.
    Any,
    /// Events of these types alone, by type.
    Types(Vec<Topic>),
}

packed!(
    enum Topics {
        Any,
        Types(types),
    }
);

/// Events of a type: all of them, or those that bear a mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// The type.
    pub kind: Arc<str>,
    /// What they bear, where it is known.
    pub mark: Option<Mark>,
}

packed!(struct Topic { kind, mark });

/// A text, number or boolean that stands at a place in an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The place: names of members, from the event's JSON form down.
    pub path: Arc<[String]>,
    /// What stands there, as text.
    pub text: Arc<str>,
}

packed!(struct Mark { path, text });

impl Topics {
    /// No events at all.
    pub(crate) fn none() -> Self {
        Self::Types(Vec::new())
    }

    /// Events of a type, with a mark where it is known.
    pub(crate) fn of(kind: &str, mark: Option<Mark>) -> Self {
        let kind = kind.into();
        Self::Types(vec![Topic { kind, mark }])
    }

    /// Whether an event may be of interest.
    pub fn include(&self, event: &CloudEvent) -> bool {
        match self {
            Self::Any => true,
            Self::Types(types) => types.iter().any(|it| {
                *it.kind == *event.kind() && it.mark.as_ref().is_none_or(|mark| mark.is_on(event))
            }),
        }
    }

    /// What is of interest to the one or to the other.
    pub(crate) fn and(self, other: Self) -> Self {
        let (Self::Types(mut types), Self::Types(others)) = (self, other) else {
            return Self::Any;
        };
        for topic in others {
            match types.binary_search_by(|it| it.kind.cmp(&topic.kind)) {
                Err(place) => types.insert(place, topic),
                Ok(place) if types[place] != topic => types[place].mark = None,
                Ok(_) => {}
            }
        }
        Self::Types(types)
    }
}

impl Mark {
    /// What an event has at `path` that must be the same as `expected`; none where that is not known by its text.
    pub(crate) fn new(path: &[String], expected: &Value) -> Option<Self> {
        // The one number that is equal to another with another text.
        let is_zero = expected.is_f64() && expected.as_f64() == Some(0.0);
        let text = text(expected).filter(|_| !is_zero)?;
        let (path, text) = (path.into(), text.into());
        Some(Self { path, text })
    }

    /// What an event has at `path`, as text; none where there is no text, number or boolean.
    pub fn read(path: &[String], event: &CloudEvent) -> Option<String> {
        let mut value: &Value = event.envelope();
        for name in path {
            value = value.get(name)?;
        }
        text(value)
    }

    fn is_on(&self, event: &CloudEvent) -> bool {
        Self::read(&self.path, event).is_some_and(|it| *it == *self.text)
    }
}

/// The text that stands for a value when values are compared (see [`crate::machine`], `same`).
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(order: Value) -> CloudEvent {
        event_of("paid", order)
    }

    fn event_of(kind: &str, order: Value) -> CloudEvent {
        let event = json!({
            "specversion": "1.0", "id": "1", "source": "/test", "type": kind,
            "data": { "order": order }
        });
        CloudEvent::new(event).expect("an event")
    }

    fn mark(expected: Value) -> Option<Mark> {
        Mark::new(&["data".into(), "order".into()], &expected)
    }

    #[test]
    fn a_mark_is_on_what_is_the_same() {
        let is_on = |expected, order| mark(expected).expect("a mark").is_on(&event(order));
        assert!(is_on(json!(17), json!("17")) && is_on(json!("17"), json!(17)));
        assert!(is_on(json!(true), json!("true")) && is_on(json!("x"), json!("x")));
        assert!(!is_on(json!(17), json!(17.0)) && !is_on(json!("null"), json!(null)));
        assert!(!is_on(json!("[1]"), json!([1])));
    }

    #[test]
    fn what_has_no_one_text_makes_no_mark() {
        for expected in [json!(null), json!([1]), json!({}), json!(0.0), json!(-0.0)] {
            assert_eq!(mark(expected), None);
        }
    }

    #[test]
    fn two_marks_on_one_type_are_none() {
        let one = Topics::of("paid", mark(json!(1)));
        assert!(one.include(&event(json!(1))) && !one.include(&event(json!(2))));
        let same = one.clone().and(one.clone());
        assert_eq!(same, one);
        let both = one.and(Topics::of("paid", mark(json!(2))));
        assert!(both.include(&event(json!(3))));
        assert!(!both.include(&event_of("sent", json!(1))));
        let more = both.and(Topics::of("sent", None));
        assert!(more.include(&event_of("sent", json!(1))));
        assert_eq!(more.and(Topics::Any), Topics::Any);
    }
}
