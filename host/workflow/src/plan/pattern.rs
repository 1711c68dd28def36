//! Regular expressions in filters of events.
//!
//! They come from the tenant and run natively, so that they are of the kind that takes linear time. What they take
//! in memory is bounded for a document as a whole: a few characters (`\w{16}`) may become a megabyte.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use regex_automata::meta::{BuildError, Config, Regex};
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::util::syntax;

/// How long a pattern may be, in bytes of text. Classes such as `\w` take kilobytes for two characters while they are
/// read, before anything else is known of the pattern.
const TEXT_BYTES_MAX: usize = 1 << 10;

/// How large a compiled pattern may be, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// How large all compiled patterns of a document may be together, in bytes. People write a handful of some kilobytes;
/// the plan that holds them is kept for as long as a run needs it.
const DOCUMENT_BYTES_MAX: usize = 8 << 20;

/// What each pattern counts for beside its states, in bytes: room to work in, for each thread that matches with it.
const OWN_BYTES: usize = 16 << 10;

/// A text that is compared to others as a whole.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Whether `text` is the pattern's own, or one that it fits as a whole.
    pub(crate) fn fits(&self, text: &str) -> bool {
        text == self.text || self.regex.is_match(text)
    }
}

/// The patterns of a document. Equal ones are one.
#[derive(Debug)]
pub(super) struct Patterns {
    known: HashMap<String, Result<Arc<Pattern>, BadPattern>>,
    /// What further ones may take, in bytes.
    left: usize,
    /// Whether it has been said that there are too many.
    is_full: bool,
}

/// Why there is no pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BadPattern {
    /// It is no regular expression; what is wrong with it.
    Syntax(String),
    /// It is longer than [`TEXT_BYTES_MAX`].
    TooLong,
    /// It takes more than [`PATTERN_BYTES_MAX`].
    TooLarge,
    /// With those before it, it takes more than [`DOCUMENT_BYTES_MAX`].
    TooMany,
}

impl Default for Patterns {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            left: DOCUMENT_BYTES_MAX,
            is_full: false,
        }
    }
}

impl Patterns {
    /// The pattern that a text is.
    ///
    /// # Errors
    ///
    /// It can't be compiled, or not within what is left.
    pub(super) fn compile(&mut self, text: &str) -> Result<Arc<Pattern>, BadPattern> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(BadPattern::TooLong);
        }
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let compiled = self.compile_now(text).map(Arc::new);
        self.known.insert(text.to_owned(), compiled.clone());
        compiled
    }

    /// Whether there is still to be said that there are too many; once.
    pub(super) fn become_full(&mut self) -> bool {
        !std::mem::replace(&mut self.is_full, true)
    }

    fn compile_now(&mut self, text: &str) -> Result<Pattern, BadPattern> {
        let Some(room) = self.left.checked_sub(OWN_BYTES) else {
            return Err(BadPattern::TooMany);
        };
        let limit = room.min(PATTERN_BYTES_MAX);
        let compiled = compile(text, limit);
        // What did not fit has taken all of the room for as long as it was tried.
        let taken = match &compiled {
            Ok(pattern) => pattern.regex.memory_usage(),
            Err(BadPattern::Syntax(_)) => 0,
            Err(_) => limit,
        };
        self.left = room.saturating_sub(taken);
        match compiled {
            Err(BadPattern::TooLarge) if limit < PATTERN_BYTES_MAX => Err(BadPattern::TooMany),
            compiled => compiled,
        }
    }
}

/// Compiles a text within `limit` bytes.
fn compile(text: &str, limit: usize) -> Result<Pattern, BadPattern> {
    let syntax_error = |error: &dyn fmt::Display| {
        let shown = error.to_string();
        // The lines before the last show the text, which the document does too.
        let last = shown.rsplit("error: ").next().unwrap_or_default();
        BadPattern::Syntax(last.trim().to_owned())
    };
    // On its own, so that it can't close the group that is made around it.
    syntax::parse(text).map_err(|error| syntax_error(&error))?;
    // Whether it fits is all that is asked, and the one machine that always works takes the least memory.
    let config = Config::new()
        .nfa_size_limit(Some(limit))
        .which_captures(WhichCaptures::None)
        .hybrid(false)
        .onepass(false)
        .backtrack(false);
    let built = Regex::builder()
        .configure(config)
        .build(&format!("^(?:{text})$"));
    let regex = built.map_err(|error: BuildError| match error.syntax_error() {
        Some(error) => syntax_error(error),
        None => BadPattern::TooLarge,
    })?;
    Ok(Pattern {
        text: text.to_owned(),
        regex,
    })
}

