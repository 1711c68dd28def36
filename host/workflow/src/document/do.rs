//! `do`: tasks in order (dsl-reference, "Do").

use super::TaskList;
use super::read::Object;

/// A `do` task.
#[derive(Debug, Clone)]
pub struct Do {
    /// `do`: the tasks to perform, in order.
    pub tasks: TaskList,
}

impl Do {
    pub(super) fn read(object: &mut Object<'_, '_, '_>) -> Option<Self> {
        Some(Self {
            tasks: object.required("do")?,
        })
    }
}
