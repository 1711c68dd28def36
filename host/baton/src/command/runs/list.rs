//! `baton runs list`: the newest runs.

use baton_api::run::{RunFilter, RunStatus};
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;

use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::remote::{Remote, limited};
use crate::render::history::{error, parse_time};
use crate::render::table::Table;
use crate::render::text::duration;

/// The arguments of `baton runs list`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Only those in this status
    #[arg(long, value_parser = status_parser())]
    status: Option<RunStatus>,

    /// Only those of this workflow
    #[arg(long, value_name = "NAMESPACE/NAME")]
    workflow: Option<String>,

    /// Only those with this tag
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Option<String>,

    /// Only those that this run has started
    #[arg(long, value_name = "RUN")]
    parent: Option<String>,

    /// Only those that do once more what this run has done
    #[arg(long, value_name = "RUN")]
    restart_of: Option<String>,

    /// Only those started at this time (RFC 3339) or later
    #[arg(long, value_name = "TIME")]
    started_after: Option<String>,

    /// Only those started before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    started_before: Option<String>,

    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

fn status_parser() -> impl clap::builder::TypedValueParser<Value = RunStatus> {
    PossibleValuesParser::new(RunStatus::ALL.map(RunStatus::name)).map(|name| {
        let found = RunStatus::ALL
            .into_iter()
            .find(|status| status.name() == name);
        found.expect("the parser lets only names of a status through")
    })
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let client = self.remote.client()?;
        let filter = RunFilter {
            status: self.status,
            workflow: self.workflow,
            tag: self.tag,
            parent: self.parent,
            restart_of: self.restart_of,
            started_after: self.started_after,
            started_before: self.started_before,
        };
        let runs = limited(self.limit, async |page| client.runs(&filter, &page).await).await?;
        if self.output == Output::Json {
            return print_json(&runs);
        }
        let mut table = Table::new(["run", "status", "workflow", "started", "took", "error"]);
        for run in runs {
            let workflow = format!(
                "{}/{}@{}",
                run.workflow.namespace, run.workflow.name, run.workflow.version
            );
            let took_ms = run
                .ended_at
                .as_deref()
                .map(|end| parse_time(end) - parse_time(&run.started_at));
            let took = took_ms
                .and_then(|ms| u64::try_from(ms).ok())
                .map(std::time::Duration::from_millis);
            let error = run
                .error
                .map(|cause| error(&serde_json::json!(cause)))
                .unwrap_or_default();
            let took = took.map(duration).unwrap_or_default();
            table.row([
                run.id,
                run.status.name().to_owned(),
                workflow,
                run.started_at,
                took,
                error,
            ]);
        }
        print(table)
    }
}
