//! The arguments of a call, made a request.

use calls::arguments::{object, optional, value};
use calls::value::{header, header_of, is_token};
use calls::{Endpoint, Failure, body, query};
use outgoing::Request;
use outgoing::authentication::Policy;

use crate::call::Arguments;

/// How this connector names itself, unless the workflow gives another name.
const USER_AGENT: &str = concat!("baton-http/", env!("CARGO_PKG_VERSION"));

/// Methods that are not safe (RFC 9110, section 9.2.1), and so carry an idempotency key.
const UNSAFE_METHODS: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];

/// Makes a request of the arguments, and the policy that it is sent under.
///
/// # Errors
///
/// `validation`, saying which argument is wrong and how; `configuration` for a way of authentication that
/// is not supported.
pub fn build(arguments: &Arguments) -> Result<(Request, Option<Policy>), Failure> {
    let method = method(&arguments.method)?;
    let endpoint = value("endpoint", &arguments.endpoint)?;
    let endpoint = Endpoint::read("endpoint", &endpoint)?;
    let mut headers = headers(arguments.headers.as_deref())?;
    let values = object("query", arguments.query.as_deref())?;
    let uri = query::add(&endpoint.uri, &values)?;

    let body = match optional("body", arguments.body.as_deref())? {
        None => None,
        Some(value) => {
            let content_type = header_of(&headers, "content-type").map(str::to_owned);
            let (bytes, assumed) = body::encode(value, content_type.as_deref())?;
            if content_type.is_none() {
                headers.push(("content-type".to_owned(), assumed.to_owned()));
            }
            Some(bytes)
        }
    };
    // POST and its like have a body by their nature, if an empty one (RFC 9110, section 8.6).
    let body = body.or_else(|| matches!(method.as_str(), "POST" | "PUT" | "PATCH").then(Vec::new));

    let mut unless_given = |name: &str, value: &str| {
        if header_of(&headers, name).is_none() {
            headers.push((name.to_owned(), value.to_owned()));
        }
    };
    if UNSAFE_METHODS.contains(&method.as_str()) {
        unless_given("idempotency-key", &arguments.idempotency_key);
    }
    unless_given("accept", "*/*");
    unless_given("user-agent", USER_AGENT);
    let request = Request {
        method,
        uri,
        headers,
        body,
    };
    Ok((request, endpoint.policy))
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

fn headers(text: Option<&str>) -> Result<Vec<(String, String)>, Failure> {
    let mut headers = Vec::new();
    for (name, value) in object("headers", text)? {
        if let Some(value) = header(&name, value)? {
            headers.push((name, value));
        }
    }
    Ok(headers)
}
