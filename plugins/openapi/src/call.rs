//! A call from its arguments to its output.

use calls::arguments::{object, optional, value};
use calls::endpoint::policy;
use calls::{Failure, Kind, OutputFormat, redirect, resource};
use outgoing::Send;
use outgoing::authentication::Environment;

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
    let authentication = optional("authentication", arguments.authentication.as_deref())?;
    let policy = policy("authentication", authentication.as_ref())?;
    let given = object("parameters", arguments.parameters.as_deref())?;
    let document = fetch(&arguments.document, network, host)?;
    let operation = document.operation(&arguments.operation_id)?;
    let request = parameters::request(&operation, given, &arguments.idempotency_key)?;
    let (follow, format) = (arguments.redirect, arguments.output);
    calls::exchange(request, policy, follow, format, network, host)
}

fn fetch(
    argument: &str,
    network: &impl Send,
    host: &impl Environment,
) -> Result<Document, Failure> {
    let place = resource::read("document", &value("document", argument)?)?;
    let headers = [
        ("accept", "application/json, application/yaml, */*;q=0.5"),
        ("user-agent", USER_AGENT),
    ];
    let request = place.request("GET", &headers, None);
    let exchange = redirect::send(request, true, &place.network(network, host))?;
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
