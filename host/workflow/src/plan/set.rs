//! `set`: data of its own making.

use super::Template;
use super::builder::Moment;
use super::lower::Lowering;
use crate::document::Set;

/// A text is an expression as a whole; in an object, the texts of the form `${ }` are.
pub(super) fn lower(lowering: &mut Lowering<'_>, it: &Set) -> Template {
    let pointer = it.value.location.pointer.to_string();
    lowering
        .builder
        .value(&it.value.value, &pointer, Moment::During)
}
