//! `set`: data of its own making.

use serde_json::Value;

use super::Template;
use super::builder::Moment;
use super::lower::Lowering;
use crate::document::Set;

/// A text is an expression as a whole; in an object, the texts of the form `${ }` are.
pub(super) fn lower(lowering: &mut Lowering<'_>, it: &Set) -> Template {
    let pointer = it.value.location.pointer.to_string();
    match &it.value.value {
        Value::String(text) => lowering.builder.expression(text, &pointer, Moment::During),
        other => lowering.builder.template(other, &pointer, Moment::During),
    }
}
