//! `call`: the way out. The run waits for an answer.

use std::sync::Arc;

use super::Turn;
use super::authorization::descriptor;
use super::command::{Command, Detail, Invocation, NoteKind};
use super::event::{Reveal, TaskKey};
use super::task::{TaskId, Work};
use crate::error::Error;
use crate::plan::{Call, Template};

impl Turn<'_> {
    pub(super) fn begin_call(&mut self, id: TaskId, call: &Call) {
        match self.invocation(id, call) {
            Ok(invocation) => {
                self.task_mut(id).work = Work::Call(invocation.clone());
                self.commands.push(Command::Invoke(invocation));
            }
            Err(error) => self.fail(id, error),
        }
    }

    /// The call that a task makes, its arguments evaluated.
    pub(super) fn invocation(&mut self, id: TaskId, call: &Call) -> Result<Invocation, Error> {
        self.authorize(id, call.authentication.as_ref())?;
        let arguments = self.define(id, &call.arguments)?;
        let task = &self.run.tasks[&id];
        Ok(Invocation {
            task: task.key.clone(),
            attempt: task.attempt,
            connector: call.connector.clone(),
            interface: call.interface.clone(),
            function: call.function.clone(),
            arguments,
            deadline: task.place.deadline,
            awaited: true,
            items: false,
        })
    }

    /// A call is about to be given the value of a secret.
    pub(super) fn revealed(&mut self, task: TaskKey, attempt: u32, reveal: Reveal) {
        let detail = Detail {
            reveal: Some(Box::new(reveal)),
            ..Detail::default()
        };
        let kind = NoteKind::TaskSecretRevealed;
        self.note(kind, Some(task), Some(attempt), detail);
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
