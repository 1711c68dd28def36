//! Documents that are kept elsewhere (dsl-reference, "External Resource").

use outgoing::{Open, Response};
use serde_json::Value;

use crate::Failure;
use crate::arguments::not;
use crate::endpoint::Endpoint;

/// Reads an external resource, `{ name?, endpoint }`. `name` is the argument's.
///
/// # Errors
///
/// `validation` where it is none; as for [`Endpoint::read`].
pub fn read(name: &str, value: &Value) -> Result<Endpoint, Failure> {
    match value.get("endpoint") {
        Some(endpoint) => Endpoint::read(&format!("{name}.endpoint"), endpoint),
        None if value.is_object() => {
            Err(Failure::validation(format!("{name}: it has no `endpoint`")))
        }
        None => Err(not(name, "an object with `endpoint`", value)),
    }
}

/// Fetches what is at an endpoint. `network` is the endpoint's own: see [`Endpoint::network`].
///
/// # Errors
///
/// Where no response arrived, or one with another status than 200 to 299.
pub fn fetch(endpoint: &Endpoint, accept: &str, network: &impl Open) -> Result<Response, Failure> {
    let request = endpoint.request("GET", &[("accept", accept)], None);
    let answer = network.open(&request).and_then(outgoing::Answer::whole);
    let response = answer.map_err(|error| Failure::no_response(&request, &error))?;
    match response.status {
        200..=299 => Ok(response),
        _ => Err(Failure::status(&request, &response)),
    }
}
