//! The embedded store: one file, by [redb](https://docs.rs/redb), a copy-on-write B-tree.
//!
//! A commit writes new pages, flips to a new root and calls `fdatasync` once. The root has a checksum:
//! after a crash the file opens with the last root whose pages are whole.

mod build;
mod compact;
mod file;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use redb::{Database, ReadableDatabase, TableDefinition};

use crate::batch::{Batch, Operation};
use crate::error::{CommitError, OpenError, ReadError};
use crate::key::KeyRange;
use crate::meta::{FORMAT, Meta, MetaError};
use crate::store::{Direction, Pair, Store, Walk};

pub(crate) use build::Building;
pub use compact::{Compacted, compact};

use file::{forget_pages, io_error, is_full, make_directory, make_file, open_database};
use walk::RedbWalk;

/// The name of the file within the data directory.
pub const FILE_NAME: &str = "baton.redb";

const TABLE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("baton");

/// How to open the file.
#[derive(Clone, Debug)]
pub struct RedbOptions {
    /// Bytes of memory for pages that were read or will be written. Default: 16 MiB, which holds the
    /// upper levels of the tree and what open runs touch; more makes reading of old runs faster.
    pub cache_bytes: usize,
    /// From which size of the file on commits write down which of its pages are free, so that opening it after a
    /// crash need not read all of it to know. Default: 4 GiB. Up to there that takes a few seconds once in a host's
    /// life; every small commit takes 1.6 times as long with it.
    pub quick_repair_bytes: u64,
}

impl Default for RedbOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 16 << 20,
            quick_repair_bytes: 4 << 30,
        }
    }
}

/// A store in one file.
pub struct RedbStore {
    path: PathBuf,
    options: RedbOptions,
    /// None after a failure of the medium, until opening the file again succeeds: redb refuses all work
    /// on a database that has once failed to read or write.
    database: RwLock<Option<Database>>,
}

