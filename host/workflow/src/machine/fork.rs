//! `fork`: branches side by side, each from the same input and on its own copy of the context.
//!
//! At the join, the top-level members of the context that a branch changed are merged in declaration
//! order. When the branches compete, the first to complete wins, and its context alone is merged; a
//! branch that fails is out of the race, and only when all have failed does the fork fail, with the last
//! error. Without a race, one error ends the fork.

use std::sync::Arc;

use serde_json::Value;

use super::Step;
use super::Turn;
use super::task::{ForkWork, Place, TaskId, Work};
use crate::data::Data;
use crate::error::{Error, ErrorKind};
use crate::extent::{self, Room};
use crate::plan::{Fork, Kind};

impl Turn<'_> {
    pub(super) fn begin_fork(&mut self, id: TaskId, fork: &Fork) {
        let task = &self.run.tasks[&id];
        let input = task.input.clone();
        let inside = task.place.inside(id);
        let base = self.run.contexts.get(inside.context).clone();
        if fork.branches.is_empty() {
            return self.complete(id, Arc::new(Value::Array(Vec::new())), None);
        }
        let mut work = ForkWork {
            base: base.clone(),
            contexts: Vec::with_capacity(fork.branches.len()),
            outputs: vec![None; fork.branches.len()],
            open: fork.branches.len(),
        };
        for (slot, &node) in (0..).zip(&fork.branches) {
            let context = self.run.contexts.add(base.clone());
            work.contexts.push(context);
            let place = Place {
                slot,
                context,
                ..inside.clone()
            };
            self.agenda.push_back(Step::Enter {
                node,
                input: input.clone(),
                place,
            });
        }
        self.task_mut(id).work = Work::Fork(work);
    }

    /// A branch has completed.
    pub(super) fn branch_done(&mut self, id: TaskId, slot: u32, output: Data) {
        let competes = self.competes(id);
        let work = self.fork_work(id);
        work.open -= 1;
        work.outputs[slot as usize] = Some(output.clone());
        let open = work.open;
        let joined = if competes {
            self.cancel_where(id, |other| other != slot);
            self.merge(id, |other| other == slot as usize)
                .map(|()| output)
        } else if open == 0 {
            self.merge(id, |_| true).and_then(|()| self.join(id))
        } else {
            return;
        };
        match joined {
            Ok(output) => self.complete(id, output, None),
            Err(error) => self.fail(id, error),
        }
    }

    /// The array of the branches' outputs.
    fn join(&mut self, id: TaskId) -> Result<Data, Error> {
        let outputs = self.fork_work(id).outputs.clone();
        let mut room = Room::new(self.left);
        let mut array = Vec::with_capacity(outputs.len());
        let fits = room.descend().and_then(|()| {
            outputs.iter().flatten().try_for_each(|output| {
                room.take(output)?;
                array.push(Value::clone(output));
                Ok(())
            })
        });
        self.left = room.left_of(self.left);
        fits.map_err(|why| {
            Error::new(
                ErrorKind::Validation,
                "The outputs of the branches are too large",
                why,
            )
        })?;
        Ok(Arc::new(Value::Array(array)))
    }

    /// An error has left a branch.
    pub(super) fn branch_failed(&mut self, id: TaskId, slot: u32, error: Error) {
        let competes = self.competes(id);
        let work = self.fork_work(id);
        work.open -= 1;
        work.outputs[slot as usize] = None;
        if !competes || work.open == 0 {
            self.fail(id, error);
        }
    }

    fn competes(&self, id: TaskId) -> bool {
        matches!(&self.run.plan.node(self.run.tasks[&id].node).kind, Kind::Fork(fork) if fork.compete)
    }

    fn fork_work(&mut self, id: TaskId) -> &mut ForkWork {
        match &mut self.task_mut(id).work {
            Work::Fork(work) => work,
            _ => unreachable!("only forks have branches"),
        }
    }

    /// Takes what the branches of `slots` changed into the context around the fork.
    fn merge(&mut self, id: TaskId, slots: impl Fn(usize) -> bool) -> Result<(), Error> {
        let work = self.fork_work(id);
        let (base, contexts) = (work.base.clone(), work.contexts.clone());
        let mut merged = base.clone();
        for (_, context) in contexts.iter().enumerate().filter(|(slot, _)| slots(*slot)) {
            let changed = self.run.contexts.get(*context);
            if !Arc::ptr_eq(&base, changed) {
                merge_changes(&mut merged, &base, changed);
                extent::check("the merged context", &merged)?;
            }
        }
        let around = self.run.tasks[&id].place.context;
        self.run.contexts.set(around, merged);
        Ok(())
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
