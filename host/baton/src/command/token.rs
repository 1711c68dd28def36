//! `baton token`: tokens for the clients of a host.

use baton_store::TenantId;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::tokens::{self, Token};

/// `baton token …`
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make a token, and what the host's configuration has to know of it
    ///
    /// The token goes to standard output and is kept nowhere. The lines for `baton.toml`, with its SHA-256,
    /// go to standard error.
    New(NewArgs),
}

/// The arguments of `baton token new`.
#[derive(Args, Debug)]
pub(crate) struct NewArgs {
    /// The tenant that the token's owner belongs to
    #[arg(long)]
    tenant: TenantId,

    /// Whose token it is, for the log
    #[arg(long, value_parser = tokens::name)]
    name: String,

    /// Make it an operator's: it may also back up the host, with what is of all tenants
    #[arg(long)]
    operator: bool,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Command {
    pub(crate) fn execute(self) -> Outcome {
        let Self::New(NewArgs {
            tenant,
            name,
            operator,
            output,
        }) = self;
        let token = Token::new();
        let hash = token.digest().to_string();
        match output {
            Output::Json => print_json(&json!({
                "token": token.text(), "tenant": tenant.as_str(), "name": name, "sha256": hash,
                "operator": operator,
            })),
            Output::Text => {
                let name = toml::Value::String(name);
                anstream::eprintln!(
                    "[[token]]\ntenant = \"{tenant}\"\nname = {name}\nsha256 = \"{hash}\"{}",
                    if operator { "\noperator = true" } else { "" }
                );
                print(token.text())
            }
        }
    }
}
