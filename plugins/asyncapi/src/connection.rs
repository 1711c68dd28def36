//! A stream of bytes, whoever makes it.

use std::io::{self, Read, Write};

use calls::{Failure, Kind};

/// How a connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    Plain,
    /// By TLS from the beginning.
    Tls,
    /// By TLS, once the other side has said a line in clear text, which is the first that is read.
    TlsAfterGreeting,
}

/// Makes connections.
pub trait Dial {
    /// Connects.
    ///
    /// # Errors
    ///
    /// `authorization` where the host does not allow it; `communication` where nobody answers, or there is no
    /// agreement on TLS.
    fn dial(
        &self,
        host: &str,
        port: u16,
        security: Security,
    ) -> Result<Box<dyn Connection>, Failure>;
}

/// A connection. Reading waits.
pub trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

/// The failure that an error of a connection to `place` is.
#[must_use]
pub fn failed(place: &str, error: &io::Error) -> Failure {
    let detail = format!("{place}: {error}");
    Failure::new(Kind::Communication, "Connection failed", detail)
}
