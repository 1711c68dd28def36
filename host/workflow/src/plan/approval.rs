//! `call: approval`: a task for a person.

use serde_json::Value;

use super::builder::Moment;
use super::lower::Lowering;
use super::{BadSchema, Schema, Template};
use crate::diagnostic::code;
use crate::document::{self, Located};

/// A task for a person.
#[derive(Debug)]
pub(crate) struct Approval {
    pub(crate) title: Template,
    pub(crate) description: Option<Template>,
    /// Gives a list of names.
    pub(crate) assignees: Option<Template>,
    /// Gives a JSON Schema.
    pub(crate) form: Option<Template>,
}

/// Lowers a `call: approval`.
pub(super) fn lower(lowering: &mut Lowering<'_>, it: &document::Approval) -> Approval {
    let title = text(lowering, &it.title);
    let description = it.description.as_ref().map(|it| text(lowering, it));
    let assignees = it.assignees.as_ref().map(|it| value(lowering, it));
    let form = it.form.as_ref().map(|it| form(lowering, it));
    Approval {
        title,
        description,
        assignees,
        form,
    }
}

fn form(lowering: &mut Lowering<'_>, it: &Located<Value>) -> Template {
    let template = value(lowering, it);
    if let Template::Constant(schema) = &template
        && let Err(BadSchema { place, message }) =
            Schema::new(schema, &mut lowering.schema_patterns)
    {
        let message = format!("this is no JSON Schema: {message}");
        let pointer = format!("{}{place}", it.location.pointer);
        let diagnostic = lowering
            .document
            .error_at(&pointer, code::BAD_SCHEMA, message);
        lowering.builder.report(diagnostic);
    }
    template
}

fn text(lowering: &mut Lowering<'_>, it: &Located<String>) -> Template {
    let pointer = it.location.pointer.to_string();
    lowering.builder.text(&it.value, &pointer, Moment::During)
}

fn value(lowering: &mut Lowering<'_>, it: &Located<Value>) -> Template {
    let pointer = it.location.pointer.to_string();
    lowering
        .builder
        .template(&it.value, &pointer, Moment::During)
}
