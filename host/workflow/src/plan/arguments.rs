//! Whether what a document gives a function fits what the function takes, as far as that can be seen
//! before the expressions have been evaluated.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::builder::child;
use super::catalog::Signature;
use crate::diagnostic::{Diagnostic, code};
use crate::document::Document;
use crate::expression::enclosed;

/// Checks `arguments`, the value of `with` at `pointer`, against a function's signature. With `is_loose`, any
/// text may be an expression.
pub(super) fn check(
    document: &Document,
    function: &str,
    signature: &Signature,
    arguments: &Value,
    pointer: &str,
    is_loose: bool,
) -> Vec<Diagnostic> {
    let mut diagnostics = names(document, function, signature, arguments, pointer);
    diagnostics.extend(types(document, signature, arguments, pointer, is_loose));
    diagnostics
}

/// Arguments that the function has no parameter for, and parameters without an argument.
fn names(
    document: &Document,
    function: &str,
    signature: &Signature,
    arguments: &Value,
    at: &str,
) -> Vec<Diagnostic> {
    let Some(arguments) = arguments.as_object() else {
        return Vec::new();
    };
    let parameters = signature.arguments["properties"].as_object();
    let known = |name: &str| parameters.is_some_and(|it| it.contains_key(name));
    let names = || {
        parameters
            .into_iter()
            .flat_map(|it| it.keys())
            .map(String::as_str)
    };
    let unknown = arguments.keys().filter(|name| !known(name)).map(|name| {
        let message = format!("`{function}` has no parameter `{name}`");
        let pointer = child(at, name);
        let span = document.key_span_of(&pointer).unwrap_or_default();
        let help = nearest(name, names(), "its parameters are");
        Diagnostic::error(document.source(), code::UNKNOWN_ARGUMENT, span, message)
            .pointing_to(pointer)
            .with_help(help.or_else(|| Some("it takes no arguments".to_owned())))
    });
    let required = signature.arguments["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let missing = required
        .filter(|name| !arguments.contains_key(*name))
        .map(|name| {
            let message = format!("`{function}` needs the argument `{name}`");
            document
                .error_at(at, code::MISSING_ARGUMENT, message)
                .with_help(format!("add `{name}:` under `with`"))
        });
    unknown.chain(missing).collect()
}

/// The nearest of `names`, or all of them behind `otherwise`.
fn nearest<'a>(
    name: &str,
    names: impl Iterator<Item = &'a str> + Clone,
    otherwise: &str,
) -> Option<String> {
    let likely = names
        .clone()
        .map(|other| (strsim::damerau_levenshtein(name, other), other))
        .min();
    match likely {
        Some((distance, other)) if distance <= 2 + other.len() / 4 => {
            Some(format!("did you mean `{other}`?"))
        }
        Some(_) => {
            let names: Vec<String> = names.map(|it| format!("`{it}`")).collect();
            Some(format!("{otherwise} {}", names.join(", ")))
        }
        None => None,
    }
}

/// Constants of the wrong type. Where an expression stands, nothing can be said yet.
fn types(
    document: &Document,
    signature: &Signature,
    arguments: &Value,
    at: &str,
    is_loose: bool,
) -> Vec<Diagnostic> {
    let Ok(validator) = jsonschema::validator_for(&signature.arguments) else {
        return Vec::new();
    };
    let mut holes = Vec::new();
    find_holes(arguments, "", is_loose, &mut holes);
    let mut mistakes = Vec::new();
    for violation in validator.iter_errors(arguments) {
        explain(&violation, &signature.arguments, &holes, &mut mistakes);
    }
    mistakes
        .into_iter()
        .map(|mistake| {
            let pointer = format!("{at}{}", mistake.place);
            document
                .error_at(&pointer, mistake.code, mistake.message)
                .with_help(mistake.help)
        })
        .collect()
}

/// What is wrong with an argument, in words of its own.
struct Mistake {
    /// A pointer from the arguments on.
    place: String,
    code: &'static str,
    message: String,
    help: Option<String>,
}

