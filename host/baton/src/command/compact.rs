//! `baton compact`: a store's file without the room that it does not need.

use std::path::PathBuf;

use baton_store::{Compacted, FILE_NAME, RedbOptions, compact};
use indicatif::HumanBytes;
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::output::{Output, print, print_json};

/// The arguments of `baton compact`.
///
/// A host uses again what is removed, so that its file grows no further than it has to; it does not give room back to
/// the disk by itself. Where much was removed for good, this does. It takes about as long as writing all of the file.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The data directory of a host that is stopped
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Args {
    pub(crate) fn execute(self) -> Outcome {
        let file = self.data.join(FILE_NAME);
        if !file.exists() {
            return Err(Failure::no_store(&self.data));
        }
        let Compacted { before, after } = compact(&self.data, &RedbOptions::default())?;
        match self.output {
            Output::Text => print(format!(
                "{} has {} now, of {} before",
                file.display(),
                HumanBytes(after),
                HumanBytes(before)
            )),
            Output::Json => print_json(&json!({ "file": file, "before": before, "after": after })),
        }
    }
}
