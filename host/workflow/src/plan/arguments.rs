//! Whether what a document gives a function fits what the function takes, as far as that can be seen
//! before the expressions have been evaluated.

use serde_json::Value;

use super::builder::child;
use super::catalog::Signature;
use crate::diagnostic::{Diagnostic, code};
use crate::document::Document;
use crate::expression::enclosed;

/// Checks `arguments`, the value of `with` at `pointer`, against a function's signature.
pub(super) fn check(
    document: &Document,
    function: &str,
    signature: &Signature,
    arguments: &Value,
    pointer: &str,
) -> Vec<Diagnostic> {
    let mut diagnostics = names(document, function, signature, arguments, pointer);
    if diagnostics.is_empty() {
        diagnostics = types(document, signature, arguments, pointer);
    }
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
        document
            .error_at(&child(at, name), code::UNKNOWN_ARGUMENT, message)
            .with_help(advice(name, names()))
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

fn advice<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    let nearest = names
        .clone()
        .map(|other| (strsim::damerau_levenshtein(name, other), other))
        .min();
    match nearest {
        Some((distance, other)) if distance <= 2 + other.len() / 4 => {
            Some(format!("did you mean `{other}`?"))
        }
        Some(_) => Some(format!(
            "its parameters are {}",
            names
                .map(|it| format!("`{it}`"))
                .collect::<Vec<_>>()
                .join(", ")
        )),
        None => Some("it takes no arguments".to_owned()),
    }
}

/// Constants of the wrong type. Where an expression stands, or stands inside what a rule is about,
/// nothing can be said yet.
fn types(
    document: &Document,
    signature: &Signature,
    arguments: &Value,
    at: &str,
) -> Vec<Diagnostic> {
    let Ok(validator) = jsonschema::validator_for(&signature.arguments) else {
        return Vec::new();
    };
    let mut holes = Vec::new();
    find_holes(arguments, "", &mut holes);
    let depends = |place: &str| {
        holes
            .iter()
            .any(|hole| within(hole, place) || within(place, hole))
    };
    validator
        .iter_errors(arguments)
        .filter(|violation| !depends(&violation.instance_path().to_string()))
        .map(|violation| {
            let pointer = format!("{at}{}", violation.instance_path());
            document.error_at(
                &pointer,
                code::WRONG_ARGUMENT,
                format!("this does not fit the function: {violation}"),
            )
        })
        .collect()
}

/// The pointers of the expressions in `value`, and of the URI templates, which stand for text.
fn find_holes(value: &Value, pointer: &str, holes: &mut Vec<String>) {
    match value {
        Value::String(text) if enclosed(text).is_some() => holes.push(pointer.to_owned()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_holes(item, &format!("{pointer}/{index}"), holes);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                find_holes(member, &child(pointer, key), holes);
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
            &mut holes,
        );
        assert_eq!(holes, ["/a", "/b/1/c~1d"]);
        assert!(within("/b/1/c", "/b"));
        assert!(!within("/bc", "/b"));
    }
}
