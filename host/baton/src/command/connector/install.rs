//! `baton connector install`: a component becomes a connector of the tenant.

use std::path::PathBuf;

use crate::failure::Outcome;
use crate::input;
use crate::output::{Output, print, print_json};
use crate::remote::Remote;
use crate::render::connector;

/// The arguments of `baton connector install`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The component
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The name that workflows call it by [default: the name of its WIT package]
    #[arg(long)]
    name: Option<String>,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let component = input::component(&self.file)?;
        let installed = self
            .remote
            .client()?
            .install(self.name.as_deref(), component)
            .await?;
        if self.output == Output::Json {
            return print_json(&installed);
        }
        let name = &installed.summary.name;
        let asks = installed
            .imports
            .iter()
            .any(|import| import.capability.is_some());
        if asks && installed.grants == Default::default() {
            anstream::eprintln!(
                "nothing is granted to it yet: see `baton connector grant {name} --help`"
            );
        }
        print(connector::render(&installed))
    }
}
