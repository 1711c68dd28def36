//! `call`: the way out. The run waits for an answer.

use std::sync::Arc;

use super::Turn;
use super::authorization::descriptor;
use super::command::{Command, Invocation};
use super::task::{TaskId, Work};
use crate::error::Error;
use crate::plan::{Call, Template};

impl Turn<'_> {
    pub(super) fn begin_call(&mut self, id: TaskId, call: &Call) {
        let authorized = self.authorize(id, call.authentication.as_ref());
        let arguments = match authorized.and_then(|()| self.define(id, &call.arguments)) {
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
            awaited: true,
        };
        task.work = Work::Call(invocation.clone());
        self.commands.push(Command::Invoke(invocation));
    }

    /// Makes `$authorization` exist for the rest of the task.
    fn authorize(&mut self, id: TaskId, authentication: Option<&Template>) -> Result<(), Error> {
        if let Some(authentication) = authentication {
            let authentication = self.define(id, authentication)?;
            self.task_mut(id).authorization = Arc::new(descriptor(&authentication));
        }
        Ok(())
    }
}
