//! `raise`: an error (dsl-reference, "Raise").

use super::read::Object;
use super::{ErrorDefinition, Reusable};

/// A `raise` task.
#[derive(Debug, Clone)]
pub struct Raise {
    /// `raise.error`: the error.
    pub error: Reusable<ErrorDefinition>,
}

impl Raise {
    pub(super) fn read(object: &mut Object<'_, '_, '_>) -> Option<Self> {
        let field = object.get("raise")?;
        let mut raise = object.reader().object(&field, "`raise`")?;
        let error = raise.required("error");
        raise.finish_with(|key| {
            matches!(key, "type" | "status" | "title" | "detail")
                .then_some("it belongs inside `error`")
        })?;
        Some(Self { error: error? })
    }
}
