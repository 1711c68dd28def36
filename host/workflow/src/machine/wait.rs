//! `wait`: a pause. The input passes through.

use super::Turn;
use super::event::TimerKey;
use super::task::{TaskId, Work};
use crate::plan::DurationTemplate;

impl Turn<'_> {
    pub(super) fn begin_wait(&mut self, id: TaskId, duration: &DurationTemplate) {
        match self.duration(id, duration) {
            Ok(duration) => {
                let due = self.at.after(duration);
                let task = self.task_mut(id);
                task.work = Work::Wait;
                let timer = TimerKey::Wait(task.key.clone());
                self.set_timer(timer, due);
            }
            Err(error) => self.fail(id, error),
        }
    }

    /// The pause is over.
    pub(super) fn waited(&mut self, id: TaskId) {
        let input = self.run.tasks[&id].input.clone();
        self.complete(id, input, None);
    }
}
