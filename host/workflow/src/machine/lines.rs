//! Lines of work side by side: the branches of a `fork`, and the iterations of a `for` with `concurrency`.
//! Each works on its own copy of the context; at the end, the top-level members that each has changed are
//! merged in an order that does not depend on who was first.

use std::sync::Arc;

use serde_json::Value;

use super::Turn;
use super::task::{ContextId, Place, TaskId, Work};
use crate::data::Data;
use crate::error::{Error, ErrorKind};
use crate::extent::{self, Room};
use crate::pack::packed;

/// The lines of a task, by slot.
#[derive(Debug, Default)]
pub(super) struct Lines {
    lines: Vec<Line>,
    /// How many are under way.
    pub(super) open: usize,
}

packed!(struct Lines { lines, open });

/// How far a line is.
#[derive(Debug)]
enum Line {
    /// It has not begun, or has failed.
    Idle,
    /// It is under way, with its context and what that was at the beginning.
    Open { context: ContextId, base: Data },
    /// It has completed.
    Done { output: Data, change: Change },
}

packed!(enum Line { Idle, Open { context, base }, Done { output, change } });

/// What a line has made of its context.
#[derive(Clone, Debug)]
struct Change {
    from: Data,
    to: Data,
}

packed!(struct Change { from, to });

impl Lines {
    /// So many lines, none of which has begun.
    pub(super) fn new(count: usize) -> Self {
        let mut lines = Self::default();
        lines.grow(count);
        lines
    }

    fn grow(&mut self, count: usize) {
        self.lines
            .resize_with(count.max(self.lines.len()), || Line::Idle);
    }

    /// The output of a line that has completed.
    pub(super) fn output(&self, slot: usize) -> Option<&Data> {
        match self.lines.get(slot)? {
            Line::Done { output, .. } => Some(output),
            _ => None,
        }
    }

    /// The contexts of the lines that are under way.
    pub(super) fn contexts(&self) -> impl Iterator<Item = ContextId> {
        self.lines.iter().filter_map(|line| match line {
            Line::Open { context, .. } => Some(*context),
            _ => None,
        })
    }

    fn change(&self, slot: usize) -> Option<Change> {
        match self.lines.get(slot)? {
            Line::Done { change, .. } => Some(change.clone()),
            _ => None,
        }
    }
}

