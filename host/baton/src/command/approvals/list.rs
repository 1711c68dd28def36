//! `baton approvals list`: what people are asked.

use baton_api::approval::{ApprovalFilter, ApprovalStatus};
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::remote::{Remote, limited};
use crate::render::table::Table;

/// The arguments of `baton approvals list`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Those in this status [default: open]
    #[arg(long, value_parser = status_parser())]
    status: Option<ApprovalStatus>,

    /// Only those that this person may decide
    #[arg(long, value_name = "NAME")]
    assignee: Option<String>,

    /// Only those of this run
    #[arg(long, value_name = "RUN")]
    run: Option<String>,

    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

fn status_parser() -> impl TypedValueParser<Value = ApprovalStatus> {
    PossibleValuesParser::new(ApprovalStatus::ALL.map(ApprovalStatus::name)).map(|name| {
        let found = ApprovalStatus::ALL
            .into_iter()
            .find(|status| status.name() == name);
        found.expect("the parser lets only names of a status through")
    })
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let client = self.remote.client()?;
        let filter = ApprovalFilter {
            status: self.status,
            assignee: self.assignee,
            run: self.run,
        };
        let page = async |page| client.approvals(&filter, &page).await;
        let approvals = limited(self.limit, page).await?;
        if self.output == Output::Json {
            return print_json(&approvals);
        }
        let mut table = Table::new([
            "approval",
            "status",
            "title",
            "assignees",
            "workflow",
            "asked",
            "due",
            "decided by",
        ]);
        for approval in approvals {
            table.row([
                approval.id,
                approval.status.name().to_owned(),
                approval.title,
                approval.assignees.join(", "),
                approval.workflow,
                approval.asked_at,
                approval.due.unwrap_or_default(),
                approval.decision.map(|it| it.by).unwrap_or_default(),
            ]);
        }
        print(table)
    }
}
