//! What the variables of an expression mean where a task stands (dsl.md, "Runtime expression arguments").

use std::borrow::Cow;
use std::cell::OnceCell;

use serde_json::Value;

use super::Machine;
use super::task::{Place, Stage, Task};
use crate::data::Data;
use crate::expression::Variables;

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
    /// `$workflow` as a whole, once an expression has asked for it. It is the same all through an event.
    pub(super) whole_workflow: &'a OnceCell<Value>,
    /// `$task` as a whole, likewise.
    pub(super) whole_task: OnceCell<Value>,
}

/// The members of `$workflow` (dsl.md, "Workflow Descriptor").
const WORKFLOW: [&str; 4] = ["id", "definition", "input", "startedAt"];

/// The members of `$task` (dsl.md, "Task Descriptor"); `output` once there is one.
const TASK: [&str; 6] = [
    "name",
    "reference",
    "definition",
    "input",
    "startedAt",
    "output",
];

impl Variables for View<'_> {
    fn variable(&self, name: &str) -> Option<&Value> {
        match name {
            "context" => Some(self.run.contexts.get(self.place.context)),
            "input" => self.input.map(|it| &**it),
            "output" => self.output.map(|it| &**it),
            "authorization" => self.authorization.map(|it| &**it),
            "runtime" => Some(&self.run.facts.runtime),
            "secrets" => Some(&self.run.facts.secrets),
            "workflow" => Some(self.whole_workflow.get_or_init(|| self.workflow())),
            "task" => {
                let task = self.task?;
                Some(self.whole_task.get_or_init(|| self.task(task)))
            }
            _ => self.place.variables.get(name),
        }
    }

    fn member(&self, name: &str, member: &str) -> Option<Cow<'_, Value>> {
        let value = match name {
            "workflow" => self.workflow_member(member),
            "task" => {
                let task = self.task?;
                self.task_member(task, member)
                    .or_else(|| self.definition_beside(task)?.get(member).map(Cow::Borrowed))
            }
            _ => return None,
        };
        Some(value.unwrap_or(Cow::Borrowed(&Value::Null)))
    }
}

impl View<'_> {
    /// All of `$workflow`: a copy of the document and of the input.
    fn workflow(&self) -> Value {
        let members = WORKFLOW.map(|name| (name, self.workflow_member(name)));
        put_together(members)
    }

    fn workflow_member(&self, name: &str) -> Option<Cow<'_, Value>> {
        let run = self.run;
        match name {
            "id" => Some(Cow::Owned(Value::from(run.facts.id.as_str()))),
            "definition" => Some(Cow::Borrowed(run.plan.definition())),
            "input" => Some(Cow::Borrowed(&run.input)),
            "startedAt" => Some(Cow::Owned(run.started_at.descriptor())),
            _ => None,
        }
    }

    /// All of `$task`: a copy of its definition, input and output.
    fn task(&self, task: &Task) -> Value {
        let members = TASK.map(|name| (name, self.task_member(task, name)));
        let mut descriptor = put_together(members);
        if let Some(definition) = self.definition_beside(task) {
            add_definition(&mut descriptor, definition);
        }
        descriptor
    }

    fn task_member<'t>(&'t self, task: &'t Task, name: &str) -> Option<Cow<'t, Value>> {
        let node = self.run.plan.node(task.node);
        match name {
            "name" => Some(Cow::Owned(Value::from(node.name.as_str()))),
            "reference" => Some(Cow::Owned(Value::from(&*node.pointer))),
            "definition" => Some(Cow::Borrowed(&*node.definition)),
            "input" => Some(Cow::Borrowed(&*task.raw_input)),
            "startedAt" => Some(Cow::Owned(task.started_at.descriptor())),
            "output" => self.raw_output(task).map(|it| Cow::Borrowed(&**it)),
            _ => None,
        }
    }

    /// The definition whose members stand beside those of the descriptor: of a task that an extension extends. The
    /// specification's examples of extensions write `$task.call` and `$task.with` (dsl-reference, "Extension").
    fn definition_beside(&self, task: &Task) -> Option<&Value> {
        let extended = self.place.extended.is_some();
        extended.then(|| &*self.run.plan.node(task.node).definition)
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

/// An object of those members that there are.
fn put_together<'m>(members: impl IntoIterator<Item = (&'m str, Option<Cow<'m, Value>>)>) -> Value {
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.into_owned())))
        .collect()
}

/// Puts the members of a task's definition beside those of its descriptor.
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
