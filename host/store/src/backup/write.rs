//! Writing a backup.

use sha2::{Digest as _, Sha256};

use super::{BackupHeader, HEADER_MAX, KEY_MAX, MAGIC, VALUE_MAX, VERSION};
use crate::error::ReadError;
use crate::meta::{Meta, MetaError};
use crate::record::Record;
use crate::store::{Store, Walk};

/// How many bytes of records come at a time, at least.
const PART_BYTES: usize = 256 << 10;

/// A backup that is being written: part by part, by whoever wants it.
pub struct Backup {
    walk: Box<dyn Walk>,
    /// What is written next, before any record; none once that has been.
    head: Option<Vec<u8>>,
    hash: Sha256,
    count: u64,
    ended: bool,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BeginError {
    /// What the store says about itself can't be read.
    #[error(transparent)]
    Meta(#[from] MetaError),
    /// The store can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// No host has used the store yet.
    #[error("the store is empty: no host has used it yet")]
    Empty,
}

impl Backup {
    /// Begins a backup of all that is in `store` now, in the name of a release and with the time that it is.
    ///
    /// # Errors
    ///
    /// Where the store can't be read or is of a later format, and where no host has used it yet.
    pub fn begin(store: &dyn Store, made_by: &str, at_ms: i64) -> Result<Self, BeginError> {
        let meta = Meta::read(store)?.ok_or(BeginError::Empty)?;
        let header = BackupHeader {
            format: meta.format,
            partitions: meta.partitions,
            made_by: made_by.chars().take(HEADER_MAX / 16).collect(),
            at_ms,
        };
        let header = header.encode();
        let mut head = [MAGIC, &VERSION.to_be_bytes()].concat();
        put(&mut head, &header);
        Ok(Self {
            walk: store.walk()?,
            head: Some(head),
            hash: Sha256::new(),
            count: 0,
            ended: false,
        })
    }

    /// The next part; none behind the last one. Blocks while the store is read.
    ///
    /// # Errors
    ///
    /// Where the store can't be read. What has been written is no backup then, and is known as none.
    pub fn next_part(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        if self.ended {
            return Ok(None);
        }
        let mut part = self.head.take().unwrap_or_default();
        let pairs = self.walk.next(PART_BYTES)?;
        for (key, value) in &pairs {
            check_size("key", key, KEY_MAX)?;
            check_size("value", value, VALUE_MAX)?;
            put(&mut part, key);
            put(&mut part, value);
            self.count += 1;
        }
        if pairs.is_empty() {
            self.ended = true;
            part.extend(0_u32.to_be_bytes());
            part.extend(self.count.to_be_bytes());
        }
        self.hash.update(&part);
        if self.ended {
            part.extend(std::mem::take(&mut self.hash).finalize());
        }
        Ok(Some(part))
    }
}

fn put(part: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("what is put is bounded");
    part.extend(length.to_be_bytes());
    part.extend_from_slice(bytes);
}

/// Refuses what no reader would take. The store holds nothing like that, unless it is damaged.
fn check_size(what: &str, bytes: &[u8], max: usize) -> Result<(), ReadError> {
    let size = bytes.len();
    if (1..=max).contains(&size) || (what == "value" && size == 0) {
        return Ok(());
    }
    let detail = format!("it holds a {what} of {size} bytes, and a backup takes 1 to {max}");
    Err(ReadError::Corrupt { detail })
}
