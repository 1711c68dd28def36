//! `call`: the way out. The run waits for an answer.

use super::Turn;
use super::command::{Command, Invocation};
use super::task::{TaskId, Work};
use crate::plan::Call;

impl Turn<'_> {
    pub(super) fn begin_call(&mut self, id: TaskId, call: &Call) {
        let arguments = match self.define(id, &call.arguments) {
            Ok(arguments) => arguments,
            Err(error) => return self.fail(id, error),
        };
        let task = self.task_mut(id);
        let invocation = Invocation {
            task: task.key.clone(),
            attempt: task.attempt,
            connector: call.connector.clone(),
            interface: call.interface.clone(),
            function: call.function.clone(),
            arguments,
            deadline: task.place.deadline,
        };
        task.work = Work::Call(invocation.clone());
        self.commands.push(Command::Invoke(invocation));
    }
}
