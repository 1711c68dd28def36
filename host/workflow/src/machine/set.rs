//! `set`: the output is what the template makes of the input.

use super::Turn;
use super::task::TaskId;
use crate::plan::Template;

impl Turn<'_> {
    pub(super) fn begin_set(&mut self, id: TaskId, template: &Template) {
        match self.define(id, template) {
            Ok(output) => self.complete(id, output, None),
            Err(error) => self.fail(id, error),
        }
    }
}
