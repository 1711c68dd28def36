//! The exit codes of `baton`, the same for every command.
//!
//! | code | means |
//! |---|---|
//! | 0 | What was asked for was done. For `run`: the run completed. |
//! | 1 | It was not. For `run`: the run faulted, also where the input does not fit the document's `input.schema`; for `validate`: a document is not valid. |
//! | 2 | What was given cannot be used, and nothing was started: a wrong flag or setting, an input that is no JSON and, for `run`, a document that is not valid. |
//! | 130 | Stopped by Ctrl-C, as shells count it (128 + SIGINT). For `run`: the run was cancelled. |
//!
//! A second Ctrl-C ends the process at once, under the same code.

use std::process::ExitCode;

/// How a command ended; see the table above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0
    Done,
    /// 1
    Failed,
    /// 2
    Invalid,
    /// 130
    Interrupted,
}

impl Exit {
    /// The code as a number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Invalid => 2,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
