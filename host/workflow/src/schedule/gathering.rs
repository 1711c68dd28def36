//! Events that are gathered until they start runs.
//!
//! The input of a run is the array of its events, in their order (dsl.md, "Input of event-driven scheduled
//! workflows"). Where several belong together, several gatherings may be open at a time: an event goes to the oldest
//! that takes it, and begins another one where none does. What stands in filters is evaluated without variables:
//! there is no run yet.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;

use crate::cloud_event::{CloudEvent, lifecycle_source};
use crate::data::Data;
use crate::error::{Error, ErrorKind};
use crate::expression::{Evaluate, Variables};
use crate::extent::{BYTES_PER_EVENT_MAX, Room};
use crate::machine::{Consumption, Fill};
use crate::plan::{EventTrigger, Filling, Plan, Strategy, Template, Topics, Until, truthy};

/// How many events are gathered for one run at most, with `until`. A run starts with so many, whatever `until`
/// says.
pub const EVENTS_PER_START_MAX: usize = 1_000;

/// How many bytes of JSON those may have; the event that passes the bound is the last one.
pub const BYTES_PER_START_MAX: usize = 1 << 20;

/// How many gatherings may be open at a time. One more, and the oldest is given up.
pub const GATHERINGS_MAX: usize = 1_000;

/// Events that are gathered until they start runs. Offering the same events again, without those that have started
/// runs, gathers the same.
#[derive(Debug)]
pub struct Gatherings {
    plan: Arc<Plan>,
    /// The types of events that may be of interest.
    topics: Topics,
    /// What the sources of the workflow's own lifecycle events begin with, whatever its version.
    own_source: String,
    /// The oldest first.
    open: VecDeque<Gathering>,
}

/// Events that have come together.
#[derive(Clone, Debug, PartialEq)]
pub struct Gathered {
    /// The input of the run that starts.
    pub input: Data,
    /// Where in the log its events are.
    pub positions: Vec<u64>,
}

#[derive(Debug)]
struct Gathering {
    consumption: Consumption,
    events: Vec<Value>,
    positions: Vec<u64>,
    bytes: usize,
}

impl Gatherings {
    /// Nothing yet, for the `on` of a workflow's schedule; none where it has none.
    pub fn new(plan: &Arc<Plan>) -> Option<Self> {
        let own = |member: &str| {
            plan.definition["document"][member]
                .as_str()
                .unwrap_or_default()
        };
        plan.trigger.as_ref().map(|trigger| Self {
            plan: plan.clone(),
            topics: trigger.strategy.topics(),
            own_source: lifecycle_source(own("namespace"), own("name"), ""),
            open: VecDeque::new(),
        })
    }

    /// Where in the log the earliest event is that an open gathering has.
    pub fn first(&self) -> Option<u64> {
        let first = |it: &Gathering| it.positions.first().copied();
        self.open.iter().filter_map(first).min()
    }

    /// How many events the open gatherings have.
    pub fn held(&self) -> usize {
        self.open.iter().map(|it| it.positions.len()).sum()
    }

    /// Gives up the oldest of the open gatherings.
    pub fn give_up_oldest(&mut self) {
        self.open.pop_front();
    }

    /// Offers the next event, which is at that position of the log. Gives the events that start a run, where this
    /// was the last of them.
    pub fn offer(
        &mut self,
        position: u64,
        event: &CloudEvent,
        evaluator: &mut dyn Evaluate,
    ) -> Option<Gathered> {
        // What runs tell of themselves starts others only where a filter names its type, and never those of the same
        // workflow: else each run that starts would start the next.
        let is_own = || event.source().starts_with(&self.own_source);
        let starts_itself = event.is_lifecycle() && (self.topics == Topics::Any || is_own());
        if starts_itself || !self.topics.include(event) {
            return None;
        }
        let plan = self.plan.clone();
        let trigger = plan.trigger.as_ref()?;
        let mut fill = EventFill {
            evaluator,
            left: BYTES_PER_EVENT_MAX,
        };
        let mut taken = (0..self.open.len())
            .find(|index| self.open[*index].take(trigger, position, event, &mut fill));
        if taken.is_none() {
            let mut fresh = Gathering::new(trigger);
            // What ends a gathering begins none: no run starts without an event of its own.
            if fresh.take(trigger, position, event, &mut fill) && !fresh.events.is_empty() {
                if self.open.len() >= GATHERINGS_MAX {
                    self.give_up_oldest();
                }
                taken = Some(self.open.len());
                self.open.push_back(fresh);
            }
        }
        let index = taken?;
        if !self.open[index].is_complete(trigger, &mut fill) {
            return None;
        }
        let complete = self.open.remove(index)?;
        Some(Gathered {
            input: Arc::new(Value::Array(complete.events)),
            positions: complete.positions,
        })
    }
}

impl Gathering {
    fn new(trigger: &EventTrigger) -> Self {
        Self {
            consumption: Consumption::new(&trigger.strategy),
            events: Vec::new(),
            positions: Vec::new(),
            bytes: 0,
        }
    }

    fn take(
        &mut self,
        trigger: &EventTrigger,
        position: u64,
        event: &CloudEvent,
        fill: &mut EventFill<'_>,
    ) -> bool {
        let Some(take) = self.consumption.judge(&trigger.strategy, event, fill) else {
            return false;
        };
        self.positions.push(position);
        if !take.is_of_until() {
            let read = event.read(trigger.read);
            self.bytes += read.to_string().len();
            self.events.push(Value::clone(&read));
        }
        self.consumption.take(take);
        true
    }

    fn is_complete(&self, trigger: &EventTrigger, fill: &mut EventFill<'_>) -> bool {
        if self.events.len() >= EVENTS_PER_START_MAX || self.bytes >= BYTES_PER_START_MAX {
            return true;
        }
        match &trigger.strategy {
            Strategy::Any {
                until: Some(Until::Condition(condition)),
                ..
            } => {
                let so_far = Arc::new(Value::Array(self.events.clone()));
                fill.on(condition, &so_far).is_ok_and(|it| truthy(&it))
            }
            strategy => self.consumption.is_complete(strategy),
        }
    }
}

struct EventFill<'a> {
    evaluator: &'a mut dyn Evaluate,
    /// How many bytes of data the event may still make.
    left: usize,
}

impl Fill for EventFill<'_> {
    fn on(&mut self, template: &Template, input: &Data) -> Result<Data, Error> {
        let mut filling = Filling {
            scope: &Nothing,
            evaluator: self.evaluator,
            room: Room::new(self.left),
        };
        let made = template.evaluate(input, &mut filling);
        self.left = filling.room.left_of(self.left);
        made.map_err(|detail| Error::new(ErrorKind::Expression, "An expression failed", detail))
    }

    fn expected(&mut self, template: &Template) -> Result<Data, Error> {
        self.on(template, &Arc::new(Value::Null))
    }
}

/// There are no variables.
struct Nothing;

impl Variables for Nothing {
    fn variable(&self, _: &str) -> Option<&Value> {
        None
    }
}
