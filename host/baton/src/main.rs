//! `baton`, the host as a program: the command line, configuration, and the wiring of the other crates.
//!
//! It knows how to talk to people on a terminal, and nothing of what a workflow means, how a run is kept
//! or what a connector may do. Most commands are a thin client of `baton-api`; `run`, `dev`, `serve` and
//! those that work offline have an engine in this process ([`host`]).
//!
//! - [`command`], [`misuse`]: the commands, a file each, and what is no command.
//! - [`exit`], [`failure`], [`ending`]: how a command ends, and how it says so.
//! - [`config`], [`tokens`], [`secrets`], [`grants`], [`retention`], [`input`], [`reference`]: what is typed, and what it means.
//! - [`processes`]: processes of the machine, for `run: shell` and `run: container`.
//! - [`host`], [`listen`], [`bundled`], [`directories`], [`logging`], [`signal`]: a host in this process.
//! - [`remote`]: a host somewhere else.
//! - [`render`], [`output`], [`check`]: what people and programs read.

mod authorities;
mod bundled;
mod check;
mod command;
mod config;
mod directories;
mod ending;
mod exit;
mod failure;
mod grants;
mod host;
mod input;
mod listen;
mod logging;
mod misuse;
mod output;
mod processes;
mod reference;
mod remote;
mod render;
mod retention;
mod secrets;
mod signal;
mod sinks;
mod tokens;

use std::process::ExitCode;
use std::time::Duration;

use exit::Exit;
use failure::Failure;

/// How much a thread of the runtime does before it looks whether clients come, and what has come for requests of connectors: so
/// many times that something goes on until it waits. With Tokio's own number, 61, they would wait for some milliseconds.
const EVENT_INTERVAL: u32 = 8;

/// How long the process waits at its end for threads that the system blocks: one that looks up a name comes back when the
/// resolver has given up. What has to be done has been by then.
const FAREWELL: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    {
        let mut arguments = std::env::args_os().skip(1);
        if arguments
            .next()
            .is_some_and(|it| it == processes::SUPERVISE)
        {
            return baton_sandbox::process::supervise(arguments);
        }
    }
    baton_system::allocator::join_at_once();
    let cli = misuse::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .event_interval(EVENT_INTERVAL)
        .on_thread_start(baton_system::priority::reset)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::new("cannot start the threads of this process");
            return told(&failure.because(&error)).into();
        }
    };
    let exit = runtime.block_on(cli.execute());
    let exit = exit.unwrap_or_else(|failure| told(&failure));
    runtime.shutdown_timeout(FAREWELL);
    exit.into()
}

/// Says why a command has failed.
fn told(failure: &Failure) -> Exit {
    anstream::eprintln!("{}", render::failure::render(failure));
    failure.exit
}
