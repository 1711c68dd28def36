//! Reading a backup. Nothing of it is believed before it is checked: no length, no order, no count.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use super::{BackupHeader, Contents, HEADER_MAX, KEY_MAX, MAGIC, VALUE_MAX, VERSION};
use crate::key::PARTITIONS_MAX;
use crate::meta::FORMAT;
use crate::record::Record;
use crate::store::Pair;

/// A backup that is being read.
pub struct BackupReader<R> {
    source: R,
    /// Of all that has been read; taken at the end.
    hash: Sha256,
    position: u64,
    header: BackupHeader,
    contents: Contents,
    /// The key of the last record.
    last: Vec<u8>,
    ended: bool,
}

/// Why bytes are no backup, or none that this host takes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// They can't be read.
    #[error("the backup can't be read")]
    Io(#[source] io::Error),
    /// They begin otherwise.
    #[error("that is no backup of a Baton host: it does not begin as one")]
    NotABackup,
    /// A later release wrote it.
    #[error(
        "the backup is of {what} {found}, and this host knows those up to {known}: restore it with the release \
         that wrote it, or a later one"
    )]
    Newer {
        /// What is later.
        what: &'static str,
        /// The version that it has.
        found: u32,
        /// The latest that this host reads.
        known: u32,
    },
    /// The end is missing.
    #[error("the backup ends after {at} bytes, in the middle: it was cut off; use another one")]
    CutOff {
        /// How many bytes there are.
        at: u64,
    },
    /// It is not what was written.
    #[error("the backup is damaged at byte {at}: {detail}; use another one")]
    Damaged {
        /// How many bytes before the place.
        at: u64,
        /// What is wrong.
        detail: String,
    },
}

impl<R: Read> BackupReader<R> {
    /// Reads the beginning.
    ///
    /// # Errors
    ///
    /// Where that is no beginning of a backup, or one of a later release.
    pub fn open(source: R) -> Result<Self, BackupError> {
        let mut reader = Self {
            source,
            hash: Sha256::new(),
            position: 0,
            header: BackupHeader {
                format: 0,
                partitions: 0,
                made_by: String::new(),
                at_ms: 0,
            },
            contents: Contents::default(),
            last: Vec::new(),
            ended: false,
        };
        reader.read_header()?;
        Ok(reader)
    }

    /// What it says about itself.
    pub fn header(&self) -> &BackupHeader {
        &self.header
    }

    /// What is wrong with what has been read last, which only its reader sees.
    pub(super) fn damaged(&self, detail: impl Into<String>) -> BackupError {
        damaged(self.position, detail)
    }

    /// What has been read of it so far.
    pub fn contents(&self) -> Contents {
        self.contents
    }

    /// The next record with its key, in the order of the keys; none where the backup has come to its end, and is
    /// whole.
    ///
    /// # Errors
    ///
    /// Where it is cut off or damaged; then what has been read before can't be relied on either.
    pub fn next_pair(&mut self) -> Result<Option<Pair>, BackupError> {
        if self.ended {
            return Ok(None);
        }
        let at = self.position;
        let key = self.sized("key", KEY_MAX)?;
        if key.is_empty() {
            self.read_end()?;
            return Ok(None);
        }
        if key <= self.last && self.contents.records > 0 {
            return Err(damaged(at, "a key is not behind the one before it"));
        }
        let value = self.sized("value", VALUE_MAX)?;
        self.contents.add(&key, &value);
        self.last.clone_from(&key);
        Ok(Some((key, value)))
    }

    fn read_header(&mut self) -> Result<(), BackupError> {
        let begins = match self.exactly(MAGIC.len()) {
            Ok(magic) => magic == MAGIC,
            Err(BackupError::CutOff { .. }) => false,
            Err(error) => return Err(error),
        };
        if !begins {
            return Err(BackupError::NotABackup);
        }
        let version = u16::from_be_bytes(self.number()?);
        if version > VERSION {
            return Err(BackupError::Newer {
                what: "version",
                found: version.into(),
                known: VERSION.into(),
            });
        }
        let at = self.position;
        let header = self.sized("header", HEADER_MAX)?;
        self.header =
            BackupHeader::decode(&header).map_err(|error| damaged(at, error.to_string()))?;
        let BackupHeader {
            format, partitions, ..
        } = self.header;
        if format > FORMAT {
            return Err(BackupError::Newer {
                what: "a store of format",
                found: format,
                known: FORMAT,
            });
        }
        if version == 0 || format == 0 || !(1..=PARTITIONS_MAX).contains(&partitions) {
            let detail =
                format!("it claims version {version}, format {format}, {partitions} partitions");
            return Err(damaged(at, detail));
        }
        Ok(())
    }

    /// Reads what is behind the last record.
    fn read_end(&mut self) -> Result<(), BackupError> {
        let at = self.position;
        let (count, read) = (u64::from_be_bytes(self.number()?), self.contents.records);
        if count != read {
            let detail = format!("it claims {count} records and has {read}");
            return Err(damaged(at, detail));
        }
        let at = self.position;
        let computed: [u8; 32] = std::mem::take(&mut self.hash).finalize().into();
        if self.number()? != computed {
            return Err(damaged(at, "its checksum is not that of what is before it"));
        }
        let at = self.position;
        if self.source.read(&mut [0]).map_err(BackupError::Io)? > 0 {
            return Err(damaged(at, "something follows its end"));
        }
        self.ended = true;
        Ok(())
    }

    /// Bytes with their length before them, `max` at most.
    fn sized(&mut self, what: &str, max: usize) -> Result<Vec<u8>, BackupError> {
        let at = self.position;
        let length = u32::from_be_bytes(self.number()?);
        match usize::try_from(length) {
            Ok(length) if length <= max => self.exactly(length),
            _ => {
                let detail =
                    format!("it claims a {what} of {length} bytes, and {max} are the most");
                Err(damaged(at, detail))
            }
        }
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let bytes = self.exactly(N)?;
        Ok(bytes.try_into().expect("as many as were asked for"))
    }

    /// So many bytes. Room is made for those that are there, not for those that are claimed.
    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, BackupError> {
        let mut bytes = Vec::new();
        let mut source = self.source.by_ref().take(length as u64);
        source.read_to_end(&mut bytes).map_err(BackupError::Io)?;
        self.position += bytes.len() as u64;
        if bytes.len() < length {
            return Err(BackupError::CutOff { at: self.position });
        }
        self.hash.update(&bytes);
        Ok(bytes)
    }
}

fn damaged(at: u64, detail: impl Into<String>) -> BackupError {
    BackupError::Damaged {
        at,
        detail: detail.into(),
    }
}