/// Puts a violation of a schema into words, unless it may be an expression's doing.
fn explain(
    violation: &ValidationError<'_>,
    schema: &Value,
    holes: &[String],
    out: &mut Vec<Mistake>,
) {
    let place = violation.instance_path().to_string();
    let is_hole = holes.iter().any(|hole| within(&place, hole));
    let holds_one = holes.iter().any(|hole| within(hole, &place));
    // The parameters themselves have been looked at by name.
    if is_hole
        || (place.is_empty() && !matches!(violation.kind(), ValidationErrorKind::Type { .. }))
    {
        return;
    }
    let keyword = violation.schema_path().to_string();
    let siblings = || {
        keyword
            .rsplit_once('/')
            .and_then(|(around, _)| schema.pointer(around))
            .unwrap_or(&Value::Null)
    };
    match violation.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = siblings()["properties"].as_object();
            let known = || {
                known
                    .into_iter()
                    .flat_map(|it| it.keys())
                    .map(String::as_str)
            };
            out.extend(unexpected.iter().map(|name| Mistake {
                place: child(&place, name),
                code: code::UNKNOWN_ARGUMENT,
                message: format!("there is no member `{name}`"),
                help: nearest(name, known(), "its members are"),
            }));
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            out.push(Mistake {
                message: format!("the member `{name}` is missing"),
                code: code::MISSING_ARGUMENT,
                help: Some(format!("add `{name}:` here")),
                place,
            });
        }
        ValidationErrorKind::AnyOf { context } if !holds_one => {
            // An optional value: what is wrong with the value, rather than that it is not `null` either.
            let meant = context.iter().filter(|branch| !is_about_null(branch));
            match meant.collect::<Vec<_>>()[..] {
                [branch] => branch
                    .iter()
                    .for_each(|inner| explain(inner, schema, holes, out)),
                _ => out.push(other(place, violation)),
            }
        }
        ValidationErrorKind::AnyOf { .. }
        | ValidationErrorKind::OneOfNotValid { .. }
        | ValidationErrorKind::OneOfMultipleValid { .. }
        | ValidationErrorKind::Constant { .. }
        | ValidationErrorKind::Enum { .. }
            if holds_one => {}
        ValidationErrorKind::Enum { options } => {
            let options: Vec<String> = options
                .as_array()
                .into_iter()
                .flatten()
                .map(Value::to_string)
                .collect();
            out.push(Mistake {
                message: format!(
                    "{} is not among what may stand here",
                    shortened(violation.instance())
                ),
                help: Some(format!("write one of {}", options.join(", "))),
                code: code::WRONG_ARGUMENT,
                place,
            });
        }
        _ => out.push(other(place, violation)),
    }
}

fn other(place: String, violation: &ValidationError<'_>) -> Mistake {
    Mistake {
        place,
        code: code::WRONG_ARGUMENT,
        message: format!("this does not fit the function: {violation}"),
        help: None,
    }
}

/// Whether all that a branch of a choice has to say is that the value is not `null`.
fn is_about_null(branch: &[ValidationError<'_>]) -> bool {
    branch
        .iter()
        .all(|it| it.to_string().ends_with("is not of type \"null\""))
}

/// A value as a person wants to read it in a message.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The pointers of the expressions in `value`, and of the URI templates, which stand for text.
fn find_holes(value: &Value, pointer: &str, is_loose: bool, holes: &mut Vec<String>) {
    match value {
        Value::String(text) if is_loose || enclosed(text).is_some() => {
            holes.push(pointer.to_owned());
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_holes(item, &format!("{pointer}/{index}"), is_loose, holes);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                find_holes(member, &child(pointer, key), is_loose, holes);
            }
        }
        _ => {}
    }
}

fn within(inner: &str, outer: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_expression_may_stand_for_anything() {
        let mut holes = Vec::new();
        find_holes(
            &json!({"a": "${ .x }", "b": [1, {"c/d": "${ .y }"}], "e": "text"}),
            "",
            false,
            &mut holes,
        );
        assert_eq!(holes, ["/a", "/b/1/c~1d"]);
        assert!(within("/b/1/c", "/b"));
        assert!(!within("/bc", "/b"));
    }
}