/// Whether a text is meant as a regular expression: a dot alone, which every type of an event has, makes none, and
/// neither do the curly braces of a URI template.
pub(super) fn is_pattern(text: &str) -> bool {
    let repeats = |(at, _)| text[at + 1..].starts_with(|next: char| next.is_ascii_digit());
    text.contains(['\\', '*', '+', '?', '(', '[', '|', '^', '$'])
        || text.match_indices('{').any(repeats)
}

impl BadPattern {
    /// What is wrong, and what to do about it.
    pub(super) fn explain(&self) -> (String, &'static str) {
        const SMALLER: &str = "write [0-9A-Za-z_] in place of \\w and [0-9] in place of \\d, which mean the letters and \
                               digits of all scripts; or write an expression: ${ startswith(\"order.\") }";
        match self {
            Self::Syntax(what) => (
                format!("this is no regular expression: {what}"),
                "put a backslash before what is meant as it stands: \\( or \\[ or \\*",
            ),
            Self::TooLong => (
                format!("a regular expression may have {TEXT_BYTES_MAX} bytes"),
                "write an expression: ${ startswith(\"order.\") }",
            ),
            Self::TooLarge => (
                format!(
                    "this regular expression takes more than {PATTERN_BYTES_MAX} bytes of memory"
                ),
                SMALLER,
            ),
            Self::TooMany => (
                format!(
                    "the regular expressions of this workflow take more than {DOCUMENT_BYTES_MAX} bytes of memory together"
                ),
                SMALLER,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_with_dots_is_no_pattern() {
        for text in ["com.example.order.placed.v1", "https://example.org/{id}"] {
            assert!(!is_pattern(text), "{text}");
        }
        for text in ["com\\.example\\..*", "[ab]", "a{2}", "a|b"] {
            assert!(is_pattern(text), "{text}");
        }
    }

    #[test]
    fn a_pattern_fits_a_text_as_a_whole() {
        for (text, fitting, other) in [
            ("com\\.example\\..*", "com.example.a", "a.com.example.a"),
            ("a|bc", "bc", "abc"),
            ("(x)+y?", "xxy", "xyy"),
            ("\\w{2}", "éß", "é"),
            ("a+b", "a+b", "a+b+"),
            ("(?i)order", "ORDER", "ORDERS"),
        ] {
            let pattern = Patterns::default().compile(text).expect("a pattern");
            assert!(pattern.fits(fitting), "{text} {fitting}");
            assert!(!pattern.fits(other), "{text} {other}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for (text, why) in [
            ("a(", "unclosed group"),
            ("a)|(b", "unopened group"),
            ("*/*", "repetition operator missing expression"),
        ] {
            let bad = Patterns::default().compile(text).expect_err(text);
            assert_eq!(bad, BadPattern::Syntax(why.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_pattern_is_bounded() {
        let mut patterns = Patterns::default();
        assert_eq!(
            patterns.compile("\\w{60}").err(),
            Some(BadPattern::TooLarge)
        );
        assert_eq!(
            patterns.compile(&"a+".repeat(600)).err(),
            Some(BadPattern::TooLong)
        );
    }

    #[test]
    fn all_patterns_together_are_bounded() {
        let mut patterns = Patterns::default();
        let many = (0..1000).map(|n| patterns.compile(&format!("\\w{{8}}{n}")));
        let some = many.take_while(Result::is_ok).count();
        assert!((8..100).contains(&some), "{some}");
        assert_eq!(patterns.compile("new+").err(), Some(BadPattern::TooMany));
        // An equal one takes nothing more.
        assert!(patterns.compile("\\w{8}0").is_ok());
        let mut small = Patterns::default();
        let many = (0..1000).map(|n| small.compile(&format!("a+{n}")));
        assert!(many.take_while(Result::is_ok).count() < DOCUMENT_BYTES_MAX / OWN_BYTES);
    }
}
