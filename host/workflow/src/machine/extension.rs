//! Extensions: the tasks that are performed before and after another, inside of it.
//!
//! Before the task's own work each extension is looked at in turn: whether it applies, and then its
//! `before`. When the work is done and its output transformed and exported, the `after` of each that
//! applies is performed. What these tasks give goes nowhere; but `then: exit` among them leaves the
//! extended task at once, and what was given there takes the place of its output: of the raw one in
//! `before`, so that the work is never done, of the transformed one in `after`.

use super::Turn;
use super::task::{Extending, Outcome, Place, Stage, TaskId};
use crate::data::Data;
use crate::error::Error;
use crate::plan::{Extension, truthy};

impl Turn<'_> {
    /// Performs what is to be done before a task's own work, and then that.
    pub(super) fn begin_extended(&mut self, id: TaskId) {
        let plan = self.run.plan.clone();
        let node = plan.node(self.run.tasks[&id].node);
        loop {
            let looked_at = self.extending(id).applied.len();
            let Some(extension) = node.extensions.get(looked_at) else {
                self.extending(id).stage = Stage::Own;
                return self.begin(id, &node.kind);
            };
            let applies = match self.applies(id, extension) {
                Ok(applies) => applies,
                Err(error) => return self.fail(id, error),
            };
            self.extending(id).applied.push(applies);
            let before = extension.before.filter(|it| applies && it.first.is_some());
            if let Some(before) = before {
                let input = self.run.tasks[&id].input.clone();
                let place = self.place_in_extension(id);
                return self.go(before, input, place);
            }
        }
    }

    /// A task has done its work. What is to be done after it is performed, and then it is left.
    pub(super) fn finish_extended(&mut self, id: TaskId, outcome: Outcome) {
        if matches!(self.extending(id).stage, Stage::Before) {
            // An extension has left the task before its work; then nothing comes after it either.
            return self.leave(id, outcome);
        }
        self.end_work(id);
        self.extending(id).stage = Stage::After { next: 0, outcome };
        self.go_on_after(id);
    }

    fn go_on_after(&mut self, id: TaskId) {
        let plan = self.run.plan.clone();
        let node = plan.node(self.run.tasks[&id].node);
        let extending = self.extending(id);
        let Stage::After { next, outcome } = &mut extending.stage else {
            unreachable!("the work is done")
        };
        while let Some(extension) = node.extensions.get(*next) {
            let applies = extending.applied[*next];
            *next += 1;
            if let Some(after) = extension.after.filter(|it| applies && it.first.is_some()) {
                let input = outcome.output.clone();
                let place = self.place_in_extension(id);
                return self.go(after, input, place);
            }
        }
        let outcome = outcome.clone();
        self.leave(id, outcome);
    }

    /// The tasks of an extension have come to their end.
    pub(super) fn extension_done(&mut self, id: TaskId) {
        match self.extending(id).stage {
            Stage::Before => self.begin_extended(id),
            Stage::After { .. } => self.go_on_after(id),
            Stage::Own => unreachable!("no extension is at work"),
        }
    }

    /// `then: exit` among the tasks of an extension: the task that it extends is left.
    pub(super) fn leave_extended(&mut self, place: &Place, output: Data) {
        let id = place.parent.expect("an extension is inside a task");
        match &self.extending(id).stage {
            Stage::Before => self.complete(id, output, None),
            Stage::After { outcome, .. } => {
                let outcome = Outcome {
                    output,
                    ..outcome.clone()
                };
                self.leave(id, outcome);
            }
            Stage::Own => unreachable!("no extension is at work"),
        }
    }

    /// Whether what is inside a task just now is an extension's.
    pub(super) fn is_extending(&self, id: TaskId) -> bool {
        let extending = &self.run.tasks[&id].extending;
        extending
            .as_ref()
            .is_some_and(|it| !matches!(it.stage, Stage::Own))
    }

    fn applies(&mut self, id: TaskId, extension: &Extension) -> Result<bool, Error> {
        let Some(when) = &extension.when else {
            return Ok(true);
        };
        let input = self.run.tasks[&id].input.clone();
        let place = self.place_in_extension(id);
        self.fill_on(id, when, &input, &place)
            .map(|value| truthy(&value))
    }

    /// Where the tasks of an extension run: inside the task that they extend, which is their `$task`.
    fn place_in_extension(&self, id: TaskId) -> Place {
        Place {
            extended: Some(id),
            ..self.run.tasks[&id].place.inside(id)
        }
    }

    fn extending(&mut self, id: TaskId) -> &mut Extending {
        self.task_mut(id)
            .extending
            .as_mut()
            .expect("an extended task keeps how far its extensions are")
    }
}
