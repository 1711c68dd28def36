//! `baton run`: one document, run to its end on a host of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use baton_engine::{
    Engine, Home, Note, NoteKind, PublishError, RunFilter, RunId, RunView, StartError, StartRun,
    Status as Phase, Subscription, TenantId,
};
use baton_workflow::Document;
use serde_json::{Map, Value, json};

use crate::check::Checked;
use crate::config::LogFormat;
use crate::directories;
use crate::ending::{Ending, Status};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::grants::GrantFlags;
use crate::host;
use crate::input::{self, Source};
use crate::logging;
use crate::output::Output;
use crate::processes::ProcessFlags;
use crate::render::history::{Item, Reveal};
use crate::render::live::{Display, Screen};
use crate::render::text::count;
use crate::secrets;
use crate::signal::Interrupts;

/// In whose name Ctrl-C cancels a run.
const USER: &str = "the user";

/// What is said of the host itself: what keeps runs from going on, which their steps do not show.
const LOGGED: &str = "error";

/// How long a run whose last line has been shown may take to store its end: far longer than a disk needs.
const END_PATIENCE: Duration = Duration::from_secs(30);

/// The arguments of `baton run`.
///
/// Each step is shown on standard error as it happens, the run's output goes to standard output.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exit codes: 0 the run completed, 1 it faulted (also where the input does not fit the \
                  document's input.schema), 2 nothing was started: the document is not valid, the input is no \
                  JSON, or a grant cannot be used, 130 it was cancelled with Ctrl-C"
)]
pub(crate) struct Args {
    /// The document, YAML or JSON; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The input as JSON, or @FILE [default: {}]
    #[arg(long, value_name = "JSON")]
    input: Option<String>,

    /// Keep the run in this directory; without it, nothing is kept
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// What the answer looks like: the output alone, or the whole run
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    grants: GrantFlags,

    #[command(flatten)]
    processes: ProcessFlags,

    #[command(flatten)]
    testing: super::Testing,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        logging::start(LogFormat::Text, LOGGED, || Screen)?;
        let source = input::document(&self.file)?;
        let input = match &self.input {
            Some(argument) => input::json("--input", argument)?,
            None => Value::Object(Map::new()),
        };
        // Asked for before anything begins, so that no Ctrl-C is missed.
        let mut interrupts = Interrupts::new()?;
        let scratch = match &self.data {
            Some(_) => None,
            None => Some(tempfile::tempdir().map_err(|error| {
                Failure::new("cannot make a temporary directory")
                    .because(&error)
                    .help("name one: --data DIR")
            })?),
        };
        let kept = self.data.as_deref().map(secrets::kept_key).transpose()?;
        let engine = host::open(host::Options {
            secrets: kept.flatten(),
            data: self
                .data
                .clone()
                .or_else(|| scratch.as_ref().map(|scratch| scratch.path().to_owned())),
            cache: directories::compiled(),
            grants: self.grants.by_connector(),
            schedules_off: true,
            processes: self.processes.settings().allowed()?,
            testing_rewrite: self.testing.rewrite,
            ..host::Options::default()
        })?;
        let outcome = run(
            &engine,
            source,
            input,
            self.data.is_some(),
            self.output,
            &mut interrupts,
        )
        .await;
        engine.shutdown().await;
        outcome
    }
}

async fn run(
    engine: &Engine,
    source: Source,
    input: Value,
    is_kept: bool,
    output: Output,
    interrupts: &mut Interrupts,
) -> Outcome {
    let tenant = TenantId::default();
    // What is wrong with it, publishing says.
    let document = Document::parse(&*source.text, Some(&source.name)).ok();
    let value = document.as_ref().map(|it| Value::clone(it.value()));
    let mut display = Display::for_stderr(value.unwrap_or_default());
    if is_kept {
        tell_of_open_runs(engine, &tenant, &display).await?;
    }
    let home = Home {
        file: source.file.clone(),
        ..Home::default()
    };
    let published = match engine.publish_from(&tenant, &source.text, home).await {
        Ok(published) => published,
        Err(PublishError::Invalid(diagnostics)) => {
            Checked::here(source, &diagnostics).report();
            return Ok(Exit::Invalid);
        }
        Err(error) => return Err(Failure::new("cannot publish the document").because(&error)),
    };
    Checked::here(source, &published.warnings).report();
    if document
        .as_ref()
        .is_some_and(|it| it.workflow().schedule.is_some())
    {
        display.say("the schedule of the document is left alone; this runs it once, now");
    }

    let request = StartRun {
        namespace: published.reference.namespace,
        name: published.reference.name,
        version: Some(published.reference.version),
        input,
        tags: BTreeMap::new(),
        idempotency_key: None,
    };
    let started = engine
        .start(&tenant, request)
        .await
        .map_err(|error| cannot_start(&error))?;
    let exit = follow(engine, &tenant, started.id, &mut display, interrupts).await?;
    drop(display);

    // The last line is shown from the journal, a moment before the run's end is stored.
    let run = engine.wait(&tenant, &started.id, END_PATIENCE).await;
    let run = run.map_err(|error| Failure::new("cannot read the run").because(&error))?;
    let ending = Ending {
        document: document.map(Arc::new),
        ..ending(run.as_ref().unwrap_or(&started))
    };
    let shown = ending.show(output)?;
    Ok(exit.unwrap_or(shown))
}

