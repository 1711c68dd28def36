//! `do`: tasks in sequence. Complete when its sequence is.

use super::Turn;
use super::task::{TaskId, Work};
use crate::plan::Sequence;

impl Turn<'_> {
    pub(super) fn begin_do(&mut self, id: TaskId, body: Sequence) {
        let task = self.task_mut(id);
        task.work = Work::Do;
        let input = task.input.clone();
        let place = task.place.inside(id);
        self.go(body, input, place);
    }
}
