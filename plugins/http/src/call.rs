//! A call from its arguments to its output.

use outgoing::Send;

use crate::failure::Failure;
use crate::{redirect, request, response};

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

/// What a call gives back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputFormat {
    /// The content as it came, in base64.
    Raw,
    /// The content, as JSON or text where it is.
    #[default]
    Content,
    /// The whole response.
    Response,
}

/// Sends what the arguments ask for, and answers with the output, a JSON text.
///
/// # Errors
///
/// `validation` and `configuration` where the arguments make no request; `authorization` where the host
/// does not let it out; `timeout` and `communication` where no response came, or one with a status that is
/// not a success.
pub fn call(arguments: &Arguments, network: &impl Send) -> Result<String, Failure> {
    let request = request::build(arguments)?;
    let exchange = redirect::send(request, arguments.redirect, network)?;
    let accepted = if arguments.redirect {
        200..=399
    } else {
        200..=299
    };
    if accepted.contains(&exchange.response.status) {
        response::output(&exchange, arguments.output)
    } else {
        Err(response::failure(&exchange))
    }
}
