//! `run`: another run, of a workflow. Where it is awaited, its end is the task's; where it is not, the
//! input passes through as soon as it has durably started.

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
        let task = self.task_mut(id);
        let child = ChildRun {
            task: task.key.clone(),
            attempt: task.attempt,
            at: task.started_at,
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
