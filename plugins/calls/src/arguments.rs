//! Arguments that come as JSON texts.

use serde_json::{Map, Value};

use crate::Failure;
use crate::value::kind_of;

/// Reads the argument `name`.
///
/// # Errors
///
/// `validation`, where the text is no JSON.
pub fn value(name: &str, text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text)
        .map_err(|error| Failure::validation(format!("{name}: no JSON: {error}")))
}

/// Reads the argument `name`, which may be absent.
///
/// # Errors
///
/// `validation`, where the text is no JSON.
pub fn optional(name: &str, text: Option<&str>) -> Result<Option<Value>, Failure> {
    let read = text.map(|text| value(name, text)).transpose()?;
    Ok(read.filter(|value| !value.is_null()))
}

/// Reads the argument `name`, which must be an object. Absent or null it is an empty one.
///
/// # Errors
///
/// `validation`, where the text is no JSON or something else than an object.
pub fn object(name: &str, text: Option<&str>) -> Result<Map<String, Value>, Failure> {
    match optional(name, text)? {
        None => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members),
        Some(other) => Err(not(name, "an object", &other)),
    }
}

/// The member `key` of the argument `name`, as text.
///
/// # Errors
///
/// `validation`, where it is absent or no text.
pub fn text<'v>(
    name: &str,
    members: &'v Map<String, Value>,
    key: &str,
) -> Result<&'v str, Failure> {
    match members.get(key) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(not(&format!("{name}.{key}"), "text", other)),
        None => Err(Failure::validation(format!("{name}: it has no `{key}`"))),
    }
}

/// The failure for an argument that is something else than it must be.
pub fn not(name: &str, expected: &str, found: &Value) -> Failure {
    let found = kind_of(found);
    Failure::validation(format!("{name}: expected {expected}, and found {found}"))
}

/// A name that does not exist, and those that do: the nearest first.
///
/// `names` that are many are cut after ten, so that the message stays one.
pub fn unknown(what: &str, name: &str, names: impl IntoIterator<Item = String>) -> String {
    const SHOWN: usize = 10;
    let mut names: Vec<String> = names.into_iter().collect();
    let wanted = name.to_lowercase();
    names.sort_by_cached_key(|other| {
        let distance = strsim::damerau_levenshtein(&wanted, &other.to_lowercase());
        (distance, other.clone())
    });
    if names.is_empty() {
        return format!("there is no {what} `{name}`, and no other");
    }
    let left = names.len().saturating_sub(SHOWN);
    let listed: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = match left {
        0 => String::new(),
        left => format!(" and {left} more"),
    };
    format!(
        "there is no {what} `{name}`: there is {}{more}",
        listed.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_comes_first() {
        let names = ["Farewell", "SayHello", "Greet"].map(str::to_owned);
        assert_eq!(
            unknown("method", "SayHallo", names),
            "there is no method `SayHallo`: there is `SayHello`, `Farewell`, `Greet`"
        );
        assert_eq!(
            unknown("method", "x", []),
            "there is no method `x`, and no other"
        );
    }

    #[test]
    fn arguments_say_what_they_should_be() {
        let failure = object("parameters", Some("[]")).expect_err("no object");
        assert_eq!(
            failure.detail,
            "parameters: expected an object, and found an array"
        );
        assert_eq!(object("parameters", Some("null")), Ok(Map::new()));
    }
}
