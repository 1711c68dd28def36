//! A call from its arguments to its output.

use calls::arguments::{object, value};
use calls::{Endpoint, Failure, Kind, resource};
use outgoing::authentication::Environment;
use outgoing::{Answer, Open, Request};
use protocols::json_rpc::{self, Incoming};
use protocols::sse::Events;
use serde_json::Value;

use crate::card::{self, Agent};
use crate::message;

/// What the workflow gave, as JSON texts where the contract says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The method to call.
    pub method: String,
    /// Where the agent's card is.
    pub agent_card: Option<String>,
    /// Where the agent is.
    pub server: Option<String>,
    /// The parameters of the method.
    pub parameters: Option<String>,
    /// A key that stays the same for every attempt.
    pub idempotency_key: String,
}

/// The id of the one request of a call.
const ID: u64 = 1;

/// Calls the method and gives its result, or the array of all results where the method has many.
///
/// # Errors
///
/// `validation` and `configuration` where the arguments make no call; `runtime` where the agent answers with
/// an error; `communication`, `timeout`, `authentication` and `authorization` where no answer came.
pub fn call(
    arguments: &Arguments,
    network: &impl Open,
    host: &impl Environment,
) -> Result<Value, Failure> {
    let mut parameters = object("parameters", arguments.parameters.as_deref())?;
    let method = arguments.method.as_str();
    if matches!(method, "message/send" | "message/stream") {
        message::complete(&mut parameters, &arguments.idempotency_key);
    }
    let place = place(arguments)?;
    // The credentials of the card are the agent's too where it is on the same server, and go nowhere else.
    let network = &place.network(network, host);
    let agent = match arguments.agent_card {
        Some(_) => card::find(&place, network)?,
        None => Agent {
            endpoint: place.clone(),
            schemes: Vec::new(),
        },
    };
    let has_none = parameters.is_empty() && arguments.parameters.is_none();
    let parameters = (!has_none).then(|| Value::from(parameters));

    let is_stream = matches!(method, "message/stream" | "tasks/resubscribe");
    let headers = [
        (
            "accept",
            if is_stream {
                "text/event-stream, application/json"
            } else {
                "application/json"
            },
        ),
        ("content-type", "application/json"),
        ("idempotency-key", arguments.idempotency_key.as_str()),
    ];
    let body = json_rpc::request(ID, method, parameters).to_string();
    let request = agent
        .endpoint
        .request("POST", &headers, Some(body.into_bytes()));
    let failed = |error| Failure::no_response(&request, &error);
    let answer = network.open(&request).map_err(failed)?;
    if !(200..=299).contains(&answer.status) {
        let response = answer.whole().map_err(failed)?;
        return Err(asked_for(&agent, Failure::status(&request, &response)));
    }
    let media_type = answer.header("content-type").unwrap_or_default();
    if media_type
        .to_ascii_lowercase()
        .starts_with("text/event-stream")
    {
        return results(&request, answer, method).map(Value::from);
    }
    let response = answer.whole().map_err(failed)?;
    let result = result(&request, &response.body, method)?;
    Ok(if is_stream {
        Value::from(vec![result])
    } else {
        result
    })
}

/// Where the card is, or else the agent.
fn place(arguments: &Arguments) -> Result<Endpoint, Failure> {
    match (&arguments.agent_card, &arguments.server) {
        (Some(argument), _) => resource::read("agent-card", &value("agent-card", argument)?),
        (None, Some(argument)) => Endpoint::read("server", &value("server", argument)?),
        (None, None) => Err(Failure::validation(
            "there is neither `agentCard` nor `server`: say where the agent is",
        )),
    }
}

/// Says how the agent wants its callers to authenticate, where that was the trouble.
fn asked_for(agent: &Agent, mut failure: Failure) -> Failure {
    let is_about_it = matches!(failure.kind, Kind::Authentication | Kind::Authorization);
    if is_about_it && !agent.schemes.is_empty() {
        let schemes = agent.schemes.join(", ");
        failure.detail += &format!("; its card asks for authentication by {schemes}");
    }
    failure
}

/// All results of a stream, in order.
fn results(request: &Request, mut answer: Answer, method: &str) -> Result<Vec<Value>, Failure> {
    let mut events = Events::new(&mut *answer.body);
    let mut results = Vec::new();
    loop {
        let event = events
            .receive()
            .map_err(|error| Failure::no_response(request, &error))?;
        let Some(event) = event else {
            return Ok(results);
        };
        if event.data.is_empty() {
            continue;
        }
        let result = result(request, event.data.as_bytes(), method)?;
        // The agent says so where nothing follows (A2A 0.3, section 7.2.2), and need not close the stream.
        let is_last = result["final"] == true;
        results.push(result);
        if is_last {
            return Ok(results);
        }
    }
}

fn result(request: &Request, text: &[u8], method: &str) -> Result<Value, Failure> {
    let uri = &request.uri;
    let message = serde_json::from_slice(text).map_err(|error| {
        let shown = calls::failure::start_of(text);
        Failure::broken(format!(
            "POST {uri}: the answer is no JSON: {error}: {shown}"
        ))
    })?;
    match Incoming::read(message)? {
        Incoming::Answer {
            outcome: Err(error),
            ..
        } => Err(error.into_failure("A2A error", method)),
        Incoming::Answer {
            id,
            outcome: Ok(result),
        } if id == ID => Ok(result),
        _ => Err(Failure::broken(format!(
            "POST {uri}: this is no answer to the request"
        ))),
    }
}
