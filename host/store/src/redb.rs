//! The embedded store: a tree by [redb](https://docs.rs/redb), copied on write, and a write-ahead log beside it.
//!
//! A commit is one record at the end of the log, and one `fdatasync`; then it is in memory, in a *memtable*, where all can
//! read it. Once half of the log is full, the other half is gone on with, and a *checkpoint* puts what the full one says
//! into the tree. So a commit writes one place on the disk, and waits for nothing else; and the tree is written for many of
//! them at once, in the order of its keys.
//!
//! After a crash the tree is as the last checkpoint left it, and what the log says since is read into memory again.

mod build;
mod checkpoints;
mod compact;
#[cfg(test)]
mod crash;
mod file;
mod files;
mod log;
mod medium;
mod memtable;
mod paced;
mod pairs;
mod tree;
mod visible;

use std::error::Error as _;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use crate::batch::Batch;
use crate::error::{CommitError, OpenError, ReadError};
use crate::key::KeyRange;
use crate::meta::{FORMAT, Meta, MetaError};
use crate::store::{Direction, Pair, Store, Walk};

pub(crate) use build::Building;
pub use compact::{Compacted, compact};

use checkpoints::Checkpoints;
use file::{io_error, is_full, make_directory};
use files::{Files, Then};
use log::Log;
use medium::Folder;
#[cfg(test)]
use medium::Medium;

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
    /// How many bytes the log has, less than 4 GiB; with 0 all goes to the tree. Default: 4 MiB, some forty thousand events.
    /// With more of them the tree is written less often, and up to three times as much is held in memory; after a crash,
    /// opening the store takes longer. A log that is there keeps its size until the store has been closed.
    pub log_bytes: usize,
}

impl Default for RedbOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 16 << 20,
            log_bytes: 4 << 20,
        }
    }
}

