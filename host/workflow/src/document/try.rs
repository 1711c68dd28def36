//! `try`: tasks whose errors are caught (dsl-reference, "Try").

use super::read::Object;
use super::{Catch, TaskList};

/// A `try` task.
#[derive(Debug, Clone)]
pub struct Try {
    /// `try`: the tasks to perform, in order.
    pub tasks: TaskList,
    /// `catch`: which errors to catch, and what to do then.
    pub catch: Catch,
}

impl Try {
    pub(super) fn read(object: &mut Object<'_, '_, '_>) -> Option<Self> {
        let tasks = object.required("try");
        let catch = object.required("catch");
        Some(Self {
            tasks: tasks?,
            catch: catch?,
        })
    }
}
