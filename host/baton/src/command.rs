//! The commands, a file each. A command reads its arguments, asks who knows, and shows the answer.

mod approvals;
mod backup;
mod compact;
mod connector;
mod dev;
mod events;
mod restore;
mod run;
mod runs;
mod schedules;
mod schema;
mod secret;
mod serve;
mod token;
mod validate;
mod workflow;

use clap::{Parser, Subcommand};

use crate::failure::Outcome;

/// Runs workflows whose steps are WebAssembly components, durably.
#[derive(Parser, Debug)]
#[command(
    name = "baton",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run one document to its end on a host of its own
    Run(run::Args),
    /// Start a host for yourself, on this machine, with nothing to set up
    Dev(dev::Args),
    /// Start a host for many
    Serve(serve::Args),
    /// Say what is wrong with documents
    Validate(validate::Args),
    /// Print the JSON Schema of documents, for editors
    Schema(schema::Args),
    /// Publish and read workflows
    #[command(subcommand, alias = "workflows")]
    Workflow(workflow::Command),
    /// Start, follow and control runs
    #[command(subcommand)]
    Runs(runs::Command),
    /// Send and watch events
    #[command(subcommand, alias = "event")]
    Events(events::Command),
    /// See and decide what people are asked
    #[command(subcommand, alias = "approval")]
    Approvals(approvals::Command),
    /// See, pause and resume what starts by itself
    #[command(subcommand, alias = "schedule")]
    Schedules(schedules::Command),
    /// Make, install and call connectors
    #[command(subcommand, alias = "connectors")]
    Connector(connector::Command),
    /// Set and list secrets, and make the key that a host seals them under
    #[command(subcommand, alias = "secrets")]
    Secret(secret::Command),
    /// Make tokens for the clients of a host
    #[command(subcommand)]
    Token(token::Command),
    /// Keep all that a host has as a file
    Backup(backup::Args),
    /// Make a data directory of a backup
    Restore(restore::Args),
    /// Give back the room that a host's file does not need
    Compact(compact::Args),
}

impl Cli {
    /// Does what was asked for.
    pub(crate) async fn execute(self) -> Outcome {
        match self.command {
            Command::Run(args) => args.execute().await,
            Command::Dev(args) => args.execute().await,
            Command::Serve(args) => args.execute().await,
            Command::Validate(args) => args.execute().await,
            Command::Schema(args) => args.execute(),
            Command::Workflow(command) => command.execute().await,
            Command::Runs(command) => command.execute().await,
            Command::Events(command) => command.execute().await,
            Command::Approvals(command) => command.execute().await,
            Command::Schedules(command) => command.execute().await,
            Command::Connector(command) => command.execute().await,
            Command::Secret(command) => command.execute().await,
            Command::Token(command) => command.execute(),
            Command::Backup(args) => args.execute().await,
            Command::Restore(args) => args.execute(),
            Command::Compact(args) => args.execute(),
        }
    }
}

/// What only tests may switch on.
#[derive(clap::Args, Clone, Debug, Default)]
struct Testing {
    /// Sends requests for one authority to another, and allows them: `https://a.example=http://127.0.0.1:8099`
    #[arg(long = "testing-rewrite", value_name = "FROM=TO", hide = true, value_parser = from_to)]
    rewrite: Vec<(String, String)>,
}

fn from_to(text: &str) -> Result<(String, String), String> {
    let (from, to) = text.split_once('=').ok_or("expected FROM=TO")?;
    Ok((from.to_owned(), to.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// The help of a command, without colours and the width of the terminal.
    fn help(path: &[&str]) -> String {
        let mut command = Cli::command().term_width(100);
        command.build();
        let found = path.iter().fold(&mut command, |command, name| {
            command
                .find_subcommand_mut(name)
                .expect("there is such a command")
        });
        found.render_help().to_string()
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_texts() {
        for path in [
            &[][..],
            &["run"],
            &["dev"],
            &["serve"],
            &["validate"],
            &["workflow"],
            &["runs"],
            &["runs", "start"],
            &["events", "send"],
            &["events", "watch"],
            &["approvals"],
            &["approvals", "approve"],
            &["schedules"],
            &["connector"],
            &["connector", "grant"],
            &["connector", "call"],
            &["secret"],
            &["secret", "set"],
            &["token", "new"],
            &["backup"],
            &["restore"],
            &["compact"],
        ] {
            let name = if path.is_empty() {
                "baton".to_owned()
            } else {
                path.join("-")
            };
            insta::assert_snapshot!(format!("help-{name}"), help(path));
        }
    }
}
