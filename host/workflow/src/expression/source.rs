//! Source texts: which strings of a document are expressions, and which variables they use.

/// What stands between `${` and `}` where that is all of `text`, white space aside (the pattern of
/// `runtimeExpression` in the specification's schema).
pub(crate) fn enclosed(text: &str) -> Option<&str> {
    text.trim()
        .strip_prefix("${")?
        .strip_suffix('}')
        .map(str::trim)
        .filter(|inner| !inner.is_empty())
}

/// Whether `text` has a `${ }` in it without being one: to a person it looks like an expression, to the
/// specification it is a plain string.
pub(crate) fn embedded(text: &str) -> bool {
    enclosed(text).is_none()
        && text
            .split_once("${")
            .is_some_and(|(_, behind)| behind.contains('}'))
}

/// The names behind `$` in a source text, wherever they stand: in a string literal too, which costs a
/// variable that is not needed, and never one that is.
pub(crate) fn variables_in(source: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = source;
    while let Some((_, behind)) = rest.split_once('$') {
        let length = behind
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(behind.len());
        let name = &behind[..length];
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
        rest = &behind[length..];
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_all_of_a_string() {
        assert_eq!(enclosed("${ .a }"), Some(".a"));
        assert_eq!(enclosed("  ${.a}\n"), Some(".a"));
        assert_eq!(enclosed("${ {a: 1} }"), Some("{a: 1}"));
        for text in ["a ${ .b }", "${ .b } c", "${}", "${ }", ".a", ""] {
            assert_eq!(enclosed(text), None, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_noticed() {
        assert!(embedded("Hello ${ .name }!"));
        assert!(!embedded("${ .name }"));
        assert!(!embedded("costs 5$ {or so}"));
    }

    #[test]
    fn variables_are_found_wherever_they_stand() {
        assert_eq!(
            variables_in(r#"$input.a + "\($context.b)" + $input.c"#),
            ["input", "context"]
        );
        assert_eq!(variables_in("reduce .[] as $x (0; . + $x)"), ["x"]);
        assert_eq!(variables_in("5 $ 6"), Vec::<&str>::new());
    }
}
