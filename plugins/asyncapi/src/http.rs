//! HTTP: a message is a request, and messages are what a response brings with time.

use calls::value::uri;
use calls::{Endpoint, Failure};
use outgoing::authentication::Environment;
use outgoing::{Answer, Open, Request, SendError};
use protocols::sse::Events;

use crate::call::{Call, Received};
use crate::message::Outbound;

/// Sends a message: by POST, or by the method of the operation's HTTP binding.
///
/// # Errors
///
/// Where no response arrived, or one with another status than 200 to 299.
pub fn publish(
    call: &Call,
    message: &Outbound,
    idempotency_key: &str,
    network: &impl Open,
    host: &impl Environment,
) -> Result<(), Failure> {
    let mut headers: Vec<(&str, &str)> = vec![
        ("content-type", "application/json"),
        ("idempotency-key", idempotency_key),
    ];
    for (name, value) in &message.headers {
        headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        headers.push((name, value));
    }
    let method = call.operation["bindings"]["http"]["method"].as_str();
    let method = method.unwrap_or("POST").to_ascii_uppercase();
    let endpoint = endpoint(call)?;
    let request = endpoint.request(&method, &headers, Some(message.payload.clone()));
    let answer = open(&request, &endpoint.network(network, host))?;
    answer
        .whole()
        .map(drop)
        .map_err(|error| Failure::no_response(&request, &error))
}

/// Receives messages: server-sent events, or a JSON value on each line.
///
/// # Errors
///
/// As for [`publish`].
pub fn subscribe(
    call: &Call,
    received: &mut Received<'_>,
    network: &impl Open,
    host: &impl Environment,
) -> Result<(), Failure> {
    let accept = [(
        "accept",
        "text/event-stream, application/x-ndjson, application/json",
    )];
    let endpoint = endpoint(call)?;
    let request = endpoint.request("GET", &accept, None);
    let mut answer = open(&request, &endpoint.network(network, host))?;
    let media_type = answer.header("content-type").unwrap_or_default();
    let is_stream = media_type
        .to_ascii_lowercase()
        .starts_with("text/event-stream");
    let ended = if is_stream {
        events(&mut answer, received)
    } else {
        lines(&mut answer, received)
    };
    ended.map_err(|error| Failure::no_response(&request, &error))
}

fn events(answer: &mut Answer, received: &mut Received<'_>) -> Result<(), SendError> {
    let mut events = Events::new(&mut *answer.body);
    while let Some(event) = events.receive()? {
        let fields = [("event", event.kind), ("id", event.id)];
        let headers: Vec<(String, String)> = fields
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        if !received.take(event.data.as_bytes(), &headers) {
            break;
        }
    }
    Ok(())
}

fn lines(answer: &mut Answer, received: &mut Received<'_>) -> Result<(), SendError> {
    let mut pending = Vec::new();
    loop {
        let next = answer.body.next()?;
        let is_end = next.is_none();
        pending.extend(next.unwrap_or_default());
        if is_end {
            pending.push(b'\n');
        }
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = pending.drain(..=end).collect();
            let line = line.trim_ascii();
            if !line.is_empty() && !received.take(line, &[]) {
                return Ok(());
            }
        }
        if is_end {
            return Ok(());
        }
    }
}

fn endpoint(call: &Call) -> Result<Endpoint, Failure> {
    Ok(Endpoint {
        uri: uri("document", &call.target.uri)?,
        policy: call.policy.clone(),
    })
}

fn open(request: &Request, network: &impl Open) -> Result<Answer, Failure> {
    let failed = |error| Failure::no_response(request, &error);
    let answer = network.open(request).map_err(failed)?;
    if (200..=299).contains(&answer.status) {
        return Ok(answer);
    }
    let response = answer.whole().map_err(failed)?;
    Err(Failure::status(request, &response))
}
