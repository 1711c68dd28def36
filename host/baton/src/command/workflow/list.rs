//! `baton workflow list`: the published versions.

use baton_api::workflow::WorkflowFilter;

use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::remote::{Remote, limited};
use crate::render::table::Table;

/// The arguments of `baton workflow list`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Only those of this namespace
    #[arg(long)]
    namespace: Option<String>,

    /// Only those of this name
    #[arg(long)]
    name: Option<String>,

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
        let filter = WorkflowFilter {
            namespace: self.namespace,
            name: self.name,
        };
        let workflows = limited(self.limit, async |page| {
            client.workflows(&filter, &page).await
        })
        .await?;
        if self.output == Output::Json {
            return print_json(&workflows);
        }
        let mut table = Table::new(["workflow", "version", "published", "title"]);
        for workflow in workflows {
            let title = workflow.title.or(workflow.summary).unwrap_or_default();
            let name = format!("{}/{}", workflow.namespace, workflow.name);
            table.row([name, workflow.version, workflow.published_at, title]);
        }
        print(table)
    }
}
