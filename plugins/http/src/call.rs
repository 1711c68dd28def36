//! A call from its arguments to its output.

use calls::{Failure, OutputFormat};
use outgoing::Send;
use outgoing::authentication::Environment;

use crate::request;

/// What the workflow gave, as JSON texts where the contract says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The method, in any case.
    pub method: String,
    /// A URI, or an object with `uri` and `authentication`.
    pub endpoint: String,
    /// An object of names and values.
    pub headers: Option<String>,
    /// An object of names and values.
    pub query: Option<String>,
    /// What to send.
    pub body: Option<String>,
    /// What to give back.
    pub output: OutputFormat,
    /// Whether to follow redirects.
    pub redirect: bool,
    /// A key that stays the same for every attempt.
    pub idempotency_key: String,
}

/// Sends what the arguments ask for, and answers with the output, a JSON text.
///
/// # Errors
///
/// `validation` and `configuration` where the arguments make no request; `authorization` where the host
/// does not let it out; `authentication` where the credentials are not taken; `timeout` and `communication`
/// where no response came, or one with a status that is not a success.
pub fn call(
    arguments: &Arguments,
    network: &impl Send,
    host: &impl Environment,
) -> Result<String, Failure> {
    let (request, policy) = request::build(arguments)?;
    let (follow, format) = (arguments.redirect, arguments.output);
    calls::exchange(request, policy, follow, format, network, host)
}
