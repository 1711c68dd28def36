//! The workflow as a whole (dsl-reference, "Workflow").

use super::read::{Field, Kind, Read, Reader};
use super::{Evaluate, Header, Input, Output, Reusable, Schedule, Task, TaskList, Timeout, Use};
use crate::diagnostic::code;

/// A workflow.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// `document`: what it is called.
    pub header: Header,
    /// `input`: what it takes.
    pub input: Option<Input>,
    /// `use`: what its parts refer to by name. Empty if not written.
    pub reusable: Use,
    /// `do`: the tasks that it performs, in order.
    pub tasks: TaskList,
    /// `timeout`: how long a run may take.
    pub timeout: Option<Reusable<Timeout>>,
    /// `output`: what it gives.
    pub output: Option<Output>,
    /// `schedule`: when it starts by itself.
    pub schedule: Option<Schedule>,
    /// `evaluate`: how its expressions are understood.
    pub evaluate: Evaluate,
}

impl Read for Workflow {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "a workflow")?;
        if !object.has("document")
            && let Some(key) = ["specVersion", "states", "start"]
                .into_iter()
                .find(|key| object.has(key))
        {
            let location = object.key_location(key);
            let message = "this is a document of an older version of the language";
            object.reader().error(
                code::UNSUPPORTED_DSL,
                &location,
                message,
                "this host speaks DSL 1.0.3, where tasks stand under `do`".to_owned(),
            );
            return None;
        }
        let header = object.required("document");
        let input = object.optional("input");
        let reusable = object.optional("use");
        let tasks = object.required("do");
        let timeout = object.optional("timeout");
        let output = object.optional("output");
        let schedule = object.optional("schedule");
        let evaluate = object.optional("evaluate");
        object.finish_with(|key| match key {
            "name" | "namespace" | "version" | "dsl" | "title" | "summary" | "metadata" => {
                Some("it belongs under `document`")
            }
            _ => None,
        });
        Some(Self {
            header: header?,
            input: input?,
            reusable: reusable?.unwrap_or_default(),
            tasks: tasks?,
            timeout: timeout?,
            output: output?,
            schedule: schedule?,
            evaluate: evaluate?.unwrap_or_default(),
        })
    }
}

impl Workflow {
    /// A workflow that is one task and has nothing else; its header says nothing.
    pub(super) fn of_function(task: Task) -> Self {
        let location = task.location.clone();
        Self {
            header: Header::of_nothing(&location),
            input: None,
            reusable: Use::default(),
            tasks: TaskList {
                tasks: vec![task],
                location,
            },
            timeout: None,
            output: None,
            schedule: None,
            evaluate: Evaluate::default(),
        }
    }

    /// The definition of a timeout, wherever it is written.
    pub fn timeout<'a>(&'a self, timeout: &'a Reusable<Timeout>) -> &'a Timeout {
        timeout.resolve(&self.reusable.timeouts, Kind::Timeouts)
    }

    /// The definition of a retry policy, wherever it is written.
    pub fn retry<'a>(&'a self, retry: &'a Reusable<super::Retry>) -> &'a super::Retry {
        retry.resolve(&self.reusable.retries, Kind::Retries)
    }

    /// The definition of an error, wherever it is written.
    pub fn error<'a>(
        &'a self,
        error: &'a Reusable<super::ErrorDefinition>,
    ) -> &'a super::ErrorDefinition {
        error.resolve(&self.reusable.errors, Kind::Errors)
    }

    /// The definition of an authentication, wherever it is written.
    pub fn authentication<'a>(
        &'a self,
        authentication: &'a Reusable<super::Authentication>,
    ) -> &'a super::Authentication {
        authentication.resolve(&self.reusable.authentications, Kind::Authentications)
    }
}
