//! `for`: a body for each item, one after the other. Each iteration is given the output of the one
//! before; the output of the last is the loop's, and without any it is the loop's input.

use std::sync::Arc;

use serde_json::Value;

use super::Turn;
use super::task::{ForWork, TaskId, Work};
use crate::data::Data;
use crate::error::{Error, ErrorKind};
use crate::plan::{For, Kind, truthy};

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
        match items {
            Ok(items) => {
                let task = self.task_mut(id);
                task.work = Work::For(ForWork { items, index: 0 });
                let input = task.input.clone();
                self.iterate(id, input);
            }
            Err(error) => self.fail(id, error),
        }
    }

    /// An iteration is done.
    pub(super) fn iterated(&mut self, id: TaskId, output: Data) {
        if let Work::For(work) = &mut self.task_mut(id).work {
            work.index += 1;
        }
        self.iterate(id, output);
    }

    /// Begins the iteration at the loop's index, if there is one.
    fn iterate(&mut self, id: TaskId, input: Data) {
        let plan = self.run.plan.clone();
        let task = &self.run.tasks[&id];
        let (Work::For(work), Kind::For(it)) = (&task.work, &plan.node(task.node).kind) else {
            unreachable!("only loops are iterated")
        };
        let Some(item) = work.items.get(work.index).cloned() else {
            return self.complete(id, input, None);
        };
        let index = Arc::new(Value::from(work.index));
        let place = task
            .place
            .inside(id)
            .with(&it.each, Arc::new(item))
            .with(&it.at, index);
        let goes_on = match &it.condition {
            None => Ok(true),
            // `while` looks at what the iteration before has left.
            Some(condition) => self
                .fill_on(id, condition, &input, &place)
                .map(|value| truthy(&value)),
        };
        match goes_on {
            Ok(true) => self.go(it.body, input, place),
            Ok(false) => self.complete(id, input, None),
            Err(error) => self.fail(id, error),
        }
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
