//! Reading a tree of values into the model, reporting everything that is wrong on the way.
//!
//! Whoever reads a part gets `None` when something in it was wrong and has been reported. To report all
//! that is wrong in a mapping, read all of its keys first and only then use `?`.

mod names;
mod object;

pub(crate) use names::nearest;
pub(super) use names::{Kind, is_expression};
pub(super) use object::Object;

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Located, Location, Pointer, Task, Workflow};
use crate::diagnostic::{Diagnostic, Diagnostics, Source, Span, code};
use crate::yaml::{Data, Node};
use names::Names;

/// A part of the model that can be read from a value.
pub(super) trait Read: Sized {
    /// Reads it. `None` when something was wrong, which has been reported then.
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self>;
}

/// A value to be read.
#[derive(Clone)]
pub(super) struct Field<'a> {
    pub node: &'a Node,
    /// The key under which it is written.
    pub key_span: Option<Span>,
    pub pointer: Pointer,
}

/// What has been found out so far.
pub(super) struct Reader<'a> {
    source: &'a Source,
    diagnostics: Diagnostics,
    names: Names<'a>,
    /// The names of the tasks in each list that is being read, the innermost last.
    scopes: Vec<Scope>,
    /// Whether what is being read undoes something.
    undoes: bool,
}

/// The tasks that a flow directive can lead to.
pub(super) enum Scope {
    /// Those of a list that is performed in order, with the place of each.
    List(HashMap<String, Span>),
    /// None, and why.
    Closed(&'static str),
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Source, root: &'a Node, warnings: Vec<Diagnostic>) -> Self {
        let mut diagnostics = Diagnostics::default();
        diagnostics.extend(warnings);
        Self {
            source,
            diagnostics,
            names: Names::defined_by(root),
            scopes: Vec::new(),
            undoes: false,
        }
    }

    pub(super) fn workflow(&mut self, root: &Node) -> Option<Workflow> {
        Workflow::read(
            &Field {
                node: root,
                key_span: None,
                pointer: Pointer::root(),
            },
            self,
        )
    }

    /// A task that is all of a document.
    pub(super) fn function(&mut self, root: &Node) -> Option<Task> {
        let field = Field {
            node: root,
            key_span: None,
            pointer: Pointer::root(),
        };
        // It is called by whatever name whoever calls it gives it.
        let name = Located {
            value: "function".to_owned(),
            location: field.location(),
        };
        let scope = Scope::Closed("a function has no tasks beside it");
        self.in_scope(scope, |reader| Task::read(name, &field, reader))
    }

    /// What has been found out.
    pub(super) fn finish(self) -> Diagnostics {
        self.diagnostics
    }

    /// Whether no further error will be listed, so that finding advice is wasted time.
    pub(super) fn is_full(&self) -> bool {
        self.diagnostics.is_full()
    }

