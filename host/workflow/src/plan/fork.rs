//! `fork`: branches side by side.

use super::NodeId;
use super::lower::{Lowering, Targets};
use crate::document;

/// Branches that run at the same time, each from the same input and on its own copy of the context.
#[derive(Debug)]
pub(crate) struct Fork {
    /// In declaration order, which is the order of the outputs.
    pub(crate) branches: Vec<NodeId>,
    /// Whether the first to complete ends the others.
    pub(crate) compete: bool,
}

/// Lowers the branches of a `fork`. Each stands alone: a directive can't lead from one to another.
pub(super) fn lower<'d>(lowering: &mut Lowering<'d>, it: &'d document::Fork) -> Fork {
    let branches = it
        .branches
        .iter()
        .map(|branch| lowering.task(&branch.task, &Targets::none()))
        .collect();
    Fork {
        branches,
        compete: it.compete,
    }
}
