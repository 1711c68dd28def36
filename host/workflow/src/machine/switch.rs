//! `switch`: the first case that holds decides where to go; the default case when none does; without
//! one, the task's own `then`. The input passes through.

use super::Turn;
use super::task::TaskId;
use crate::error::Error;
use crate::plan::{Case, Edge, truthy};

impl Turn<'_> {
    pub(super) fn begin_switch(&mut self, id: TaskId, cases: &[Case]) {
        match self.choose(id, cases) {
            Ok(edge) => {
                let input = self.run.tasks[&id].input.clone();
                self.complete(id, input, edge);
            }
            Err(error) => self.fail(id, error),
        }
    }

    fn choose(&mut self, id: TaskId, cases: &[Case]) -> Result<Option<Edge>, Error> {
        for case in cases {
            if let Some(when) = &case.when
                && truthy(&*self.define(id, when)?)
            {
                return Ok(Some(case.then));
            }
        }
        Ok(cases
            .iter()
            .find(|case| case.when.is_none())
            .map(|case| case.then))
    }
}
