//! `baton runs watch`: a run as it goes on.

use std::sync::Arc;

use baton_api::Client;
use baton_api::history::HistoryItem;
use baton_api::run::Run;
use baton_workflow::Document;
use serde_json::Value;

use crate::ending::{Ending, Status};
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::Output;
use crate::remote::Remote;
use crate::render::history::{Item, Reveal, parse_time};
use crate::render::live::Display;
use crate::signal;

/// The arguments of `baton runs watch`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let client = self.remote.client()?;
        let run = client.run(&self.run).await?;
        follow(&client, &run, self.output).await
    }
}

/// Shows a run to its end, and then its output. Ctrl-C ends the watching, not the run.
pub(super) async fn follow(client: &Client, run: &Run, output: Output) -> Outcome {
    let id = &run.summary.id;
    let document = document_of(client, run).await;
    let mut display = Display::for_stderr(value_of(document.as_ref()));
    let mut watch = client.watch(id, None).await?;
    let mut interrupt = signal::Interrupts::new()?;
    loop {
        let line = tokio::select! {
            line = watch.next() => line?,
            () = interrupt.next() => {
                display.say(&format!("the run goes on; `baton runs watch {id}` follows it again"));
                return Ok(Exit::Interrupted);
            }
        };
        match line {
            Some(line) => display.show(&item(line)),
            None => break,
        }
    }
    drop(display);
    let ending = Ending {
        document: document.map(Arc::new),
        ..ending(&client.run(id).await?)
    };
    ending.show(output)
}

/// The document of the workflow that a run runs; none where it can't be had. It is only for showing what
/// kind of task each is, and where.
pub(super) async fn document_of(client: &Client, run: &Run) -> Option<Document> {
    let workflow = &run.summary.workflow;
    let (namespace, name, version) = (&workflow.namespace, &workflow.name, &workflow.version);
    let published = client.workflow(namespace, name, Some(version)).await.ok()?;
    let name = format!("{namespace}/{name} {version}");
    Document::parse(&*published.text, Some(&name)).ok()
}

/// A document as JSON; `null` where there is none.
pub(super) fn value_of(document: Option<&Document>) -> Value {
    document.map_or(Value::Null, |it| Value::clone(it.value()))
}

/// A line of history from the API.
pub(super) fn item(line: HistoryItem) -> Item {
    Item {
        at_ms: parse_time(&line.at),
        function: line.function,
        error: line.error.map(|error| serde_json::json!(error)),
        due_ms: line.due.map(|due| parse_time(&due)),
        by: line.by,
        reason: line.reason,
        reveal: line.reveal.map(|reveal| Reveal {
            secret: reveal.secret,
            member: reveal.member,
            connector: reveal.connector,
        }),
        kind: line.kind,
        task: line.task,
        visit: line.visit.unwrap_or(0),
        attempt: line.attempt,
    }
}

fn ending(run: &Run) -> Ending {
    let status = Status::from_name(run.summary.status.name());
    Ending {
        id: run.summary.id.clone(),
        status,
        output: run.output.clone(),
        error: run
            .summary
            .error
            .as_ref()
            .map(|error| serde_json::json!(error)),
        whole: serde_json::json!(run),
        document: None,
    }
}
