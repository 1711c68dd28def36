//! What a process writes.

use super::bindings::wasi::io::poll::Pollable;
use super::bindings::wasi::io::streams::{InputStream, StreamError};

/// How much is read at a time.
const READ_BYTES: u64 = 64 * 1024;

/// What has been read of a stream. The host bounds how much a process writes.
pub(super) struct Output {
    stream: Option<InputStream>,
    bytes: Vec<u8>,
    /// How many of the bytes are known to have no line break.
    scanned: usize,
}

impl Output {
    pub(super) fn new(stream: Option<InputStream>) -> Self {
        Self {
            stream,
            bytes: Vec::new(),
            scanned: 0,
        }
    }

    /// Reads as much as there is now.
    pub(super) fn advance(&mut self) {
        while let Some(stream) = &self.stream {
            match stream.read(READ_BYTES) {
                Ok(bytes) if bytes.is_empty() => return,
                Ok(bytes) => self.bytes.extend_from_slice(&bytes),
                Err(StreamError::Closed | StreamError::LastOperationFailed(_)) => {
                    self.stream = None;
                }
            }
        }
    }

    /// What is ready when there is more to read; none at the end.
    pub(super) fn subscribe(&self) -> Option<Pollable> {
        self.stream.as_ref().map(InputStream::subscribe)
    }

    /// Takes the first whole line of what has been read, without its line break.
    pub(super) fn take_line(&mut self) -> Option<String> {
        let unscanned = &self.bytes[self.scanned..];
        let Some(length) = unscanned.iter().position(|byte| *byte == b'\n') else {
            self.scanned = self.bytes.len();
            return None;
        };
        let rest = self.bytes.split_off(self.scanned + length + 1);
        let mut line = std::mem::replace(&mut self.bytes, rest);
        self.scanned = 0;
        line.pop();
        Some(text(line))
    }

    /// Forgets all but the last `bytes`.
    pub(super) fn keep_end(&mut self, bytes: usize) {
        let before = self.bytes.len().saturating_sub(bytes);
        self.bytes.drain(..before);
        self.scanned = 0;
    }

    pub(super) fn text(self) -> String {
        text(self.bytes)
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