    pub(super) fn source(&self) -> &'a Source {
        self.source
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.report(diagnostic);
    }

    /// Reports an error about `location`.
    pub(super) fn error(
        &mut self,
        code: &'static str,
        location: &Location,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        let diagnostic = self.diagnostic(code, location, message, help);
        self.report(diagnostic);
    }

    /// An error about `location`, to be added to and reported.
    pub(super) fn diagnostic(
        &self,
        code: &'static str,
        location: &Location,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) -> Diagnostic {
        Diagnostic::error(self.source, code, location.span, message)
            .pointing_to(location.pointer.to_string())
            .with_help(help.into())
    }

    /// Reports a warning about `location`.
    pub(super) fn warning(
        &mut self,
        code: &'static str,
        location: &Location,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        let warning = Diagnostic::warning(self.source, code, location.span, message);
        self.report(
            warning
                .pointing_to(location.pointer.to_string())
                .with_help(help.into()),
        );
    }

    /// Reports that `field` is not what it should be.
    pub(super) fn wrong_type(
        &mut self,
        field: &Field<'_>,
        expected: &str,
        help: impl Into<Option<String>>,
    ) {
        let message = format!("expected {expected}, found {}", field.node.kind());
        self.error(code::WRONG_TYPE, &field.location(), message, help);
    }

    /// The mapping that `field` is, to read its keys from. `what` names it with its article: `a retry policy`.
    pub(super) fn object<'r, 'f>(
        &'r mut self,
        field: &Field<'f>,
        what: &'static str,
    ) -> Option<Object<'r, 'f, 'a>> {
        self.object_or(field, what, what)
    }

    /// The same, where something else than a mapping would do as well: `expected` says all.
    pub(super) fn object_or<'r, 'f>(
        &'r mut self,
        field: &Field<'f>,
        what: &'static str,
        expected: &str,
    ) -> Option<Object<'r, 'f, 'a>> {
        match &field.node.data {
            Data::Mapping(entries) => Some(Object::new(self, field, entries, what)),
            _ => {
                let expected = if expected == what {
                    format!("{what} (a mapping)")
                } else {
                    expected.to_owned()
                };
                self.wrong_type(field, &expected, None);
                None
            }
        }
    }

    /// The one of several values that a text names.
    pub(super) fn choice<T: Clone>(
        &mut self,
        field: &Field<'_>,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let text = Located::<String>::read(field, self)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text.as_str()) {
            return Some(value.clone());
        }
        let help = nearest(&text, choices.iter().map(|(name, _)| *name))
            .map(|name| format!("did you mean `{name}`?"));
        let names: Vec<_> = choices
            .iter()
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        let message = format!(
            "`{}` is not one of {}",
            text.chars().take(80).collect::<String>(),
            names.join(", ")
        );
        self.error(code::BAD_VALUE, &text.location, message, help);
        None
    }

    /// Checks that `use` defines a name, and reports where it doesn't.
    pub(super) fn check_reference(&mut self, kind: Kind, name: &Located<String>) -> Option<()> {
        if self.names.contains(kind, name) {
            return Some(());
        }
        let help = if self.is_full() {
            None
        } else {
            Some(self.names.advice(kind, name))
        };
        self.error(
            code::UNDEFINED_REFERENCE,
            &name.location,
            format!("{} `{}` is not defined", kind.what(), name.value),
            help,
        );
        None
    }

    /// Whether `use` defines a name.
    pub(super) fn defines(&self, kind: Kind, name: &str) -> bool {
        self.names.contains(kind, name)
    }

    /// The names that `use` defines.
    pub(super) fn defined(&self, kind: Kind) -> impl Iterator<Item = &'a str> {
        self.names.all(kind)
    }

    /// Reads with `scope` as what flow directives can lead to.
    pub(super) fn in_scope<T>(&mut self, scope: Scope, read: impl FnOnce(&mut Self) -> T) -> T {
        self.scopes.push(scope);
        let result = read(self);
        self.scopes.pop();
        result
    }

    /// Reads what undoes something.
    pub(super) fn in_undo<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let around = std::mem::replace(&mut self.undoes, true);
        let result = read(self);
        self.undoes = around;
        result
    }

    /// Whether what is being read undoes something.
    pub(super) fn undoes(&self) -> bool {
        self.undoes
    }

    /// What flow directives can lead to.
    pub(super) fn scope(&self) -> &Scope {
        self.scopes
            .last()
            .unwrap_or(&Scope::Closed("there is no list of tasks around it"))
    }
}

impl<'a> Field<'a> {
    /// Where to point at to speak of it: a mapping or list by its key, or else by the first key that it has.
    pub(super) fn location(&self) -> Location {
        let span = match (&self.node.data, self.key_span) {
            (Data::Mapping(_) | Data::Sequence(_), Some(key)) => key,
            (Data::Mapping(entries), None) if !entries.is_empty() => entries[0].key_span,
            (_, Some(key)) if self.node.span.is_empty() => key,
            _ => self.node.span,
        };
        Location {
            span,
            pointer: self.pointer.clone(),
        }
    }

