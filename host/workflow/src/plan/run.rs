//! `run`: another run, of a workflow, or a process.

use std::fmt;

use super::builder::{Moment, child};
use super::lower::Lowering;
use super::process::{self, Settings};
use super::{Kind, Template};
use crate::diagnostic::code;
use crate::document::{self, Process};

/// A workflow that a task runs (dsl-reference, "Workflow Process").
#[derive(Debug)]
pub(crate) struct Subflow {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// The version; none for `latest`.
    pub(crate) version: Option<String>,
    /// The run's input; an empty object where the document gives none.
    pub(crate) input: Template,
    /// Whether the task waits for the run's end.
    pub(crate) awaited: bool,
    /// Where the document names the workflow.
    pub(crate) pointer: String,
}

impl fmt::Display for Subflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version.as_deref().unwrap_or(LATEST);
        write!(f, "{}/{} {version}", self.namespace, self.name)
    }
}

/// Lowers a `run` that stands at `pointer`.
pub(super) fn lower<'d>(lowering: &mut Lowering<'d>, it: &'d document::Run, pointer: &str) -> Kind {
    match &it.process {
        Process::Workflow(flow) => {
            let at = child(pointer, "run");
            no_return(lowering, &child(&at, "return"));
            let at = child(&at, "workflow");
            let input = flow.input.as_ref().map(|input| input.value.clone());
            let input = serde_json::Value::Object(input.unwrap_or_default());
            let version = Some(flow.version.value.clone());
            Kind::Run(Subflow {
                namespace: flow.namespace.value.clone(),
                name: flow.name.value.clone(),
                version: version.filter(|version| version != LATEST),
                input: lowering
                    .builder
                    .template(&input, &child(&at, "input"), Moment::During),
                awaited: it.r#await,
                pointer: at,
            })
        }
        Process::Container(container) => {
            let settings = Settings::new(&child(pointer, "run"), "container", it);
            Kind::Process(process::container(lowering, container, &settings))
        }
        Process::Script(script) => {
            let settings = Settings::new(&child(pointer, "run"), "script", it);
            Kind::Process(process::script(lowering, script, &settings))
        }
        Process::Shell(shell) => {
            let settings = Settings::new(&child(pointer, "run"), "shell", it);
            Kind::Process(process::shell(lowering, shell, &settings))
        }
    }
}

/// The version that means the highest one.
const LATEST: &str = "latest";

/// What a workflow gives is its output: it has no streams and no exit code to choose from.
fn no_return(lowering: &mut Lowering<'_>, pointer: &str) {
    if lowering.document.value_at(pointer).is_none() {
        return;
    }
    let message =
        "`return` is for processes; the output of `run: workflow` is that of the workflow";
    let warning = lowering
        .document
        .warning_at(pointer, code::NO_EFFECT, message);
    lowering
        .builder
        .report(warning.with_help("remove it".to_owned()));
}
