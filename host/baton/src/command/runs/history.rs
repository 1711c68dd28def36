//! `baton runs history`: what happened in a run.

use std::fmt::Write as _;

use super::watch::{document_of, item, value_of};
use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::remote::{Remote, limited};
use crate::render::history::Lines;

/// The arguments of `baton runs history`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,

    /// How many lines at most
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: usize,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let client = self.remote.client()?;
        let items = limited(self.limit, async |page| {
            client.history(&self.run, &page).await
        })
        .await?;
        if self.output == Output::Json {
            return print_json(&items);
        }
        let run = client.run(&self.run).await?;
        let mut lines = Lines::new(value_of(document_of(&client, &run).await.as_ref()));
        let mut text = String::new();
        for line in items {
            writeln!(text, "{}", lines.line(&item(line))).expect("a string takes all text");
        }
        print(text)
    }
}