/// What is said where the run asks a person: this host has no door.
const NOBODY_DECIDES: &str = "nobody can decide here: to be asked, start a host with `baton dev`, and publish the \
                              workflow and start the run there";

/// Shows the run to its end. On Ctrl-C the run is cancelled, and its end is shown as well.
async fn follow(
    engine: &Engine,
    tenant: &TenantId,
    run: RunId,
    display: &mut Display,
    interrupts: &mut Interrupts,
) -> Result<Option<Exit>, Failure> {
    let mut exit = None;
    let mut seen = 0;
    let mut lines = subscribe(engine, tenant, run, seen).await?;
    loop {
        tokio::select! {
            line = lines.next() => match line {
                Some(Ok(note)) => {
                    seen = note.seq;
                    let asks = note.kind == NoteKind::TaskStarted
                        && note.detail.function.as_deref() == Some("approval");
                    display.show(&item(note));
                    if asks {
                        display.say(NOBODY_DECIDES);
                    }
                }
                // The terminal was slower than the run; what it missed is read again.
                Some(Err(_)) => lines = subscribe(engine, tenant, run, seen).await?,
                None => return Ok(exit),
            },
            () = interrupts.next() => {
                display.say("cancelling the run; Ctrl-C again ends this process at once");
                exit = Some(Exit::Interrupted);
                // A run that has ended meanwhile needs no cancelling.
                let _ = engine.cancel(tenant, &run, USER, Some("Ctrl-C")).await;
            }
        }
    }
}

async fn subscribe(
    engine: &Engine,
    tenant: &TenantId,
    run: RunId,
    after: u64,
) -> Result<Subscription, Failure> {
    match engine.subscribe(tenant, &run, after).await {
        Ok(Some(lines)) => Ok(lines),
        Ok(None) => Err(Failure::new("the run is gone")),
        Err(error) => Err(Failure::new("cannot follow the run").because(&error)),
    }
}

/// Runs that an earlier process left open go on as soon as the store is open again.
async fn tell_of_open_runs(
    engine: &Engine,
    tenant: &TenantId,
    display: &Display,
) -> Result<(), Failure> {
    let mut open = 0;
    for status in [Phase::Pending, Phase::Running, Phase::Waiting] {
        let filter = RunFilter {
            status: Some(status),
            ..RunFilter::default()
        };
        let page = engine.runs(tenant, &filter, None, usize::MAX).await;
        open += page
            .map_err(|error| Failure::new("cannot list the open runs").because(&error))?
            .items
            .len();
    }
    if open > 0 {
        display.say(&format!(
            "found {} in the data directory; work on that goes on as well",
            count(open, "open run")
        ));
    }
    Ok(())
}

fn cannot_start(error: &StartError) -> Failure {
    match error {
        StartError::InputTooLarge { .. } => Failure::invalid(error),
        _ => Failure::new("cannot start the run").because(error),
    }
}

/// A line of history from the engine.
fn item(note: Note) -> Item {
    let (task, visit) = match note.task {
        Some(key) => (Some(key.pointer.to_string()), key.visit),
        None => (None, 0),
    };
    Item {
        at_ms: note.at.as_millis(),
        kind: note.kind.name().to_owned(),
        task,
        visit,
        attempt: note.attempt,
        function: note.detail.function,
        error: note
            .detail
            .error
            .as_ref()
            .map(baton_engine::Error::to_value),
        due_ms: note.detail.due.map(baton_engine::Timestamp::as_millis),
        by: note.detail.by,
        reason: note.detail.reason,
        reveal: note.detail.reveal.map(|reveal| Reveal {
            secret: reveal.secret,
            member: reveal.member,
            connector: reveal.connector,
        }),
    }
}

fn ending(run: &RunView) -> Ending {
    let status = match run.status {
        Phase::Completed => Status::Completed,
        Phase::Faulted => Status::Faulted,
        Phase::Cancelled => Status::Cancelled,
        Phase::Pending | Phase::Running | Phase::Waiting | Phase::Suspended => Status::Open,
    };
    let output = run.output.as_deref().cloned().unwrap_or_default();
    let error = run.error.as_ref().map(baton_engine::Error::to_value);
    let workflow = &run.workflow;
    let whole = json!({
        "id": run.id.to_string(),
        "workflow": { "namespace": workflow.namespace, "name": workflow.name, "version": workflow.version },
        "status": status.name(),
        "output": output,
        "error": error,
        "startedAt": run.started_at.to_string(),
        "endedAt": run.ended_at.map(|at| at.to_string()),
    });
    Ending {
        id: run.id.to_string(),
        status,
        output,
        error,
        whole,
        document: None,
    }
}
