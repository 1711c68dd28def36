//! Sending by the host.

mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

    wit_bindgen::generate!({
        inline: "
            package baton:outgoing;
            world network {
                import wasi:http/types@0.2.12;
                import wasi:http/outgoing-handler@0.2.12;
                import wasi:clocks/monotonic-clock@0.2.12;
                import wasi:clocks/wall-clock@0.2.12;
                import wasi:random/random@0.2.12;
                import baton:connector/secrets@1.0.0;
                import baton:connector/cache@1.0.0;
            }
        ",
        path: "../../wit",
        world: "baton:outgoing/network",
        generate_all,
    });
}

use bindings::baton::connector::{cache, secrets};
use bindings::wasi::clocks::{monotonic_clock, wall_clock};
use bindings::wasi::http::outgoing_handler;
use bindings::wasi::http::types::{
    self, ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    Scheme,
};
use bindings::wasi::io::poll::{self, Pollable};
use bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use bindings::wasi::random::random;

use crate::authentication::{Algorithm, Environment};
use crate::{Answer, Body, ErrorKind, Open, Request, Response, Send, SendError};

/// How much is written at a time: the most that `blocking-write-and-flush` takes.
const WRITE_BYTES: usize = 4096;
/// How much is asked for at a time.
const READ_BYTES: u64 = 64 * 1024;

/// The host, as far as authenticating needs it.
pub struct Host;

impl Environment for Host {
    fn basic(&self, username: &str, password: &str) -> Result<String, SendError> {
        secrets::basic(username, password).map_err(of_secret)
    }

    fn hash(&self, algorithm: Algorithm, text: &str) -> Result<Vec<u8>, SendError> {
        let algorithm = match algorithm {
            Algorithm::Md5 => secrets::HashAlgorithm::Md5,
            Algorithm::Sha256 => secrets::HashAlgorithm::Sha256,
            Algorithm::Sha512Part256 => secrets::HashAlgorithm::Sha512256,
        };
        secrets::hash(algorithm, text).map_err(of_secret)
    }

    fn hmac_sha256(&self, key: &str, data: &[u8]) -> Result<Vec<u8>, SendError> {
        secrets::hmac_sha256(key, data).map_err(of_secret)
    }

    fn remembered(&self, key: &str) -> Option<String> {
        cache::get(key)
    }

    fn remember(&self, key: &str, value: &str, milliseconds: u64) {
        cache::set(key, value, milliseconds);
    }

    fn now(&self) -> u64 {
        wall_clock::now().seconds
    }

    fn random(&self) -> u64 {
        random::get_random_u64()
    }
}

fn of_secret(error: secrets::Error) -> SendError {
    match error {
        secrets::Error::Denied(why) | secrets::Error::Missing(why) => {
            SendError::new(ErrorKind::Refused, why)
        }
    }
}

/// The network, as far as the host's grant reaches.
pub struct Network;

/// The network, for a limited time.
pub struct Patient {
    /// An instant of the monotonic clock, in nanoseconds.
    until: u64,
}

impl Patient {
    /// The network for as many milliseconds from now on. What takes longer is an error of the kind
    /// [`ErrorKind::Timeout`].
    pub fn within(milliseconds: u64) -> Self {
        let nanoseconds = milliseconds.saturating_mul(1_000_000);
        Self {
            until: monotonic_clock::now().saturating_add(nanoseconds),
        }
    }
}

impl Send for Network {
    fn send(&self, request: &Request) -> Result<Response, SendError> {
        exchange(request, None)?.whole()
    }
}

impl Open for Network {
    fn open(&self, request: &Request) -> Result<Answer, SendError> {
        exchange(request, None)
    }
}

impl Open for Patient {
    fn open(&self, request: &Request) -> Result<Answer, SendError> {
        exchange(request, Some(self.until))
    }
}

