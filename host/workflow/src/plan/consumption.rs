//! Which events: a consumption strategy, lowered (dsl-reference, "Event Consumption Strategy").

use std::sync::Arc;

use serde_json::Value;

use super::builder::{Moment, child};
use super::lower::Lowering;
use super::pattern::{BadPattern, is_pattern};
use super::topics::{Mark, Topics};
use super::{Pattern, Template};
use crate::data::Data;
use crate::diagnostic::code;
use crate::document::{self, EventFilter, EventStrategy};
use crate::expression::enclosed;

/// Which events are consumed, and when it has been enough.
#[derive(Debug)]
pub(crate) enum Strategy {
    /// `all`, and `one`, which is all of one: one event for each filter.
    All(Vec<Filter>),
    /// `any`: events that any of the filters lets through; any event at all if there are none.
    Any {
        filters: Vec<Filter>,
        until: Option<Until>,
    },
}

/// When to stop waiting for more events.
#[derive(Debug)]
pub(crate) enum Until {
    /// When an expression on the list of what came so far is true.
    Condition(Template),
    /// When these events have come, which are not among those that are consumed.
    Events(Box<Strategy>),
}

/// Which events are let through: those that all of it fits.
#[derive(Debug)]
pub(crate) struct Filter {
    /// What the attributes must be, by name.
    pub(crate) attributes: Vec<(String, Matcher)>,
    /// What the data must be.
    pub(crate) data: Option<Matcher>,
    pub(crate) correlate: Vec<Correlation>,
}

/// What the events of one subscription have in common.
#[derive(Debug)]
pub(crate) struct Correlation {
    pub(crate) name: String,
    /// On the event in its JSON form.
    pub(crate) from: Template,
    /// On the task's input. None: what the first event has.
    pub(crate) expect: Option<Template>,
}

/// What a part of an event must be.
#[derive(Debug)]
pub(crate) enum Matcher {
    /// This.
    Constant(Data),
    /// This text, or one that the regular expression fits as a whole.
    Pattern(Arc<Pattern>),
    /// What an expression on the part says: `true`, or the part's value.
    Expression(Template),
    /// An object with these members, and others.
    Object(Vec<(String, Matcher)>),
    /// A list of exactly these items.
    Array(Vec<Matcher>),
}

impl Strategy {
    /// The filters, without those of `until`.
    pub(crate) fn filters(&self) -> &[Filter] {
        match self {
            Self::All(filters) | Self::Any { filters, .. } => filters,
        }
    }

    /// The events that may be of interest by their type, to `until` as well.
    pub(crate) fn topics(&self) -> Topics {
        let own = match self {
            Self::Any { filters, .. } if filters.is_empty() => Topics::Any,
            _ => self
                .filters()
                .iter()
                .map(|filter| filter.topics(None))
                .fold(Topics::none(), Topics::and),
        };
        match self {
            Self::Any {
                until: Some(Until::Events(until)),
                ..
            } => own.and(until.topics()),
            _ => own,
        }
    }

    /// Whether events are correlated.
    pub(crate) fn correlates(&self) -> bool {
        self.filters()
            .iter()
            .any(|filter| !filter.correlate.is_empty())
    }
}

impl Filter {
    /// The events that may be of interest: by their type, and by a mark that they must bear.
    pub(crate) fn topics(&self, mark: Option<Mark>) -> Topics {
        match self.constants().find(|(name, _)| *name == "type") {
            Some((_, value)) => value
                .as_str()
                .map_or_else(Topics::none, |kind| Topics::of(kind, mark)),
            None => Topics::Any,
        }
    }

    /// The attributes that must be the same as a constant.
    pub(crate) fn constants(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.attributes
            .iter()
            .filter_map(|(name, matcher)| match matcher {
                Matcher::Constant(value) => Some((name.as_str(), &**value)),
                _ => None,
            })
    }
}

/// Lowers a strategy, whose expressions are evaluated at `moment`.
pub(super) fn lower(lowering: &mut Lowering<'_>, it: &EventStrategy, moment: Moment) -> Strategy {
    match it {
        EventStrategy::One(one) => Strategy::All(vec![filter(lowering, one, moment)]),
        EventStrategy::All(all) => Strategy::All(filters(lowering, all, moment)),
        EventStrategy::Any {
            filters: any,
            until,
        } => Strategy::Any {
            filters: filters(lowering, any, moment),
            until: until.as_ref().map(|until| match until {
                document::Until::Condition(text) => {
                    Until::Condition(lowering.builder.bare(text, moment))
                }
                document::Until::Events(events) => {
                    Until::Events(Box::new(lower(lowering, events, moment)))
                }
            }),
        },
    }
}

fn filters(lowering: &mut Lowering<'_>, filters: &[EventFilter], moment: Moment) -> Vec<Filter> {
    filters
        .iter()
        .map(|it| filter(lowering, it, moment))
        .collect()
}

fn filter(lowering: &mut Lowering<'_>, it: &EventFilter, moment: Moment) -> Filter {
    let at = it.with.location.pointer.to_string();
    let mut filter = Filter {
        attributes: Vec::new(),
        data: None,
        correlate: Vec::new(),
    };
    for (name, value) in &it.with.value {
        let matcher = matcher(lowering, value, &child(&at, name), moment);
        match name.as_str() {
            "data" => filter.data = Some(matcher),
            _ => filter.attributes.push((name.clone(), matcher)),
        }
    }
    for (name, correlation) in it.correlate.iter() {
        filter.correlate.push(Correlation {
            name: name.to_string(),
            from: lowering.builder.bare(&correlation.from, moment),
            expect: correlation.expect.as_ref().map(|expect| {
                let pointer = expect.location.pointer.to_string();
                lowering.builder.text(&expect.value, &pointer, moment)
            }),
        });
    }
    filter
}

fn matcher(lowering: &mut Lowering<'_>, value: &Value, pointer: &str, moment: Moment) -> Matcher {
    match value {
        Value::String(text) if enclosed(text).is_some() => {
            Matcher::Expression(lowering.builder.expression(text, pointer, moment))
        }
        Value::String(text) if is_pattern(text) => match lowering.patterns.compile(text) {
            Ok(pattern) => Matcher::Pattern(pattern),
            Err(bad) => {
                report(lowering, &bad, pointer);
                Matcher::Constant(Data::new(value.clone()))
            }
        },
        Value::Object(members) => Matcher::Object(
            members
                .iter()
                .map(|(key, member)| {
                    let pointer = child(pointer, key);
                    (key.clone(), matcher(lowering, member, &pointer, moment))
                })
                .collect(),
        ),
        Value::Array(items) => Matcher::Array(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| matcher(lowering, item, &format!("{pointer}/{index}"), moment))
                .collect(),
        ),
        _ => Matcher::Constant(Data::new(value.clone())),
    }
}

fn report(lowering: &mut Lowering<'_>, bad: &BadPattern, pointer: &str) {
    let code = match bad {
        BadPattern::Syntax(_) => code::BAD_VALUE,
        BadPattern::TooLong | BadPattern::TooLarge | BadPattern::TooMany => code::TOO_LARGE,
    };
    if *bad == BadPattern::TooMany && !lowering.patterns.become_full() {
        return;
    }
    let (message, help) = bad.explain();
    let error = lowering.document.error_at(pointer, code, message);
    lowering.builder.report(error.with_help(help.to_owned()));
}
