//! Fetching over HTTP: a GET, with nothing but the bindings to `wasi:http`.

use crate::baton::connector::types::{Failure, FailureKind};
use crate::failure;
use crate::wasi::http::outgoing_handler;
use crate::wasi::http::types::{ErrorCode, Fields, IncomingResponse, OutgoingRequest, Scheme};
use crate::wasi::io::streams::StreamError;

/// How much is read at once, in bytes.
const CHUNK: u64 = 64 << 10;

/// The text at a URL.
pub fn text(url: &str) -> Result<String, Failure> {
    let wrong = "the URL must be of the form http://host/path";
    let invalid = || failure(FailureKind::Validation, "No URL", wrong);
    let (scheme, rest) = url.split_once("://").ok_or_else(invalid)?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err(invalid()),
    };
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&scheme)).map_err(|()| invalid())?;
    request
        .set_authority(Some(authority))
        .map_err(|()| invalid())?;
    request
        .set_path_with_query(Some(path))
        .map_err(|()| invalid())?;
    let response = send(request).map_err(|error| {
        // What the host refuses arrives here too; it says itself what would allow it.
        failure(
            FailureKind::Communication,
            "No answer",
            &format!("{error:?}"),
        )
    })?;
    match response.status() {
        200 => Ok(String::from_utf8_lossy(&body(&response)).into_owned()),
        status => Err(Failure {
            status: Some(status),
            ..failure(
                FailureKind::Communication,
                "No motto",
                "the server has none",
            )
        }),
    }
}

fn send(request: OutgoingRequest) -> Result<IncomingResponse, ErrorCode> {
    let response = outgoing_handler::handle(request, None)?;
    response.subscribe().block();
    let answer = response.get().expect("it has been waited for");
    answer.expect("it is taken once")
}

fn body(response: &IncomingResponse) -> Vec<u8> {
    let body = response.consume().expect("it is taken once");
    let stream = body.stream().expect("it is taken once");
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(CHUNK) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed | StreamError::LastOperationFailed(_)) => return bytes,
        }
    }
}
