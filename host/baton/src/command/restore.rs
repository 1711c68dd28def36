//! `baton restore`: a data directory out of a backup.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use baton_store::RedbOptions;
use baton_store::backup::{BackupHeader, BackupReader, Contents, RestoreError, restore};
use serde_json::json;

use super::backup::summary;
use crate::failure::{Failure, Outcome};
use crate::output::{Output, print, print_json};

/// How many bytes are read at a time.
const BUFFER: usize = 256 << 10;

/// The arguments of `baton restore`.
///
/// All of the backup is read and checked before there is anything to see. A host that is started on the directory
/// then goes on with what was open when the backup was made; see that the host it was made of does not go on too.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The backup; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The directory to restore into; it is made where it is missing, and must be empty otherwise
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Args {
    pub(crate) fn execute(self) -> Outcome {
        let source = open(&self.file)?;
        let (header, contents) = read(source, &self.data).map_err(|error| {
            let file = self.file.display();
            Failure::new(format!("cannot restore {file}")).because(&error)
        })?;
        let data = &self.data;
        match self.output {
            Output::Text => print(format!(
                "restored {} to {}, as they were at {}",
                summary(&contents),
                data.display(),
                time(&header)
            )),
            Output::Json => print_json(&json!({
                "data": data,
                "runs": contents.runs,
                "workflows": contents.workflows,
                "records": contents.records,
                "bytes": contents.bytes,
                "madeBy": header.made_by,
                "at": time(&header),
            })),
        }
    }
}

fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).map_err(|error| {
        Failure::invalid(format!("cannot read the backup {}", path.display())).because(&error)
    })?;
    Ok(Box::new(file))
}

fn read(source: Box<dyn Read>, data: &Path) -> Result<(BackupHeader, Contents), RestoreError> {
    let backup = BackupReader::open(BufReader::with_capacity(BUFFER, source))?;
    let header = backup.header().clone();
    let contents = restore(backup, data, &RedbOptions::default())?;
    Ok((header, contents))
}

/// As of when a backup is.
fn time(header: &BackupHeader) -> String {
    let at = jiff::Timestamp::from_millisecond(header.at_ms);
    at.map_or_else(|_| "no time".to_owned(), |at| format!("{at:.0}"))
}
