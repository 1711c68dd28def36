//! What is done around tasks (dsl-reference, "Extension").

use super::read::{Field, Read, Reader};
use super::task::named_items;
use super::{Located, TaskList};

/// What is done before and after tasks of a kind.
#[derive(Debug, Clone)]
pub struct Extension {
    /// Its name.
    pub name: Located<String>,
    /// `extend`: around which tasks.
    pub extend: ExtensionTarget,
    /// `when`: the condition under which it applies, an expression.
    pub when: Option<Located<String>>,
    /// `before`: the tasks to perform before.
    pub before: Option<TaskList>,
    /// `after`: the tasks to perform after.
    pub after: Option<TaskList>,
}

/// Around which tasks an extension is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtensionTarget {
    /// `all`.
    All,
    /// `composite`: those with tasks inside.
    Composite,
    /// Those with this key: `call`, `emit`, `for`, …
    Kind(&'static str),
}

/// The extensions of a workflow.
pub(super) struct Extensions(pub(super) Vec<Extension>);

impl Read for Extensions {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let items = named_items(field, reader, "extension")?;
        let read: Vec<_> = items
            .into_iter()
            .map(|(name, field)| Extension::read(name, &field, reader))
            .collect();
        read.into_iter().collect::<Option<_>>().map(Self)
    }
}

impl Extension {
    fn read(name: Located<String>, field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "an extension")?;
        let extend = object.required("extend");
        let when = object.optional("when");
        let before = object.optional("before");
        let after = object.optional("after");
        object.finish()?;
        Some(Self {
            name,
            extend: extend?,
            when: when?,
            before: before?,
            after: after?,
        })
    }
}

impl Read for ExtensionTarget {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let kinds = [
            "call", "emit", "for", "listen", "raise", "run", "set", "switch", "try", "wait",
        ];
        let mut choices: Vec<_> = kinds.map(|kind| (kind, Self::Kind(kind))).into();
        choices.extend([("composite", Self::Composite), ("all", Self::All)]);
        reader.choice(field, &choices)
    }
}
