//! `fork`: branches side by side, or one after another where one needs another.

use std::collections::{BTreeSet, HashMap};

use super::NodeId;
use super::lower::{Lowering, Targets};
use crate::document;

/// Branches that run at the same time, each from the same input and on its own copy of the context.
#[derive(Debug)]
pub(crate) struct Fork {
    /// In declaration order, which is the order of the outputs.
    pub(crate) branches: Vec<Branch>,
    /// The branches, by index, in the order in which their changes of the context are merged: that of the
    /// declaration, but none before those that it needs.
    pub(crate) merge_order: Vec<usize>,
    /// Whether the first to complete ends the others.
    pub(crate) compete: bool,
}

/// A branch of a fork.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) node: NodeId,
    /// The branches, by index, that must have completed before this one begins, in declaration order.
    pub(crate) needs: Vec<usize>,
    /// The branches, by index, that need this one.
    pub(crate) needed_by: Vec<usize>,
}

/// The variable that holds the outputs of the branches that a branch needs, without `$`.
pub(crate) const BRANCHES: &str = "branches";

/// Lowers the branches of a `fork`. Each stands alone: a directive can't lead from one to another.
pub(super) fn lower<'d>(lowering: &mut Lowering<'d>, it: &'d document::Fork) -> Fork {
    let names = it.branches.iter().map(|branch| branch.task.name.as_str());
    let index: HashMap<&str, usize> = names.zip(0..).collect();
    let mut branches: Vec<Branch> = it
        .branches
        .iter()
        .map(|branch| lower_branch(lowering, &index, branch))
        .collect();
    for at in 0..branches.len() {
        for need in branches[at].needs.clone() {
            branches[need].needed_by.push(at);
        }
    }
    Fork {
        merge_order: merge_order(&branches),
        branches,
        compete: it.compete,
    }
}

fn lower_branch<'d>(
    lowering: &mut Lowering<'d>,
    index: &HashMap<&str, usize>,
    branch: &'d document::Branch,
) -> Branch {
    let needs = branch.needs.iter().map(|need| index[need.as_str()]);
    let needs: Vec<usize> = BTreeSet::from_iter(needs).into_iter().collect();
    // Only who needs somebody knows outputs of others.
    let variables: &[&str] = if needs.is_empty() { &[] } else { &[BRANCHES] };
    lowering.builder.enter(variables);
    let node = lowering.task(&branch.task, &Targets::none());
    lowering.builder.leave(variables.len());
    let needed_by = Vec::new();
    Branch {
        node,
        needs,
        needed_by,
    }
}

/// See [`Fork::merge_order`]. That there is one, the document has checked.
fn merge_order(branches: &[Branch]) -> Vec<usize> {
    let mut missing: Vec<usize> = branches.iter().map(|branch| branch.needs.len()).collect();
    let mut ready: BTreeSet<usize> = (0..branches.len()).filter(|at| missing[*at] == 0).collect();
    let mut order = Vec::with_capacity(branches.len());
    while let Some(next) = ready.pop_first() {
        order.push(next);
        for at in &branches[next].needed_by {
            missing[*at] -= 1;
            if missing[*at] == 0 {
                ready.insert(*at);
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_declaration_as_far_as_needs_allow() {
        let branch = |needs: &[usize], needed_by: &[usize]| Branch {
            node: NodeId(0),
            needs: needs.to_vec(),
            needed_by: needed_by.to_vec(),
        };
        let free = || branch(&[], &[]);
        assert_eq!(merge_order(&[free(), free(), free()]), [0, 1, 2]);
        let chain = [branch(&[2], &[]), branch(&[], &[2]), branch(&[1], &[0])];
        assert_eq!(merge_order(&chain), [1, 2, 0]);
    }
}
