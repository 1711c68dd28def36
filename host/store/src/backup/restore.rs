//! A store out of a backup.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{BackupError, BackupReader, Contents};
use crate::error::OpenError;
use crate::key;
use crate::record::{MetaRecord, Record};
use crate::redb::{Building, RedbOptions};
use crate::store::Pair;

/// What may be in a data directory that something is restored into: what no backup holds.
const BESIDE: [&str; 2] = ["secrets.key", "compiled"];

/// Why nothing was restored. There is no store then, as before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The backup is none.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// There is something in the directory.
    #[error(
        "{} is not empty, it holds {found}: restore into a directory of its own, and keep what is here until that works",
        path.display()
    )]
    NotEmpty {
        /// The directory.
        path: PathBuf,
        /// Something that is in it.
        found: String,
    },
    /// The store can't be made.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Makes a store of a backup in the directory `data`, which is made where it is missing, and has to be empty but
/// for what no backup holds: `secrets.key` and `compiled`. All of the backup is read and checked before there is a
/// store to see; when this returns, no crash can take it back.
///
/// # Errors
///
/// Where the backup is damaged, cut off or of a later release, the directory is not empty, or can't be written.
pub fn restore<R: Read>(
    mut backup: BackupReader<R>,
    data: &Path,
    options: &RedbOptions,
) -> Result<Contents, RestoreError> {
    check_empty(data)?;
    let mut building = Building::begin(data, options)?;
    let mut has_meta = false;
    while let Some(pair) = backup.next_pair()? {
        has_meta |= is_meta(&pair, &backup)?;
        building.add(pair)?;
    }
    if !has_meta {
        return Err(backup
            .damaged("what a store says about itself is not in it")
            .into());
    }
    building.finish()?;
    Ok(backup.contents())
}

fn check_empty(data: &Path) -> Result<(), RestoreError> {
    let io_error = |source| OpenError::Io {
        path: data.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(data) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(io_error)?,
    };
    for entry in entries {
        let name = entry.map_err(io_error)?.file_name();
        if !BESIDE.iter().any(|beside| name == *beside) {
            return Err(RestoreError::NotEmpty {
                path: data.to_owned(),
                found: name.display().to_string(),
            });
        }
    }
    Ok(())
}

/// Whether a record is what the store says about itself: which has to be what the backup says.
fn is_meta<R: Read>((key, value): &Pair, backup: &BackupReader<R>) -> Result<bool, BackupError> {
    if *key != key::meta() {
        return Ok(false);
    }
    let meta = MetaRecord::decode(value).map_err(|error| backup.damaged(error.to_string()))?;
    let header = backup.header();
    match (meta.format, meta.partitions) == (header.format, header.partitions) {
        true => Ok(true),
        false => Err(backup.damaged("its store is another one than its beginning says")),
    }
}
