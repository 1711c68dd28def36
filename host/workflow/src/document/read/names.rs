//! The names that a document defines, and what was probably meant by one that it doesn't.

use std::collections::HashSet;

use crate::yaml::Node;

/// How many names are compared to find the nearest one. Time must not grow with what a document defines
/// times what it gets wrong.
const CANDIDATES_MAX: usize = 1000;
/// How long a name may be to be compared, in bytes.
const COMPARED_BYTES_MAX: usize = 64;

/// What can be defined under `use` and referred to by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Authentications,
    Catalogs,
    Errors,
    Functions,
    Retries,
    Secrets,
    Timeouts,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Authentications,
        Self::Catalogs,
        Self::Errors,
        Self::Functions,
        Self::Retries,
        Self::Secrets,
        Self::Timeouts,
    ];

    /// The key below `use`.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Authentications => "authentications",
            Self::Catalogs => "catalogs",
            Self::Errors => "errors",
            Self::Functions => "functions",
            Self::Retries => "retries",
            Self::Secrets => "secrets",
            Self::Timeouts => "timeouts",
        }
    }

    /// What one of them is.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Authentications => "the authentication",
            Self::Catalogs => "the catalog",
            Self::Errors => "the error",
            Self::Functions => "the function",
            Self::Retries => "the retry policy",
            Self::Secrets => "the secret",
            Self::Timeouts => "the timeout",
        }
    }
}

/// The names that a document defines under `use`.
pub(super) struct Names<'a>([HashSet<&'a str>; 7]);

impl<'a> Names<'a> {
    /// What can be made out, whether the definitions are right or not.
    pub(super) fn defined_by(root: &'a Node) -> Self {
        let defined = |kind: Kind| -> HashSet<&'a str> {
            let Some(node) = root
                .get("use")
                .and_then(|entry| entry.value.get(kind.key()))
                .map(|entry| &entry.value)
            else {
                return HashSet::new();
            };
            let keys = node
                .as_mapping()
                .into_iter()
                .flatten()
                .map(|entry| entry.key.as_str());
            let items =
                node.as_sequence()
                    .into_iter()
                    .flatten()
                    .filter_map(|item| match &item.data {
                        crate::yaml::Data::String(text) => Some(text.as_str()),
                        _ => None,
                    });
            keys.chain(items).collect()
        };
        Self(Kind::ALL.map(defined))
    }

    pub(super) fn contains(&self, kind: Kind, name: &str) -> bool {
        self.0[kind as usize].contains(name)
    }

    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut names: Vec<_> = self.0[kind as usize].iter().copied().collect();
        names.sort_unstable();
        names.into_iter()
    }

    pub(super) fn advice(&self, kind: Kind, name: &str) -> String {
        match nearest(name, self.all(kind)) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("define it under `use.{}`", kind.key()),
        }
    }
}

/// The one of the candidates that was probably meant by a name which is none of them.
pub(crate) fn nearest<'c>(
    name: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    if name.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let lower = name.to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
    candidates
        .take(CANDIDATES_MAX)
        .filter(|candidate| candidate.len() <= COMPARED_BYTES_MAX)
        .map(|candidate| (distance(candidate), candidate))
        // A third of it may be wrong, and short names must be nearly right.
        .filter(|(distance, candidate)| {
            *distance
                <= (name.chars().count().min(candidate.chars().count()) / 3)
                    .max(usize::from(name.len() > 2))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Whether a text is a runtime expression as a whole: `${ … }` (schema, `runtimeExpression`).
pub(crate) fn is_expression(text: &str) -> bool {
    text.trim()
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|inner| !inner.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_far_ones_are_not() {
        let keys = ["call", "with", "then", "timeout", "exceptWhen", "do"];
        let cases = [
            ("wiht", Some("with")),
            ("Call", Some("call")),
            ("timeuot", Some("timeout")),
            ("exceptwhen", Some("exceptWhen")),
            ("foo", None),
            ("x", None),
            ("DO", Some("do")),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, keys.into_iter()), expected, "{name}");
        }
    }

    #[test]
    fn an_expression_is_all_of_its_text() {
        for (text, expected) in [
            ("${ .a }", true),
            ("  ${.a} ", true),
            ("a ${ .b }", false),
            ("${}", false),
            (".a", false),
        ] {
            assert_eq!(is_expression(text), expected, "{text}");
        }
    }
}
