//! `baton runs start`: a run of a published workflow.

use std::collections::BTreeMap;

use baton_api::client::StartOptions;
use baton_api::run::StartRun;
use serde_json::{Map, Value};

use super::watch::follow;
use crate::failure::Outcome;
use crate::input::{json, name_value};
use crate::output::{Output, print, print_json};
use crate::reference::WorkflowName;
use crate::remote::Remote;

/// The arguments of `baton runs start`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The workflow; without a version, the highest
    #[arg(value_name = "NAMESPACE/NAME[@VERSION]")]
    workflow: WorkflowName,

    /// The input as JSON, or @FILE [default: {}]
    #[arg(long, value_name = "JSON")]
    input: Option<String>,

    /// What to find the run by later; may be given several times
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = name_value)]
    tags: Vec<(String, String)>,

    /// A name for this request: sent again under the same, it starts no second run
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,

    /// Follow the run to its end, as `baton runs watch` does
    #[arg(long)]
    watch: bool,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    /// Prints the run's id or, when it is followed, its output.
    pub(crate) async fn execute(self) -> Outcome {
        let input = match &self.input {
            Some(argument) => json("--input", argument)?,
            None => Value::Object(Map::new()),
        };
        let client = self.remote.client()?;
        let WorkflowName {
            namespace,
            name,
            version,
        } = self.workflow;
        let request = StartRun {
            input,
            version,
            tags: BTreeMap::from_iter(self.tags),
        };
        let options = StartOptions {
            idempotency_key: self.idempotency_key,
            ..StartOptions::default()
        };
        let run = client.start(&namespace, &name, &request, &options).await?;
        match (self.watch, self.output) {
            (true, output) => follow(&client, &run, output).await,
            (false, Output::Text) => print(&run.summary.id),
            (false, Output::Json) => print_json(&run),
        }
    }
}
