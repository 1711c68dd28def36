//! `raise`: an error on purpose.

use super::Template;
use super::builder::Moment;
use super::lower::Lowering;
use crate::document::{self, Located};

/// The error to raise (dsl-reference, "Error"), its members not yet evaluated.
#[derive(Debug)]
pub(crate) struct Raise {
    pub(crate) type_uri: Template,
    pub(crate) status: u16,
    pub(crate) instance: Option<Template>,
    pub(crate) title: Option<Template>,
    pub(crate) detail: Option<Template>,
}

/// Lowers a `raise`; the name of an error under `use` stands for that error.
pub(super) fn lower(lowering: &mut Lowering<'_>, it: &document::Raise) -> Raise {
    let error = lowering.document.workflow().error(&it.error);
    let mut text = |text: &Located<String>| {
        lowering.builder.text(
            &text.value,
            &text.location.pointer.to_string(),
            Moment::During,
        )
    };
    Raise {
        type_uri: text(&error.r#type),
        status: error.status.value,
        instance: error.instance.as_ref().map(&mut text),
        title: error.title.as_ref().map(&mut text),
        detail: error.detail.as_ref().map(&mut text),
    }
}