    /// Where all of it is written.
    pub(super) fn whole(&self) -> Location {
        let span = if self.node.span.is_empty() {
            self.key_span.unwrap_or(self.node.span)
        } else {
            self.node.span
        };
        Location {
            span,
            pointer: self.pointer.clone(),
        }
    }

    pub(super) fn located<T>(&self, value: T) -> Located<T> {
        Located {
            value,
            location: self.whole(),
        }
    }

    /// The text, if it is one.
    pub(super) fn as_str(&self) -> Option<&'a str> {
        if let Data::String(text) = &self.node.data {
            Some(text)
        } else {
            None
        }
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Option<impl ExactSizeIterator<Item = Field<'a>>> {
        let items = self.node.as_sequence()?.iter().enumerate();
        let pointer = self.pointer.clone();
        Some(items.map(move |(index, node)| Field {
            node,
            key_span: None,
            pointer: pointer.index(index),
        }))
    }

    /// The entries of a mapping, with their names.
    pub(super) fn entries(&self) -> Option<impl ExactSizeIterator<Item = (&'a str, Field<'a>)>> {
        let pointer = self.pointer.clone();
        Some(self.node.as_mapping()?.iter().map(move |entry| {
            let field = Field {
                node: &entry.value,
                key_span: Some(entry.key_span),
                pointer: pointer.key(&entry.key),
            };
            (entry.key.as_str(), field)
        }))
    }
}

impl Read for Located<String> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let help = match &field.node.data {
            Data::String(text) => return Some(field.located(text.clone())),
            Data::Bool(_) | Data::Number(_) => {
                let text = &reader.source.text()[field.node.span.start..field.node.span.end];
                Some(format!("put it into quotes: '{text}'"))
            }
            Data::Mapping(_) => Some(
                "a value that starts with a curly brace must be in quotes if it is meant as text"
                    .to_owned(),
            ),
            Data::Null | Data::Sequence(_) => None,
        };
        reader.wrong_type(field, "a string", help);
        None
    }
}

impl Read for Located<bool> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let Data::Bool(value) = field.node.data else {
            let quoted = matches!(
                field.as_str(),
                Some("yes" | "no" | "on" | "off" | "true" | "false")
            );
            reader.wrong_type(
                field,
                "a boolean",
                quoted.then(|| "write true or false, without quotes".to_owned()),
            );
            return None;
        };
        Some(field.located(value))
    }
}

impl Read for Located<u64> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match &field.node.data {
            Data::Number(number) => match number.as_u64() {
                Some(value) => return Some(field.located(value)),
                None => reader.error(
                    code::BAD_VALUE,
                    &field.location(),
                    format!("expected an integer from 0, found {number}"),
                    None,
                ),
            },
            Data::String(text)
                if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                reader.wrong_type(field, "an integer", format!("remove the quotes: {text}"));
            }
            _ => reader.wrong_type(field, "an integer", None),
        }
        None
    }
}

/// Any value.
impl Read for Located<Value> {
    fn read(field: &Field<'_>, _: &mut Reader<'_>) -> Option<Self> {
        Some(field.located(field.node.to_value()))
    }
}

/// A mapping with any keys.
impl Read for Located<Map<String, Value>> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match field.node.to_value() {
            Value::Object(map) => Some(field.located(map)),
            _ => {
                reader.wrong_type(field, "a mapping", None);
                None
            }
        }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(items) = field.items() else {
            reader.wrong_type(field, "a list", None);
            return None;
        };
        // All of them are read before the first that was wrong ends it.
        let items: Vec<Option<T>> = items.map(|item| T::read(&item, reader)).collect();
        items.into_iter().collect()
    }
}

impl<T: Read> Read for Box<T> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(field, reader).map(Box::new)
    }
}
