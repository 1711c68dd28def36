//! A call from its arguments to its output.

use calls::arguments::value;
use calls::{Failure, Kind, placeholder, resource};
use outgoing::authentication::Environment;
use outgoing::{Answer, Open, Request};
use prost_reflect::MethodDescriptor;
use serde_json::Value;

use crate::frame::{self, Frames};
use crate::status::Status;
use crate::target::Target;
use crate::{message, schema};

/// What the workflow gave, as JSON texts where the contract says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// Where the .proto file is.
    pub proto: String,
    /// What to call.
    pub service: String,
    /// The method.
    pub method: String,
    /// The message or messages to send.
    pub arguments: Option<String>,
    /// A key that stays the same for every attempt.
    pub idempotency_key: String,
    /// How long the call may take, in milliseconds.
    pub deadline: u64,
}

/// Names the connector to servers.
const USER_AGENT: &str = concat!("baton-grpc/", env!("CARGO_PKG_VERSION"));

/// The longest `grpc-timeout`: eight digits (gRPC over HTTP/2, "Timeout").
const TIMEOUT_MAX: u64 = 99_999_999;

/// Calls the method and gives its message, or the array of all its messages.
///
/// # Errors
///
/// `validation` and `configuration` where the arguments make no call; those that [`Status::failure`] names
/// where the service answers with a status; `communication`, `timeout` and `authorization` where no answer came.
pub fn call(
    arguments: &Arguments,
    network: &impl Open,
    host: &impl Environment,
) -> Result<Value, Failure> {
    let target = Target::read(&value("service", &arguments.service)?)?;
    let given = arguments.arguments.as_deref();
    placeholder::refuse(given.map(str::as_bytes))?;
    let given = given.map(|text| value("arguments", text)).transpose()?;
    let source = resource::read("proto", &value("proto", &arguments.proto)?)?;
    let pool = schema::load(&source, &source.network(network, host))?;
    let method = schema::method(&pool, &target.service, &arguments.method)?;

    let mut body = Vec::new();
    for message in message::read(&method, given.unwrap_or_default())? {
        frame::write(&message, &mut body)?;
    }
    let timeout = format!("{}m", arguments.deadline.min(TIMEOUT_MAX));
    let headers = [
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("grpc-accept-encoding", "identity"),
        ("grpc-timeout", timeout.as_str()),
        ("user-agent", USER_AGENT),
        ("idempotency-key", arguments.idempotency_key.as_str()),
    ];
    let endpoint = target.endpoint(&method)?;
    let request = endpoint.request("POST", &headers, Some(body));
    let answer = endpoint
        .network(network, host)
        .open(&request)
        .map_err(|error| Failure::no_response(&request, &error))?;
    let outputs = messages(&request, answer, &method)?;
    output(&request, &method, outputs)
}

/// The messages of an answer whose status is OK.
fn messages(
    request: &Request,
    mut answer: Answer,
    method: &MethodDescriptor,
) -> Result<Vec<Value>, Failure> {
    // An answer that is a status alone has it in its head ("Trailers-Only").
    if let Some(status) = Status::read(&answer.headers) {
        return match status.failure(request) {
            Some(failure) => Err(failure),
            None => Ok(Vec::new()),
        };
    }
    check(request, &answer)?;
    let failed = |error| Failure::no_response(request, &error);
    let mut messages = Vec::new();
    let mut frames = Frames::new(&mut *answer.body);
    while let Some(bytes) = frames.next(request)? {
        messages.push(message::write(method, &bytes)?);
    }
    let trailers = answer.body.trailers().map_err(failed)?;
    match Status::read(&trailers) {
        Some(status) => status.failure(request).map_or(Ok(messages), Err),
        None => Err(Failure::broken(format!(
            "{}: the answer has no grpc-status: it broke off, or what answered speaks no gRPC",
            request.uri
        ))),
    }
}

/// Whether what answered speaks gRPC at all.
fn check(request: &Request, answer: &Answer) -> Result<(), Failure> {
    let media_type = answer.header("content-type").unwrap_or_default();
    if answer.status == 200 && media_type.starts_with("application/grpc") {
        return Ok(());
    }
    let status = Status::of_http(answer.status);
    if let Some(failure) = status.and_then(|status| status.failure(request)) {
        return Err(failure);
    }
    Err(Failure::broken(format!(
        "{} answered {} with {media_type:?}, which is no gRPC",
        request.uri, answer.status
    )))
}

fn output(
    request: &Request,
    method: &MethodDescriptor,
    mut messages: Vec<Value>,
) -> Result<Value, Failure> {
    if method.is_server_streaming() {
        return Ok(Value::from(messages));
    }
    match (messages.pop(), messages.len()) {
        (Some(message), 0) => Ok(message),
        (_, more) => {
            let count = if more == 0 {
                "no message"
            } else {
                "several messages"
            };
            let detail = format!("{}: the answer has {count} instead of one", request.uri);
            Err(Failure::new(Kind::Communication, "Invalid answer", detail))
        }
    }
}
