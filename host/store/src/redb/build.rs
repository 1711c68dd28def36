//! A new file that nobody sees before it is whole.

use std::io;
use std::path::{Path, PathBuf};

use redb::Database;
use tempfile::NamedTempFile;

use super::file::{io_error, make_directory, sync_directory};
use super::medium::Folder;
use super::tree::{self, failed};
use super::{FILE_NAME, RedbOptions};
use crate::batch::Batch;
use crate::error::OpenError;
use crate::store::Pair;

/// How many bytes one transaction takes at least. Each costs an `fdatasync`, and keeps its pages in memory.
const TRANSACTION_BYTES: usize = 4 << 20;

/// A file that is filled beside the place where it will be. Dropped before it is finished, it goes away.
pub(crate) struct Building {
    place: PathBuf,
    file: NamedTempFile,
    database: Database,
    waiting: Batch,
    waiting_bytes: usize,
}

impl Building {
    /// Begins a file for the directory `data`, which is made where it is missing.
    pub(crate) fn begin(data: &Path, options: &RedbOptions) -> Result<Self, OpenError> {
        make_directory(data).map_err(|source| io_error(data, source))?;
        // For its user alone, as all temporary files are.
        let file = tempfile::Builder::new()
            .prefix(".restoring-")
            .suffix(".redb")
            .tempfile_in(data)
            .map_err(|source| io_error(data, source))?;
        let database = tree::open(&Folder::of(file.path()), options)?;
        Ok(Self {
            place: data.join(FILE_NAME),
            file,
            database,
            waiting: Batch::new(),
            waiting_bytes: 0,
        })
    }

    /// Adds a pair.
    pub(crate) fn add(&mut self, (key, value): Pair) -> Result<(), OpenError> {
        self.waiting_bytes += key.len() + value.len();
        self.waiting.put(key, value);
        if self.waiting_bytes < TRANSACTION_BYTES {
            return Ok(());
        }
        self.write()
    }

    /// Puts the file in its place, where there must be none yet. No crash can take it back then.
    pub(crate) fn finish(mut self) -> Result<(), OpenError> {
        self.write()?;
        let Self {
            place,
            file,
            database,
            ..
        } = self;
        // Writes down which pages are free, so that nobody has to look for them.
        database.close().map_err(|error| failed(&place, error))?;
        let in_place = || -> io::Result<()> {
            file.as_file().sync_all()?;
            file.persist_noclobber(&place)
                .map_err(|error| error.error)?;
            sync_directory(&place)
        };
        in_place().map_err(|source| io_error(&place, source))
    }

    fn write(&mut self) -> Result<(), OpenError> {
        self.waiting_bytes = 0;
        let batch = std::mem::take(&mut self.waiting);
        tree::commit(&self.database, &batch).map_err(|error| failed(&self.place, error))
    }
}
