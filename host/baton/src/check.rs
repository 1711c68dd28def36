//! A document that was looked at, and telling what was found.

use baton_api::diagnostic::{Diagnostic, Related, Severity, Span};
use baton_workflow::diagnostic as here;
use serde_json::{Value, json};

use crate::input::Source;
use crate::render::diagnostic::render;
use crate::render::text::count;

/// A document and what is wrong with it.
pub(crate) struct Checked {
    /// The document.
    pub(crate) source: Source,
    /// What was found, in the order of the text.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// What this process found.
    pub(crate) fn here(source: Source, diagnostics: &[here::Diagnostic]) -> Self {
        Self {
            source,
            diagnostics: diagnostics.iter().map(to_api).collect(),
        }
    }

    /// Adds what else was found, each at its place.
    pub(crate) fn add(&mut self, diagnostics: &[here::Diagnostic]) {
        self.diagnostics.extend(diagnostics.iter().map(to_api));
        self.diagnostics.sort_by_key(|it| it.span.start);
    }

    /// Whether it can be used.
    pub(crate) fn is_valid(&self) -> bool {
        !self.diagnostics.iter().any(is_error)
    }

    /// It as JSON: the API's answer to `POST /v1/validate`, and the file's name.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "file": self.source.name, "valid": self.is_valid(), "diagnostics": self.diagnostics })
    }

    /// Writes all diagnostics to standard error, each with its source line, and how many there are.
    pub(crate) fn report(&self) {
        let Source { name, text, .. } = &self.source;
        for diagnostic in &self.diagnostics {
            anstream::eprintln!("{}\n", render(name, text, diagnostic));
        }
        if let Some(summary) = self.summary() {
            anstream::eprintln!("{summary}");
        }
    }

    /// How many diagnostics there are. Nothing where there are none.
    fn summary(&self) -> Option<String> {
        let errors = self
            .diagnostics
            .iter()
            .filter(|diagnostic| is_error(diagnostic))
            .count();
        let warnings = self.diagnostics.len() - errors;
        let name = &self.source.name;
        match (errors, warnings) {
            (0, 0) => None,
            (0, _) => Some(format!(
                "{name} can be used, with {}",
                count(warnings, "warning")
            )),
            (_, 0) => Some(format!("{name} cannot be used: {}", count(errors, "error"))),
            _ => Some(format!(
                "{name} cannot be used: {} and {}",
                count(errors, "error"),
                count(warnings, "warning")
            )),
        }
    }
}

fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}

/// A diagnostic of this process in the form that the API has for it, so that there is one to be shown.
fn to_api(diagnostic: &here::Diagnostic) -> Diagnostic {
    let span = |span: here::Span| Span {
        start: span.start,
        end: span.end,
    };
    let related = diagnostic.related.iter().map(|related| Related {
        label: related.label.clone(),
        line: related.position.line,
        column: related.position.column,
        span: span(related.span),
    });
    Diagnostic {
        severity: match diagnostic.severity {
            here::Severity::Error => Severity::Error,
            here::Severity::Warning => Severity::Warning,
        },
        code: diagnostic.code.to_owned(),
        message: diagnostic.message.clone(),
        line: diagnostic.position.line,
        column: diagnostic.position.column,
        span: span(diagnostic.span),
        pointer: diagnostic.pointer.clone(),
        help: diagnostic.help.clone(),
        related: related.collect(),
    }
}
