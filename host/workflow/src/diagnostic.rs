//! What is wrong with a document, where, and what to do about it.
//!
//! A [`Diagnostic`] is complete in itself: it can be shown without the text it speaks of, as a line and a
//! column, and with it, since it carries byte spans. Drawing the source line with a caret is the business
//! of whoever has a terminal.

pub mod code;
mod list;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

pub use list::{DIAGNOSTICS_MAX, Diagnostics};

/// A range of bytes of a text: `start` inclusive, `end` exclusive, both on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// The bytes from `start` to before `end`. An `end` before the `start` gives an empty span.
    pub fn new(start: usize, end: usize) -> Self {
        Self {
            start,
            end: end.max(start),
        }
    }

    /// Whether it contains nothing, though its place still means something.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A place in a text as people count: both from 1, columns in characters (Unicode scalar values).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The document cannot be used.
    Error,
    /// The document can be used, and is probably not what its author means.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing it is, for programs: one of the constants in [`code`]. A code keeps its meaning.
    pub code: &'static str,
    /// What is wrong and why, a fragment that reads well after `error: `.
    pub message: String,
    /// Which bytes of the text are meant.
    pub span: Span,
    /// Where `span` starts, as people count.
    pub position: Position,
    /// The part of the document that is meant, as a JSON pointer (RFC 6901). Empty for the whole document.
    pub pointer: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that have to do with it.
    pub related: Vec<Related>,
}

/// Another place that has to do with a [`Diagnostic`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Which bytes of the text are meant.
    pub span: Span,
    /// Where `span` starts, as people count.
    pub position: Position,
    /// What this place has to do with it.
    pub label: String,
}

impl Diagnostic {
    /// An error about the bytes at `span` of `source`. The pointer is empty.
    pub fn error(
        source: &Source,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> Self {
        Self::new(source, Severity::Error, code, span, message.into())
    }

    /// A warning about the bytes at `span` of `source`. The pointer is empty.
    pub fn warning(
        source: &Source,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> Self {
        Self::new(source, Severity::Warning, code, span, message.into())
    }

    /// Whether it keeps the document from being used.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The same, about the part of the document that `pointer` points to.
    #[must_use]
    pub fn pointing_to(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = pointer.into();
        self
    }

    /// The same, with advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    /// The same, with another place that has to do with it.
    #[must_use]
    pub fn with_related(mut self, source: &Source, span: Span, label: impl Into<String>) -> Self {
        let position = source.position(span.start);
        self.related.push(Related {
            span,
            position,
            label: label.into(),
        });
        self
    }

    /// It as plain text for people, several lines without a final line break, with `name` as the name of
    /// the text: `hello.yaml:3:5: error[unknown-key]: …`.
    pub fn display<'a>(&'a self, name: &'a str) -> impl fmt::Display + 'a {
        Plain {
            diagnostic: self,
            name,
        }
    }

    fn new(
        source: &Source,
        severity: Severity,
        code: &'static str,
        span: Span,
        message: String,
    ) -> Self {
        let position = source.position(span.start);
        let (pointer, help, related) = (String::new(), None, Vec::new());
        Self {
            severity,
            code,
            message,
            span,
            position,
            pointer,
            help,
            related,
        }
    }
}

/// Sorts by place, errors before warnings at the same place, otherwise in the order in which they were found.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|one| (one.span.start, one.severity));
}

/// Sorts, and leaves out what is said twice.
pub fn settle(diagnostics: &mut Vec<Diagnostic>) {
    let mut said = HashSet::new();
    diagnostics.retain(|one| said.insert((one.span, one.code, one.message.clone())));
    sort(diagnostics);
}

/// A text that is spoken of: what it says, how it is called, and where its lines begin.
#[derive(Debug, Clone)]
pub struct Source {
    name: Option<Arc<str>>,
    text: Arc<str>,
    line_starts: Vec<usize>,
}

impl Source {
    /// A text, with the name under which its author knows it, usually a file's.
    pub fn new(text: impl Into<Arc<str>>, name: Option<&str>) -> Self {
        let text = text.into();
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0)
            .chain(breaks.map(|(at, _)| at + 1))
            .collect();
        Self {
            name: name.map(Into::into),
            text,
            line_starts,
        }
    }

    /// The name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The text, byte for byte.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line and column of a byte. What lies behind the end is taken for the end, and what lies
    /// inside a character for the start of that character.
    pub fn position(&self, byte: usize) -> Position {
        let byte = self.text.floor_char_boundary(byte);
        let line = self.line_starts.partition_point(|start| *start <= byte);
        let column = self.text[self.line_starts[line - 1]..byte].chars().count() + 1;
        Position { line, column }
    }
}

struct Plain<'a> {
    diagnostic: &'a Diagnostic,
    name: &'a str,
}

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic {
            severity,
            code,
            message,
            position,
            pointer,
            help,
            related,
            ..
        } = self.diagnostic;
        write!(f, "{}:{position}: {severity}[{code}]: {message}", self.name)?;
        if !pointer.is_empty() {
            write!(f, "\n  at {pointer}")?;
        }
        for Related {
            position, label, ..
        } in related
        {
            write!(f, "\n  {}:{position}: {label}", self.name)?;
        }
        if let Some(help) = help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let source = Source::new("a\nüb\r\n", None);
        let cases = [
            (0, 1, 1),
            (1, 1, 2),
            (2, 2, 1),
            (3, 2, 1),
            (4, 2, 2),
            (5, 2, 3),
            (7, 3, 1),
            (99, 3, 1),
        ];
        for (byte, line, column) in cases {
            assert_eq!(
                source.position(byte),
                Position { line, column },
                "byte {byte}"
            );
        }
    }

    #[test]
    fn plain_text_has_all_parts_and_no_empty_ones() {
        let source = Source::new("one\ntwo\n", None);
        let bare = Diagnostic::error(&source, code::SYNTAX, Span::new(4, 7), "this is no number");
        assert_eq!(
            bare.display("a.yaml").to_string(),
            "a.yaml:2:1: error[syntax]: this is no number"
        );
        let full = bare
            .pointing_to("/x")
            .with_help("write 2".to_owned())
            .with_related(&source, Span::new(0, 3), "the first");
        let expected = "a.yaml:2:1: error[syntax]: this is no number\n  at /x\n  a.yaml:1:1: the first\n  help: write 2";
        assert_eq!(full.display("a.yaml").to_string(), expected);
    }
}
