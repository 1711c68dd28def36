//! What is wrong with a document, as far as it is listed.

use std::collections::HashSet;

use super::{Diagnostic, Severity, Span, code, sort};

/// How many errors are listed, and how many warnings, of what one look at a document finds. Nobody reads more, and
/// a document can be wrong in as many places as it has.
pub const DIAGNOSTICS_MAX: usize = 100;

/// Diagnostics as they are found, each once. Behind the first [`DIAGNOSTICS_MAX`] errors, and warnings likewise, stands
/// one that says that there are more.
#[derive(Debug, Default)]
pub struct Diagnostics {
    listed: Vec<Diagnostic>,
    said: HashSet<(Span, &'static str, String)>,
    errors: usize,
    warnings: usize,
}

impl Diagnostics {
    /// Adds one, where there is room for it and it has not been said already.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        let Diagnostic {
            severity,
            span,
            code,
            ref message,
            ..
        } = diagnostic;
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if *count > DIAGNOSTICS_MAX || !self.said.insert((span, code, message.clone())) {
            return;
        }
        *count += 1;
        self.listed.push(match *count > DIAGNOSTICS_MAX {
            true => and_more(diagnostic),
            false => diagnostic,
        });
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Whether no further error will be listed, so that looking for more, or for advice, is wasted time.
    pub fn is_full(&self) -> bool {
        self.errors > DIAGNOSTICS_MAX
    }

    /// What is listed, sorted by place.
    pub fn finish(self) -> Vec<Diagnostic> {
        let mut listed = self.listed;
        sort(&mut listed);
        listed
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: T) {
        for diagnostic in diagnostics {
            self.report(diagnostic);
        }
    }
}

/// What stands for a diagnostic for which there is no room, and for all behind it.
fn and_more(first: Diagnostic) -> Diagnostic {
    let what = match first.severity {
        Severity::Error => "things are wrong",
        Severity::Warning => "warnings",
    };
    Diagnostic {
        code: code::TOO_MANY_ERRORS,
        message: format!("more than {DIAGNOSTICS_MAX} {what}; the rest is not listed"),
        pointer: String::new(),
        help: None,
        related: Vec::new(),
        ..first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    #[test]
    fn warnings_leave_room_for_errors_and_nothing_is_said_twice() {
        let source = Source::new("x".repeat(1000), None);
        let span = |at| Span::new(at, at + 1);
        let mut list = Diagnostics::default();
        for at in 0..500 {
            list.report(Diagnostic::warning(
                &source,
                code::NO_EFFECT,
                span(at),
                "odd",
            ));
        }
        assert!(!list.has_errors() && !list.is_full());
        for at in 0..=DIAGNOSTICS_MAX {
            assert!(!list.is_full());
            list.extend([0, 1].map(|_| Diagnostic::error(&source, code::SYNTAX, span(at), "bad")));
        }
        assert!(list.is_full());
        let listed = list.finish();
        let (errors, warnings): (Vec<_>, Vec<_>) = listed.iter().partition(|one| one.is_error());
        for of_one_kind in [errors, warnings] {
            assert_eq!(of_one_kind.len(), DIAGNOSTICS_MAX + 1);
            assert_eq!(of_one_kind[DIAGNOSTICS_MAX].code, code::TOO_MANY_ERRORS);
        }
    }
}
