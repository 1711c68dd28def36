//! The contract `baton:shell`, in terms of [`crate::command()`].

mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "baton:shell/connector",
        generate_all,
    });
}

use bindings::baton::connector::call;
use bindings::baton::connector::types::{Failure, FailureKind};
use bindings::exports::baton::shell::shell::{Guest, ProcessResult};
use process::{Host, ProcessError, Run as _};

struct Connector;

impl Guest for Connector {
    fn run(
        command: String,
        arguments: Vec<String>,
        environment: Vec<(String, String)>,
        stdin: Option<String>,
    ) -> Result<ProcessResult, Failure> {
        let key = call::get().idempotency_key;
        let command = crate::command(command, arguments, environment, stdin, key);
        match Host.run(&command) {
            Ok(finished) => Ok(ProcessResult {
                code: finished.code,
                stdout: finished.stdout,
                stderr: finished.stderr,
            }),
            Err(error) => Err(failure(error)),
        }
    }
}

fn failure(error: ProcessError) -> Failure {
    let (kind, title, detail) = match error {
        ProcessError::Denied(reason) => (
            FailureKind::Authorization,
            "shell commands are not turned on",
            reason,
        ),
        ProcessError::Failed(reason) => (
            FailureKind::Configuration,
            "the command was not started",
            reason,
        ),
        ProcessError::Limit(limit) => (FailureKind::Runtime, "the command was ended", limit),
    };
    Failure {
        kind,
        title: title.to_owned(),
        detail: Some(detail),
        status: None,
        retry_after: None,
        data: None,
    }
}

bindings::export!(Connector with_types_in bindings);
