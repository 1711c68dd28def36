//! `wasi:logging`, and standard output and error: lines for the run's log.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::{Moments, Preparation};
use crate::bindings::wasi::logging::logging::{self, Level};
use crate::limits::{LOG_BYTES_MAX, LOG_LINE_BYTES_MAX};
use crate::outcome::{LogLevel, LogLine};
use crate::state::State;
use crate::{GrantError, GrantSpec};

/// The capability.
pub(crate) struct Log;

impl Moments for Log {
    const INTERFACES: &'static [&'static str] = &["wasi:logging/logging"];
    type Granted = ();
    type Prepared = Journal;

    fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
        logging::add_to_linker::<State, Self>(linker, |state| &mut state.capabilities.log)
    }

    fn configure(_: &GrantSpec) -> Result<(), GrantError> {
        Ok(())
    }

    fn prepare((): &(), call: &Preparation<'_>) -> Journal {
        call.journal.clone()
    }
}

impl HasData for Log {
    type Data<'a> = &'a mut Journal;
}

impl logging::Host for Journal {
    fn log(&mut self, level: Level, context: String, message: String) -> wasmtime::Result<()> {
        let level = match level {
            Level::Trace => LogLevel::Trace,
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
            Level::Critical => LogLevel::Critical,
        };
        self.write(level, &context, &message);
        Ok(())
    }
}

/// The log of a call. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    lines: Vec<LogLine>,
    bytes: usize,
    full: bool,
}

impl Journal {
    /// Adds a line, as long as there is room.
    pub(crate) fn write(&self, level: LogLevel, context: &str, message: &str) {
        let message = cut(message.trim_end_matches(['\n', '\r']), LOG_LINE_BYTES_MAX);
        let context = cut(context, LOG_LINE_BYTES_MAX);
        self.with(|log| {
            // A line costs the host some bytes even if it is empty.
            let bytes = message.len() + context.len() + size_of::<LogLine>();
            if log.bytes + bytes > LOG_BYTES_MAX {
                log.stop();
                return;
            }
            log.bytes += bytes;
            log.lines.push(LogLine {
                level,
                context: context.to_owned(),
                message: message.to_owned(),
            });
        });
    }

    /// Takes the lines out.
    pub(crate) fn take(&self) -> Vec<LogLine> {
        self.with(|log| std::mem::take(&mut log.lines))
    }

    fn with<T>(&self, f: impl FnOnce(&mut Lines) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Lines {
    fn stop(&mut self) {
        if !std::mem::replace(&mut self.full, true) {
            self.bytes = LOG_BYTES_MAX;
            self.lines.push(LogLine {
                level: LogLevel::Warn,
                context: "host".to_owned(),
                message: format!(
                    "the call's log is full: it keeps the first {} KiB",
                    LOG_BYTES_MAX >> 10
                ),
            });
        }
    }
}

/// The beginning of a text that is no longer than this many bytes.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Standard output or error of a guest: each line becomes a line of the log.
pub(super) struct Stream {
    pub(super) journal: Journal,
    pub(super) level: LogLevel,
    pub(super) name: &'static str,
}

/// Writes to a [`Stream`]. A line that has no end yet is written when the stream is dropped.
struct Writer {
    journal: Journal,
    level: LogLevel,
    name: &'static str,
    line: Vec<u8>,
}

impl Stream {
    fn writer(&self) -> Writer {
        Writer {
            journal: self.journal.clone(),
            level: self.level,
            name: self.name,
            line: Vec::new(),
        }
    }
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.writer())
    }
}

impl Writer {
    fn line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.journal
            .write(self.level, self.name, &String::from_utf8_lossy(&line));
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {}
}

impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut rest = bytes.as_ref();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let room = LOG_LINE_BYTES_MAX.saturating_sub(self.line.len());
            self.line.extend_from_slice(&rest[..end.min(room)]);
            self.line();
            rest = &rest[end + 1..];
        }
        let room = LOG_LINE_BYTES_MAX.saturating_sub(self.line.len());
        self.line.extend_from_slice(&rest[..rest.len().min(room)]);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LOG_BYTES_MAX)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.line();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_and_says_so() {
        let journal = Journal::default();
        for _ in 0..10_000 {
            journal.write(LogLevel::Info, "test", "a line of some length\n");
        }
        let lines = journal.take();
        assert!(lines.len() < 1000);
        assert_eq!(lines[0].message, "a line of some length");
        assert!(
            lines
                .last()
                .unwrap()
                .message
                .starts_with("the call's log is full")
        );
        assert_eq!(
            lines.iter().filter(|line| line.context == "host").count(),
            1
        );
    }

    #[test]
    fn what_is_printed_becomes_lines() {
        let journal = Journal::default();
        let stream = Stream {
            journal: journal.clone(),
            level: LogLevel::Warn,
            name: "stderr",
        };
        let mut writer = stream.writer();
        for part in ["thread panicked", " at src\nsecond\n\nno end", "\u{e9}"] {
            writer.write(Bytes::from(part)).unwrap();
        }
        writer
            .write(Bytes::from(vec![b'x'; 3 * LOG_LINE_BYTES_MAX]))
            .unwrap();
        drop(writer);
        let messages: Vec<_> = journal
            .take()
            .into_iter()
            .map(|line| line.message)
            .collect();
        assert_eq!(messages[..3], ["thread panicked at src", "second", ""]);
        assert!(messages[3].starts_with("no end\u{e9}xxx"));
        assert_eq!(messages[3].len(), LOG_LINE_BYTES_MAX);
    }
}
