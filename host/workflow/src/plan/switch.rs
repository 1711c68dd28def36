//! `switch`: the first case that holds decides where to go.

use super::lower::{Lowering, Targets, optional};
use super::{Edge, Template};
use crate::document::Switch;

/// A case.
#[derive(Debug)]
pub(crate) struct Case {
    /// The case's name, for the graph.
    pub(crate) name: String,
    /// None for the default case, which is taken when no other holds, wherever it stands.
    pub(crate) when: Option<Template>,
    pub(crate) then: Edge,
}

/// Lowers the cases of a `switch`.
pub(super) fn lower(lowering: &mut Lowering<'_>, it: &Switch, targets: &Targets<'_>) -> Vec<Case> {
    it.cases
        .iter()
        .map(|case| Case {
            name: case.name.value.clone(),
            when: optional(lowering, case.when.as_ref()),
            then: targets.edge(&case.then.value),
        })
        .collect()
}
