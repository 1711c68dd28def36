//! The embedded store: a tree by [redb](https://docs.rs/redb), copied on write, and a write-ahead log beside it.
//!
//! A commit is one record at the end of the log, and one `fdatasync`; then it is put into the tree in memory, where all can
//! read it. Once the log is full, a *checkpoint* makes the tree durable, and the log begins anew. So most commits write one
//! place on the disk, and not each page of the tree that they change.
//!
//! After a crash the tree is as the last checkpoint left it, and what the log says since is put in again.

mod build;
mod compact;
#[cfg(test)]
mod crash;
mod file;
mod log;
mod medium;
mod tree;
mod walk;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};

use redb::{Database, ReadableDatabase};

use crate::batch::{Batch, Operation};
use crate::error::{CommitError, OpenError, ReadError};
use crate::key::KeyRange;
use crate::meta::{FORMAT, Meta, MetaError};
use crate::store::{Direction, Pair, Store, Walk};

pub(crate) use build::Building;
pub use compact::{Compacted, compact};

use file::{io_error, is_full, make_directory};
use log::{Damaged, Generation, Log};
use medium::{Folder, Medium};
use tree::TABLE;
use walk::RedbWalk;

/// The name of the tree's file within the data directory.
pub const FILE_NAME: &str = "baton.redb";

/// The name of the log's file, beside it.
pub const LOG_NAME: &str = "baton.wal";

/// How to open the files.
#[derive(Clone, Debug)]
pub struct RedbOptions {
    /// Bytes of memory for pages that were read or will be written. Default: 16 MiB, which holds the
    /// upper levels of the tree and what open runs touch; more makes reading of old runs faster.
    pub cache_bytes: usize,
    /// How many bytes the log has, less than 4 GiB; with 0 all goes to the tree. Default: 128 KiB, one or two thousand events. With more of them the tree is written less often,
    /// and all wait longer each time; after a crash, opening the store takes longer.
    pub log_bytes: usize,
}

impl Default for RedbOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 16 << 20,
            log_bytes: 128 << 10,
        }
    }
}

/// A store in two files.
pub struct RedbStore {
    medium: Box<dyn Medium>,
    options: RedbOptions,
    /// None where the next commit has to go to the tree itself. Who has this is the writer, and locks it before the tree.
    log: Mutex<Option<Log>>,
    /// None after a failure of the medium, until opening the file again succeeds: redb refuses all work
    /// on a database that has once failed to read or write.
    database: RwLock<Option<Database>>,
}

