//! Where a store's two files are.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{Builder, Database, DatabaseError, StorageError};

use super::file::{forget_pages, make_file, private, sync_directory};
use super::paced::Paced;
use super::{FILE_NAME, LOG_NAME};

/// Where a store's two files are: a directory, or what a test has made up.
pub(super) trait Medium: Send + Sync {
    /// Opens the tree, making it where there is none. As long as it is open, nobody else has either file.
    fn tree(&self, builder: &Builder) -> Result<Database, DatabaseError>;

    /// Whether the writer waits until the tree is durable: then it is written as fast as can be, and else so that nobody who
    /// writes the log waits for it.
    fn hurry(&self, _is_awaited: bool) {}

    /// Opens the log's file, if there is one.
    fn log(&self) -> io::Result<Option<Box<dyn LogFile>>>;

    /// Opens the log's file, making it where there is none, and sees that it has so many bytes, durably.
    fn make_log(&self, bytes: usize) -> io::Result<Box<dyn LogFile>>;

    /// Has what is read next come from the disk, not from the system's memory.
    fn forget(&self) -> io::Result<()>;

    /// What the tree is called in messages.
    fn tree_path(&self) -> &Path;

    /// What the log is called in messages.
    fn log_path(&self) -> &Path;
}

/// The log's file.
pub(super) trait LogFile: Send {
    /// How many bytes it has.
    fn bytes(&self) -> io::Result<u64>;

    /// All that it holds.
    fn read(&self) -> io::Result<Vec<u8>>;

    /// Writes over what is at a place.
    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes durable what was written.
    fn sync(&self) -> io::Result<()>;
}

/// A directory with the two files.
pub(super) struct Folder {
    tree: PathBuf,
    log: PathBuf,
    hurries: Arc<AtomicBool>,
}

impl Folder {
    /// The store in a directory.
    pub(super) fn new(data: &Path) -> Self {
        Self::of(&data.join(FILE_NAME))
    }

    /// The store of which that is the tree.
    pub(super) fn of(tree: &Path) -> Self {
        Self {
            tree: tree.to_owned(),
            log: tree.with_file_name(LOG_NAME),
            hurries: Arc::default(),
        }
    }
}

impl Medium for Folder {
    fn tree(&self, builder: &Builder) -> Result<Database, DatabaseError> {
        let io = |error| DatabaseError::Storage(StorageError::Io(error));
        make_file(&self.tree).map_err(io)?;
        let file = OpenOptions::new().read(true).write(true).open(&self.tree);
        builder.create_with_backend(Paced::new(file.map_err(io)?, self.hurries.clone())?)
    }

    fn hurry(&self, is_awaited: bool) {
        self.hurries.store(is_awaited, Ordering::Relaxed);
    }

    fn log(&self) -> io::Result<Option<Box<dyn LogFile>>> {
        match OpenOptions::new().read(true).write(true).open(&self.log) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn make_log(&self, bytes: usize) -> io::Result<Box<dyn LogFile>> {
        let mut options = private();
        let mut file = options
            .read(true)
            .create(true)
            .truncate(false)
            .open(&self.log)?;
        let there = usize::try_from(file.seek(SeekFrom::End(0))?).unwrap_or(usize::MAX);
        if there > bytes {
            file.set_len(bytes as u64)?;
            file.sync_all()?;
        }
        if there < bytes {
            // Bytes that are written, not a hole: so that writing over them needs no room, and nothing to note.
            file.write_all(&vec![0; bytes - there])?;
            file.sync_all()?;
            sync_directory(&self.log)?;
        }
        Ok(Box::new(file))
    }

    fn forget(&self) -> io::Result<()> {
        forget_pages(&self.tree)?;
        match forget_pages(&self.log) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            forgotten => forgotten,
        }
    }

    fn tree_path(&self) -> &Path {
        &self.tree
    }

    fn log_path(&self) -> &Path {
        &self.log
    }
}

impl LogFile for File {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let (mut file, mut content) = (self, Vec::new());
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut content)?;
        Ok(content)
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::write_all_at(self, bytes, at);
        #[cfg(not(unix))]
        {
            let mut file = self;
            file.seek(SeekFrom::Start(at))?;
            file.write_all(bytes)
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
