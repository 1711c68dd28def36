//! What the variables of an expression mean where a task stands (dsl.md, "Runtime expression arguments").

use std::borrow::Cow;

use serde_json::{Value, json};

use super::Machine;
use super::task::{Place, Stage, Task};
use crate::data::Data;
use crate::plan::Scope;

/// The variables at one moment of a task, or of the workflow itself.
pub(super) struct View<'a> {
    pub(super) run: &'a Machine,
    pub(super) place: &'a Place,
    /// The task that `$task` is about. None for the workflow's own `input.from` and `output.as`.
    pub(super) task: Option<&'a Task>,
    /// `$authorization`; none likewise.
    pub(super) authorization: Option<&'a Data>,
    /// `$input`, once the input has been transformed.
    pub(super) input: Option<&'a Data>,
    /// `$task.output`, once the task has one.
    pub(super) raw_output: Option<&'a Data>,
    /// `$output`, once the output has been transformed.
    pub(super) output: Option<&'a Data>,
}

impl Scope for View<'_> {
    fn variable(&self, name: &str) -> Option<Cow<'_, Value>> {
        match name {
            "context" => Some(Cow::Borrowed(self.run.contexts.get(self.place.context))),
            "input" => self.input.map(|it| Cow::Borrowed(&**it)),
            "output" => self.output.map(|it| Cow::Borrowed(&**it)),
            "authorization" => self.authorization.map(|it| Cow::Borrowed(&**it)),
            "runtime" => Some(Cow::Borrowed(&self.run.facts.runtime)),
            "secrets" => Some(Cow::Borrowed(&self.run.facts.secrets)),
            "workflow" => Some(Cow::Owned(self.workflow())),
            "task" => self.task.map(|task| Cow::Owned(self.task(task))),
            _ => self.place.variables.get(name).map(Cow::Borrowed),
        }
    }
}

impl View<'_> {
    fn workflow(&self) -> Value {
        json!({
            "id": self.run.facts.id,
            "definition": self.run.plan.definition(),
            "input": *self.run.input,
            "startedAt": self.run.started_at.descriptor(),
        })
    }

    fn task(&self, task: &Task) -> Value {
        let node = self.run.plan.node(task.node);
        let mut descriptor = json!({
            "name": node.name,
            "reference": *node.pointer,
            "definition": *node.definition,
            "input": *task.raw_input,
            "startedAt": task.started_at.descriptor(),
        });
        if let Some(output) = self.raw_output(task) {
            descriptor["output"] = Value::clone(output);
        }
        if self.place.extended.is_some() {
            add_definition(&mut descriptor, &node.definition);
        }
        descriptor
    }

    /// `$task.output`: of a task that an extension extends, once its own work is done.
    fn raw_output<'t>(&'t self, task: &'t Task) -> Option<&'t Data> {
        let Some(extending) = task
            .extending
            .as_ref()
            .filter(|_| self.place.extended.is_some())
        else {
            return self.raw_output;
        };
        match &extending.stage {
            Stage::After { outcome, .. } => Some(&outcome.raw_output),
            Stage::Before | Stage::Own => None,
        }
    }
}

/// Puts the members of a task's definition beside those of its descriptor: the specification's examples of
/// extensions write `$task.call` and `$task.with` (dsl-reference, "Extension").
fn add_definition(descriptor: &mut Value, definition: &Value) {
    let (Value::Object(descriptor), Value::Object(definition)) = (descriptor, definition) else {
        return;
    };
    for (key, value) in definition {
        if !descriptor.contains_key(key) {
            descriptor.insert(key.clone(), value.clone());
        }
    }
}
