//! What may stand where something else stands, for help that is short however much may.

use crate::document::nearest;

/// How many names a help lists.
const LISTED_MAX: usize = 12;
/// How many characters of a name or value are shown.
const SHOWN_MAX: usize = 60;

/// The one of `names` that is probably meant, or what there is behind `otherwise`. None where there is nothing.
pub(super) fn one_of<'a>(
    name: &str,
    names: impl Iterator<Item = &'a str> + Clone,
    otherwise: &str,
) -> Option<String> {
    if let Some(likely) = nearest(name, names.clone()) {
        return Some(format!("did you mean `{}`?", shown(likely)));
    }
    let mut names = names.map(|name| format!("`{}`", shown(name))).peekable();
    names.peek()?;
    Some(format!("{otherwise} {}", listed(names)))
}

/// The first of them, and how many more there are.
pub(super) fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names = names;
    let mut text = names
        .by_ref()
        .take(LISTED_MAX)
        .collect::<Vec<_>>()
        .join(", ");
    let more = names.count();
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// A text as a person wants to read it in a message.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_short() {
        let names: Vec<String> = (0..9000).map(|n| format!("case-{n}")).collect();
        let names = || names.iter().map(String::as_str);
        assert_eq!(
            one_of("colour", names(), "there are").as_deref(),
            Some(
                "there are `case-0`, `case-1`, `case-2`, `case-3`, `case-4`, `case-5`, `case-6`, `case-7`, \
                 `case-8`, `case-9`, `case-10`, `case-11` and 8988 more"
            )
        );
        assert_eq!(
            one_of("case_7", names(), "there are").as_deref(),
            Some("did you mean `case-7`?")
        );
        assert_eq!(one_of("x", std::iter::empty(), "there are"), None);
        assert_eq!(shown(&"ü".repeat(99)).chars().count(), SHOWN_MAX + 1);
    }
}
