//! What can go wrong, by operation.

use std::path::PathBuf;

/// Why a store can't be opened. Each message says where, why and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it.
    #[error("{} is in use by another process: stop that host, or give this one another data directory", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// It may not be written.
    #[error("{} can't be written: give the host's user the right to, or choose another data directory", path.display())]
    ReadOnly {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The medium is full.
    #[error("there is no room for {}: free some space on that disk, or choose another data directory", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A later release of the host wrote it.
    #[error(
        "{} is of format {found}, and this host knows formats up to {known}: run the release that wrote it, \
         or a later one (it says it was made by {created_by})", path.display()
    )]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// The format that it has.
        found: u32,
        /// The latest format that this host reads.
        known: u32,
        /// The release that made it.
        created_by: String,
    },
    /// It is not what a host wrote, or not any more.
    #[error("{} is damaged: {detail}; restore it from a backup", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The write-ahead log is not there, and has something that the tree has not.
    #[error(
        "{} is missing, and holds what was written last: put it back beside {}, or restore both from a backup",
        path.display(), tree.display()
    )]
    LogMissing {
        /// The log.
        path: PathBuf,
        /// The file that it belongs to.
        tree: PathBuf,
    },
    /// Anything else that the system says.
    #[error("{} can't be opened", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Why something can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// What is stored is not what was written.
    #[error("the store is damaged: {detail}; restore it from a backup")]
    Corrupt {
        /// What is wrong.
        detail: String,
    },
    /// The medium does not answer.
    #[error("the store can't be read: {detail}")]
    Io {
        /// What the system said.
        detail: String,
    },
}

impl ReadError {
    /// Whether it may well go some seconds later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Io { .. })
    }
}

/// Why a batch is not durable. Nothing of it is visible then; the same batch may be tried again.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The medium is full.
    #[error("the store's disk is full: free some space; work goes on by itself then")]
    Full,
    /// A key and value of this batch are larger than the medium takes.
    #[error("a record of {bytes} bytes is more than the store takes")]
    TooLarge {
        /// How large.
        bytes: usize,
    },
    /// The medium does not answer.
    #[error("the store can't be written: {detail}")]
    Io {
        /// What the system said.
        detail: String,
    },
}
