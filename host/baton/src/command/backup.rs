//! `baton backup`: all that a host keeps, as a file.

mod keep;
mod source;

use std::path::{Path, PathBuf};

use baton_store::backup::{Backup, BackupHeader, Contents};
use baton_store::{FILE_NAME, OpenError, RedbOptions, RedbStore};
use indicatif::HumanBytes;
use serde_json::json;

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{Output, print, print_json};
use crate::remote::Remote;
use crate::render::text::count;
use crate::signal::Interrupts;

use keep::{Target, keep};
use source::{Parts, Source};

/// The arguments of `baton backup`.
///
/// The backup is of the moment at which it begins, of all tenants; the host goes on meanwhile. The key that secrets
/// are sealed under is not in it, nor are compiled connectors.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Where to keep it; `-` is standard output [default: baton-TIME.backup in the current directory]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,

    /// Back up this data directory of a host that is stopped, instead of a host that runs
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    data: Option<PathBuf>,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let target = Target::of(self.to)?;
        let source = match &self.data {
            Some(data) => tokio::task::block_in_place(|| begin(data))?,
            None => Source::Remote(self.remote.client()?.backup().await?),
        };
        let mut interrupts = Interrupts::new()?;
        let (pump, parts) = Parts::of(source);
        let mut keeping = tokio::task::spawn_blocking(|| keep(parts, target));
        let kept = tokio::select! {
            kept = &mut keeping => kept,
            () = interrupts.next() => {
                // What has come by then is no backup, and is not kept.
                pump.abort();
                let _ = keeping.await;
                return Ok(Exit::Interrupted);
            }
        };
        let (file, header, contents) =
            kept.map_err(|error| Failure::new("the backup broke off").because(&error))??;
        show(file.as_deref(), &header, &contents, self.output)
    }
}

/// A backup of the data directory of a host that is stopped.
fn begin(data: &Path) -> Result<Source, Failure> {
    if !data.join(FILE_NAME).exists() {
        return Err(Failure::no_store(data));
    }
    let store = RedbStore::open(data, RedbOptions::default()).map_err(|error| {
        let is_running = matches!(error, OpenError::Locked { .. });
        match (Failure::from(error), is_running) {
            (failure, true) => failure.help("of a host that runs, take the backup without --data"),
            (failure, false) => failure,
        }
    })?;
    let now = jiff::Timestamp::now().as_millisecond();
    let made_by = concat!("baton ", env!("CARGO_PKG_VERSION"));
    let backup = Backup::begin(&store, made_by, now).map_err(|error| {
        Failure::new(format!("cannot back up {}", data.display())).because(&error)
    })?;
    Ok(Source::Local(backup, store))
}

fn show(
    file: Option<&Path>,
    header: &BackupHeader,
    contents: &Contents,
    output: Output,
) -> Outcome {
    let what = summary(contents);
    match (file, output) {
        // Standard output has the backup.
        (None, _) => {
            anstream::eprintln!("backed up {what}");
            Ok(Exit::Done)
        }
        (Some(file), Output::Text) => print(format!("backed up {what} to {}", file.display())),
        (Some(file), Output::Json) => print_json(&json!({
            "file": file,
            "runs": contents.runs,
            "workflows": contents.workflows,
            "records": contents.records,
            "bytes": contents.bytes,
            "madeBy": header.made_by,
        })),
    }
}

/// What a backup holds, in words.
pub(super) fn summary(contents: &Contents) -> String {
    let number = |it: u64| usize::try_from(it).unwrap_or(usize::MAX);
    format!(
        "{} and {} of workflows ({})",
        count(number(contents.runs), "run"),
        count(number(contents.workflows), "version"),
        HumanBytes(contents.bytes)
    )
}