impl RedbStore {
    /// Opens the store in the directory `data`, making both where they are missing: for this user alone, as
    /// far as the system knows such rights (Unix: modes 0700 and 0600). What is there keeps its mode.
    ///
    /// # Errors
    ///
    /// Where another process has the store, where it can't be written, where the disk is full, where a
    /// later release wrote it, and where it is no store.
    pub fn open(data: &Path, options: RedbOptions) -> Result<Self, OpenError> {
        make_directory(data).map_err(|source| io_error(data, source))?;
        let path = data.join(FILE_NAME);
        make_file(&path).map_err(|source| io_error(&path, source))?;
        let database = open_database(&path, &options)?;
        let store = Self {
            path,
            options,
            database: RwLock::new(Some(database)),
        };
        store.check_format()?;
        Ok(store)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn check_format(&self) -> Result<(), OpenError> {
        match Meta::read(self) {
            Ok(_) => Ok(()),
            Err(MetaError::NewerVersion { found, created_by }) => Err(OpenError::NewerVersion {
                path: self.path.clone(),
                found,
                known: FORMAT,
                created_by,
            }),
            Err(error) => Err(OpenError::Corrupt {
                path: self.path.clone(),
                detail: error.to_string(),
            }),
        }
    }

    /// Does `work` on the open database.
    fn with<T, E>(&self, work: impl FnOnce(&Database) -> Result<T, E>) -> Result<T, E>
    where
        E: From<redb::Error>,
    {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        match database.as_ref() {
            Some(database) => work(database),
            None => Err(redb::Error::PreviousIo.into()),
        }
    }

    /// Does `work`, which reads, on the open database. After a failure of the medium the file is opened again for it:
    /// what was wrong may have passed, and who can't read does not come to write.
    fn read<T>(&self, work: impl Fn(&Database) -> Result<T, redb::Error>) -> Result<T, ReadError> {
        let outcome = match self.with(&work) {
            Err(redb::Error::PreviousIo) => self.read_anew(&work),
            outcome => outcome,
        };
        outcome.map_err(|error| read_error(&error))
    }

    fn read_anew<T>(
        &self,
        work: impl Fn(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, redb::Error> {
        let mut database = self.exclusively();
        // Another reader, or the writer, may have been here before.
        match database.as_ref().map(&work) {
            None | Some(Err(redb::Error::PreviousIo)) => {}
            Some(outcome) => return outcome,
        }
        match self.open_again(&mut database) {
            Ok(opened) => work(opened),
            Err(_) => Err(redb::Error::PreviousIo),
        }
    }

    /// Opens the file again after a failure, so that the next operation has a database that works.
    fn reopen(&self) -> Result<(), OpenError> {
        self.open_again(&mut self.exclusively()).map(drop)
    }

    fn open_again<'a>(
        &self,
        database: &'a mut Option<Database>,
    ) -> Result<&'a Database, OpenError> {
        // The old one holds the lock of the file, so it has to go first.
        *database = None;
        forget_pages(&self.path).map_err(|source| io_error(&self.path, source))?;
        Ok(database.insert(open_database(&self.path, &self.options)?))
    }

    fn exclusively(&self) -> RwLockWriteGuard<'_, Option<Database>> {
        self.database
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether reading all of the file takes so long that nobody should have to.
    fn is_large(&self) -> bool {
        let metadata = std::fs::metadata(&self.path);
        metadata.is_ok_and(|it| it.len() >= self.options.quick_repair_bytes)
    }

    fn try_commit(&self, batch: &Batch) -> Result<(), redb::Error> {
        self.with(|database| {
            let mut transaction = database.begin_write()?;
            // Only what the last commit before a crash has written down counts.
            transaction.set_quick_repair(self.is_large());
            let mut table = transaction.open_table(TABLE)?;
            for operation in batch.operations() {
                match operation {
                    Operation::Put(key, value) => {
                        drop(table.insert(key.as_slice(), value.as_slice())?);
                    }
                    Operation::Delete(key) => drop(table.remove(key.as_slice())?),
                }
            }
            drop(table);
            transaction.commit()?;
            Ok(())
        })
    }

    /// Whether what is stored is as `batch` would leave it.
    fn holds(&self, batch: &Batch) -> Result<bool, ReadError> {
        let mut last = std::collections::BTreeMap::new();
        for operation in batch.operations() {
            last.insert(operation.key(), operation);
        }
        for (key, operation) in last {
            let stored = self.get(key)?;
            let wanted = match operation {
                Operation::Put(_, value) => Some(value),
                Operation::Delete(_) => None,
            };
            if stored.as_ref() != wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Store for RedbStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.read(|database| {
            let table = database.begin_read()?.open_table(TABLE)?;
            Ok(table.get(key)?.map(|value| value.value().to_vec()))
        })
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Pair>, ReadError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        self.read(|database| {
            let table = database.begin_read()?.open_table(TABLE)?;
            let mut within = table.range(range.start.as_slice()..range.end.as_slice())?;
            let mut pairs = Vec::new();
            while pairs.len() < limit {
                let next = match direction {
                    Direction::Ascending => within.next(),
                    Direction::Descending => within.next_back(),
                };
                let Some(pair) = next else { break };
                let (key, value) = pair?;
                pairs.push((key.value().to_vec(), value.value().to_vec()));
            }
            Ok(pairs)
        })
    }

    fn walk(&self) -> Result<Box<dyn Walk>, ReadError> {
        self.read(|database| Ok(Box::new(RedbWalk::begin(database)?) as Box<dyn Walk>))
    }

    fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        let Err(error) = self.try_commit(batch) else {
            return Ok(());
        };
        if let redb::Error::ValueTooLarge(bytes) = error {
            return Err(CommitError::TooLarge { bytes });
        }
        // Whether a commit that failed at its last step is on the medium, only the medium knows.
        match self.reopen() {
            Ok(()) if matches!(self.holds(batch), Ok(true)) => Ok(()),
            _ => Err(commit_error(&error)),
        }
    }
}

fn read_error(error: &redb::Error) -> ReadError {
    match error {
        redb::Error::Io(_)
        | redb::Error::PreviousIo
        | redb::Error::Backend(_)
        | redb::Error::DatabaseClosed => ReadError::Io {
            detail: error.to_string(),
        },
        _ => ReadError::Corrupt {
            detail: error.to_string(),
        },
    }
}

fn commit_error(error: &redb::Error) -> CommitError {
    match error {
        redb::Error::Io(source) if is_full(source) => CommitError::Full,
        _ => CommitError::Io {
            detail: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_opened_again_is_when_it_is_read() {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let store = RedbStore::open(folder.path(), RedbOptions::default()).expect("a new store");
        let mut batch = Batch::new();
        batch.put(vec![7], vec![1]);
        store.commit(&batch).expect("there is room");
        let away = folder.path().join("away");
        std::fs::rename(store.path(), &away).expect("it is ours");
        std::fs::create_dir(store.path()).expect("nothing is there");
        assert!(store.reopen().is_err(), "a directory is no store");
        assert!(matches!(store.get(&[7]), Err(ReadError::Io { .. })));

        std::fs::remove_dir(store.path()).expect("it is empty");
        std::fs::rename(&away, store.path()).expect("it is ours");
        assert_eq!(store.get(&[7]).expect("it can be read"), Some(vec![1]));
        store.commit(&batch).expect("there is room");
    }
}
