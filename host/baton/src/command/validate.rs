//! `baton validate`: what is wrong with documents, before anything runs.

use std::path::PathBuf;

use baton_engine::{Engine, Home, TenantId, Unavailable};
use baton_workflow::Document;
use baton_workflow::diagnostic::{Diagnostic, Severity, code};
use baton_workflow::plan::FunctionReference;
use serde_json::Value;

use crate::check::Checked;
use crate::directories;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::host;
use crate::input::{self, Source};
use crate::output::{Output, print, print_json};
use crate::remote::Remote;
use crate::render::failure::render;

/// The arguments of `baton validate`.
///
/// Offline, the connectors that come with the host are known; a call of another one is a warning. With
/// `--online` or `--server URL`, the host says what it would say at publication.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The documents, YAML or JSON; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Ask the host, which knows the connectors that are installed there; --server URL does so as well
    #[arg(long)]
    online: bool,

    /// Also point out what other runtimes refuse: this host's additions to the language; exit code 1 where there are any
    #[arg(long)]
    portable: bool,

    /// What the answer looks like; in JSON, a line for each document
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    /// Looks at every document, also behind one that is wrong or can't be read.
    pub(crate) async fn execute(self) -> Outcome {
        let mut exit = Exit::Done;
        let mut checker = if self.online || self.remote.names_a_host() {
            Checker::Online(self.remote.client()?)
        } else {
            Checker::Offline(Box::new(Offline::open().await?))
        };
        for file in &self.files {
            let source = match input::document(file) {
                Ok(source) => source,
                Err(failure) => {
                    anstream::eprintln!("{}\n", render(&failure));
                    exit = failure.exit;
                    continue;
                }
            };
            let mut checked = checker.check(source).await?;
            let is_portable = !self.portable || !point_out_additions(&mut checked);
            // What can't be read is the worse of the two.
            if !(checked.is_valid() && is_portable) && exit == Exit::Done {
                exit = Exit::Failed;
            }
            match self.output {
                Output::Json => print_json(&checked.to_json())?,
                Output::Text => show(&checked)?,
            };
        }
        Ok(exit)
    }
}

/// Adds what only this host understands to what was found; whether there is any.
fn point_out_additions(checked: &mut Checked) -> bool {
    let document = Document::read(&*checked.source.text, None).document;
    let additions = document.map(|document| document.not_portable());
    let additions = additions.unwrap_or_default();
    checked.add(&additions);
    !additions.is_empty()
}

fn show(checked: &Checked) -> Outcome {
    checked.report();
    if checked.diagnostics.is_empty() {
        return print(format!("{} is valid", checked.source.name));
    }
    Ok(Exit::Done)
}

/// Who looks at the documents.
enum Checker {
    Online(baton_api::Client),
    Offline(Box<Offline>),
}

/// An engine that knows the connectors which come with the host.
struct Offline {
    engine: Engine,
    connectors: Vec<String>,
}

impl Checker {
    async fn check(&mut self, source: Source) -> Result<Checked, Failure> {
        match self {
            Self::Online(client) => {
                let diagnostics = client.validate(source.text.clone()).await?.diagnostics;
                Ok(Checked {
                    source,
                    diagnostics,
                })
            }
            Self::Offline(offline) => offline.check(source).await,
        }
    }
}

impl Offline {
    async fn open() -> Result<Self, Failure> {
        let options = host::Options {
            cache: directories::compiled(),
            ..host::Options::default()
        };
        let engine = host::open(options)?;
        let connectors = engine
            .connectors(&TenantId::default())
            .await
            .map_err(|error| cannot_validate(&error))?;
        let connectors = connectors
            .into_iter()
            .map(|connector| connector.reference.name)
            .collect();
        Ok(Self { engine, connectors })
    }

    async fn check(&self, source: Source) -> Result<Checked, Failure> {
        let home = Home {
            name: Some(source.name.clone()),
            file: source.file.clone(),
            is_offline: true,
        };
        let found = self
            .engine
            .validate(&TenantId::default(), &source.text, &home)
            .await;
        let mut diagnostics = found.map_err(|error| cannot_validate(&error))?;
        for diagnostic in &mut diagnostics {
            if diagnostic.code == code::UNKNOWN_FUNCTION
                && self.is_installed_elsewhere(&source, diagnostic)
            {
                diagnostic.severity = Severity::Warning;
                diagnostic.help = Some(ELSEWHERE.to_owned());
            }
        }
        Ok(Checked::here(source, &diagnostics))
    }

    /// Whether an unknown function is one of a connector that only the host may know.
    fn is_installed_elsewhere(&self, source: &Source, diagnostic: &Diagnostic) -> bool {
        let Ok(document) = Document::parse(&*source.text, None) else {
            return false;
        };
        let call = document
            .value()
            .pointer(&diagnostic.pointer)
            .and_then(Value::as_str);
        let reference = call.and_then(FunctionReference::parse);
        reference.is_some_and(|reference| !self.connectors.contains(&reference.connector))
    }
}

const ELSEWHERE: &str = "the host may have the connector: `baton validate --online` asks there";

fn cannot_validate(error: &Unavailable) -> Failure {
    Failure::new("cannot validate").because(error)
}
