//! A call from its arguments to its output.

use calls::value::{any, object, uri};
use calls::{Failure, Kind, OutputFormat, redirect};
use outgoing::authentication::{Authenticated, Environment, Policy};
use outgoing::{Request, Send, Uri};
use serde_json::Value;

use crate::document::Document;
use crate::parameters;

/// How this connector names itself.
pub(crate) const USER_AGENT: &str = concat!("baton-openapi/", env!("CARGO_PKG_VERSION"));

/// What the workflow gave, as JSON texts where the contract says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// An object with `endpoint`.
    pub document: String,
    /// The operation.
    pub operation_id: String,
    /// An object of names and values.
    pub parameters: Option<String>,
    /// A policy.
    pub authentication: Option<String>,
    /// What to give back.
    pub output: OutputFormat,
    /// Whether to follow redirects.
    pub redirect: bool,
    /// A key that stays the same for every attempt.
    pub idempotency_key: String,
}

/// Fetches the document, finds the operation, calls it, and answers with the output, a JSON text.
///
/// # Errors
///
/// `configuration` where the document can't be used or has no such operation; `validation` where the parameters don't
/// fit it; and what [`calls::exchange`] fails with.
pub fn call(
    arguments: &Arguments,
    network: &impl Send,
    host: &impl Environment,
) -> Result<String, Failure> {
    let policy = match any("authentication", arguments.authentication.as_deref())? {
        None | Some(Value::Null) => None,
        Some(policy) => Some(Policy::read(&policy, "authentication").map_err(Failure::of)?),
    };
    let given = object("parameters", arguments.parameters.as_deref())?.unwrap_or_default();
    let document = fetch(&arguments.document, network, host)?;
    let operation = document.operation(&arguments.operation_id)?;
    let request = parameters::request(&operation, given, &arguments.idempotency_key)?;
    let (follow, format) = (arguments.redirect, arguments.output);
    calls::exchange(request, policy, follow, format, network, host)
}

fn fetch(
    resource: &str,
    network: &impl Send,
    host: &impl Environment,
) -> Result<Document, Failure> {
    let (uri, policy) = endpoint(resource)?;
    let request = Request {
        method: "GET".to_owned(),
        uri,
        headers: [
            ("accept", "application/json, application/yaml, */*;q=0.5"),
            ("user-agent", USER_AGENT),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        body: None,
    };
    let network = Authenticated::new(policy, network, host);
    let exchange = redirect::send(request, true, &network)?;
    let status = exchange.response.status;
    let uri = exchange.request.uri;
    if !(200..300).contains(&status) {
        return Err(Failure {
            status: Some(status),
            ..Failure::new(
                Kind::Communication,
                "No OpenAPI document",
                format!("{uri} answered {status} where the OpenAPI document should be"),
            )
        });
    }
    Document::read(&exchange.response.body, uri)
}

/// Where an external resource is (dsl-reference, "External Resource").
fn endpoint(resource: &str) -> Result<(Uri<String>, Option<Policy>), Failure> {
    let resource = any("document", Some(resource))?.unwrap_or_default();
    let endpoint = match &resource {
        Value::String(_) => &resource,
        other => &other["endpoint"],
    };
    match endpoint {
        Value::String(text) => Ok((uri("document.endpoint", text)?, None)),
        Value::Object(fields) => {
            let text = fields.get("uri").and_then(Value::as_str);
            let text = text.ok_or_else(|| {
                Failure::validation("document.endpoint: the object has no string `uri`")
            })?;
            let policy = fields.get("authentication").filter(|it| !it.is_null());
            let policy = policy.map(|it| Policy::read(it, "document.endpoint.authentication"));
            let policy = policy.transpose().map_err(Failure::of)?;
            Ok((uri("document.endpoint.uri", text)?, policy))
        }
        _ => Err(Failure::validation(
            "document: expected an object with `endpoint`, a URI or an object with `uri`",
        )),
    }
}
