//! Which events (dsl-reference, "Event Consumption Strategy", "Event Filter" and "Event Properties").

use serde_json::{Map, Value};

use super::endpoint::Uri;
use super::read::{Field, Read, Reader};
use super::{Located, Table};
use crate::diagnostic::code;

/// Which events to wait for.
#[derive(Debug, Clone)]
pub enum EventStrategy {
    /// `all`: one of each.
    All(Vec<EventFilter>),
    /// `any`: one that any of them lets through; any event at all if there are none.
    Any {
        /// The filters.
        filters: Vec<EventFilter>,
        /// `until`: when to stop waiting for more.
        until: Option<Until>,
    },
    /// `one`: one.
    One(Box<EventFilter>),
}

/// When to stop waiting for more events.
#[derive(Debug, Clone)]
pub enum Until {
    /// When an expression on the events so far is true.
    Condition(Located<String>),
    /// When these events have come.
    Events(Box<EventStrategy>),
}

/// Which events are let through.
#[derive(Debug, Clone)]
pub struct EventFilter {
    /// `with`: what the event's attributes and data must be. Constants, regular expressions and expressions.
    pub with: Located<Map<String, Value>>,
    /// `correlate`: what the events of one run have in common.
    pub correlate: Table<Correlation>,
}

/// What the events of one run have in common.
#[derive(Debug, Clone)]
pub struct Correlation {
    /// `from`: an expression on the event that yields the value.
    pub from: Located<String>,
    /// `expect`: what the value must be, a constant or an expression. Default: the value of the first event.
    pub expect: Option<Located<String>>,
}

/// What of an event is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventRead {
    /// `data`: its data.
    #[default]
    Data,
    /// `envelope`: all of it.
    Envelope,
    /// `raw`: its data as it came.
    Raw,
}

impl Read for EventStrategy {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "an event consumption strategy")?;
        let key = object.one_of(&["all", "any", "one"]);
        let until = object.optional::<Until>("until");
        if let (Some(key @ ("all" | "one")), true) = (key, object.has("until")) {
            let location = object.key_location("until");
            object.reader().error(
                code::CONFLICTING_KEYS,
                &location,
                format!("`until` goes with `any`, not with `{key}`"),
                "remove it".to_owned(),
            );
        }
        let strategy = match key {
            Some("all") => object.required("all").map(Self::All),
            Some("any") => {
                let filters = object.required("any");
                filters
                    .zip(until)
                    .map(|(filters, until)| Self::Any { filters, until })
            }
            Some(_) => object.required("one").map(Self::One),
            None => None,
        };
        object.finish_with(|key| {
            (key == "with").then_some("it belongs inside `one`, `any` or `all`")
        })?;
        strategy
    }
}

impl Read for Until {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match field.as_str() {
            Some(text) => Some(Self::Condition(field.located(text.to_owned()))),
            None => Some(Self::Events(Read::read(field, reader)?)),
        }
    }
}

impl Read for EventFilter {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "an event filter")?;
        let with = object.required::<FilterProperties>("with");
        let correlate = object.optional::<Table<Correlation>>("correlate");
        object.finish_with(|key| {
            matches!(key, "type" | "source" | "subject" | "data")
                .then_some("it belongs inside `with`")
        })?;
        let with = with?.0;
        if with.is_empty() {
            reader.error(
                code::BAD_VALUE,
                &with.location,
                "an event filter needs at least one attribute",
                None,
            );
            return None;
        }
        Some(Self {
            with,
            correlate: correlate?.unwrap_or_default(),
        })
    }
}

impl Read for Correlation {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "a correlation")?;
        let from = object.required("from");
        let expect = object.optional("expect");
        object.finish()?;
        Some(Self {
            from: from?,
            expect: expect?,
        })
    }
}

impl Read for EventRead {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        reader.choice(
            field,
            &[
                ("data", Self::Data),
                ("envelope", Self::Envelope),
                ("raw", Self::Raw),
            ],
        )
    }
}

/// The attributes of an event: those of CloudEvents, and extensions under any other name.
pub(super) struct EventProperties(pub(super) Located<Map<String, Value>>);

impl Read for EventProperties {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "the attributes of an event")?;
        let texts = ["id", "type", "time", "subject", "datacontenttype"]
            .map(|key| object.optional::<Located<String>>(key).map(|_| ()));
        let uris = ["source", "dataschema"].map(|key| object.optional::<Uri>(key).map(|_| ()));
        texts.into_iter().chain(uris).collect::<Option<()>>()?;
        Read::read(field, reader).map(Self)
    }
}

/// The attributes of an event as a filter has them: any of them may be a regular expression, the URIs too.
struct FilterProperties(Located<Map<String, Value>>);

impl Read for FilterProperties {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "the attributes of an event")?;
        let texts = ["id", "type", "time", "subject", "datacontenttype"]
            .map(|key| object.optional::<Located<String>>(key).map(|_| ()));
        let uris = ["source", "dataschema"].map(|key| {
            let uri = object.optional::<Located<String>>(key)?;
            let Some(empty) = uri.filter(|uri| uri.value.is_empty()) else {
                return Some(());
            };
            let message = format!("`{key}` of an event is never empty");
            let help = "remove it: a filter accepts any value of what it does not name";
            let reader = object.reader();
            reader.error(code::BAD_VALUE, &empty.location, message, help.to_owned());
            None
        });
        texts.into_iter().chain(uris).collect::<Option<()>>()?;
        Read::read(field, reader).map(Self)
    }
}
