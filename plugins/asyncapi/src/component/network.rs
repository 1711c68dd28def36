//! Requests, connections and random numbers, by the host.

use std::io::{self, Read, Write};

use calls::{Failure, Kind};
use outgoing::{Answer, Open, Request, SendError};

use super::bindings::baton::connector::tcp::{self, Error};
use super::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use super::bindings::wasi::random::random;
use crate::connection::{Connection, Dial, Security};

/// How much is written at a time: the most that `blocking-write-and-flush` takes.
const WRITE_BYTES: usize = 4096;

/// The network, as long as the call may take.
pub(super) struct Network;

impl Open for Network {
    fn open(&self, request: &Request) -> Result<Answer, SendError> {
        outgoing::Network.open(request)
    }
}

impl Dial for Network {
    fn dial(
        &self,
        host: &str,
        port: u16,
        security: Security,
    ) -> Result<Box<dyn Connection>, Failure> {
        let security = match security {
            Security::Plain => tcp::Security::Plain,
            Security::Tls => tcp::Security::Tls,
            Security::TlsAfterGreeting => tcp::Security::TlsAfterGreeting,
        };
        let (input, output) = tcp::connect(host, port, security).map_err(|error| match error {
            Error::Denied(why) => Failure::new(Kind::Authorization, "Connection not allowed", why),
            Error::Unreachable(why) => Failure::new(Kind::Communication, "Connection failed", why),
            Error::Insecure(why) => {
                Failure::new(Kind::Communication, "Connection not secured", why)
            }
        })?;
        Ok(Box::new(Stream { input, output }))
    }
}

struct Stream {
    input: InputStream,
    output: OutputStream,
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.input.blocking_read(bytes.len() as u64) {
                Ok(read) if read.is_empty() && !bytes.is_empty() => {}
                Ok(read) => {
                    bytes[..read.len()].copy_from_slice(&read);
                    return Ok(read.len());
                }
                Err(StreamError::Closed) => return Ok(0),
                Err(error) => return Err(of_stream(&error)),
            }
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(WRITE_BYTES);
        let written = self.output.blocking_write_and_flush(&bytes[..count]);
        written.map(|()| count).map_err(|error| of_stream(&error))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn of_stream(error: &StreamError) -> io::Error {
    match error {
        StreamError::Closed => io::ErrorKind::ConnectionReset.into(),
        StreamError::LastOperationFailed(error) => io::Error::other(error.to_debug_string()),
    }
}

/// The keys and masks of websockets.
fn fill(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    bytes.copy_from_slice(&random::get_random_bytes(bytes.len() as u64));
    Ok(())
}

getrandom::register_custom_getrandom!(fill);
