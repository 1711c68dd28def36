//! Processes that are talked with, line by line.

use crate::{Command, ProcessError};

/// Something that starts commands to talk with.
pub trait Start {
    /// A process that it has started.
    type Process: Talk;

    /// Starts a command. Its `stdin` is not looked at: what the process reads is what is said to it.
    ///
    /// # Errors
    ///
    /// Where it may not be run, or cannot be started.
    fn start(&self, command: &Command) -> Result<Self::Process, ProcessError>;
}

/// A process to talk with. What it writes to standard error meanwhile is read too, so that it never waits for
/// that.
pub trait Talk {
    /// Writes a line to its standard input.
    ///
    /// # Errors
    ///
    /// Where it does not take the line.
    fn say(&mut self, line: &str) -> Result<(), Interrupted>;

    /// The next line of its standard output, without the line break.
    ///
    /// # Errors
    ///
    /// Where no line comes.
    fn hear(&mut self) -> Result<String, Interrupted>;

    /// Closes its standard input, gives it a moment to end by itself, ends it, and says how it ended.
    fn end(&mut self) -> Ended;
}

/// Why a process is not talked with any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// It has closed the stream, most likely by ending.
    Closed,
    /// It has taken longer than it may.
    Late,
}

/// How a process that was talked with has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// By what.
    pub by: End,
    /// The end of what it wrote to standard error.
    pub stderr: String,
}

/// What has ended a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Itself, with this exit code; of a process that a signal ended, 128 and the signal.
    Code(i32),
    /// The host, for this limit.
    Limit(String),
}
