//! Standard output: for what a command answers, and for nothing else. What it tells on the way goes to
//! standard error.

use std::io::Write;

use clap::ValueEnum;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// What a command's answer looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// For programs: one line of JSON
    Json,
}

/// Prints text with a line break behind it, unless it ends in one. A reader that has gone (`| head`) is no
/// failure.
pub(crate) fn print(text: impl std::fmt::Display) -> Outcome {
    let mut text = text.to_string();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    print_exact(&text)
}

/// Prints text byte for byte.
pub(crate) fn print_exact(text: &str) -> Outcome {
    let mut stdout = anstream::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new("cannot write to standard output").because(&error))
        }
        _ => Ok(Exit::Done),
    }
}

/// Prints a value as one line of JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Outcome {
    print(serde_json::to_string(value).expect("what we print is made of strings, numbers and JSON"))
}

/// Prints a value as JSON for people.
pub(crate) fn print_pretty(value: &impl Serialize) -> Outcome {
    print(
        serde_json::to_string_pretty(value)
            .expect("what we print is made of strings, numbers and JSON"),
    )
}
