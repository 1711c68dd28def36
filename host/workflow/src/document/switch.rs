//! `switch`: where to go on (dsl-reference, "Switch").

use super::read::{Field, Object, Reader};
use super::task::named_items;
use super::{Flow, Located, Location};
use crate::diagnostic::code;

/// A `switch` task.
#[derive(Debug, Clone)]
pub struct Switch {
    /// `switch`: the cases, in order, at least one. At most one has no condition.
    pub cases: Vec<Case>,
}

/// A case of a `switch`.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name.
    pub name: Located<String>,
    /// `when`: its condition, an expression. Without one it is the default, for when no other case matches.
    pub when: Option<Located<String>>,
    /// `then`: where the flow goes on.
    pub then: Located<Flow>,
    /// Where it is written.
    pub location: Location,
}

impl Switch {
    pub(super) fn read(object: &mut Object<'_, '_, '_>) -> Option<Self> {
        let field = object.get("switch")?;
        let reader = object.reader();
        let items = named_items(&field, reader, "case")?;
        if field.items().is_some_and(|items| items.len() == 0) {
            reader.error(
                code::BAD_VALUE,
                &field.location(),
                "a `switch` needs at least one case",
                None,
            );
            return None;
        }
        let cases: Vec<_> = items
            .into_iter()
            .map(|(name, field)| Case::read(name, &field, reader))
            .collect();
        let cases = cases.into_iter().collect::<Option<Vec<_>>>()?;
        let mut defaults = cases.iter().filter(|case| case.when.is_none());
        if let (Some(first), Some(second)) = (defaults.next(), defaults.next()) {
            let message = format!("`{}` is a second case without `when`", second.name.value);
            let diagnostic = reader
                .diagnostic(
                    code::SEVERAL_DEFAULTS,
                    &second.name.location,
                    message,
                    "give all cases but one a condition".to_owned(),
                )
                .with_related(
                    reader.source(),
                    first.name.location.span,
                    "the first is here",
                );
            reader.report(diagnostic);
            return None;
        }
        Some(Self { cases })
    }
}

impl Case {
    fn read(name: Located<String>, field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "a case")?;
        let when = object.optional("when");
        let then = object.required("then");
        object.finish_with(|key| match key {
            "if" | "condition" => Some("did you mean `when`?"),
            "do" | "call" | "set" => {
                Some("a case only says where to go on: name a task of the list in `then`")
            }
            _ => None,
        })?;
        Some(Self {
            name,
            when: when?,
            then: then?,
            location: field.location(),
        })
    }
}
