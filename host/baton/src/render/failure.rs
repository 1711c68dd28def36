//! A [`Failure`] as text, in the form of a compiler's error.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::diagnostic::first_line;
use super::text::harmless;
use crate::failure::Failure;

/// The failure with its causes and its help, with the terminal's colours.
pub(crate) fn render(failure: &Failure) -> String {
    render_with(failure, &Renderer::styled())
}

pub(crate) fn render_with(failure: &Failure, renderer: &Renderer) -> String {
    let causes = failure
        .causes
        .iter()
        .map(|cause| Level::NOTE.message(harmless(&format!("because {cause}"))));
    let help = failure
        .help
        .iter()
        .map(|help| Level::HELP.message(harmless(help)));
    let title = Level::ERROR.primary_title(&failure.message);
    let mut group = Group::with_title(title);
    if let Some(excerpt) = &failure.excerpt {
        let annotation = AnnotationKind::Primary.span(first_line(&excerpt.text, &excerpt.span));
        group = group.element(
            Snippet::source(&excerpt.text)
                .path(&excerpt.origin)
                .annotation(annotation),
        );
    }
    renderer.render(&[group.elements(causes.chain(help))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_why_and_what_to_do() {
        let cause = std::io::Error::other("the disk is on fire");
        let failure = Failure::new("cannot open the store in /data")
            .because(&cause)
            .help("fetch \u{1b}[1mwater");
        insta::assert_snapshot!(render_with(&failure, &Renderer::plain()), @r"
        error: cannot open the store in /data
         |
         = note: because the disk is on fire
         = help: fetch [1mwater
        ");
    }
}
