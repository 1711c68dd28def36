//! `baton approvals approve` and `reject`: a decision, in the name of the token.

use baton_api::approval::{DecideApproval, Decision};
use serde_json::Value;

use crate::failure::Outcome;
use crate::input;
use crate::output::{Output, print, print_json};
use crate::remote::Remote;

/// The arguments of `baton approvals approve` and `reject`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The approval's id
    #[arg(value_name = "APPROVAL")]
    approval: String,

    /// What there is to say to it
    #[arg(long)]
    comment: Option<String>,

    /// What the form asks for: JSON, or @FILE
    #[arg(long, value_name = "JSON|@FILE")]
    data: Option<String>,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self, decision: Decision) -> Outcome {
        let data = self.data.as_deref();
        let data = data.map(|data| input::json("--data", data)).transpose()?;
        let decide = DecideApproval {
            decision,
            comment: self.comment,
            data: data.unwrap_or(Value::Null),
        };
        let client = self.remote.client()?;
        let decided = client.decide(&self.approval, &decide).await?;
        match self.output {
            Output::Text => print(format!("{} is {}", decided.id, decided.status.name())),
            Output::Json => print_json(&decided),
        }
    }
}
