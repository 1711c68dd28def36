//! From jaq's errors to messages with a place.

use std::ops::Range;

use jaq_core::compile::Undefined;
use jaq_core::load::{lex, parse};

use crate::library;

/// Why a source text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong, in a form that fits behind "error: ".
    pub message: String,
    /// Where it starts, in bytes from the start of the source text.
    pub start: usize,
    /// Where it ends; the same as `start` where the text ends too early.
    pub end: usize,
}

/// The first of the lexer's errors: the later ones follow from it.
pub(crate) fn of_lexer(source: &str, errors: &[lex::Error<&str>]) -> SyntaxError {
    let Some((expected, found)) = errors.first() else {
        return SyntaxError::at(source, source, "this is no jq expression".to_owned());
    };
    // jaq gives all the rest of the text: the character that was not expected is its first.
    let character = found.chars().next();
    let place = &found[..character.map_or(0, char::len_utf8)];
    let found = match character {
        None => "the text ends".to_owned(),
        Some(character) => format!("`{character}` stands"),
    };
    match expected {
        lex::Expect::Delim(open) => {
            let open = &open[..1];
            let what = if open == "\"" { "string" } else { "bracket" };
            let message = format!("{found} here, and the {what} `{open}` is not closed");
            SyntaxError::at(source, place, message)
        }
        lex::Expect::Token => SyntaxError::at(
            source,
            place,
            format!("{found} here, which begins nothing in jq"),
        ),
        other => SyntaxError::at(
            source,
            place,
            format!("expected {}, but {found} here", other.as_str()),
        ),
    }
}

/// The first of the parser's errors: the later ones follow from it.
pub(crate) fn of_parser(source: &str, errors: &[parse::TError<'_, &str>]) -> SyntaxError {
    let Some((expected, found)) = errors.first() else {
        return SyntaxError::at(source, source, "this is no jq expression".to_owned());
    };
    let place = lex::Token::opt_as_str(*found, source);
    let found = match place {
        "" => "the text ends here".to_owned(),
        found => format!("found `{}`", shortened(found)),
    };
    let place_in_message = match expected {
        parse::Expect::Nothing => format!("expected the end of the expression, but {found}"),
        parse::Expect::Just(word) => format!("expected `{word}`, but {found}"),
        parse::Expect::Term => format!("expected an expression, but {found}"),
        other => format!("expected {}, but {found}", other.as_str()),
    };
    SyntaxError::at(source, place, place_in_message)
}

/// The first name that there isn't, with what may have been meant.
pub(crate) fn of_compiler<'s>(
    source: &str,
    variables: &[String],
    mut errors: impl Iterator<Item = (&'s str, Undefined)>,
) -> SyntaxError {
    let Some((name, undefined)) = errors.next() else {
        return SyntaxError::at(source, source, "this is no jq expression".to_owned());
    };
    let left_out = library::LEFT_OUT
        .iter()
        .find(|(left_out, _)| *left_out == name);
    let message = match (left_out, undefined) {
        (Some((_, instead)), _) => format!("`{name}` is not available in workflows: {instead}"),
        (None, Undefined::Filter(arity)) => no_function(name, arity),
        (None, Undefined::Var) => no_variable(name, variables),
        (None, Undefined::Label) => format!("there is no `label {name}` around this `break`"),
        (None, other) => format!("there is no {} `{name}`", other.as_str()),
    };
    SyntaxError::at(source, name, message)
}

fn no_function(name: &str, arity: usize) -> String {
    let names: Vec<(&str, usize)> = library::definitions()
        .map(|definition| (definition.name, definition.args.len()))
        .chain(library::functions().map(|(name, arguments, _)| (name, arguments.len())))
        .collect();
    let mut arities: Vec<usize> = names
        .iter()
        .filter(|(other, _)| *other == name)
        .map(|(_, arity)| *arity)
        .collect();
    arities.sort_unstable();
    if !arities.is_empty() {
        let arities: Vec<String> = arities.iter().map(usize::to_string).collect();
        let takes = arities.join(" or ");
        return format!("the function `{name}` takes {takes} arguments, and is given {arity}");
    }
    let hint = nearest(name, names.iter().map(|(name, _)| *name));
    format!("there is no function `{name}`{hint}")
}

fn no_variable(name: &str, variables: &[String]) -> String {
    let names: Vec<String> = variables.iter().map(|name| format!("${name}")).collect();
    let hint = nearest(name, names.iter().map(String::as_str));
    match (hint.is_empty(), names.is_empty()) {
        (false, _) => format!("there is no variable `{name}` here{hint}"),
        (true, false) => {
            format!(
                "there is no variable `{name}` here: there are {}",
                names.join(", ")
            )
        }
        (true, true) => format!("there is no variable `{name}` here, nor any other"),
    }
}

/// `: did you mean …?` where a name is near enough to be a slip of the pen.
fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> String {
    let best = names.map(|other| (distance(name, other), other)).min();
    match best {
        Some((distance, other)) if distance <= name.len().div_ceil(4).max(1) => {
            format!(": did you mean `{other}`?")
        }
        _ => String::new(),
    }
}

/// The number of letters to insert, leave out or replace (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, left) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, right) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

fn shortened(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(20).collect();
    if characters.next().is_some() {
        format!("{start}…")
    } else {
        start
    }
}

impl SyntaxError {
    /// An error at `part`, which is a part of `source`.
    fn at(source: &str, part: &str, message: String) -> Self {
        let Range { start, end } = jaq_core::load::span(source, part);
        Self {
            message,
            start,
            end,
        }
    }
}
