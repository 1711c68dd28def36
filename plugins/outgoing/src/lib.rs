//! HTTP requests over `wasi:http/outgoing-handler`, in plain Rust types.
//!
//! It sends one request and receives one response: whole ([`Send`]), or part by part ([`Open`]). It follows
//! no redirects, retries nothing, and decides nothing about statuses: that is for the connector that calls it.
//!
//! Connectors take something that implements [`Send`] or [`Open`] rather than the real thing, so that their
//! tests run without WebAssembly.

mod answer;
pub mod authentication;
mod error;
#[cfg(target_arch = "wasm32")]
mod wasi;

pub use answer::{Answer, Body, Open};
pub use error::{ErrorKind, SendError};
pub use fluent_uri::{Uri, UriRef};
#[cfg(target_arch = "wasm32")]
pub use wasi::{Host, Network, Patient};

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, as it is sent: `GET`.
    pub method: String,
    /// An absolute URI with the scheme `http` or `https` and a host. A fragment is not sent.
    pub uri: Uri<String>,
    /// Names and values. The host of the URI and the length of the body are added by sending.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
}

/// A response, received to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status, from 100 to 999.
    pub status: u16,
    /// Names, in lower case, and values in the order of arrival. A name may occur several times.
    pub headers: Vec<(String, String)>,
    /// The body; empty where there is none.
    pub body: Vec<u8>,
}

/// Something that sends requests.
pub trait Send {
    /// Sends `request` and waits for the whole response.
    ///
    /// # Errors
    ///
    /// Where no response arrived. A response with a status of any kind is none.
    fn send(&self, request: &Request) -> Result<Response, SendError>;
}

impl<F: Fn(&Request) -> Result<Response, SendError>> Send for F {
    fn send(&self, request: &Request) -> Result<Response, SendError> {
        self(request)
    }
}

impl Request {
    /// The value of the first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

impl Response {
    /// The value of the first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

pub(crate) fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let found = headers
        .iter()
        .find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Whether two URIs have the same scheme, host and port (RFC 6454, section 5).
pub fn same_origin(left: &Uri<String>, right: &Uri<String>) -> bool {
    let origin = |uri: &Uri<String>| {
        let scheme = uri.scheme().as_str().to_ascii_lowercase();
        let authority = uri.authority()?;
        let default = if scheme == "https" { "443" } else { "80" };
        let port = authority
            .port()
            .map(|port| port.as_str())
            .filter(|port| !port.is_empty());
        let port = port.unwrap_or(default).to_owned();
        Some((scheme, authority.host().to_ascii_lowercase(), port))
    };
    origin(left) == origin(right)
}
