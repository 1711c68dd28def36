//! The tree: redb's file, and what is put into it.

use std::io;
use std::path::Path;

use bytes::Bytes;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, StorageError, TableDefinition, TableError,
    WriteTransaction,
};
use uuid::Uuid;

use super::RedbOptions;
use super::file::io_error;
use super::log::Generation;
use super::medium::Medium;
use super::memtable::Change;
use crate::batch::{Batch, Operation};
use crate::error::OpenError;

/// What the store holds.
pub(super) const TABLE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("baton");

/// The generation of the log that goes on from here; empty where there is no log to read.
const LOG: Note = TableDefinition::new("baton.wal");

/// The mark of the last checkpoint that it holds.
const LAST: Note = TableDefinition::new("baton.checkpoint");

/// A table for one thing.
type Note = TableDefinition<'static, (), &'static [u8; 16]>;

/// By this the tree says that it holds a checkpoint. No two have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark([u8; 16]);

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
    Ok(noted(database, LOG)?.map(Generation))
}

/// The mark of the last checkpoint that the tree holds, if there has been one.
pub(super) fn mark(database: &Database) -> Result<Option<Mark>, redb::Error> {
    Ok(noted(database, LAST)?.map(Mark))
}

fn noted(database: &Database, note: Note) -> Result<Option<[u8; 16]>, redb::Error> {
    match database.begin_read()?.open_table(note) {
        Ok(table) => Ok(table.get(())?.map(|it| *it.value())),
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

/// A checkpoint on its way: changes that become durable together.
pub(super) struct Checkpoint {
    transaction: WriteTransaction,
    mark: Mark,
}

impl Checkpoint {
    pub(super) fn begin(database: &Database) -> Result<Self, redb::Error> {
        let mut transaction = database.begin_write()?;
        // Which pages are free is written down with it, so that nobody has to read the whole file after a crash.
        transaction.set_quick_repair(true);
        let mark = Mark(*Uuid::now_v7().as_bytes());
        Ok(Self { transaction, mark })
    }

    /// The mark by which the tree says that it holds it.
    pub(super) fn mark(&self) -> Mark {
        self.mark
    }

    /// Adds changes, each after those before it.
    pub(super) fn put<'a>(
        &self,
        changes: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    ) -> Result<(), redb::Error> {
        put(&self.transaction, changes)
    }

    /// Adds a batch. Gives what undoes it: what its keys held before.
    pub(super) fn put_batch(&self, batch: &Batch) -> Result<Vec<Change>, redb::Error> {
        let mut table = self.transaction.open_table(TABLE)?;
        let mut undo = Vec::with_capacity(batch.operations().len());
        for (key, value) in operations(batch) {
            let before = match value {
                Some(value) => table.insert(key, value)?,
                None => table.remove(key)?,
            };
            let before = before.map(|it| Bytes::copy_from_slice(it.value()));
            undo.push((Bytes::copy_from_slice(key), before));
        }
        // Of a key that came more than once, what it held at first is what is left.
        undo.reverse();
        Ok(undo)
    }

    /// Makes it durable, and says which generation of the log goes on from there. Where that fails, the tree may hold it
    /// all the same.
    pub(super) fn commit(self, next: Option<Generation>) -> Result<(), redb::Error> {
        let Self { transaction, mark } = self;
        note(&transaction, LOG, next.map(|Generation(it)| it))?;
        note(&transaction, LAST, Some(mark.0))?;
        transaction.commit()?;
        Ok(())
    }
}

fn note(
    transaction: &WriteTransaction,
    note: Note,
    content: Option<[u8; 16]>,
) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(note)?;
    match &content {
        Some(content) => drop(table.insert((), content)?),
        None => drop(table.remove(())?),
    }
    Ok(())
}

/// The operations of a batch, as changes.
fn operations(batch: &Batch) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
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
