//! The file: made for its user alone, opened, and what the system says against it.

use std::fs;
use std::io;
use std::path::Path;

use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageError};

use super::{RedbOptions, TABLE};
use crate::error::OpenError;

pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes an empty file where there is none. redb takes an empty file for a new one, but would make it
/// readable for others.
pub(super) fn make_file(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Has what is read next of the file come from the medium. Linux takes pages that it has once failed to write for written:
/// they stay in its memory, look as if they were stored, and are lost with the power (Rebello and others, Can Applications
/// Recover from fsync Failures?, USENIX ATC 2020).
pub(super) fn forget_pages(path: &Path) -> io::Result<()> {
    let file = fs::OpenOptions::new().write(true).open(path)?;
    // What waits to be written can't be forgotten. Where it can't be written either, it can.
    let _ = file.sync_data();
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

pub(super) fn open_database(path: &Path, options: &RedbOptions) -> Result<Database, OpenError> {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    let database = builder
        .create(path)
        .map_err(|error| open_error(path, error))?;
    // Readers expect the table to be there.
    let make_table = || -> Result<(), redb::Error> {
        if database.begin_read()?.open_table(TABLE).is_ok() {
            return Ok(());
        }
        let transaction = database.begin_write()?;
        drop(transaction.open_table(TABLE)?);
        transaction.commit()?;
        Ok(())
    };
    match make_table() {
        Ok(()) => Ok(database),
        Err(redb::Error::Io(source)) => Err(io_error(path, source)),
        Err(error) => Err(OpenError::Corrupt {
            path: path.to_owned(),
            detail: error.to_string(),
        }),
    }
}

fn open_error(path: &Path, error: DatabaseError) -> OpenError {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            OpenError::Locked { path }
        }
        DatabaseError::Storage(StorageError::Io(source))
            if source.kind() == io::ErrorKind::InvalidData =>
        {
            OpenError::Corrupt {
                path,
                detail: source.to_string(),
            }
        }
        DatabaseError::Storage(StorageError::Io(source)) => io_error(&path, source),
        error => OpenError::Corrupt {
            path,
            detail: error.to_string(),
        },
    }
}

pub(super) fn io_error(path: &Path, source: io::Error) -> OpenError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            OpenError::ReadOnly { path, source }
        }
        _ if is_full(&source) => OpenError::Full { path, source },
        _ => OpenError::Io { path, source },
    }
}

/// Why a file can't be made or made smaller.
pub(super) fn failed(path: &Path, error: impl Into<redb::Error>) -> OpenError {
    match error.into() {
        redb::Error::Io(source) => io_error(path, source),
        error => io_error(path, io::Error::other(error)),
    }
}

/// Whether there is no room: on the disk, in the quota, or within the process's limit for a file.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