fn exchange(request: &Request, until: Option<u64>) -> Result<Answer, SendError> {
    let outgoing = outgoing(request)?;
    let body = request.body.as_ref().map(|_| outgoing.body());
    let body = body
        .transpose()
        .map_err(|()| invalid("the request takes no body"))?;
    let response = outgoing_handler::handle(outgoing, None).map_err(|code| of_code(&code))?;
    // A server may answer before it has read the body, and close: its answer is what counts, and
    // the error in writing matters only where there is none.
    let written = match (body, &request.body) {
        (Some(outgoing), Some(bytes)) => write(outgoing, bytes),
        _ => Ok(()),
    };

    wait(&response.subscribe(), until)?;
    match response.get() {
        Some(Ok(Ok(response))) => receive(response, until),
        Some(Ok(Err(code))) => Err(of_code(&code)),
        Some(Err(())) | None => {
            written?;
            Err(SendError::new(
                ErrorKind::Communication,
                "no response arrived",
            ))
        }
    }
}

/// Waits until something is ready, or for as long as there is patience.
fn wait(ready: &Pollable, until: Option<u64>) -> Result<(), SendError> {
    let Some(until) = until else {
        ready.block();
        return Ok(());
    };
    let timer = monotonic_clock::subscribe_instant(until);
    if poll::poll(&[ready, &timer]).contains(&0) {
        Ok(())
    } else {
        Err(SendError::new(
            ErrorKind::Timeout,
            "no answer arrived in the time that the call may take",
        ))
    }
}

fn outgoing(request: &Request) -> Result<OutgoingRequest, SendError> {
    let mut headers: Vec<(String, Vec<u8>)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone().into_bytes()))
        .collect();
    if let Some(body) = &request.body {
        headers.push((
            "content-length".to_owned(),
            body.len().to_string().into_bytes(),
        ));
    }
    let fields = Fields::from_list(&headers).map_err(|error| match error {
        types::HeaderError::Forbidden => {
            invalid("one of the headers is set by the host and by nobody else")
        }
        _ => invalid("one of the headers is no valid header"),
    })?;

    let outgoing = OutgoingRequest::new(fields);
    let method = method(&request.method);
    outgoing
        .set_method(&method)
        .map_err(|()| invalid("the method is no valid method"))?;
    let scheme = match request.uri.scheme().as_str().to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    outgoing
        .set_scheme(Some(&scheme))
        .map_err(|()| invalid("the scheme is not HTTP's"))?;
    let authority = request.uri.authority().map(|authority| authority.as_str());
    outgoing
        .set_authority(authority)
        .map_err(|()| invalid("the host of the URI is no host"))?;
    let path = match request.uri.path().as_str() {
        "" => "/",
        path => path,
    };
    let path = match request.uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    outgoing
        .set_path_with_query(Some(&path))
        .map_err(|()| invalid("the path of the URI is no path"))?;
    Ok(outgoing)
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), SendError> {
    let stream: OutputStream = body
        .write()
        .map_err(|()| invalid("the request takes no body"))?;
    for chunk in bytes.chunks(WRITE_BYTES) {
        stream
            .blocking_write_and_flush(chunk)
            .map_err(|error| of_stream(&error))?;
    }
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|code| of_code(&code))
}

fn receive(response: IncomingResponse, until: Option<u64>) -> Result<Answer, SendError> {
    let no_body = |()| SendError::new(ErrorKind::Communication, "the response has no body");
    let status = response.status();
    let headers = owned(response.headers().entries());
    let incoming = response.consume().map_err(no_body)?;
    let stream = incoming.stream().map_err(no_body)?;
    Ok(Answer {
        status,
        headers,
        body: Box::new(Receiving {
            stream: Some(stream),
            incoming: Some(incoming),
            until,
        }),
    })
}

/// Names in lower case.
fn owned(entries: Vec<(String, Vec<u8>)>) -> Vec<(String, String)> {
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    let owned = |(name, value): (String, Vec<u8>)| (name.to_ascii_lowercase(), text(value));
    entries.into_iter().map(owned).collect()
}

/// A body on its way. The stream is dropped before what it is a part of, as the component model asks.
struct Receiving {
    stream: Option<InputStream>,
    incoming: Option<IncomingBody>,
    until: Option<u64>,
}

