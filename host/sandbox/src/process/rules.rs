//! What an operator allows processes.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::User;

/// What the processes of a connector may do, as the operator has turned it on.
#[derive(Debug, Clone)]
pub struct ProcessRules {
    /// The command that becomes the supervisor: a program and its first arguments. The program hands what follows
    /// to [`super::supervise()`].
    pub supervisor: Vec<OsString>,
    /// Whom processes run as; none for the host's own user.
    pub user: Option<User>,
    /// Where programs are looked up that are named without a path: folders, with `:` between them.
    pub search_path: String,
    /// The folder in which each process gets an empty one of its own.
    pub folder: PathBuf,
    /// What is in the environment of each process besides `PATH`, `HOME` and `LANG`.
    pub environment: Vec<(String, String)>,
    /// The limits of each process.
    pub limits: ProcessLimits,
}

/// The limits of a process. Those of the kernel hold for each process that it starts in its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessLimits {
    /// How long it may compute. Default 60 s.
    pub cpu: Duration,
    /// How much memory it may write to, in bytes (`RLIMIT_DATA`). Default 1 GiB: what a runtime of a language
    /// takes. Not its address space, of which those runtimes reserve far more than they use.
    pub memory: Option<u64>,
    /// How many files it may have open. Default 256.
    pub files: u64,
    /// How many processes its user may have altogether; only where it runs as a user of its own. Default 256.
    pub processes: u64,
    /// How large a file may be that it writes, in bytes. Default 64 MiB.
    pub file_size: u64,
    /// How many bytes it may write to its standard output, and as many to its standard error. Default 4 MiB, as
    /// much as the result of a call may have.
    pub output: u64,
}

impl Default for ProcessLimits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_secs(60),
            memory: Some(1 << 30),
            files: 256,
            processes: 256,
            file_size: 64 << 20,
            output: 4 << 20,
        }
    }
}
