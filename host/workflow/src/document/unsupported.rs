//! What this host does not run yet, and what others don't.

use serde_json::Value;

use super::{Approval, Call, Document, Input, Location, Schema, Task, TaskKind, TaskList};
use crate::diagnostic::{self, Diagnostic, code};

/// What of a document this host does not run yet. This list shrinks with time; the model does not change.
pub(super) fn unsupported(document: &Document) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    Walk {
        document,
        report: &mut |finding, location| {
            if let Some((message, help)) = finding.unsupported() {
                let error =
                    Diagnostic::error(&document.source, code::UNSUPPORTED, location.span, message);
                found.push(
                    error
                        .pointing_to(location.pointer.to_string())
                        .with_help(help),
                );
            }
        },
    }
    .document();
    diagnostic::sort(&mut found);
    found
}

/// What of a document only this host runs.
pub(super) fn not_portable(document: &Document) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    Walk {
        document,
        report: &mut |finding, location| {
            if let Some(message) = finding.not_portable() {
                let warning = Diagnostic::warning(
                    &document.source,
                    code::NOT_PORTABLE,
                    location.span,
                    message,
                );
                found.push(warning.pointing_to(location.pointer.to_string()));
            }
        },
    }
    .document();
    diagnostic::sort(&mut found);
    found
}

/// A part of a document that not every host runs.
enum Finding<'a> {
    Needs,
    Concurrency,
    Compensate,
    TimeZone,
    Approval,
    /// Several messages for one call.
    Messages,
    Language(&'a str),
    SchemaFormat(&'a str),
}

impl Finding<'_> {
    /// Why this host does not run it, and what to do instead. `None` for what it runs.
    fn unsupported(&self) -> Option<(String, Option<String>)> {
        let (what, help) = match self {
            Self::Needs
            | Self::Concurrency
            | Self::Compensate
            | Self::Approval
            | Self::Messages
            | Self::TimeZone => return None,
            Self::Language(name) => (format!("the expression language `{name}`"), Some("use jq")),
            Self::SchemaFormat(name) => (
                format!("the schema format `{name}`"),
                Some("use `json`: JSON Schema"),
            ),
        };
        Some((
            format!("{what} is not yet supported by this host"),
            help.map(ToOwned::to_owned),
        ))
    }

    /// Why other hosts refuse it. `None` for what the specification knows.
    fn not_portable(&self) -> Option<String> {
        let what = match self {
            Self::Needs => "`needs`",
            Self::Concurrency => "`concurrency`",
            Self::Compensate => "`compensate`",
            Self::TimeZone => "`timezone`",
            Self::Approval => "`call: approval`",
            Self::Messages => "a list as `arguments`",
            _ => return None,
        };
        Some(format!(
            "{what} is an addition of this host, which other runtimes refuse"
        ))
    }
}

/// Goes through a document.
struct Walk<'d, 'r> {
    document: &'d Document,
    report: &'r mut dyn FnMut(Finding<'_>, &Location),
}

impl<'d> Walk<'d, '_> {
    fn document(&mut self) {
        let workflow = self.document.workflow();
        self.input(workflow.input.as_ref());
        self.schema(
            workflow
                .output
                .as_ref()
                .and_then(|output| output.schema.as_ref()),
        );
        let zone = workflow
            .schedule
            .as_ref()
            .and_then(|schedule| schedule.timezone.as_ref());
        if let Some(zone) = zone {
            (self.report)(Finding::TimeZone, &zone.location);
        }
        if let Some(language) = workflow
            .evaluate
            .language
            .as_ref()
            .filter(|language| language.as_str() != "jq")
        {
            (self.report)(Finding::Language(language), &language.location);
        }
        self.reusable();
        self.list(&workflow.tasks);
    }

    fn reusable(&mut self) {
        let reusable = &self.document.workflow().reusable;
        for extension in &reusable.extensions {
            for list in extension.before.iter().chain(&extension.after) {
                self.list(list);
            }
        }
        for (_, function) in reusable.functions.iter() {
            self.task(function);
        }
    }

    fn list(&mut self, list: &'d TaskList) {
        for task in &list.tasks {
            self.task(task);
        }
    }

    fn task(&mut self, task: &'d Task) {
        self.input(task.input.as_ref());
        self.schema(
            task.output
                .as_ref()
                .and_then(|output| output.schema.as_ref()),
        );
        self.schema(
            task.export
                .as_ref()
                .and_then(|export| export.schema.as_ref()),
        );
        if let Some(compensate) = &task.compensate {
            (self.report)(Finding::Compensate, &compensate.location);
            self.list(compensate);
        }
        match &task.kind {
            TaskKind::Call(call) => self.call(call),
            TaskKind::For(one) => {
                if let Some(concurrency) = &one.concurrency {
                    (self.report)(Finding::Concurrency, &concurrency.location);
                }
            }
            TaskKind::Fork(fork) => {
                for branch in &fork.branches {
                    if let Some(need) = branch.needs.first() {
                        (self.report)(Finding::Needs, &need.location);
                    }
                    self.task(&branch.task);
                }
            }
            TaskKind::Do(_)
            | TaskKind::Emit(_)
            | TaskKind::Listen(_)
            | TaskKind::Raise(_)
            | TaskKind::Run(_)
            | TaskKind::Set(_)
            | TaskKind::Switch(_)
            | TaskKind::Try(_)
            | TaskKind::Wait(_) => {}
        }
        if let Some(foreach) = task.kind.foreach() {
            let output = foreach.output.as_ref();
            self.schema(output.and_then(|output| output.schema.as_ref()));
            let export = foreach.export.as_ref();
            self.schema(export.and_then(|export| export.schema.as_ref()));
        }
        for list in task.kind.lists() {
            self.list(list);
        }
    }

    fn call(&mut self, call: &'d Call) {
        match call {
            Call::Http(_) => {}
            Call::Protocol(call) => {
                if call.with.get("arguments").is_some_and(Value::is_array) {
                    let pointer = call.with.location.pointer.key("arguments");
                    let span = self.document.span_of(&pointer.to_string());
                    let span = span.unwrap_or(call.with.location.span);
                    (self.report)(Finding::Messages, &Location { span, pointer });
                }
            }
            Call::Approval(approval) => {
                let Approval { function, .. } = &**approval;
                (self.report)(Finding::Approval, &function.location);
            }
            Call::Function(_) => {}
        }
    }

    fn input(&mut self, input: Option<&'d Input>) {
        self.schema(input.and_then(|input| input.schema.as_ref()));
    }

    fn schema(&mut self, schema: Option<&'d Schema>) {
        let Some(schema) = schema else { return };
        if let Some(format) = schema.format.as_ref().filter(|_| !schema.is_json()) {
            (self.report)(Finding::SchemaFormat(format), &format.location);
        }
    }
}
