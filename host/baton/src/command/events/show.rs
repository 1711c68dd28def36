//! `baton events show`: an event that came.

use crate::failure::Outcome;
use crate::output::{Output, print_json, print_pretty};
use crate::remote::Remote;

/// The arguments of `baton events show`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The event's id
    #[arg(value_name = "ID")]
    id: String,

    /// The event's source, where several have sent one with this id
    #[arg(long, value_name = "URI")]
    source: Option<String>,

    /// What the answer looks like: JSON in any case, for people on several lines
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let client = self.remote.client()?;
        let event = client.event(&self.id, self.source.as_deref()).await?;
        match self.output {
            Output::Text => print_pretty(&event),
            Output::Json => print_json(&event),
        }
    }
}
