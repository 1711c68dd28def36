//! `for`: a body for each item.
//!
//! One after the other, each iteration is given the output of the one before; the output of the last is the
//! loop's, and without any it is the loop's input. With `concurrency`, iterations run side by side, each from
//! the loop's input and on its own copy of the context; the loop's output is the array of their outputs in the
//! order of the items, and the contexts are merged in that order.
//!
//! `while` is asked before each iteration. What it looks at is what the iteration would be given: the loop
//! ends before the first item for which it does not hold. Side by side, those that have begun go on.

use std::sync::Arc;

use serde_json::Value;

use super::Turn;
use super::lines::Lines;
use super::task::{ForWork, Place, TaskId, Work};
use crate::data::Data;
use crate::error::{Error, ErrorKind};
use crate::plan::{For, Kind, Plan, truthy};

impl Turn<'_> {
    pub(super) fn begin_for(&mut self, id: TaskId, it: &For) {
        let items = self
            .define(id, &it.collection)
            .and_then(|collection| match &*collection {
                Value::Array(_) => Ok(collection),
                Value::Null => Ok(Arc::new(Value::Array(Vec::new()))),
                other => Err(Error::new(
                    ErrorKind::Expression,
                    "There is nothing to iterate over",
                    format!("`for.in` must give an array, and gave {}", kind_of(other)),
                )),
            });
        let items = match items {
            Ok(items) => items,
            Err(error) => return self.fail(id, error),
        };
        let task = self.task_mut(id);
        let input = task.input.clone();
        task.work = Work::For(ForWork {
            items,
            index: 0,
            last: input.clone(),
            lines: it.concurrency.map(|_| Lines::default()),
        });
        match it.concurrency {
            None => self.iterate(id, input),
            Some(concurrency) => self.spread(id, it, concurrency),
        }
    }

    /// An iteration is done.
    pub(super) fn iterated(&mut self, id: TaskId, slot: u32, output: Data) {
        let plan = self.run.plan.clone();
        let it = self.a_loop(id, &plan);
        if let Some(concurrency) = it.concurrency {
            self.close_line(id, slot as usize, output);
            return self.spread(id, it, concurrency);
        }
        let work = self.for_work(id);
        work.index += 1;
        work.last = output.clone();
        self.iterate(id, output);
    }

    /// Begins the iteration at the loop's index, if there is one.
    fn iterate(&mut self, id: TaskId, input: Data) {
        let plan = self.run.plan.clone();
        let it = self.a_loop(id, &plan);
        let inside = self.run.tasks[&id].place.inside(id);
        let Some(place) = self.at_next_item(id, it, inside) else {
            return self.complete(id, input, None);
        };
        match self.goes_on(id, it, &input, &place) {
            Ok(true) => self.go(it.body, input, place),
            Ok(false) => self.complete(id, input, None),
            Err(error) => self.fail(id, error),
        }
    }

    /// Begins as many iterations as may be under way, and completes the loop behind the last one.
    fn spread(&mut self, id: TaskId, it: &For, concurrency: usize) {
        let input = self.run.tasks[&id].input.clone();
        while self.lines(id).open < concurrency {
            let inside = self.run.tasks[&id].place.inside(id);
            let Some(place) = self.at_next_item(id, it, inside) else {
                break;
            };
            match self.goes_on(id, it, &input, &place) {
                Ok(true) => {}
                Ok(false) => {
                    self.for_work(id).end();
                    break;
                }
                Err(error) => return self.fail(id, error),
            }
            let slot = self.for_work(id).index;
            self.for_work(id).index += 1;
            let base = self.run.contexts.get(place.context).clone();
            let variables = place.variables;
            let line = self.open_line(id, slot, base);
            self.go(it.body, input.clone(), Place { variables, ..line });
        }
        if self.lines(id).open > 0 {
            return;
        }
        let count = self.for_work(id).index;
        let joined = self.merge(id, 0..count);
        match joined.and_then(|()| self.join(id, "the iterations")) {
            Ok(output) => self.complete(id, output, None),
            Err(error) => self.fail(id, error),
        }
    }

    /// The place inside the loop with the variables of the next item; none where there is no further item.
    fn at_next_item(&self, id: TaskId, it: &For, inside: Place) -> Option<Place> {
        let Work::For(work) = &self.run.tasks[&id].work else {
            unreachable!("only loops are iterated")
        };
        let item = work.items.get(work.index)?.clone();
        let index = Arc::new(Value::from(work.index));
        Some(inside.with(&it.each, Arc::new(item)).with(&it.at, index))
    }

    fn goes_on(
        &mut self,
        id: TaskId,
        it: &For,
        input: &Data,
        place: &Place,
    ) -> Result<bool, Error> {
        let Some(condition) = &it.condition else {
            return Ok(true);
        };
        let holds = self.fill_on(id, condition, input, place)?;
        Ok(truthy(&holds))
    }

    fn a_loop<'p>(&self, id: TaskId, plan: &'p Plan) -> &'p For {
        match &plan.node(self.run.tasks[&id].node).kind {
            Kind::For(it) => it,
            _ => unreachable!("only loops are iterated"),
        }
    }

    fn for_work(&mut self, id: TaskId) -> &mut ForWork {
        match &mut self.task_mut(id).work {
            Work::For(work) => work,
            _ => unreachable!("only loops are iterated"),
        }
    }
}

impl ForWork {
    /// No further iteration begins.
    fn end(&mut self) {
        self.items = Arc::new(Value::Array(Vec::new()));
    }
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
