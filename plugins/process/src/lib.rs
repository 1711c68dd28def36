//! Processes of the host's machine, by `baton:connector/process`: run to their end, or talked with.
//!
//! - [`Command`]: what to run, and what it is given
//! - [`Run`]: what runs commands to their end, which is [`Finished`]: the host, or a test
//! - [`Start`]: what starts commands to [`Talk`] with: the host, or a test
//! - `host`: the host; on WebAssembly only

#[cfg(target_arch = "wasm32")]
mod host;
mod talk;

#[cfg(target_arch = "wasm32")]
pub use host::{Host, Patient};
pub use talk::{End, Ended, Interrupted, Start, Talk};

/// A program to run, and what it is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// A path, or a name that is looked up in the operator's search path.
    pub program: String,
    /// Its arguments, without its own name.
    pub arguments: Vec<String>,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// What it reads from standard input; nothing where there is none.
    pub stdin: Option<String>,
}

/// How a process ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// The exit code; of a process that a signal ended, 128 and the signal, as shells have it.
    pub code: i32,
    /// What it wrote to standard output. What is no UTF-8 is replaced by U+FFFD.
    pub stdout: String,
    /// What it wrote to standard error, as well.
    pub stderr: String,
}

/// Why a process did not come to an end of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessError {
    /// The host does not let this tenant run processes; says how an operator turns them on.
    Denied(String),
    /// It could not be started.
    Failed(String),
    /// The host ended it, for this limit.
    Limit(String),
}

/// Something that runs commands.
pub trait Run {
    /// Runs a command to its end.
    ///
    /// # Errors
    ///
    /// Where it may not be run, cannot be started, or is ended by the host.
    fn run(&self, command: &Command) -> Result<Finished, ProcessError>;
}
