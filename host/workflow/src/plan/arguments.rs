//! Whether what a document gives a function fits what the function takes, as far as that can be seen
//! before the expressions have been evaluated.

mod advice;
mod holes;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use self::advice::{listed, one_of, shown};
use self::holes::Holes;
use super::builder::child;
use super::catalog::Signature;
use crate::diagnostic::{DIAGNOSTICS_MAX, Diagnostic, code};
use crate::document::Document;

/// How many things are told of one call: one more than can be listed of all, which says that there are more.
const MISTAKES_MAX: usize = DIAGNOSTICS_MAX + 1;

/// Checks `arguments`, the value of `with` at `pointer`, against a function's signature. With `is_loose`, any
/// text may be an expression. Gives the first of what is wrong, more than can be listed.
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
        let help = one_of(name, names(), "its parameters are");
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
    unknown.chain(missing).take(MISTAKES_MAX).collect()
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
    let holes = Holes::of(arguments, is_loose);
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
fn explain(violation: &ValidationError<'_>, schema: &Value, holes: &Holes, out: &mut Vec<Mistake>) {
    if out.len() >= MISTAKES_MAX {
        return;
    }
    let place = violation.instance_path().to_string();
    let holds_one = holes.are_within(&place);
    // The parameters themselves have been looked at by name.
    if holes.cover(&place)
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
            let unexpected = unexpected.iter().take(MISTAKES_MAX - out.len());
            out.extend(unexpected.map(|name| Mistake {
                place: child(&place, name),
                code: code::UNKNOWN_ARGUMENT,
                message: format!("there is no member `{name}`"),
                help: one_of(name, known(), "its members are"),
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
            let options = options.as_array().into_iter().flatten();
            let options = listed(options.map(shortened));
            out.push(Mistake {
                message: format!(
                    "{} is not among what may stand here",
                    shortened(violation.instance())
                ),
                help: Some(format!("write one of {options}")),
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
        message: format!(
            "this does not fit the function: {}",
            violation.masked_with(shortened(violation.instance()))
        ),
        help: None,
    }
}

/// Whether all that a branch of a choice has to say is that the value is not `null`.
fn is_about_null(branch: &[ValidationError<'_>]) -> bool {
    branch.iter().all(|it| {
        matches!(
            it.kind(),
            ValidationErrorKind::Type {
                kind: TypeKind::Single(JsonType::Null)
            }
        )
    })
}

/// A value as a person wants to read it in a message.
fn shortened(value: &Value) -> String {
    shown(&value.to_string())
}
