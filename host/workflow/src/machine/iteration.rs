//! `foreach`: what is done for each item of a subscription, be it an event or a message.
//!
//! Items are worked on one at a time, first in, first out. Each leaves an output, and together they are the
//! task's. Who feeds items is told after each one, and says whether to go on.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;

use super::Turn;
use super::evaluate::{Moment, check};
use super::task::{Place, TaskId, Work};
use crate::data::Data;
use crate::error::{Error, ErrorKind};
use crate::extent::{self, BYTES_MAX};
use crate::pack::packed;
use crate::plan::{Foreach, Kind, Node};

/// How far the items of a subscription are.
#[derive(Debug)]
pub(super) struct Iteration {
    /// What the items have left, in their order: an array.
    outputs: Data,
    /// What the outputs weigh, in bytes.
    bytes: usize,
    /// How many items have been worked on.
    count: usize,
    /// Those that wait.
    queue: VecDeque<Data>,
    /// The one that is worked on.
    current: Option<Data>,
}

packed!(struct Iteration { outputs, bytes, count, queue, current });

impl Default for Iteration {
    fn default() -> Self {
        Self {
            outputs: Arc::new(Value::Array(Vec::new())),
            bytes: 0,
            count: 0,
            queue: VecDeque::new(),
            current: None,
        }
    }
}

impl Iteration {
    /// What the items have left so far: an array.
    pub(super) fn outputs(&self) -> &Data {
        &self.outputs
    }

    /// Whether no item is worked on or waits.
    pub(super) fn is_idle(&self) -> bool {
        self.current.is_none() && self.queue.is_empty()
    }

    fn push(&mut self, output: &Data) -> Result<(), Error> {
        // Nested one deeper than it is.
        let bytes = extent::measure(output).unwrap_or(BYTES_MAX);
        self.bytes = self.bytes.saturating_add(bytes);
        self.count += 1;
        if self.bytes > BYTES_MAX {
            return Err(Error::new(
                ErrorKind::Validation,
                "The outputs of the items are too large",
                format!(
                    "together they have more than {BYTES_MAX} bytes: keep less of each, with `foreach.output.as`"
                ),
            ));
        }
        if let Value::Array(outputs) = Arc::make_mut(&mut self.outputs) {
            outputs.push(Value::clone(output));
        }
        Ok(())
    }
}

impl Turn<'_> {
    /// An item has come.
    pub(super) fn feed(&mut self, id: TaskId, item: Data) {
        self.iteration_mut(id).queue.push_back(item);
        self.work_through(id);
    }

    /// The tasks of `foreach` have come to their end.
    pub(super) fn item_worked_on(&mut self, id: TaskId, output: Data) {
        if self.item_done(id, &output) {
            self.work_through(id);
        }
    }

    /// Works on the items that wait, until there are none or one takes its time.
    fn work_through(&mut self, id: TaskId) {
        let plan = self.run.plan.clone();
        loop {
            let iteration = self.iteration_mut(id);
            if iteration.current.is_some() {
                return;
            }
            let Some(item) = iteration.queue.pop_front() else {
                return;
            };
            iteration.current = Some(item.clone());
            let foreach = foreach(plan.node(self.run.tasks[&id].node));
            match foreach {
                Some(it) if it.body.first.is_some() => {
                    let place = self.item_place(id, it);
                    return self.go(it.body, item, place);
                }
                _ if !self.item_done(id, &item) => return,
                _ => {}
            }
        }
    }

    /// The place of what belongs to the item that is worked on.
    fn item_place(&mut self, id: TaskId, foreach: &Foreach) -> Place {
        let iteration = self.iteration_mut(id);
        let item = iteration.current.clone().unwrap_or_default();
        let index = Arc::new(Value::from(iteration.count));
        self.run.tasks[&id]
            .place
            .inside(id)
            .with(&foreach.item, item)
            .with(&foreach.at, index)
    }

    /// An item has been worked on. Whether the task goes on.
    fn item_done(&mut self, id: TaskId, raw: &Data) -> bool {
        let plan = self.run.plan.clone();
        let output = match foreach(plan.node(self.run.tasks[&id].node)) {
            None => Ok(raw.clone()),
            Some(it) => self.item_output(id, it, raw),
        };
        let iteration = self.iteration_mut(id);
        iteration.current = None;
        match output.and_then(|output| iteration.push(&output)) {
            Ok(()) => match &self.run.tasks[&id].work {
                Work::Listen(_) => self.listen_further(id),
                Work::Subscription(_) => self.consume_further(id),
                _ => unreachable!("only subscriptions have items"),
            },
            Err(error) => {
                self.fail(id, error);
                false
            }
        }
    }

    /// What is made of an item, and of the context.
    fn item_output(&mut self, id: TaskId, it: &Foreach, raw: &Data) -> Result<Data, Error> {
        let place = self.item_place(id, it);
        let template = it.output.template.as_ref();
        let output = self.fill_at(id, template, raw, &place, Moment::After(raw))?;
        check(&it.output, "the item's output", &output, &mut self.left)?;
        if let Some(template) = &it.export.template {
            let moment = Moment::Exporting(raw, &output);
            let context = self.fill_at(id, Some(template), &output, &place, moment)?;
            check(&it.export, "the exported context", &context, &mut self.left)?;
            self.run.contexts.set(place.context, context);
        }
        Ok(output)
    }

    pub(super) fn iteration_mut(&mut self, id: TaskId) -> &mut Iteration {
        match &mut self.task_mut(id).work {
            Work::Listen(work) => &mut work.iteration,
            Work::Subscription(work) => &mut work.iteration,
            _ => unreachable!("only subscriptions have items"),
        }
    }
}

/// What a task does for each item.
fn foreach(node: &Node) -> Option<&Foreach> {
    match &node.kind {
        Kind::Listen(listen) => listen.foreach.as_ref(),
        Kind::Subscription(subscription) => subscription.foreach.as_ref(),
        _ => None,
    }
}
