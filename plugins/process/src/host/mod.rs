//! The host runs commands.

mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

    wit_bindgen::generate!({
        inline: "
            package baton:process;
            world machine {
                import baton:connector/process@1.0.0;
                import wasi:clocks/monotonic-clock@0.2.12;
                import wasi:io/poll@0.2.12;
                import wasi:io/streams@0.2.12;
            }
        ",
        path: "../../wit",
        world: "baton:process/machine",
        generate_all,
    });
}

mod conversation;
mod output;
mod run;

use bindings::baton::connector::process::{self, Child, Exit};
use bindings::wasi::clocks::monotonic_clock;

use crate::{Command, End, ProcessError, Start};
use conversation::Conversation;

/// What signals are added to, to make exit codes of them.
const SIGNALLED: i32 = 128;

/// The host, where the operator has turned processes on.
pub struct Host;

/// The host, for a limited time.
pub struct Patient {
    /// An instant of the monotonic clock, in nanoseconds.
    until: u64,
}

impl Patient {
    /// The host for as many milliseconds from now on. What takes longer is [`crate::Interrupted::Late`].
    pub fn within(milliseconds: u64) -> Self {
        let nanoseconds = milliseconds.saturating_mul(1_000_000);
        Self {
            until: monotonic_clock::now().saturating_add(nanoseconds),
        }
    }
}

impl Start for Host {
    type Process = Conversation;

    fn start(&self, command: &Command) -> Result<Conversation, ProcessError> {
        Ok(Conversation::new(spawn(command)?, None))
    }
}

impl Start for Patient {
    type Process = Conversation;

    fn start(&self, command: &Command) -> Result<Conversation, ProcessError> {
        Ok(Conversation::new(spawn(command)?, Some(self.until)))
    }
}

fn spawn(command: &Command) -> Result<Child, ProcessError> {
    let child = Child::spawn(&process::Command {
        program: command.program.clone(),
        arguments: command.arguments.clone(),
        environment: command.environment.clone(),
    });
    child.map_err(|error| match error {
        process::Error::Denied(reason) => ProcessError::Denied(reason),
        process::Error::Failed(reason) => ProcessError::Failed(reason),
    })
}

fn wait(child: &Child) -> End {
    match child.wait() {
        Exit::Code(code) => End::Code(code),
        Exit::Signal(signal) => End::Code(SIGNALLED + signal),
        Exit::Limit(limit) => End::Limit(limit),
    }
}
