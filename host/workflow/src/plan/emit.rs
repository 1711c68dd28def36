//! `emit`: an event.

use serde_json::Value;

use super::Template;
use super::builder::{Moment, child};
use super::lower::Lowering;
use crate::cloud_event::is_attribute_name;
use crate::diagnostic::code;
use crate::document;

/// The event to emit: its JSON form, as far as the document gives it.
#[derive(Debug)]
pub(crate) struct Emit {
    pub(crate) members: Vec<(String, Template)>,
}

/// Lowers an `emit`. `source` and `dataschema` may be URI templates.
pub(super) fn lower(lowering: &mut Lowering<'_>, it: &document::Emit) -> Emit {
    let at = it.with.location.pointer.to_string();
    let mut members = Vec::with_capacity(it.with.value.len());
    for (name, value) in &it.with.value {
        let pointer = child(&at, name);
        if !is_attribute_name(name) && !matches!(name.as_str(), "data" | "data_base64") {
            let message = format!("`{name}` can't be the name of an attribute of an event");
            let help = "names are of lower-case letters a to z and digits (CloudEvents 1.0); put it into `data`";
            let error = lowering
                .document
                .error_at(&pointer, code::BAD_NAME, message);
            lowering.builder.report(error.with_help(help.to_owned()));
        }
        let template = match value {
            Value::String(text) if matches!(name.as_str(), "source" | "dataschema") => {
                lowering.builder.uri(text, &pointer)
            }
            other => lowering.builder.template(other, &pointer, Moment::During),
        };
        members.push((name.clone(), template));
    }
    Emit { members }
}
