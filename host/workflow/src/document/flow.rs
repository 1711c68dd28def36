//! Where the flow goes on after a task (dsl-reference, "Flow Directive").

use super::Located;
use super::read::{Field, Read, Reader, Scope, nearest};
use crate::diagnostic::code;

/// A flow directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// To the next task of the list.
    Continue,
    /// Out of the list.
    Exit,
    /// To the end of the workflow.
    End,
    /// To the task of that name in the same list. That it is there has been checked.
    To(String),
}

/// The names that lead nowhere, since they are directives.
pub(super) const DIRECTIVES: [&str; 3] = ["continue", "exit", "end"];

impl Read for Located<Flow> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = Located::<String>::read(field, reader)?;
        let flow = match text.as_str() {
            "continue" => Flow::Continue,
            "exit" => Flow::Exit,
            "end" if reader.undoes() => {
                let message = "the workflow cannot end where something is undone";
                let help = "write `exit`: the undo steps are over then".to_owned();
                reader.error(code::BAD_VALUE, &text.location, message, help);
                return None;
            }
            "end" => Flow::End,
            name => {
                let (message, help) = match reader.scope() {
                    Scope::List(names) if names.contains_key(name) => {
                        return Some(field.located(Flow::To(name.to_owned())));
                    }
                    Scope::List(_) if reader.is_full() => return None,
                    Scope::List(names) => {
                        let mut candidates: Vec<_> = names.iter().collect();
                        candidates.sort_by_key(|(_, span)| span.start);
                        let candidates = candidates
                            .into_iter()
                            .map(|(name, _)| name.as_str())
                            .chain(DIRECTIVES);
                        let help = nearest(name, candidates).map_or_else(
                            || "`then` leads to a task of the same list, or is `continue`, `exit` or `end`".to_owned(),
                            |nearest| format!("did you mean `{nearest}`?"),
                        );
                        (format!("there is no task `{name}` in this list"), help)
                    }
                    Scope::Closed(why) => (
                        format!("`then` cannot lead to `{name}`: {why}"),
                        "only `continue`, `exit` and `end` are possible here".to_owned(),
                    ),
                };
                reader.error(code::UNKNOWN_TASK, &text.location, message, help);
                return None;
            }
        };
        Some(field.located(flow))
    }
}