/// A store in two files.
pub struct RedbStore {
    // Ends before the files are closed.
    checkpoints: Checkpoints,
    files: Arc<Files>,
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
        let files = Files::open(Box::new(Folder::new(data)), options)?;
        let files = Arc::new(files);
        let checkpoints = Checkpoints::begin(files.clone());
        let checkpoints = checkpoints.map_err(|source| io_error(data, source))?;
        // What a crash has left half done.
        checkpoints.due();
        Self { checkpoints, files }.of_known_format()
    }

    /// A store for which nobody makes checkpoints aside.
    #[cfg(test)]
    fn open_on(medium: Box<dyn Medium>, options: RedbOptions) -> Result<Self, OpenError> {
        let store = Self {
            checkpoints: Checkpoints::none(),
            files: Arc::new(Files::open(medium, options)?),
        };
        store.of_known_format()
    }

    /// The tree's file.
    pub fn path(&self) -> &Path {
        self.files.medium().tree_path()
    }

    fn of_known_format(self) -> Result<Self, OpenError> {
        match Meta::read(&self) {
            Ok(_) => Ok(self),
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

    /// Does `work`, which reads. After a failure of the medium the files are opened again for it: what was wrong may have
    /// passed, and who can't read does not come to write.
    fn read<T>(&self, work: impl Fn(&Files) -> Result<T, redb::Error>) -> Result<T, ReadError> {
        let before = self.files.reopenings();
        match work(&self.files) {
            Err(redb::Error::PreviousIo) => {}
            outcome => return outcome.map_err(|error| read_error(&error)),
        }
        let mut log = self.files.write_alone();
        // Another reader, or the writer, may have been here before, in vain or not.
        let is_tried = self.files.reopenings() > before;
        match work(&self.files) {
            Err(redb::Error::PreviousIo) if !is_tried => {}
            outcome => return outcome.map_err(|error| read_error(&error)),
        }
        let reopened = self.files.reopen(&mut log);
        reopened.map_err(|error| unreadable(&error))?;
        work(&self.files).map_err(|error| read_error(&error))
    }

    /// Commits a batch. False where nothing was wrong but that a reader, or a checkpoint, had failed: the tree has been opened
    /// again for it.
    fn try_to_commit(&self, log: &mut Option<Log>, batch: &Batch) -> Result<bool, CommitError> {
        let error = match self.files.commit(log, batch) {
            Ok(Then::Nothing) => return Ok(true),
            Ok(Then::Checkpoint) => {
                self.checkpoints.due();
                return Ok(true);
            }
            Err(redb::Error::ValueTooLarge(bytes)) => return Err(CommitError::TooLarge { bytes }),
            Err(error) => error,
        };
        let has_failed_before = matches!(error, redb::Error::PreviousIo);
        // Whether a commit that failed at its last step is on the medium, only the medium knows.
        match self.files.decide(log) {
            Ok(true) => Ok(true),
            Ok(false) if has_failed_before => Ok(false),
            Err(error) if has_failed_before => Err(unwritable(&error)),
            Ok(false) | Err(_) => Err(commit_error(&error)),
        }
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        self.checkpoints.end();
        // Where that fails, the log will be read.
        let _ = self.files.close();
    }
}

impl Store for RedbStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.read(|files| files.get(key))
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
        let bounds = (
            Bound::Included(range.start.as_slice()),
            Bound::Excluded(range.end.as_slice()),
        );
        self.read(|files| files.scan(bounds, direction, limit))
    }

    fn walk(&self) -> Result<Box<dyn Walk>, ReadError> {
        self.read(|files| Ok(Box::new(files.walk()?) as Box<dyn Walk>))
    }

    fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        let mut log = self.files.write_alone();
        if !self.files.is_open() {
            let reopened = self.files.reopen(&mut log);
            reopened.map_err(|error| unwritable(&error))?;
        }
        // The first time, the tree may have failed somebody else before.
        let is_done =
            self.try_to_commit(&mut log, batch)? || self.try_to_commit(&mut log, batch)?;
        match is_done {
            true => Ok(()),
            false => Err(commit_error(&redb::Error::PreviousIo)),
        }
    }
}

/// What is said of [`redb::Error::PreviousIo`]: redb says what its user has to do, which is this store.
const FAILED_BEFORE: &str = "it has failed, and could not be opened again since";

fn read_error(error: &redb::Error) -> ReadError {
    match error {
        redb::Error::PreviousIo => ReadError::Io {
            detail: FAILED_BEFORE.to_owned(),
        },
        redb::Error::Io(_) | redb::Error::Backend(_) | redb::Error::DatabaseClosed => {
            ReadError::Io {
                detail: error.to_string(),
            }
        }
        _ => ReadError::Corrupt {
            detail: error.to_string(),
        },
    }
}

fn commit_error(error: &redb::Error) -> CommitError {
    match error {
        redb::Error::Io(source) if is_full(source) => CommitError::Full,
        redb::Error::PreviousIo => CommitError::Io {
            detail: FAILED_BEFORE.to_owned(),
        },
        _ => CommitError::Io {
            detail: error.to_string(),
        },
    }
}

/// Why a tree that can't be opened again can't be read. Where it is, is not said: those who ask for what is in it are told
/// as well.
fn unreadable(error: &OpenError) -> ReadError {
    match error {
        OpenError::Corrupt { detail, .. } => ReadError::Corrupt {
            detail: detail.clone(),
        },
        _ => ReadError::Io {
            detail: reason(error),
        },
    }
}

/// The same of writing.
fn unwritable(error: &OpenError) -> CommitError {
    match error {
        OpenError::Full { .. } => CommitError::Full,
        _ => CommitError::Io {
            detail: reason(error),
        },
    }
}

