//! What is said in a session (Model Context Protocol 2025-06-18, "Lifecycle").

use calls::{Failure, Kind};
use protocols::json_rpc::{Incoming, notification, request};
use serde_json::{Map, Value, json};

use crate::transport::{Outcome, Transport};

/// The version that is offered where the workflow names none.
pub const VERSION: &str = "2025-06-18";

/// The versions that a server may agree on: what this connector says is the same in all of them.
const VERSIONS: [&str; 3] = ["2025-03-26", "2025-06-18", "2025-11-25"];

/// JSON-RPC's code for a method that is not there.
const METHOD_NOT_FOUND: i64 = -32601;

/// What the connector introduces itself as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            name: "baton".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Opens a session, calls a method and closes the session.
///
/// # Errors
///
/// `runtime` where the server answers with an error; `configuration` where it speaks another version of the
/// protocol; and those of the transport.
pub fn call(
    transport: &mut impl Transport,
    client: &Client,
    version: &str,
    method: &str,
    parameters: Option<Map<String, Value>>,
) -> Result<Value, Failure> {
    let message = request(2, method, parameters.map(Value::from));
    let answer = initialize(transport, client, version).and_then(|()| transport.request(&message));
    transport.close();
    answer?.map_err(|error| error.into_failure("MCP error", method))
}

fn initialize(
    transport: &mut impl Transport,
    client: &Client,
    version: &str,
) -> Result<(), Failure> {
    let offer = json!({
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": { "name": client.name, "version": client.version },
    });
    let answer = transport.request(&request(1, "initialize", Some(offer)))?;
    let hello = answer.map_err(|error| error.into_failure("MCP error", "initialize"))?;
    let Some(agreed) = hello["protocolVersion"].as_str() else {
        let detail = "the server's answer to `initialize` names no version of the protocol";
        return Err(Failure::broken(detail));
    };
    if agreed != version && !VERSIONS.contains(&agreed) {
        let detail = format!(
            "the server speaks version {agreed} of the protocol; known here are {}",
            VERSIONS.join(", ")
        );
        return Err(Failure::new(
            Kind::Configuration,
            "Protocol version not supported",
            detail,
        ));
    }
    transport.agreed(agreed);
    transport.send(&notification("notifications/initialized", None))
}

/// A message of the server's, to a client that waits for an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// The answer that it waits for.
    Outcome(Outcome),
    /// Something that the server asks; `reply` is what to send it.
    Request {
        /// The message to send.
        reply: Value,
    },
    /// Something that this client has no use for.
    Other,
}

/// Reads a message of the server's, to a client that waits for the answer to `id`.
///
/// # Errors
///
/// `communication` where it is no message of JSON-RPC 2.0.
pub fn receive(message: Value, id: &Value) -> Result<Received, Failure> {
    Ok(match Incoming::read(message)? {
        Incoming::Answer { id: of, outcome } if of == *id => Received::Outcome(outcome),
        // An error without an id is one about the message itself (JSON-RPC 2.0, section 5).
        Incoming::Answer {
            id: Value::Null,
            outcome: Err(error),
        } => Received::Outcome(Err(error)),
        Incoming::Request { id, method } => Received::Request {
            reply: reply(&id, &method),
        },
        Incoming::Answer { .. } | Incoming::Notification => Received::Other,
    })
}

/// The answer to what a server asks of its client. Only `ping` is one that this client has.
fn reply(id: &Value, method: &str) -> Value {
    if method == "ping" {
        return json!({ "jsonrpc": "2.0", "id": id, "result": {} });
    }
    let message = format!("this client has no `{method}`");
    let error = json!({ "code": METHOD_NOT_FOUND, "message": message });
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
}
