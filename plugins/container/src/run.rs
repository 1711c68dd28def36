//! A container from its description to its end.

use process::{Command, Finished, ProcessError, Run};

use crate::engine::{self, NO_ENGINE, NOT_FOUND};
use crate::{Cleanup, Container, removal};

/// The exit code of `run` where it is the engine itself that has failed.
const ENGINE_FAILED: i32 = 125;

/// Why a container did not run to an end of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: Kind,
    /// The same for every occurrence.
    pub title: &'static str,
    /// What happened this time.
    pub detail: String,
}

/// Kinds of failures, as `wit/connector.wit` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There is no engine.
    Configuration,
    /// The image has no name.
    Validation,
    /// Containers are not turned on.
    Authorization,
    /// The engine does not do it.
    Runtime,
}

/// Runs a container. `now` is in milliseconds since 1970.
///
/// # Errors
///
/// Where containers are not turned on, there is no engine, or the engine fails.
pub fn run(container: &Container, now: i64, machine: &dyn Run) -> Result<Finished, Failure> {
    if container.image.trim().is_empty() {
        let detail = "the name of the image is empty".to_owned();
        return Err(failure(Kind::Validation, "no image", detail));
    }
    let stdin = container.stdin.clone().filter(|_| !container.detached);
    let command = engine::command(Some(&container.name), engine::run(container), stdin);
    let finished = machine.run(&command).map_err(ended)?;
    if finished.code == NOT_FOUND && finished.stderr.starts_with(NO_ENGINE) {
        let detail = "there is neither `docker` nor `podman` in the search path (`[processes] path`) of the host's machine";
        return Err(failure(
            Kind::Configuration,
            "no container engine",
            detail.to_owned(),
        ));
    }
    let finished = match finished.code {
        ENGINE_FAILED => found_again(container, finished, machine)?,
        _ => finished,
    };
    if let Cleanup::Eventually(_) = container.cleanup {
        // What can't be removed now is looked at again the next time.
        let _ = sweep(now, machine);
    }
    Ok(finished)
}

/// The engine has not run the container. If that is because it runs already, for the same call before a crash of the
/// host, its end is waited for.
fn found_again(
    container: &Container,
    refused: Finished,
    machine: &dyn Run,
) -> Result<Finished, Failure> {
    let ask = |words: Vec<String>| machine.run(&plain(words)).map_err(ended);
    let owner = ask(engine::key_of(&container.name))?;
    if owner.code != 0 || owner.stdout.trim() != container.key {
        let detail = format!("the container engine said: {}", refused.stderr.trim());
        return Err(failure(Kind::Runtime, "the container was not run", detail));
    }
    if container.detached {
        return Ok(Finished::default());
    }
    let waited = ask(engine::wait(&container.name))?;
    let code = waited.stdout.trim().parse().map_err(|_| {
        let detail = format!("the container engine said: {}", waited.stderr.trim());
        failure(Kind::Runtime, "the container was lost", detail)
    })?;
    let logs = ask(engine::logs(&container.name))?;
    if container.cleanup == Cleanup::Always {
        ask(removal::remove(&[&container.name]))?;
    }
    Ok(Finished { code, ..logs })
}

/// Removes the containers of which the time has come.
fn sweep(now: i64, machine: &dyn Run) -> Result<(), ProcessError> {
    let listed = machine.run(&plain(removal::candidates()))?;
    let ids: Vec<&str> = listed.stdout.split_whitespace().collect();
    if ids.is_empty() {
        return Ok(());
    }
    let ends = machine.run(&plain(removal::ends(&ids)))?;
    let due = removal::due(&ends.stdout, now);
    if !due.is_empty() {
        machine.run(&plain(removal::remove(&due)))?;
    }
    Ok(())
}

fn plain(words: Vec<String>) -> Command {
    engine::command(None, words, None)
}

fn ended(error: ProcessError) -> Failure {
    match error {
        ProcessError::Denied(reason) => {
            failure(Kind::Authorization, "containers are not turned on", reason)
        }
        ProcessError::Failed(reason) => {
            failure(Kind::Configuration, "the container was not run", reason)
        }
        ProcessError::Limit(limit) => failure(Kind::Runtime, "the container was ended", limit),
    }
}

fn failure(kind: Kind, title: &'static str, detail: String) -> Failure {
    Failure {
        kind,
        title,
        detail,
    }
}
