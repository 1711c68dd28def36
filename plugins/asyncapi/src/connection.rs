//! A stream of bytes, whoever makes it.

use std::io::{self, Read, Write};

use protocols::{Failure, Kind};

/// Makes connections.
pub trait Dial {
    /// Connects, with TLS where `secured`.
    ///
    /// # Errors
    ///
    /// `authorization` where the host does not allow it; `communication` where nobody answers.
    fn dial(&self, host: &str, port: u16, secured: bool) -> Result<Box<dyn Connection>, Failure>;
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
