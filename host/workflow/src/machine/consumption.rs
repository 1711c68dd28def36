//! Which events a strategy consumes, and when it has been enough (dsl-reference, "Event Consumption
//! Strategy").
//!
//! Judging an event changes nothing; what has been judged to be wanted is then taken. So an event can be
//! looked at before it becomes a fact.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cloud_event::CloudEvent;
use crate::data::Data;
use crate::error::Error;
use crate::pack::packed;
use crate::plan::{Filter, Mark, Matcher, Strategy, Template, Topics, Until, truthy};

/// Evaluates what stands in filters.
pub(crate) trait Fill {
    /// An expression on the event or a part of it.
    fn on(&mut self, template: &Template, input: &Data) -> Result<Data, Error>;

    /// What a correlation expects.
    fn expected(&mut self, template: &Template) -> Result<Data, Error>;
}

/// How far a strategy is.
#[derive(Clone, Debug)]
pub(crate) struct Consumption {
    /// What the events have in common, by the correlation's name; shared with `until`.
    keys: BTreeMap<String, Value>,
    progress: Progress,
}

packed!(struct Consumption { keys, progress });

#[derive(Clone, Debug)]
struct Progress {
    /// Which filters have let an event through. Where there are none, one that lets through all.
    satisfied: Vec<bool>,
    until: Option<Box<Progress>>,
}

packed!(struct Progress { satisfied, until });

/// What an event is to a strategy that takes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Take {
    by: By,
    /// The correlations that it is the first to have.
    keys: Vec<(String, Value)>,
}

#[derive(Clone, Debug, PartialEq)]
enum By {
    /// A filter of the strategy's own.
    Filter(usize),
    /// Its `until`.
    Until(Box<By>),
}

impl Take {
    /// Whether it is taken by `until` alone, so that it is not among the events that are consumed.
    pub(crate) fn is_of_until(&self) -> bool {
        matches!(self.by, By::Until(_))
    }
}

impl Consumption {
    pub(crate) fn new(strategy: &Strategy) -> Self {
        Self {
            keys: BTreeMap::new(),
            progress: Progress::new(strategy),
        }
    }

    /// Whether the strategy takes an event. An expression that fails on it does not let it through: events of
    /// another form are nobody's fault.
    pub(crate) fn judge(
        &self,
        strategy: &Strategy,
        event: &CloudEvent,
        fill: &mut dyn Fill,
    ) -> Option<Take> {
        let (by, keys) = self.progress.judge(strategy, &self.keys, event, fill)?;
        Some(Take { by, keys })
    }

    /// Takes an event that has been judged just now.
    pub(crate) fn take(&mut self, take: Take) {
        self.keys.extend(take.keys);
        self.progress.take(take.by);
    }

    /// Which events may be of interest, as far as it is known by now: what is judged is among them.
    pub(crate) fn topics(&self, strategy: &Strategy, fill: &mut dyn Fill) -> Topics {
        self.progress.topics(strategy, &self.keys, fill)
    }

    /// Whether no more events are wanted. A condition as `until` is not looked at.
    pub(crate) fn is_complete(&self, strategy: &Strategy) -> bool {
        self.progress.is_complete(strategy)
    }

    /// Which filters have let an event through, without those of `until`.
    pub(crate) fn satisfied(&self) -> &[bool] {
        &self.progress.satisfied
    }

    /// What the events have in common, by the correlation's name.
    pub(crate) fn keys(&self) -> &BTreeMap<String, Value> {
        &self.keys
    }
}

impl Progress {
    fn new(strategy: &Strategy) -> Self {
        let filters = strategy.filters().len();
        let (filters, until) = match strategy {
            Strategy::All(_) => (filters, None),
            Strategy::Any { until, .. } => (filters.max(1), until.as_ref()),
        };
        Self {
            satisfied: vec![false; filters],
            until: match until {
                Some(Until::Events(until)) => Some(Box::new(Self::new(until))),
                Some(Until::Condition(_)) | None => None,
            },
        }
    }

    fn judge(
        &self,
        strategy: &Strategy,
        keys: &BTreeMap<String, Value>,
        event: &CloudEvent,
        fill: &mut dyn Fill,
    ) -> Option<(By, Vec<(String, Value)>)> {
        // What ends the wait is not one of those that are waited for, though their filters may fit it too.
        if let (
            Strategy::Any {
                until: Some(Until::Events(until)),
                ..
            },
            Some(progress),
        ) = (strategy, &self.until)
            && let Some((by, keys)) = progress.judge(until, keys, event, fill)
        {
            return Some((By::Until(Box::new(by)), keys));
        }
        if strategy.filters().is_empty() {
            let takes_all = matches!(strategy, Strategy::Any { .. }) && !event.is_lifecycle();
            return takes_all.then_some((By::Filter(0), Vec::new()));
        }
        self.wanted(strategy).find_map(|(index, filter)| {
            let keys = lets_through(filter, keys, event, fill)?;
            Some((By::Filter(index), keys))
        })
    }