fn reason(error: &OpenError) -> String {
    match (error, error.source()) {
        (OpenError::Locked { .. }, _) => "another process has it".to_owned(),
        (OpenError::Corrupt { detail, .. }, _) => detail.clone(),
        (_, Some(source)) => source.to_string(),
        (_, None) => "it can't be opened again".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use redb::{ReadableDatabase as _, ReadableTableMetadata as _};

    use super::*;

    /// Keys that come one behind the other, but before others, as those of the runs of one partition do.
    #[test]
    fn pages_are_mostly_full_of_what_comes_in_the_order_of_its_keys() {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let store = RedbStore::open(folder.path(), RedbOptions::default()).expect("a new store");
        let mut last = Batch::new();
        last.put(vec![0xff; 9], vec![1]);
        store.commit(&last).expect("there is room");
        for hundred in 0..500_u32 {
            let mut batch = Batch::new();
            for number in 0..100 {
                let key = (hundred * 100 + number).to_be_bytes();
                let bytes = usize::try_from(number % 7).expect("a few") * 15;
                batch.put(key.to_vec(), vec![7; bytes]);
            }
            store.commit(&batch).expect("there is room");
        }
        store.files.close().expect("there is room");
        let stats = store.files.with(|database| {
            let table = database.begin_read()?.open_table(tree::TABLE)?;
            Ok::<_, redb::Error>(table.stats()?)
        });
        let stats = stats.expect("it can be read");
        let (full, empty) = (
            stats.stored_bytes() + stats.metadata_bytes(),
            stats.fragmented_bytes(),
        );
        assert!(full > 3 * empty, "{full} and {empty} bytes");
    }

    fn batch(value: u8) -> Batch {
        let mut batch = Batch::new();
        batch.put(vec![7], vec![value]);
        batch
    }

    /// A store that has failed and can't be opened again, since its file is away.
    fn closed(folder: &Path, away: &Path) -> RedbStore {
        let store = RedbStore::open(folder, RedbOptions::default()).expect("a new store");
        store.commit(&batch(1)).expect("there is room");
        std::fs::rename(store.path(), away).expect("it is ours");
        std::fs::create_dir(store.path()).expect("nothing is there");
        assert!(
            store.files.reopen(&mut store.files.write_alone()).is_err(),
            "a directory is no store"
        );
        store
    }

    fn put_back(store: &RedbStore, away: &Path) {
        std::fs::remove_dir(store.path()).expect("it is empty");
        std::fs::rename(away, store.path()).expect("it is ours");
    }

    #[test]
    fn what_could_not_be_opened_again_is_when_it_is_read() {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let away = folder.path().join("away");
        let store = closed(folder.path(), &away);
        let told = store.get(&[7]).expect_err("it can't be opened");
        assert!(matches!(told, ReadError::Io { .. }), "{told}");
        let told = told.to_string();
        assert!(
            told.contains("directory") && !told.contains(FILE_NAME),
            "{told}"
        );

        put_back(&store, &away);
        assert_eq!(store.get(&[7]).expect("it can be read"), Some(vec![1]));
        store.commit(&batch(2)).expect("there is room");
    }

    #[test]
    fn who_could_not_open_it_again_leaves_what_another_one_has_made_of_it() {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let away = folder.path().join("away");
        let store = closed(folder.path(), &away);
        put_back(&store, &away);
        let other = RedbStore::open(folder.path(), RedbOptions::default());
        let other = other.expect("nobody has it");
        other.commit(&batch(2)).expect("there is room");
        drop(other);
        let told = store.get(&[7]).expect_err("it is another's");
        assert!(told.is_passing(), "no run has to hear of it: {told}");
        assert!(
            told.to_string().ends_with(files::WRITTEN_BY_ANOTHER),
            "{told}"
        );
        assert!(store.commit(&batch(3)).is_err());
        drop(store);
        let next = RedbStore::open(folder.path(), RedbOptions::default());
        let next = next.expect("nobody has it");
        assert_eq!(next.get(&[7]).expect("it can be read"), Some(vec![2]));
    }
}
