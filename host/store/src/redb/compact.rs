//! Giving back the room that the file has and does not need.

use std::path::Path;

use super::RedbOptions;
use super::file::io_error;
use super::files::Opened;
use super::medium::{Folder, Medium as _};
use super::tree::{Checkpoint, failed};
use crate::error::OpenError;

/// How large a file was and is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Before.
    pub before: u64,
    /// Now.
    pub after: u64,
}

/// Moves what is stored in the directory `data` together, and gives back what is free then. Takes about as long as
/// writing all of it; no host may have the store meanwhile. A crash loses nothing.
///
/// # Errors
///
/// Where there is no store, another process has it, or it can't be read and written.
pub fn compact(data: &Path, options: &RedbOptions) -> Result<Compacted, OpenError> {
    let folder = Folder::new(data);
    let path = folder.tree_path();
    let size = || std::fs::metadata(path).map(|it| it.len());
    // Nothing is made where there is nothing.
    let before = size().map_err(|source| io_error(path, source))?;
    let Opened {
        mut database,
        recent,
        ..
    } = Opened::open(&folder, options)?;
    let settle = || {
        let checkpoint = Checkpoint::begin(&database)?;
        checkpoint.put(recent.changes())?;
        checkpoint.commit(None)
    };
    settle().map_err(|error| failed(path, error))?;
    database.compact().map_err(|error| failed(path, error))?;
    database.close().map_err(|error| failed(path, error))?;
    let after = size().map_err(|source| io_error(path, source))?;
    Ok(Compacted { before, after })
}