impl Turn<'_> {
    /// Begins a line on a context of its own, a copy of `base`: the place inside it.
    pub(super) fn open_line(&mut self, id: TaskId, slot: usize, base: Data) -> Place {
        let context = self.run.contexts.add(base.clone());
        let lines = self.lines_mut(id);
        lines.grow(slot + 1);
        lines.lines[slot] = Line::Open { context, base };
        lines.open += 1;
        Place {
            slot: u32::try_from(slot).expect("the size of what a run holds is bounded"),
            context,
            ..self.run.tasks[&id].place.inside(id)
        }
    }

    /// A line has completed.
    pub(super) fn close_line(&mut self, id: TaskId, slot: usize, output: Data) {
        let Line::Open { context, base } = self.end_line(id, slot) else {
            unreachable!("only a line that is under way completes")
        };
        let to = self.run.contexts.get(context).clone();
        self.run.contexts.remove(context);
        let change = Change { from: base, to };
        self.lines_mut(id).lines[slot] = Line::Done { output, change };
    }

    /// A line has failed.
    pub(super) fn drop_line(&mut self, id: TaskId, slot: usize) {
        if let Line::Open { context, .. } = self.end_line(id, slot) {
            self.run.contexts.remove(context);
        }
    }

    fn end_line(&mut self, id: TaskId, slot: usize) -> Line {
        let lines = self.lines_mut(id);
        lines.open -= 1;
        std::mem::replace(&mut lines.lines[slot], Line::Idle)
    }

    /// `base`, with the changes of the lines of `slots`, in their order.
    pub(super) fn merged(
        &self,
        id: TaskId,
        base: &Data,
        slots: impl Iterator<Item = usize>,
    ) -> Result<Data, Error> {
        let lines = self.lines(id);
        let mut merged = base.clone();
        for Change { from, to } in slots.filter_map(|slot| lines.change(slot)) {
            if !Arc::ptr_eq(&from, &to) {
                merge_changes(&mut merged, &from, &to);
                extent::check("the merged context", &merged)?;
            }
        }
        Ok(merged)
    }

    /// Takes the changes of the lines of `slots` into the context around the task, in their order.
    pub(super) fn merge(
        &mut self,
        id: TaskId,
        slots: impl Iterator<Item = usize>,
    ) -> Result<(), Error> {
        let around = self.run.tasks[&id].place.context;
        let base = self.run.contexts.get(around).clone();
        let merged = self.merged(id, &base, slots)?;
        self.run.contexts.set(around, merged);
        Ok(())
    }

    /// The array of the lines' outputs.
    ///
    /// # Errors
    ///
    /// Where it is larger than a value may be; `whose` are the outputs.
    pub(super) fn join(&mut self, id: TaskId, whose: &str) -> Result<Data, Error> {
        let mut room = Room::new(self.left);
        let lines = &self.lines(id).lines;
        let mut array = Vec::with_capacity(lines.len());
        let fits = room.descend().and_then(|()| {
            lines.iter().try_for_each(|line| {
                if let Line::Done { output, .. } = line {
                    room.take(output)?;
                    array.push(Value::clone(output));
                }
                Ok(())
            })
        });
        self.left = room.left_of(self.left);
        let title = || format!("The outputs of {whose} are too large");
        fits.map_err(|why| Error::new(ErrorKind::Validation, title(), why))?;
        Ok(Arc::new(Value::Array(array)))
    }

    pub(super) fn lines(&self, id: TaskId) -> &Lines {
        self.run.tasks[&id]
            .work
            .lines()
            .expect("the task has lines")
    }

    fn lines_mut(&mut self, id: TaskId) -> &mut Lines {
        let work = &mut self.task_mut(id).work;
        work.lines_mut().expect("the task has lines")
    }
}

impl Work {
    /// The lines of work side by side that a task of this kind has.
    pub(super) fn lines(&self) -> Option<&Lines> {
        match self {
            Self::Fork(lines) => Some(lines),
            Self::For(work) => work.lines.as_ref(),
            _ => None,
        }
    }

    fn lines_mut(&mut self) -> Option<&mut Lines> {
        match self {
            Self::Fork(lines) => Some(lines),
            Self::For(work) => work.lines.as_mut(),
            _ => None,
        }
    }
}

/// Takes the members that `changed` has differently from `base` into `merged`. Where a context is no
/// object any more there are no members to merge, and the changed one replaces the other.
fn merge_changes(merged: &mut Data, base: &Data, changed: &Data) {
    let (Value::Object(before), Value::Object(after)) = (&**base, &**changed) else {
        *merged = changed.clone();
        return;
    };
    let Value::Object(target) = Arc::make_mut(merged) else {
        *merged = changed.clone();
        return;
    };
    for (key, value) in after {
        if before.get(key) != Some(value) {
            target.insert(key.clone(), value.clone());
        }
    }
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        target.shift_remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(merged: Value, base: Value, changed: Value, expected: &Value) {
        let mut merged = Arc::new(merged);
        merge_changes(&mut merged, &Arc::new(base), &Arc::new(changed));
        assert_eq!(&*merged, expected);
    }

    #[test]
    fn what_a_branch_changed_is_merged() {
        check(
            json!({"a": 1, "b": 9}),
            json!({"a": 1, "b": 2}),
            json!({"a": 1, "b": 2, "c": 3}),
            &json!({"a": 1, "b": 9, "c": 3}),
        );
        check(json!({"a": 1}), json!({"a": 1}), json!({}), &json!({}));
        check(json!({"a": 1}), json!({"a": 1}), json!([2]), &json!([2]));
        check(
            json!([2]),
            json!({"a": 1}),
            json!({"a": 3}),
            &json!({"a": 3}),
        );
    }
}
