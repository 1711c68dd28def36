//! Going on under another version of the workflow. Only what has not been performed may differ in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::Machine;
use crate::plan::{Node, NodeId, Plan};

/// Why a run can't go on under another version: what of it that has been performed differs there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {how}")]
pub struct Difference {
    /// What differs: a task by its JSON pointer, or a part of the workflow.
    pub what: String,
    /// In which way.
    pub how: &'static str,
}

/// The members of a task that others are inside of which may differ while it is under way: what is inside it
/// is looked at for itself, the rest is still to come.
const STILL_TO_COME: [&str; 9] = [
    "do",
    "try",
    "catch",
    "output",
    "export",
    "then",
    "timeout",
    "compensate",
    "metadata",
];

impl Machine {
    /// Lets a faulted run go on under another version of its workflow when it is tried again. `secrets` is
    /// `$secrets` under that version, as in [`super::Facts`].
    ///
    /// # Errors
    ///
    /// Where a task that has been performed differs, or stands elsewhere. Nothing has changed then.
    pub fn adopt(&mut self, plan: Arc<Plan>, secrets: Value) -> Result<(), Difference> {
        let renumbered = self.renumbered(&plan)?;
        let new = |id: NodeId| renumbered.get(&id).copied().unwrap_or(id);
        self.visits.renumber(new);
        if let Some(failed) = &mut self.failed {
            for buried in &mut failed.tasks {
                buried.task.node = new(buried.task.node);
            }
            for entry in &mut failed.entries {
                entry.node = new(entry.node);
            }
        }
        let named = |member: &str| plan.definition()["document"][member].as_str();
        let [namespace, name, version] =
            ["namespace", "name", "version"].map(|member| named(member).unwrap_or_default());
        self.adopted = Some(format!("{namespace}/{name} {version}"));
        self.facts.secrets = secrets;
        self.plan = plan;
        Ok(())
    }

    /// The numbers that the tasks which the run has come to have in another plan.
    fn renumbered(&self, plan: &Plan) -> Result<BTreeMap<NodeId, NodeId>, Difference> {
        let numbers = (0..).map(NodeId).zip(&plan.nodes);
        let numbers: BTreeMap<&str, NodeId> =
            numbers.map(|(id, node)| (&*node.pointer, id)).collect();
        let (mut going_on, mut again) = (BTreeSet::new(), BTreeSet::new());
        if let Some(failed) = &self.failed {
            let busy = failed.busy();
            for buried in &failed.tasks {
                match buried.goes_on(&busy) {
                    true => going_on.insert(buried.task.node),
                    false => again.insert(buried.task.node),
                };
            }
            again.extend(failed.entries.iter().map(|entry| entry.node));
        }
        let mut renumbered = BTreeMap::new();
        for id in self.visits.nodes().chain(again.iter().copied()) {
            let before = self.plan.node(id);
            let differs = |how| Difference {
                what: before.pointer.to_string(),
                how,
            };
            let new = numbers.get(&*before.pointer);
            let new = *new.ok_or_else(|| {
                differs("has been performed, and is not there in the other version")
            })?;
            let after = plan.node(new);
            if going_on.contains(&id) {
                if shell(before) != shell(after) {
                    return Err(differs("is under way, and is another in the other version"));
                }
            } else if !again.contains(&id) && before.definition != after.definition {
                return Err(differs(
                    "has been performed, and is another in the other version",
                ));
            }
            renumbered.insert(id, new);
        }
        let has_begun = !renumbered.is_empty();
        if has_begun && self.plan.definition().get("input") != plan.definition().get("input") {
            return Err(Difference {
                what: "the workflow's `input`".to_owned(),
                how: "has been used, and is another in the other version",
            });
        }
        Ok(renumbered)
    }
}

/// What of a task that others are inside of has been used when it is under way.
fn shell(node: &Node) -> Value {
    let Value::Object(mut members) = Value::clone(&node.definition) else {
        return Value::Null;
    };
    members.retain(|key, _| !STILL_TO_COME.contains(&key.as_str()));
    if let Some(fork) = members.get_mut("fork") {
        let branches = fork["branches"].as_array().into_iter().flatten();
        let names = branches.flat_map(|branch| branch.as_object().into_iter().flatten());
        let names: Value = names
            .map(|(name, task)| serde_json::json!([name, task.get("needs")]))
            .collect();
        *fork = serde_json::json!([names, fork.get("compete")]);
    }
    members.insert("kind".to_owned(), Value::from(node.kind.name()));
    Value::Object(members)
}
