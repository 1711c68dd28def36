//! A call from its arguments to its output.

use outgoing::Open;
use protocols::arguments::{object, text, value};
use protocols::{Failure, Kind};
use serde_json::{Map, Value};

use crate::http::Http;
use crate::session::{self, Client};

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
pub fn call(arguments: &Arguments, network: &impl Open) -> Result<Value, Failure> {
    let parameters = match arguments.parameters.as_deref() {
        None => None,
        text => Some(object("parameters", text)?),
    };
    let client = client(arguments.client.as_deref())?;
    let version = arguments.protocol_version.as_deref();
    let version = version.unwrap_or(session::VERSION);
    let transport = value("transport", &arguments.transport)?;
    let Some(settings) = transport.get("http") else {
        return Err(no_transport(&transport));
    };
    let mut http = Http::read(settings, &arguments.idempotency_key, network)?;
    session::call(&mut http, &client, version, &arguments.method, parameters)
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

fn no_transport(transport: &Value) -> Failure {
    let is_stdio = transport
        .as_object()
        .is_some_and(|it: &Map<String, Value>| it.contains_key("stdio"));
    if is_stdio {
        let detail = "transport.stdio: a process is started outside of the sandbox, which this connector \
                      cannot do: use `transport.http`";
        return Failure::new(Kind::Configuration, "Transport not supported", detail);
    }
    Failure::validation("transport: expected an object with `http`")
}