impl Body for Receiving {
    fn next(&mut self) -> Result<Option<Vec<u8>>, SendError> {
        let Some(stream) = &self.stream else {
            return Ok(None);
        };
        loop {
            wait(&stream.subscribe(), self.until)?;
            match stream.read(READ_BYTES) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Ok(Some(bytes)),
                Err(StreamError::Closed) => {
                    self.stream = None;
                    return Ok(None);
                }
                Err(error) => {
                    self.stream = None;
                    return Err(of_stream(&error));
                }
            }
        }
    }

    fn trailers(&mut self) -> Result<Vec<(String, String)>, SendError> {
        while self.next()?.is_some() {}
        let Some(incoming) = self.incoming.take() else {
            return Ok(Vec::new());
        };
        let trailers = IncomingBody::finish(incoming);
        wait(&trailers.subscribe(), self.until)?;
        match trailers.get() {
            Some(Ok(Ok(Some(fields)))) => Ok(owned(fields.entries())),
            Some(Ok(Err(code))) => Err(of_code(&code)),
            Some(Ok(Ok(None)) | Err(())) | None => Ok(Vec::new()),
        }
    }
}

fn invalid(detail: &str) -> SendError {
    SendError::new(ErrorKind::Invalid, detail)
}

fn of_stream(error: &StreamError) -> SendError {
    match error {
        StreamError::Closed => SendError::new(
            ErrorKind::Communication,
            "the connection was closed in the middle",
        ),
        StreamError::LastOperationFailed(error) => match types::http_error_code(error) {
            Some(code) => of_code(&code),
            None => SendError::new(
                ErrorKind::Communication,
                format!(
                    "the connection broke in the middle: {}",
                    error.to_debug_string()
                ),
            ),
        },
    }
}

/// Each of the codes of wasi:http in words.
fn of_code(code: &ErrorCode) -> SendError {
    use ErrorKind::{Communication, Invalid, Refused, Timeout};
    let (kind, detail) = match code {
        ErrorCode::HttpRequestDenied => {
            (Refused, "the connector's grant does not allow this request")
        }
        ErrorCode::DestinationIpProhibited => (
            Refused,
            "the connector's grant does not allow the address that the host name leads to",
        ),
        ErrorCode::DnsTimeout => (Timeout, "the host name was not resolved in time"),
        ErrorCode::ConnectionTimeout => (Timeout, "the connection was not established in time"),
        ErrorCode::ConnectionReadTimeout => (Timeout, "the other side sent nothing for too long"),
        ErrorCode::ConnectionWriteTimeout => (Timeout, "the other side took nothing for too long"),
        ErrorCode::HttpResponseTimeout => (Timeout, "no response arrived in time"),
        ErrorCode::HttpRequestMethodInvalid => (Invalid, "the method is no valid method"),
        ErrorCode::HttpRequestUriInvalid => (Invalid, "the URI is no valid URI"),
        ErrorCode::HttpRequestUriTooLong => (Invalid, "the URI is too long"),
        ErrorCode::HttpRequestBodySize(_) => (Invalid, "the body is too long"),
        ErrorCode::HttpRequestHeaderSectionSize(_) | ErrorCode::HttpRequestHeaderSize(_) => {
            (Invalid, "the headers are too long")
        }
        ErrorCode::DnsError(_) => (Communication, "the host name could not be resolved"),
        ErrorCode::DestinationNotFound => (Communication, "there is no such host"),
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => {
            (Communication, "the host could not be reached")
        }
        ErrorCode::ConnectionRefused => (Communication, "the connection was refused"),
        ErrorCode::ConnectionTerminated => {
            (Communication, "the connection was closed in the middle")
        }
        ErrorCode::ConnectionLimitReached => (Communication, "there are too many connections"),
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => {
            (Communication, "the connection could not be secured (TLS)")
        }
        ErrorCode::TlsCertificateError => (
            Communication,
            "the other side's certificate is not valid for this host (TLS)",
        ),
        ErrorCode::HttpResponseIncomplete => (Communication, "the response ended in the middle"),
        ErrorCode::HttpResponseBodySize(Some(limit)) => {
            let detail = format!("the response is longer than the {limit} bytes that it may have");
            return SendError::new(Communication, detail);
        }
        ErrorCode::HttpResponseBodySize(None) => {
            (Communication, "the response is longer than it may be")
        }
        ErrorCode::InternalError(Some(message)) => {
            return SendError::new(Communication, format!("the request failed: {message}"));
        }
        other => {
            return SendError::new(
                Communication,
                format!("the request failed: {}", format_args!("{other:?}")),
            );
        }
    };
    SendError::new(kind, detail)
}
