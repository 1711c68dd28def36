//! `fork`: branches side by side, each from the same input and on its own copy of the context.
//!
//! A branch that needs others begins when those have completed: with their outputs in `$branches`, and on the
//! context with their changes. At the join, the top-level members of the context that a branch changed are
//! merged in declaration order, but none before those that it needs.
//!
//! When the branches compete, the first to complete wins, and its context alone is merged; a branch that
//! fails is out of the race, and only when all have failed does the fork fail, with the last error. Without
//! a race, one error ends the fork.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::lines::Lines;
use super::task::{TaskId, Work};
use super::{Step, Turn};
use crate::data::Data;
use crate::error::{Error, ErrorKind};
use crate::extent::Room;
use crate::plan::{BRANCHES, Fork, Kind, Plan};

impl Turn<'_> {
    pub(super) fn begin_fork(&mut self, id: TaskId, fork: &Fork) {
        if fork.branches.is_empty() {
            return self.complete(id, Arc::new(Value::Array(Vec::new())), None);
        }
        self.task_mut(id).work = Work::Fork(Lines::new(fork.branches.len()));
        for (slot, branch) in fork.branches.iter().enumerate() {
            if branch.needs.is_empty() {
                self.begin_branch(id, fork, slot);
            }
        }
    }

    fn begin_branch(&mut self, id: TaskId, fork: &Fork, slot: usize) {
        match self.prepare_branch(id, fork, slot) {
            Ok(step) => self.agenda.push_back(step),
            Err(error) => self.fail(id, error),
        }
    }

    fn prepare_branch(&mut self, id: TaskId, fork: &Fork, slot: usize) -> Result<Step, Error> {
        let task = &self.run.tasks[&id];
        let input = task.input.clone();
        let mut base = self.run.contexts.get(task.place.context).clone();
        let branch = &fork.branches[slot];
        let mut outputs = None;
        if !branch.needs.is_empty() {
            outputs = Some(self.outputs_of(id, fork, &branch.needs)?);
            let before = needed_by(fork, slot);
            let before = fork.merge_order.iter().copied().filter(|at| before[*at]);
            base = self.merged(id, &base, before)?;
        }
        let mut place = self.open_line(id, slot, base);
        if let Some(outputs) = outputs {
            place = place.with(BRANCHES, outputs);
        }
        let node = branch.node;
        Ok(Step::Enter { node, input, place })
    }

    /// `$branches`: the outputs of some branches by name.
    fn outputs_of(&mut self, id: TaskId, fork: &Fork, needs: &[usize]) -> Result<Data, Error> {
        let mut room = Room::new(self.left);
        let lines = self.lines(id);
        let mut members = Map::new();
        let fits = room.descend().and_then(|()| {
            needs.iter().try_for_each(|need| {
                let name = &self.run.plan.node(fork.branches[*need].node).name;
                let output = lines.output(*need).cloned().unwrap_or_default();
                room.take_bytes(name.len())?;
                room.take(&output)?;
                members.insert(name.clone(), Value::clone(&output));
                Ok(())
            })
        });
        self.left = room.left_of(self.left);
        let title = "The outputs of the branches are too large";
        fits.map_err(|why| Error::new(ErrorKind::Validation, title, why))?;
        Ok(Arc::new(Value::Object(members)))
    }

    /// A branch has completed.
    pub(super) fn branch_done(&mut self, id: TaskId, slot: u32, output: Data) {
        let plan = self.run.plan.clone();
        let fork = self.fork(id, &plan);
        let slot = slot as usize;
        self.close_line(id, slot, output.clone());
        let joined = if fork.compete {
            self.cancel_where(id, |other| other as usize != slot);
            self.forget_inside(id, |_| true);
            self.merge(id, std::iter::once(slot)).map(|()| output)
        } else {
            self.begin_needing(id, fork, slot);
            if self
                .run
                .tasks
                .get(&id)
                .is_none_or(|_| self.lines(id).open > 0)
            {
                return;
            }
            self.merge(id, fork.merge_order.iter().copied())
                .and_then(|()| self.join(id, "the branches"))
        };
        match joined {
            Ok(output) => self.complete(id, output, None),
            Err(error) => self.fail(id, error),
        }
    }

    /// Begins the branches that have waited for this one last.
    fn begin_needing(&mut self, id: TaskId, fork: &Fork, done: usize) {
        for &slot in &fork.branches[done].needed_by {
            let is_done = |need: &usize| self.lines(id).output(*need).is_some();
            if fork.branches[slot].needs.iter().all(is_done) {
                self.begin_branch(id, fork, slot);
                if !self.run.tasks.contains_key(&id) {
                    return;
                }
            }
        }
    }

    /// An error has left a branch.
    pub(super) fn branch_failed(&mut self, id: TaskId, slot: u32, error: Error) {
        let plan = self.run.plan.clone();
        if self.fork(id, &plan).compete && self.lines(id).open > 1 {
            self.forget_inside(id, |other| other == slot);
            self.drop_line(id, slot as usize);
        } else {
            self.fail(id, error);
        }
    }

    fn fork<'p>(&self, id: TaskId, plan: &'p Plan) -> &'p Fork {
        match &plan.node(self.run.tasks[&id].node).kind {
            Kind::Fork(fork) => fork,
            _ => unreachable!("only forks have branches"),
        }
    }
}

/// Which branches a branch needs, and those need, and so on.
fn needed_by(fork: &Fork, slot: usize) -> Vec<bool> {
    let mut needed = vec![false; fork.branches.len()];
    let mut open = vec![slot];
    while let Some(at) = open.pop() {
        for need in &fork.branches[at].needs {
            if !std::mem::replace(&mut needed[*need], true) {
                open.push(*need);
            }
        }
    }
    needed
}
