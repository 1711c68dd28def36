//! `run`: another run, of a workflow. Where it is awaited, its end is the task's; where it is not, the
//! input passes through as soon as it has durably started. That happens once for each visit: where the visit is made
//! again, it is not known whether it had started before, and it must be the same run.

use super::Turn;
use super::command::{ChildRun, Command};
use super::task::{TaskId, Work};
use crate::plan::Subflow;

impl Turn<'_> {
    pub(super) fn begin_run(&mut self, id: TaskId, flow: &Subflow) {
        let input = match self.define(id, &flow.input) {
            Ok(input) => input,
            Err(error) => return self.fail(id, error),
        };
        let task = &self.run.tasks[&id];
        let (visit, this) = ((task.node, task.key.visit), (task.attempt, task.started_at));
        let frame = task.place.frame;
        let (first, at) = match flow.awaited {
            true => this,
            false => self.run.visits.start(visit, this, frame),
        };
        let task = self.task_mut(id);
        let child = ChildRun {
            task: task.key.clone(),
            attempt: task.attempt,
            first,
            at,
            namespace: flow.namespace.clone(),
            name: flow.name.clone(),
            version: flow.version.clone(),
            input,
            awaited: flow.awaited,
        };
        task.work = Work::Run(child.clone());
        self.commands.push(Command::StartRun(child));
    }
}
