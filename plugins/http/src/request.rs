//! The arguments of a call, made a request.

mod authentication;
mod body;
mod query;

use outgoing::{Request, Uri};
use serde_json::{Map, Value};

use crate::call::Arguments;
use crate::failure::Failure;

/// How this connector names itself, unless the workflow gives another name.
const USER_AGENT: &str = concat!("baton-http/", env!("CARGO_PKG_VERSION"));

/// Methods that are not safe (RFC 9110, section 9.2.1), and so carry an idempotency key.
const UNSAFE_METHODS: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];

/// Makes a request of the arguments.
///
/// # Errors
///
/// `validation`, saying which argument is wrong and how; `configuration` for a way of authentication that
/// is not supported.
pub fn build(arguments: &Arguments) -> Result<Request, Failure> {
    let method = method(&arguments.method)?;
    let (uri, authorization) = endpoint(&arguments.endpoint)?;
    let mut headers = headers(arguments.headers.as_deref())?;
    let uri = match object("query", arguments.query.as_deref())? {
        Some(values) => query::add(&uri, &values)?,
        None => uri,
    };

    let body = match value("body", arguments.body.as_deref())? {
        None | Some(Value::Null) => None,
        Some(value) => {
            let content_type = header(&headers, "content-type").map(str::to_owned);
            let (bytes, assumed) = body::encode(value, content_type.as_deref())?;
            if content_type.is_none() {
                headers.push(("content-type".to_owned(), assumed.to_owned()));
            }
            Some(bytes)
        }
    };
    // POST and its like have a body by their nature, if an empty one (RFC 9110, section 8.6).
    let body = body.or_else(|| matches!(method.as_str(), "POST" | "PUT" | "PATCH").then(Vec::new));

    if let Some(authorization) = authorization {
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        headers.push(("authorization".to_owned(), authorization));
    }
    let mut unless_given = |name: &str, value: &str| {
        if header(&headers, name).is_none() {
            headers.push((name.to_owned(), value.to_owned()));
        }
    };
    if UNSAFE_METHODS.contains(&method.as_str()) {
        unless_given("idempotency-key", &arguments.idempotency_key);
    }
    unless_given("accept", "*/*");
    unless_given("user-agent", USER_AGENT);
    Ok(Request {
        method,
        uri,
        headers,
        body,
    })
}

/// Methods are case-sensitive (RFC 9110, section 9.1) and all known ones are upper case, while workflows
/// write them in lower case, as the specification's examples do.
fn method(method: &str) -> Result<String, Failure> {
    if !is_token(method) {
        return Err(Failure::validation(format!(
            "method: {method:?} is no HTTP method"
        )));
    }
    Ok(method.to_ascii_uppercase())
}

fn endpoint(text: &str) -> Result<(Uri<String>, Option<String>), Failure> {
    let endpoint = value("endpoint", Some(text))?.unwrap_or_default();
    match &endpoint {
        Value::String(text) => Ok((uri("endpoint", text)?, None)),
        Value::Object(fields) => {
            let Some(text) = fields.get("uri").and_then(Value::as_str) else {
                return Err(Failure::validation(
                    "endpoint: the object has no string `uri`",
                ));
            };
            let known = |name: &&String| *name != "uri" && *name != "authentication";
            if let Some(unknown) = fields.keys().find(known) {
                return Err(Failure::validation(format!(
                    "endpoint: the object has the unknown key `{unknown}`: there are `uri` and \
                     `authentication`"
                )));
            }
            let authorization = match fields.get("authentication") {
                None | Some(Value::Null) => None,
                Some(policy) => Some(authentication::header(policy)?),
            };
            Ok((uri("endpoint.uri", text)?, authorization))
        }
        other => Err(Failure::validation(format!(
            "endpoint: expected a URI, or an object with `uri`, and found {}",
            kind_of(other)
        ))),
    }
}

/// Reads an absolute URI of HTTP (RFC 9110, section 4.2).
pub(crate) fn uri(argument: &str, text: &str) -> Result<Uri<String>, Failure> {
    let broken = |why: &str| Failure::validation(format!("{argument}: {why}"));
    let uri = Uri::parse(text).map_err(|error| {
        broken(&format!(
            "{text:?} is no absolute URI: {error}; encode what a URI may not hold"
        ))
    })?;
    let scheme = uri.scheme().as_str().to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(broken(&format!(
            "the scheme of {text:?} is neither http nor https"
        )));
    }
    let Some(authority) = uri
        .authority()
        .filter(|authority| !authority.host().is_empty())
    else {
        return Err(broken(&format!("{text:?} names no host")));
    };
    if authority.userinfo().is_some() {
        // They would show up wherever the URI does (RFC 9110, section 4.2.4, deprecates them).
        return Err(broken(
            "the URI holds credentials: give them as `authentication` with `basic`",
        ));
    }
    Ok(uri.to_owned())
}

fn headers(text: Option<&str>) -> Result<Vec<(String, String)>, Failure> {
    let mut headers = Vec::new();
    for (name, value) in object("headers", text)?.unwrap_or_default() {
        if !is_token(&name) {
            return Err(Failure::validation(format!(
                "headers: {name:?} is no name of a header"
            )));
        }
        let value = match value {
            Value::Null => continue,
            Value::String(text) => text,
            value @ (Value::Bool(_) | Value::Number(_)) => value.to_string(),
            other => {
                return Err(Failure::validation(format!(
                    "headers: expected text for {name}, and found {}",
                    kind_of(&other)
                )));
            }
        };
        // RFC 9110, section 5.5. The value may be a secret: it is not shown.
        if value
            .chars()
            .any(|character| character.is_control() && character != '\t')
        {
            return Err(Failure::validation(format!(
                "headers: the value of {name} holds a control character, which no header may"
            )));
        }
        headers.push((name, value.trim().to_owned()));
    }
    Ok(headers)
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let found = headers
        .iter()
        .find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

fn object(argument: &str, text: Option<&str>) -> Result<Option<Map<String, Value>>, Failure> {
    match value(argument, text)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(fields)) => Ok(Some(fields)),
        Some(other) => Err(Failure::validation(format!(
            "{argument}: expected an object of names and values, and found {}",
            kind_of(&other)
        ))),
    }
}

fn value(argument: &str, text: Option<&str>) -> Result<Option<Value>, Failure> {
    text.map(serde_json::from_str)
        .transpose()
        .map_err(|error| Failure::validation(format!("{argument}: no JSON: {error}")))
}

/// Whether a text is a token (RFC 9110, section 5.6.2).
fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
