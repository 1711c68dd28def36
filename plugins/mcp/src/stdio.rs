//! The stdio transport (Model Context Protocol 2025-06-18, "Transports"): a server that is started for the call, and
//! says what it says on its standard output, a message a line.

use calls::arguments::{not, object, text};
use calls::failure::start_of;
use calls::{Failure, Kind};
use process::{Command, End, Ended, Interrupted, ProcessError, Start, Talk};
use serde_json::{Map, Value};

use crate::session::{self, Received};
use crate::transport::{Outcome, Transport};

/// How many lines may stand before an answer. A server that only talks is not waited for.
const LINES_MAX: usize = 10_000;

/// Where a server finds the key that is the same for every attempt and after every recovery.
const IDEMPOTENCY_KEY: &str = "BATON_IDEMPOTENCY_KEY";

/// A session with a process.
pub struct Stdio<P> {
    command: String,
    /// None once it has been ended.
    process: Option<P>,
    /// The last line that was no message.
    strayed: Option<String>,
}

impl<P: Talk> Stdio<P> {
    /// Starts the server of the settings of the transport: `{ command, arguments, environment }`.
    ///
    /// # Errors
    ///
    /// `validation` where they are none; `authorization` where the tenant may not run processes, and
    /// `configuration` where this one cannot be started.
    pub fn start(
        settings: &Value,
        idempotency_key: &str,
        machine: &impl Start<Process = P>,
    ) -> Result<Self, Failure> {
        let command = command(settings, idempotency_key)?;
        let process = machine.start(&command).map_err(not_started)?;
        Ok(Self {
            command: command.program,
            process: Some(process),
            strayed: None,
        })
    }

    /// Deals with a line of the server's. Gives the answer where it is the one to `id`.
    fn take(&mut self, line: &str, id: &Value) -> Result<Option<Outcome>, Failure> {
        // A server must write nothing else, and what starts servers writes greetings all the same.
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            if !line.trim().is_empty() {
                self.strayed = Some(start_of(line.as_bytes()));
            }
            return Ok(None);
        };
        match session::receive(message, id)? {
            Received::Outcome(outcome) => Ok(Some(outcome)),
            Received::Request { reply } => self.send(&reply).map(|()| None),
            Received::Other => Ok(None),
        }
    }

    /// Does something with the process, and where that is interrupted, ends it and says why.
    fn with<T>(
        &mut self,
        does: impl FnOnce(&mut P) -> Result<T, Interrupted>,
    ) -> Result<T, Failure> {
        let outcome = self.process.as_mut().map(does);
        match outcome {
            Some(Ok(value)) => Ok(value),
            Some(Err(interrupted)) => Err(self.interrupted(interrupted)),
            None => Err(Failure::broken("the session has ended")),
        }
    }

    fn interrupted(&mut self, interrupted: Interrupted) -> Failure {
        let Some(mut process) = self.process.take() else {
            return Failure::broken("the session has ended");
        };
        let Ended { by, stderr } = process.end();
        let said = [Some(start_of(stderr.as_bytes())), self.strayed.take()];
        let said = said.into_iter().flatten().find(|said| !said.is_empty());
        let said = said.map_or_else(String::new, |said| format!(": {said}"));
        let command = &self.command;
        match (interrupted, by) {
            (_, End::Limit(limit)) => {
                let detail = format!("the server `{command}` was ended: {limit}");
                Failure::new(Kind::Runtime, "The server was ended", detail)
            }
            (Interrupted::Late, _) => {
                let detail =
                    format!("the server `{command}` did not answer within the timeout{said}");
                Failure::new(Kind::Timeout, "Request timed out", detail)
            }
            (Interrupted::Closed, End::Code(code)) => {
                let detail = format!(
                    "the server `{command}` ended with the exit code {code} before it answered{said}"
                );
                Failure::new(Kind::Communication, "The server ended", detail)
            }
        }
    }
}

impl<P: Talk> Transport for Stdio<P> {
    fn request(&mut self, message: &Value) -> Result<Outcome, Failure> {
        self.send(message)?;
        for _ in 0..LINES_MAX {
            let line = self.with(Talk::hear)?;
            if let Some(outcome) = self.take(&line, &message["id"])? {
                return Ok(outcome);
            }
        }
        Err(Failure::broken(format!(
            "the server `{}`: no answer was among the first {LINES_MAX} lines",
            self.command
        )))
    }

    fn send(&mut self, message: &Value) -> Result<(), Failure> {
        let line = message.to_string();
        self.with(|process| process.say(&line))
    }

    fn agreed(&mut self, _: &str) {}

    fn close(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end();
        }
    }
}

fn command(settings: &Value, idempotency_key: &str) -> Result<Command, Failure> {
    const NAME: &str = "transport.stdio";
    let settings = object(NAME, Some(&settings.to_string()))?;
    let program = text(NAME, &settings, "command")?.to_owned();
    let mut environment = vec![(IDEMPOTENCY_KEY.to_owned(), idempotency_key.to_owned())];
    environment.extend(variables(&settings)?);
    Ok(Command {
        program,
        arguments: words(&settings)?,
        environment,
        stdin: None,
    })
}

fn words(settings: &Map<String, Value>) -> Result<Vec<String>, Failure> {
    const NAME: &str = "transport.stdio.arguments";
    match settings.get("arguments") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items.iter().map(|item| plain(NAME, item)).collect(),
        Some(other) => Err(not(NAME, "an array", other)),
    }
}

fn variables(settings: &Map<String, Value>) -> Result<Vec<(String, String)>, Failure> {
    const NAME: &str = "transport.stdio.environment";
    let given = settings.get("environment").map(Value::to_string);
    let given = object(NAME, given.as_deref())?;
    let variables = given.into_iter().map(|(name, value)| {
        let value = plain(&format!("{NAME}.{name}"), &value)?;
        Ok((name, value))
    });
    variables.collect()
}

/// A value as a word of a command line.
fn plain(name: &str, value: &Value) -> Result<String, Failure> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        other => Err(not(name, "text", other)),
    }
}

fn not_started(error: ProcessError) -> Failure {
    let (kind, title, detail) = match error {
        ProcessError::Denied(reason) => (
            Kind::Authorization,
            "MCP servers on standard input and output are not turned on",
            reason,
        ),
        ProcessError::Failed(reason) => (Kind::Configuration, "The server was not started", reason),
        ProcessError::Limit(limit) => (Kind::Runtime, "The server was ended", limit),
    };
    Failure::new(kind, title, detail)
}
