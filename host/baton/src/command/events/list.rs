//! `baton events list`: the events that came.

use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::remote::{Remote, limited};
use crate::render::table::Table;

/// The arguments of `baton events list`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    filter: super::Filter,

    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 100)]
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
        let filter = self.filter.into_filter();
        let events = limited(self.limit, async |page| {
            client.events(&filter, &page, None).await
        })
        .await?;
        if self.output == Output::Json {
            return print_json(&events);
        }
        let mut table = Table::new(["position", "received", "type", "source", "data"]);
        for event in &events {
            table.row(super::columns(event));
        }
        print(table)
    }
}
