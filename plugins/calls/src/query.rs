//! From names and values to a query.

use outgoing::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::value::{self, kind_of};

/// All but the unreserved characters (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Adds names and values to the query of a URI, behind those that it has.
///
/// # Errors
///
/// `validation`, where a value can't stand in a query.
pub fn add(uri: &Uri<String>, values: &Map<String, Value>) -> Result<Uri<String>, Failure> {
    let added = encode("query", values)?;
    if added.is_empty() {
        return Ok(uri.clone());
    }
    let text = uri.as_str();
    let (text, fragment) = match text.split_once('#') {
        Some((text, fragment)) => (text, Some(fragment)),
        None => (text, None),
    };
    let joint = match uri.query() {
        None => "?",
        Some(query) if query.is_empty() || query.as_str().ends_with('&') => "",
        Some(_) => "&",
    };
    let fragment = fragment
        .map(|fragment| format!("#{fragment}"))
        .unwrap_or_default();
    value::uri("endpoint", &format!("{text}{joint}{added}{fragment}"))
}

/// `name=value` for each, joined by `&`.
///
/// # Errors
///
/// `validation`, where a value is no scalar and no array of them.
pub fn encode(argument: &str, values: &Map<String, Value>) -> Result<String, Failure> {
    let mut pairs = Vec::new();
    for (name, given) in values {
        let items = match given {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in items {
            let value = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                other => {
                    return Err(Failure::validation(format!(
                        "{argument}: expected text, a number, a boolean or an array of these for \
                         `{name}`, and found {}",
                        kind_of(other)
                    )));
                }
            };
            let encode = |text| utf8_percent_encode(text, ENCODED).to_string();
            pairs.push(format!("{}={}", encode(name), encode(&value)));
        }
    }
    Ok(pairs.join("&"))
}
