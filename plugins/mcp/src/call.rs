//! A call from its arguments to its output.

use calls::Failure;
use calls::arguments::{object, text, value};
use outgoing::Open;
use outgoing::authentication::Environment;
use process::Start;
use serde_json::Value;

use crate::http::Http;
use crate::session::{self, Client};
use crate::stdio::Stdio;

/// What the workflow gave, as JSON texts where the contract says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The method to call.
    pub method: String,
    /// How to reach the server.
    pub transport: String,
    /// The parameters of the method.
    pub parameters: Option<String>,
    /// The version of the protocol to offer.
    pub protocol_version: Option<String>,
    /// What to introduce itself as.
    pub client: Option<String>,
    /// A key that stays the same for every attempt.
    pub idempotency_key: String,
}

/// Calls the method, in a session of its own, and gives its result.
///
/// # Errors
///
/// `validation` and `configuration` where the arguments make no call; `runtime` where the server answers with
/// an error; `communication`, `timeout`, `authentication` and `authorization` where no answer came.
pub fn call(
    arguments: &Arguments,
    network: &impl Open,
    host: &impl Environment,
    machine: &impl Start,
) -> Result<Value, Failure> {
    let parameters = match arguments.parameters.as_deref() {
        None => None,
        text => Some(object("parameters", text)?),
    };
    let client = client(arguments.client.as_deref())?;
    let version = arguments.protocol_version.as_deref();
    let version = version.unwrap_or(session::VERSION);
    let method = &arguments.method;
    let key = &arguments.idempotency_key;
    let transport = value("transport", &arguments.transport)?;
    match (transport.get("http"), transport.get("stdio")) {
        (Some(settings), None) => {
            let mut http = Http::read(settings, key, network, host)?;
            session::call(&mut http, &client, version, method, parameters)
        }
        (None, Some(settings)) => {
            let mut stdio = Stdio::start(settings, key, machine)?;
            session::call(&mut stdio, &client, version, method, parameters)
        }
        _ => Err(Failure::validation(
            "transport: expected an object with either `http` or `stdio`",
        )),
    }
}

fn client(argument: Option<&str>) -> Result<Client, Failure> {
    if argument.is_none() {
        return Ok(Client::default());
    }
    let members = object("client", argument)?;
    let part = |key| text("client", &members, key).map(str::to_owned);
    Ok(Client {
        name: part("name")?,
        version: part("version")?,
    })
}