    /// The filters that have not let through all that they are to.
    fn wanted<'a>(&'a self, strategy: &'a Strategy) -> impl Iterator<Item = (usize, &'a Filter)> {
        let wants_more = |index: usize| match strategy {
            Strategy::All(_) => !self.satisfied[index],
            Strategy::Any { .. } => true,
        };
        let filters = strategy.filters().iter().enumerate();
        filters.filter(move |(index, _)| wants_more(*index))
    }

    fn topics(
        &self,
        strategy: &Strategy,
        keys: &BTreeMap<String, Value>,
        fill: &mut dyn Fill,
    ) -> Topics {
        let own = match strategy {
            Strategy::Any { filters, .. } if filters.is_empty() => Topics::Any,
            _ => self
                .wanted(strategy)
                .map(|(_, filter)| filter.topics(mark(filter, keys, fill)))
                .fold(Topics::none(), Topics::and),
        };
        match (strategy, &self.until) {
            (
                Strategy::Any {
                    until: Some(Until::Events(until)),
                    ..
                },
                Some(progress),
            ) => own.and(progress.topics(until, keys, fill)),
            _ => own,
        }
    }

    fn take(&mut self, by: By) {
        match by {
            By::Filter(index) => self.satisfied[index] = true,
            By::Until(by) => {
                if let Some(until) = &mut self.until {
                    until.take(*by);
                }
            }
        }
    }

    fn is_complete(&self, strategy: &Strategy) -> bool {
        match strategy {
            Strategy::All(_) => self.satisfied.iter().all(|it| *it),
            Strategy::Any { until: None, .. } => self.satisfied.iter().any(|it| *it),
            Strategy::Any {
                until: Some(Until::Events(until)),
                ..
            } => self.until.as_ref().is_some_and(|it| it.is_complete(until)),
            Strategy::Any {
                until: Some(Until::Condition(_)),
                ..
            } => false,
        }
    }
}

/// What all events bear that a filter lets through: a correlation with something that is known, or an attribute.
fn mark(filter: &Filter, keys: &BTreeMap<String, Value>, fill: &mut dyn Fill) -> Option<Mark> {
    let correlated = filter.correlate.iter().find_map(|correlation| {
        // Who looks for a mark sees nothing of the run.
        let path = correlation.from.path_in_input()?;
        let expected = match &correlation.expect {
            Some(expect) => fill.expected(expect).ok()?,
            None => Data::new(keys.get(&correlation.name)?.clone()),
        };
        Mark::new(&path, &expected)
    });
    let mut attributes = filter.constants().filter(|(name, _)| *name != "type");
    correlated.or_else(|| attributes.find_map(|(name, value)| Mark::new(&[name.to_owned()], value)))
}

/// Whether a filter lets an event through, and then the correlations that it is the first to have.
fn lets_through(
    filter: &Filter,
    keys: &BTreeMap<String, Value>,
    event: &CloudEvent,
    fill: &mut dyn Fill,
) -> Option<Vec<(String, Value)>> {
    // Who wants to be told of runs says so. Else what a listener does would be the next event that it hears.
    if event.is_lifecycle() && !filter.attributes.iter().any(|(name, _)| name == "type") {
        return None;
    }
    for (name, matcher) in &filter.attributes {
        let value = event.attribute(name)?;
        if !fits(matcher, value, fill) {
            return None;
        }
    }
    let data_fits = match &filter.data {
        None => true,
        // The condition of most filters: it may say anything that counts as true.
        Some(Matcher::Expression(condition)) => {
            fill.on(condition, event.data()).is_ok_and(|it| truthy(&it))
        }
        Some(matcher) => fits(matcher, event.data(), fill),
    };
    if !data_fits {
        return None;
    }
    let mut first = Vec::new();
    for correlation in &filter.correlate {
        let value = fill.on(&correlation.from, event.envelope()).ok()?;
        if value.is_null() {
            return None;
        }
        let expected = match &correlation.expect {
            Some(expect) => Some(fill.expected(expect).ok()?),
            None => keys.get(&correlation.name).cloned().map(Data::new),
        };
        match expected {
            Some(expected) if !same(&value, &expected) => return None,
            Some(_) if keys.contains_key(&correlation.name) => {}
            _ => first.push((correlation.name.clone(), Value::clone(&value))),
        }
    }
    Some(first)
}

fn fits(matcher: &Matcher, value: &Value, fill: &mut dyn Fill) -> bool {
    match matcher {
        Matcher::Constant(constant) => same(constant, value),
        Matcher::Pattern(pattern) => value.as_str().is_some_and(|text| pattern.fits(text)),
        Matcher::Expression(template) => match fill.on(template, &Data::new(value.clone())) {
            Ok(said) => match &*said {
                Value::Bool(holds) => *holds || same(&said, value),
                said => same(said, value),
            },
            Err(_) => false,
        },
        Matcher::Object(members) => members.iter().all(|(key, matcher)| {
            value
                .get(key)
                .is_some_and(|member| fits(matcher, member, fill))
        }),
        Matcher::Array(matchers) => match value {
            Value::Array(items) if items.len() == matchers.len() => matchers
                .iter()
                .zip(items)
                .all(|(matcher, item)| fits(matcher, item, fill)),
            _ => false,
        },
    }
}

/// Whether two values are the same. An attribute that came in a header is a text, whatever its sender thought of:
/// numbers and booleans are the same as the texts that stand for them (CloudEvents, "Type System").
fn same(one: &Value, other: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    };
    match (one, other) {
        (Value::String(string), other) | (other, Value::String(string)) if !other.is_string() => {
            text(other).as_deref() == Some(string)
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_may_stand_for_a_number() {
        assert!(same(&json!(5), &json!("5")) && same(&json!("true"), &json!(true)));
        assert!(same(&json!("a"), &json!("a")) && same(&json!([1]), &json!([1])));
        assert!(!same(&json!(5), &json!("5.0")) && !same(&json!("null"), &Value::Null));
        assert!(!same(&json!("[1]"), &json!([1])));
    }
}
