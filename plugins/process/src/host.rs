//! The host runs commands.

mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

    wit_bindgen::generate!({
        inline: "
            package baton:process;
            world machine {
                import baton:connector/process@1.0.0;
                import wasi:io/poll@0.2.12;
                import wasi:io/streams@0.2.12;
            }
        ",
        path: "../../wit",
        world: "baton:process/machine",
        generate_all,
    });
}

use bindings::baton::connector::process::{self, Child, Exit};
use bindings::wasi::io::poll::{self, Pollable};
use bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};

use crate::{Command, Finished, ProcessError, Run};

/// How much is read at a time.
const READ_BYTES: u64 = 64 * 1024;

/// What signals are added to, to make exit codes of them.
const SIGNALLED: i32 = 128;

/// The host, where the operator has turned processes on.
pub struct Host;

impl Run for Host {
    fn run(&self, command: &Command) -> Result<Finished, ProcessError> {
        let child = Child::spawn(&process::Command {
            program: command.program.clone(),
            arguments: command.arguments.clone(),
            environment: command.environment.clone(),
        });
        let child = child.map_err(|error| match error {
            process::Error::Denied(reason) => ProcessError::Denied(reason),
            process::Error::Failed(reason) => ProcessError::Failed(reason),
        })?;
        let mut input = Input::new(child.stdin(), command.stdin.as_deref());
        let mut stdout = Output::new(child.stdout());
        let mut stderr = Output::new(child.stderr());
        talk(&mut input, &mut [&mut stdout, &mut stderr]);
        drop(input);
        let code = match child.wait() {
            Exit::Code(code) => code,
            Exit::Signal(signal) => SIGNALLED + signal,
            Exit::Limit(limit) => return Err(ProcessError::Limit(limit)),
        };
        Ok(Finished {
            code,
            stdout: stdout.text(),
            stderr: stderr.text(),
        })
    }
}

/// Writes what there is to write and reads what there is to read, whichever is possible, until both outputs
/// have ended: a process that waits for the one never waits for the other.
fn talk(input: &mut Input<'_>, outputs: &mut [&mut Output; 2]) {
    loop {
        input.advance();
        outputs.iter_mut().for_each(|output| output.advance());
        let mut waiting: Vec<Pollable> = outputs.iter().filter_map(|it| it.subscribe()).collect();
        if waiting.is_empty() {
            return;
        }
        waiting.extend(input.subscribe());
        let waiting: Vec<&Pollable> = waiting.iter().collect();
        poll::poll(&waiting);
    }
}

/// What is still to be written.
struct Input<'a> {
    stream: Option<OutputStream>,
    left: &'a [u8],
    /// Whether all has been written and is on its way.
    is_flushing: bool,
}

impl<'a> Input<'a> {
    fn new(stream: Option<OutputStream>, text: Option<&'a str>) -> Self {
        Self {
            stream,
            left: text.unwrap_or_default().as_bytes(),
            is_flushing: false,
        }
    }

    /// Writes as much as the process takes now, and closes the stream when all has arrived. A process that does not
    /// read its input is none the worse.
    fn advance(&mut self) {
        if let Some(stream) = &self.stream {
            if !Self::write(stream, &mut self.left, &mut self.is_flushing) {
                self.stream = None;
            }
        }
    }

    /// Whether there is more to do.
    fn write(stream: &OutputStream, left: &mut &[u8], is_flushing: &mut bool) -> bool {
        let room = match stream.check_write() {
            // There is no room while a flush is under way.
            Ok(0) => return true,
            Ok(room) => usize::try_from(room).unwrap_or(usize::MAX),
            Err(_) => return false,
        };
        if *is_flushing {
            return false;
        }
        let (now, later) = left.split_at(left.len().min(room));
        *left = later;
        if !now.is_empty() && stream.write(now).is_err() {
            return false;
        }
        *is_flushing = left.is_empty();
        !*is_flushing || stream.flush().is_ok()
    }

    fn subscribe(&self) -> Option<Pollable> {
        self.stream.as_ref().map(OutputStream::subscribe)
    }
}

/// What has been read.
struct Output {
    stream: Option<InputStream>,
    bytes: Vec<u8>,
}

impl Output {
    fn new(stream: Option<InputStream>) -> Self {
        Self {
            stream,
            bytes: Vec::new(),
        }
    }

    /// Reads as much as there is now.
    fn advance(&mut self) {
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

    fn subscribe(&self) -> Option<Pollable> {
        self.stream.as_ref().map(InputStream::subscribe)
    }

    fn text(self) -> String {
        match String::from_utf8(self.bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }
}
