//! The tree: redb's file, and what is put into it.

use std::io;
use std::path::Path;

use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, StorageError, TableDefinition, TableError,
    WriteTransaction,
};

use super::RedbOptions;
use super::file::io_error;
use super::log::Generation;
use super::medium::Medium;
use crate::batch::{Batch, Operation};
use crate::error::OpenError;

/// What the store holds.
pub(super) const TABLE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("baton");

/// The generation of the log that goes on from here; empty where there is no log to read.
const LOG: TableDefinition<(), &[u8; 16]> = TableDefinition::new("baton.wal");

/// Opens the tree. Its table is there then, as readers expect.
pub(super) fn open(medium: &dyn Medium, options: &RedbOptions) -> Result<Database, OpenError> {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    let path = medium.tree_path();
    let database = medium
        .tree(&builder)
        .map_err(|error| open_error(path, error))?;
    let make_table = || -> Result<(), redb::Error> {
        if database.begin_read()?.open_table(TABLE).is_ok() {
            return Ok(());
        }
        let transaction = database.begin_write()?;
        drop(transaction.open_table(TABLE)?);
        transaction.commit()?;
        Ok(())
    };
    make_table().map_err(|error| unusable(path, error))?;
    Ok(database)
}

/// The generation of the log that goes on from what the tree holds, if one does.
pub(super) fn generation(database: &Database) -> Result<Option<Generation>, redb::Error> {
    match database.begin_read()?.open_table(LOG) {
        Ok(table) => Ok(table.get(())?.map(|it| Generation(*it.value()))),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes a batch durable in a tree that has no log.
pub(super) fn commit(database: &Database, batch: &Batch) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    put(&transaction, operations(batch))?;
    transaction.commit()?;
    Ok(())
}

/// A checkpoint: makes changes durable, each after those before it, and says which generation of the log goes on from
/// there.
pub(super) fn checkpoint<'a>(
    database: &Database,
    changes: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    next: Option<Generation>,
) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    // Which pages are free is written down with it, so that nobody has to read the whole file after a crash.
    transaction.set_quick_repair(true);
    put(&transaction, changes)?;
    let mut log = transaction.open_table(LOG)?;
    match &next {
        Some(Generation(generation)) => drop(log.insert((), generation)?),
        None => drop(log.remove(())?),
    }
    drop(log);
    transaction.commit()?;
    Ok(())
}

/// The operations of a batch, as changes.
pub(super) fn operations(batch: &Batch) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    batch.operations().iter().map(|operation| match operation {
        Operation::Put(key, value) => (key.as_slice(), Some(value.as_slice())),
        Operation::Delete(key) => (key.as_slice(), None),
    })
}

fn put<'a>(
    transaction: &WriteTransaction,
    changes: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(TABLE)?;
    for (key, value) in changes {
        match value {
            Some(value) => drop(table.insert(key, value)?),
            None => drop(table.remove(key)?),
        }
    }
    Ok(())
}

fn open_error(path: &Path, error: DatabaseError) -> OpenError {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            OpenError::Locked {
                path: path.to_owned(),
            }
        }
        DatabaseError::Storage(StorageError::Io(source))
            if source.kind() == io::ErrorKind::InvalidData =>
        {
            OpenError::Corrupt {
                path: path.to_owned(),
                detail: source.to_string(),
            }
        }
        error => unusable(path, error.into()),
    }
}

/// Why what could be opened can't be read or written.
pub(super) fn unusable(path: &Path, error: redb::Error) -> OpenError {
    match error {
        redb::Error::Io(source) => io_error(path, source),
        error => OpenError::Corrupt {
            path: path.to_owned(),
            detail: error.to_string(),
        },
    }
}

/// Why a file can't be made or made smaller.
pub(super) fn failed(path: &Path, error: impl Into<redb::Error>) -> OpenError {
    match error.into() {
        redb::Error::Io(source) => io_error(path, source),
        error => io_error(path, io::Error::other(error)),
    }
}
