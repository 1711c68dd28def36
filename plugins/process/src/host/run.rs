//! Commands that are run to their end.

use super::bindings::wasi::io::poll::{self, Pollable};
use super::bindings::wasi::io::streams::OutputStream;
use super::output::Output;
use super::{Host, spawn, wait};
use crate::{Command, End, Finished, ProcessError, Run};

impl Run for Host {
    fn run(&self, command: &Command) -> Result<Finished, ProcessError> {
        let child = spawn(command)?;
        let mut input = Input::new(child.stdin(), command.stdin.as_deref());
        let mut stdout = Output::new(child.stdout());
        let mut stderr = Output::new(child.stderr());
        exchange(&mut input, &mut [&mut stdout, &mut stderr]);
        drop(input);
        match wait(&child) {
            End::Code(code) => Ok(Finished {
                code,
                stdout: stdout.text(),
                stderr: stderr.text(),
            }),
            End::Limit(limit) => Err(ProcessError::Limit(limit)),
        }
    }
}

/// Writes what there is to write and reads what there is to read, whichever is possible, until both outputs
/// have ended: a process that waits for the one never waits for the other.
fn exchange(input: &mut Input<'_>, outputs: &mut [&mut Output; 2]) {
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
