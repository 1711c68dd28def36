//! Diagnostics as a good compiler shows them: the source line, a caret, a help line.
//!
//! One renderer for both sources: what this process found, and what a server answered.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use baton_api::diagnostic::{Diagnostic, Severity, Span};

use super::text::harmless;

/// The diagnostic under the name of its file, with the terminal's colours.
pub(crate) fn render(file: &str, text: &str, diagnostic: &Diagnostic) -> String {
    render_with(file, text, diagnostic, &Renderer::styled())
}

fn render_with(file: &str, text: &str, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let place = |span: &Span| first_line(text, &(span.start..span.end));
    let primary = AnnotationKind::Primary.span(place(&diagnostic.span));
    let related = diagnostic.related.iter().map(|related| {
        AnnotationKind::Context
            .span(place(&related.span))
            .label(harmless(&related.label))
    });
    let snippet = Snippet::source(text)
        .path(file)
        .annotation(primary)
        .annotations(related);

    let title = level
        .primary_title(&diagnostic.message)
        .id(&diagnostic.code);
    let mut group = Group::with_title(title).element(snippet);
    if !diagnostic.pointer.is_empty() {
        group = group.element(Level::NOTE.message(harmless(&format!("at {}", diagnostic.pointer))));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(harmless(help)));
    }
    renderer.render(&[group])
}

/// The part of a span that is on its first line, within the text and between characters.
///
/// A value in YAML can go on for a page. The caret is for where it begins.
pub(crate) fn first_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.clamp(start, text.len()));
    let line = text[start..end].lines().next().unwrap_or("").trim_end();
    start..start + line.len()
}

/// The byte offset of a line and a column, both from 1, the column in characters. Beyond the end of
/// the line, its end; beyond the end of the text, that.
pub(crate) fn offset(text: &str, line: usize, column: usize) -> usize {
    let Some(start) = line_start(text, line) else {
        return text.len();
    };
    let rest = text[start..].lines().next().unwrap_or("");
    let within = rest
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(rest.len(), |(at, _)| at);
    start + within
}

fn line_start(text: &str, line: usize) -> Option<usize> {
    match line {
        0 | 1 => Some(0),
        _ => text.match_indices('\n').nth(line - 2).map(|(at, _)| at + 1),
    }
}

#[cfg(test)]
mod tests {
    use baton_api::diagnostic::Related;

    use super::*;

    const TEXT: &str = "document:\n  dsl: 1.0.3\n  naem: grüße\ndo:\n- first: {}\n- first: {}\n";

    fn at(start: usize, end: usize) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: "unknown-key".into(),
            message: "`naem` is no key of `document`".into(),
            line: 0,
            column: 0,
            span: Span { start, end },
            pointer: "/document/naem".into(),
            help: Some("did you mean `name`?".into()),
            related: Vec::new(),
        }
    }

    fn show(part: &str) -> Diagnostic {
        let start = TEXT.find(part).expect("the part is in the text");
        at(start, start + part.len())
    }

    fn plain(diagnostic: &Diagnostic, text: &str) -> String {
        render_with("bad.yaml", text, diagnostic, &Renderer::plain())
    }

    #[test]
    fn shows_line_caret_and_help() {
        insta::assert_snapshot!(plain(&show("naem"), TEXT), @r"
        error[unknown-key]: `naem` is no key of `document`
         --> bad.yaml:3:3
          |
        3 |   naem: grüße
          |   ^^^^
          |
          = note: at /document/naem
          = help: did you mean `name`?
        ");
    }

    #[test]
    fn shows_related_places_and_warnings() {
        let second = TEXT.rfind("first").expect("it is there");
        let (label, span) = ("the other one".into(), show("first").span);
        let shown = Diagnostic {
            severity: Severity::Warning,
            code: "duplicate-name".into(),
            message: "two tasks are named `first`".into(),
            pointer: "/do/1".into(),
            help: None,
            related: vec![Related {
                label,
                line: 0,
                column: 0,
                span,
            }],
            ..at(second, second + 5)
        };
        insta::assert_snapshot!(plain(&shown, TEXT), @r"
        warning[duplicate-name]: two tasks are named `first`
         --> bad.yaml:6:3
          |
        5 | - first: {}
          |   ----- the other one
        6 | - first: {}
          |   ^^^^^
          |
          = note: at /do/1
        ");
    }

    #[test]
    fn marks_only_the_first_line_of_a_long_value() {
        let shown = Diagnostic {
            help: None,
            ..show("document:\n  dsl: 1.0.3\n  naem")
        };
        insta::assert_snapshot!(plain(&shown, TEXT), @r"
        error[unknown-key]: `naem` is no key of `document`
         --> bad.yaml:1:1
          |
        1 | document:
          | ^^^^^^^^^
          |
          = note: at /document/naem
        ");
    }

    #[test]
    fn nothing_of_a_document_rewrites_the_terminal() {
        let escape = "na\u{1b}[31mEVIL\u{1b}]0;title\u{7}";
        let shown = Diagnostic {
            message: escape.into(),
            pointer: format!("/document/{escape}"),
            help: Some(format!("did you mean\n`{escape}`?")),
            related: vec![Related {
                label: escape.into(),
                line: 0,
                column: 0,
                span: show("first").span,
            }],
            ..show("naem")
        };
        let plain = plain(&shown, TEXT);
        let is_left = |it: char| it.is_control() && it != '\n';
        assert!(!plain.contains(is_left), "{plain:?}");
    }

    #[test]
    fn a_wrong_span_is_no_panic() {
        let inside_a_character = TEXT.find('ü').expect("it is there") + 1;
        let end = TEXT.len();
        for (start, end) in [
            (0, 0),
            (5, 2),
            (end, end),
            (900, 1000),
            (inside_a_character, inside_a_character),
        ] {
            assert!(plain(&at(start, end), TEXT).contains("bad.yaml"));
        }
        assert!(plain(&at(0, 0), "").contains("`naem` is no key"));
    }

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let cases = [
            ((1, 1), 0),
            ((2, 3), TEXT.find("dsl").expect("it is there")),
            ((3, 12), TEXT.find("ße").expect("it is there")),
            ((3, 900), TEXT.find("\ndo").expect("it is there")),
            ((900, 1), TEXT.len()),
            ((0, 0), 0),
        ];
        for ((line, column), expected) in cases {
            assert_eq!(offset(TEXT, line, column), expected, "{line}:{column}");
        }
    }
}
