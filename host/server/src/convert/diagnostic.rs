use baton_api::diagnostic::{Diagnostic, Related, Severity, Span};
use baton_workflow::diagnostic as found;

pub(crate) fn diagnostic(from: &found::Diagnostic) -> Diagnostic {
    let related = from.related.iter().map(|related| Related {
        label: related.label.clone(),
        line: related.position.line,
        column: related.position.column,
        span: span(related.span),
    });
    Diagnostic {
        severity: severity(from.severity),
        code: from.code.to_owned(),
        message: from.message.clone(),
        line: from.position.line,
        column: from.position.column,
        span: span(from.span),
        pointer: from.pointer.clone(),
        help: from.help.clone(),
        related: related.collect(),
    }
}

/// `3 errors`, or `1 error and 2 warnings`.
pub(crate) fn count_errors(diagnostics: &[found::Diagnostic]) -> String {
    let errors = diagnostics
        .iter()
        .filter(|one| one.severity == found::Severity::Error)
        .count();
    let warnings = diagnostics.len() - errors;
    let plural =
        |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    match warnings {
        0 => plural(errors, "error"),
        _ => format!(
            "{} and {}",
            plural(errors, "error"),
            plural(warnings, "warning")
        ),
    }
}

fn severity(from: found::Severity) -> Severity {
    match from {
        found::Severity::Error => Severity::Error,
        found::Severity::Warning => Severity::Warning,
    }
}

fn span(from: found::Span) -> Span {
    Span {
        start: from.start,
        end: from.end,
    }
}
