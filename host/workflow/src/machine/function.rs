//! A `call` of a function that the document defines: the function's task is performed inside the call, and
//! its output is the call's.

use super::task::{Place, TaskId, Work};
use super::{Step, Turn};
use crate::plan::Function;

impl Turn<'_> {
    pub(super) fn begin_function(&mut self, id: TaskId, function: &Function) {
        let input = match &function.arguments {
            Some(arguments) => self.define(id, arguments),
            None => Ok(self.run.tasks[&id].input.clone()),
        };
        let input = match input {
            Ok(input) => input,
            Err(error) => return self.fail(id, error),
        };
        let task = self.task_mut(id);
        task.work = Work::Do;
        // Within the function, `$task` is the function's own, in an extension too.
        let place = Place {
            extended: None,
            ..task.place.inside(id)
        };
        self.agenda.push_back(Step::Enter {
            node: function.body,
            input,
            place,
        });
    }
}
