//! `run` of a script, a shell command or a container: a call of the connector that runs it.

use serde_json::{Map, Value, json};

use super::Turn;
use super::command::{Command, Invocation};
use super::task::{TaskId, Work};
use crate::data::Data;
use crate::document::ProcessReturn;
use crate::error::{Error, ErrorKind};
use crate::plan::{PROCESS_FUNCTION, Process};

/// How much of what a failed process wrote is in its error's detail, in bytes. All of it is in the data.
const DETAIL_BYTES_MAX: usize = 512;

impl Turn<'_> {
    pub(super) fn begin_process(&mut self, id: TaskId, process: &Process) {
        let arguments = match self.process_arguments(id, process) {
            Ok(arguments) => arguments,
            Err(error) => return self.fail(id, error),
        };
        let task = self.task_mut(id);
        let invocation = Invocation {
            task: task.key.clone(),
            attempt: task.attempt,
            connector: process.connector.to_owned(),
            interface: None,
            function: PROCESS_FUNCTION.to_owned(),
            arguments: arguments.into(),
            deadline: task.place.deadline,
            awaited: process.awaited,
            items: false,
        };
        if process.awaited {
            task.work = Work::Call(invocation.clone());
            self.commands.push(Command::Invoke(invocation));
            return;
        }
        // Nobody waits for it (dsl-reference, "Run", `await`): the input passes through.
        let input = self.run.tasks[&id].input.clone();
        let key = (invocation.task.clone(), invocation.attempt);
        self.run.unawaited.insert(key, invocation.clone());
        self.commands.push(Command::Invoke(invocation));
        self.complete(id, input, None);
    }

    /// Somebody ends the run: what no task waits for ends with it.
    pub(super) fn abandon_unawaited(&mut self) {
        for (task, attempt) in std::mem::take(&mut self.run.unawaited).into_keys() {
            self.commands.push(Command::Abandon { task, attempt });
        }
    }

    /// What the connector is given: the texts that the document promises, whatever its expressions gave.
    fn process_arguments(&mut self, id: TaskId, process: &Process) -> Result<Value, Error> {
        let filled = self.define(id, &process.arguments)?;
        let mut arguments = Map::new();
        for (name, value) in filled.as_object().into_iter().flatten() {
            if let Some(value) = argument(name, value) {
                arguments.insert(name.clone(), value);
            }
        }
        if process.connector == "container" {
            if !arguments.contains_key("name") {
                arguments.insert("name".to_owned(), Value::String(self.container_name(id)));
            }
            if let Some(after) = &process.removal {
                let after = self.duration(id, after)?;
                let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                arguments.insert("after".to_owned(), json!(after));
            }
        }
        Ok(Value::Object(arguments))
    }

    /// The name that the specification recommends (dsl-reference, "Container Process"):
    /// `{workflow.name}-{uuid}.{workflow.namespace}-{task.name}`, with the run's id as the UUID. A further visit or
    /// attempt has a name of its own.
    fn container_name(&self, id: TaskId) -> String {
        let task = &self.run.tasks[&id];
        let document = &self.run.plan.definition()["document"];
        let part = |name: &str| document[name].as_str().unwrap_or_default();
        let mut name = format!(
            "{}-{}.{}-{}",
            part("name"),
            self.run.facts.id,
            part("namespace"),
            self.run.plan.node(task.node).name
        );
        if (task.key.visit, task.attempt) != (1, 1) {
            name.push_str(&format!("-{}-{}", task.key.visit, task.attempt));
        }
        name
    }

    /// A process has ended: its output, or an error where its exit code is not what the workflow asked for.
    pub(super) fn process_ended(&mut self, id: TaskId, output: ProcessReturn, result: &Data) {
        let code = &result["code"];
        match output {
            ProcessReturn::Stdout | ProcessReturn::None if *code != json!(0) => {
                self.fail(id, exited(result));
            }
            ProcessReturn::Stdout => self.complete(id, result["stdout"].clone().into(), None),
            ProcessReturn::Stderr => self.complete(id, result["stderr"].clone().into(), None),
            ProcessReturn::Code => self.complete(id, code.clone().into(), None),
            ProcessReturn::All => self.complete(id, result.clone(), None),
            ProcessReturn::None => self.complete(id, Data::default(), None),
        }
    }
}

/// A member of the arguments in the form that connectors take it in. `null` is left out.
fn argument(name: &str, value: &Value) -> Option<Value> {
    match (name, value) {
        ("arguments", Value::Array(items)) => Some(items.iter().map(text).collect()),
        ("environment" | "ports" | "volumes", Value::Object(members)) => {
            let pairs = members.iter().filter(|(_, value)| !value.is_null());
            Some(
                pairs
                    .map(|(name, value)| json!([name, text(value)]))
                    .collect(),
            )
        }
        (_, Value::Null) => None,
        ("code" | "command" | "image" | "name" | "stdin", value) => Some(text(value)),
        (_, value) => Some(value.clone()),
    }
}

/// A string as it is, anything else as JSON text.
fn text(value: &Value) -> Value {
    match value {
        Value::String(_) => value.clone(),
        other => Value::String(other.to_string()),
    }
}

/// The error of a process that ended with another exit code than 0, and whose code is not the output.
fn exited(result: &Value) -> Error {
    let stderr = result["stderr"].as_str().unwrap_or_default().trim_end();
    // The end of it says what went wrong.
    let start = stderr.ceil_char_boundary(stderr.len().saturating_sub(DETAIL_BYTES_MAX));
    let said = match &stderr[start..] {
        "" => String::new(),
        said => format!(": {said}"),
    };
    let detail = format!(
        "the process ended with the exit code {}{said}",
        result["code"]
    );
    let mut error = Error::new(ErrorKind::Runtime, "The process failed", detail);
    error.data = Some(result.clone());
    error
}
