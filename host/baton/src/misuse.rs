//! A command line that can't be understood. clap says what is wrong with it; where it has no idea what was meant, the
//! command's own arguments are named.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory as _, Parser as _};

use crate::command::Cli;

/// The command line of this process. Where it can't be understood, that is said, and the process ends.
pub(crate) fn parse() -> Cli {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    Cli::try_parse_from(&arguments).unwrap_or_else(|error| explain(error, &arguments).exit())
}

/// An error with what the command takes, where it has been given something else and clap has no better idea.
fn explain(mut error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let is_explained = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand]
        .into_iter()
        .any(|idea| error.get(idea).is_some());
    if error.kind() == ErrorKind::UnknownArgument && !is_explained {
        let tips = vec![StyledStr::from(takes(arguments))];
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

/// What the command that these arguments name takes.
fn takes(arguments: &[OsString]) -> String {
    let mut cli = Cli::command();
    cli.build();
    let named = |command, argument| Command::find_subcommand(command, argument).unwrap_or(command);
    let command = arguments.iter().skip(1).fold(&cli, named);
    let name = command.get_bin_name().unwrap_or("baton");
    let own = command.get_arguments().filter(|it| is_own(it));
    let own: Vec<_> = own.map(ToString::to_string).collect();
    match own.is_empty() {
        true => format!("`{name}` takes a command first"),
        false => format!("`{name}` takes {}", own.join(", ")),
    }
}

fn is_own(argument: &Arg) -> bool {
    !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tip in what is said of a command line.
    fn tip(line: &str) -> String {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let error = Cli::try_parse_from(&arguments).expect_err("it makes no sense");
        let said = explain(error, &arguments).to_string();
        let tips: Vec<_> = said.split("tip: ").collect();
        assert_eq!(tips.len(), 2, "{said}");
        tips[1].lines().next().expect("a line").to_owned()
    }

    #[test]
    fn what_a_command_takes_is_said_where_it_is_given_something_else() {
        let list = tip("baton runs list --host x");
        assert!(list.starts_with("`baton runs list` takes --status <STATUS>, "));
        assert!(
            list.ends_with(", --server <URL>, --token <TOKEN>"),
            "{list}"
        );
        assert!(tip("baton backup nowhere").starts_with("`baton backup` takes --to <FILE>, "));
        assert_eq!(tip("baton --host x"), "`baton` takes a command first");
        assert_eq!(
            tip("baton runs list --sever x"),
            "a similar argument exists: '--server'"
        );
    }
}
