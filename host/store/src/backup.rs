//! Backups: all of a store as one stream of bytes, and a store out of that again.
//!
//! ```text
//! "baton backup" LF version(u16)                   the version of this layout
//! length(u32) header                               a BackupRecord
//! length(u32) key length(u32) value …              each record, in the order of the keys; no key is empty
//! 0(u32) count(u64)                                the end, and how many records there were
//! SHA-256                                          of all bytes before it
//! ```
//!
//! Numbers are big-endian. Nothing follows the checksum: so a backup that was cut off, damaged or added to is
//! known for what it is. Keys and records are those of the store, byte for byte, whatever medium keeps them.
//!
//! A [`Backup`] writes, a [`BackupReader`] reads and checks, [`restore`] makes a store of what is read. Each holds
//! a few hundred kilobytes, however large the store is, or the largest record where that is larger.

mod read;
mod restore;
mod write;

use crate::key;
use crate::record::BackupRecord;

pub use read::{BackupError, BackupReader};
pub use restore::{RestoreError, restore};
pub use write::{Backup, BeginError};

/// What every backup begins with.
const MAGIC: &[u8] = b"baton backup\n";
/// The version of the layout that this release writes, and the latest that it reads.
const VERSION: u16 = 1;
/// The longest header, in bytes.
const HEADER_MAX: usize = 4 << 10;
/// The longest key, in bytes; those of the store have some hundred.
const KEY_MAX: usize = 64 << 10;
/// The largest value, in bytes: a component has 64 MiB at most.
const VALUE_MAX: usize = 1 << 30;

/// What a backup says about itself.
pub type BackupHeader = BackupRecord;

/// What a backup holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// How many runs, open and ended.
    pub runs: u64,
    /// How many versions of workflows.
    pub workflows: u64,
    /// How many records, those of runs and workflows among them.
    pub records: u64,
    /// How many bytes the keys and records have.
    pub bytes: u64,
}

impl Contents {
    /// Counts a record.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        self.runs += u64::from(key::is_run(key));
        self.workflows += u64::from(key::is_workflow(key));
        self.records += 1;
        self.bytes += (key.len() + value.len()) as u64;
    }
}