/// Opens both files: the tree has then what the log says.
fn open_both(
    medium: &dyn Medium,
    options: &RedbOptions,
) -> Result<(Database, Option<Log>), OpenError> {
    let database = tree::open(medium, options)?;
    let unusable = |error| tree::unusable(medium.tree_path(), error);
    let Some(generation) = tree::generation(&database).map_err(unusable)? else {
        return Ok((database, None));
    };
    let path = medium.log_path();
    let corrupt = |detail| OpenError::Corrupt {
        path: path.to_owned(),
        detail,
    };
    let file = medium.log().map_err(|source| io_error(path, source))?;
    let file = file.ok_or_else(|| {
        corrupt(
            "it is missing, and holds what was written last: it belongs to the file beside it"
                .into(),
        )
    })?;
    let (log, batch) = Log::resume(file, generation, options.log_bytes)
        .map_err(|source| io_error(path, source))?
        .map_err(|Damaged { at }| {
            corrupt(format!("the record at byte {at} is not what was written"))
        })?;
    tree::apply(&database, &batch).map_err(unusable)?;
    Ok((database, Some(log)))
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
        Self::open_on(Box::new(Folder::new(data)), options)
    }

    fn open_on(medium: Box<dyn Medium>, options: RedbOptions) -> Result<Self, OpenError> {
        let (database, log) = open_both(&*medium, &options)?;
        let store = Self {
            medium,
            options,
            log: Mutex::new(log),
            database: RwLock::new(Some(database)),
        };
        store.check_format()?;
        Ok(store)
    }

    /// The tree's file.
    pub fn path(&self) -> &Path {
        self.medium.tree_path()
    }

    fn check_format(&self) -> Result<(), OpenError> {
        match Meta::read(self) {
            Ok(_) => Ok(()),
            Err(MetaError::NewerVersion { found, created_by }) => Err(OpenError::NewerVersion {
                path: self.path().to_owned(),
                found,
                known: FORMAT,
                created_by,
            }),
            Err(error) => Err(OpenError::Corrupt {
                path: self.path().to_owned(),
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

    /// Does `work`, which reads, on the open database. After a failure of the medium the files are opened again for it:
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
        let mut log = self.write_alone();
        // Another reader, or the writer, may have been here before.
        match self.with(&work) {
            Err(redb::Error::PreviousIo) => {}
            outcome => return outcome,
        }
        match self.reopen(&mut log) {
            Ok(()) => self.with(work),
            Err(_) => Err(redb::Error::PreviousIo),
        }
    }

    /// Opens the files again after a failure, so that the next operation has a database that works.
    fn reopen(&self, log: &mut Option<Log>) -> Result<(), OpenError> {
        let mut database = self.read_alone();
        // The old one holds the lock of the file, so it has to go first.
        (*database, *log) = (None, None);
        let forgotten = self.medium.forget();
        forgotten.map_err(|source| io_error(self.path(), source))?;
        let (opened, resumed) = open_both(&*self.medium, &self.options)?;
        (*database, *log) = (Some(opened), resumed);
        Ok(())
    }

    fn write_alone(&self) -> MutexGuard<'_, Option<Log>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_alone(&self) -> RwLockWriteGuard<'_, Option<Database>> {
        let database = self.database.write();
        database.unwrap_or_else(PoisonError::into_inner)
    }

    fn try_commit(&self, log: &mut Option<Log>, batch: &Batch) -> Result<(), redb::Error> {
        match log.as_mut().map(|log| log.append(batch)) {
            Some(Ok(true)) => return self.with(|database| tree::apply(database, batch)),
            // What the file holds is not known. The tree may be in a better place.
            Some(Err(_)) => *log = None,
            Some(Ok(false)) | None => {}
        }
        self.checkpoint(log, batch)
    }

    /// A checkpoint: makes durable, in the tree, a batch and all that was committed before, and begins the log anew.
    fn checkpoint(&self, log: &mut Option<Log>, batch: &Batch) -> Result<(), redb::Error> {
        let bytes = self.options.log_bytes;
        let file = match log.take() {
            Some(log) => Some(log.into_file()),
            // It does without one as long as none can be made.
            None => self.medium.make_log(bytes).ok(),
        };
        let next = file.map(|file| (file, Generation::new()));
        let generation = next.as_ref().map(|(_, generation)| *generation);
        self.with(|database| tree::checkpoint(database, batch, generation))?;
        *log = next.map(|(file, generation)| Log::begin(file, generation, bytes));
        Ok(())
    }

    /// Whether what is stored is as `batch` would leave it.
    fn holds(&self, batch: &Batch) -> Result<bool, redb::Error> {
        let mut last = std::collections::BTreeMap::new();
        for operation in batch.operations() {
            last.insert(operation.key(), operation);
        }
        for (key, operation) in last {
            let stored = self.with(|database| get(database, key))?;
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

impl Drop for RedbStore {
    /// Leaves all in the tree, so that the log need not be read. Where that fails, it will be.
    fn drop(&mut self) {
        if self.write_alone().take().is_some() {
            let _ = self.with(|database| tree::checkpoint(database, &Batch::new(), None));
        }
    }
}

fn get(database: &Database, key: &[u8]) -> Result<Option<Vec<u8>>, redb::Error> {
    let table = database.begin_read()?.open_table(TABLE)?;
    Ok(table.get(key)?.map(|value| value.value().to_vec()))
}

impl Store for RedbStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.read(|database| get(database, key))
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
        let mut log = self.write_alone();
        let Err(error) = self.try_commit(&mut log, batch) else {
            return Ok(());
        };
        if let redb::Error::ValueTooLarge(bytes) = error {
            return Err(CommitError::TooLarge { bytes });
        }
        // Whether a commit that failed at its last step is on the medium, only the medium knows.
        match self.reopen(&mut log) {
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
        assert!(
            store.reopen(&mut store.write_alone()).is_err(),
            "a directory is no store"
        );
        assert!(matches!(store.get(&[7]), Err(ReadError::Io { .. })));

        std::fs::remove_dir(store.path()).expect("it is empty");
        std::fs::rename(&away, store.path()).expect("it is ours");
        assert_eq!(store.get(&[7]).expect("it can be read"), Some(vec![1]));
        store.commit(&batch).expect("there is room");
    }
}
