//! A process that is talked with.

use super::bindings::baton::connector::process::Child;
use super::bindings::wasi::clocks::monotonic_clock;
use super::bindings::wasi::io::poll::{self, Pollable};
use super::bindings::wasi::io::streams::OutputStream;
use super::output::Output;
use super::wait;
use crate::{Ended, Interrupted, Talk};

/// How much of what a process wrote to standard error is kept.
const STDERR_BYTES: usize = 4 * 1024;

/// How long a process has to end by itself once its input is closed, in nanoseconds.
const GRACE: u64 = 1_000_000_000;

/// A process of the host.
pub struct Conversation {
    child: Child,
    input: Option<OutputStream>,
    stdout: Output,
    stderr: Output,
    /// When patience ends, as an instant of the monotonic clock.
    until: Option<u64>,
}

impl Conversation {
    pub(super) fn new(child: Child, until: Option<u64>) -> Self {
        Self {
            input: child.stdin(),
            stdout: Output::new(child.stdout()),
            stderr: Output::new(child.stderr()),
            child,
            until,
        }
    }

    /// Reads what there is to read.
    fn advance(&mut self) {
        self.stdout.advance();
        self.stderr.advance();
        self.stderr.keep_end(STDERR_BYTES);
    }

    /// Waits until there is more to read or `other` is ready, and no longer than until then.
    fn wait(&self, other: Option<Pollable>, until: Option<u64>) -> Result<(), Interrupted> {
        if until.is_some_and(|until| monotonic_clock::now() >= until) {
            return Err(Interrupted::Late);
        }
        let outputs = [&self.stdout, &self.stderr];
        let waiting = outputs.into_iter().filter_map(Output::subscribe);
        let waiting: Vec<Pollable> = waiting
            .chain(other)
            .chain(until.map(monotonic_clock::subscribe_instant))
            .collect();
        poll::poll(&waiting.iter().collect::<Vec<_>>());
        Ok(())
    }
}

impl Talk for Conversation {
    fn say(&mut self, line: &str) -> Result<(), Interrupted> {
        let line = format!("{line}\n");
        let mut left = line.as_bytes();
        while !left.is_empty() {
            self.advance();
            let Some(input) = &self.input else {
                return Err(Interrupted::Closed);
            };
            let Ok(room) = input.check_write() else {
                self.input = None;
                continue;
            };
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let (now, later) = left.split_at(left.len().min(room));
            if now.is_empty() {
                self.wait(Some(input.subscribe()), self.until)?;
            } else if input.write(now).is_ok() {
                left = later;
            } else {
                self.input = None;
            }
        }
        Ok(())
    }

    fn hear(&mut self) -> Result<String, Interrupted> {
        loop {
            if let Some(line) = self.stdout.take_line() {
                return Ok(line);
            }
            if self.stdout.subscribe().is_none() {
                return Err(Interrupted::Closed);
            }
            self.wait(None, self.until)?;
            self.advance();
        }
    }

    fn end(&mut self) -> Ended {
        self.input = None;
        let until = monotonic_clock::now().saturating_add(GRACE);
        // A process that ends closes its outputs.
        while self.stdout.subscribe().is_some() && self.wait(None, Some(until)).is_ok() {
            self.advance();
        }
        self.child.kill();
        let by = wait(&self.child);
        self.stderr.advance();
        self.stderr.keep_end(STDERR_BYTES);
        let stderr = std::mem::replace(&mut self.stderr, Output::new(None));
        Ended {
            by,
            stderr: stderr.text(),
        }
    }
}
