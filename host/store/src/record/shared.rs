//! What belongs to the store itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{DecodeError, Record, form, records};

records! {
    MetaRecord = "meta",
    SeedKeyRecord = "seed key",
    BackupRecord = "backup",
}

/// What the store says about itself. The form of this record never changes, so that every release can
/// read which format a store has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetaRecord {
    /// The format of the keys and of what is kept where.
    pub format: u32,
    /// How many partitions the runs are spread over. Fixed for the life of the store.
    pub partitions: u16,
    /// The release of the host that made it: `baton 0.1.0`.
    pub created_by: String,
    /// When it was made, in milliseconds since the epoch.
    pub created_at_ms: i64,
}

/// What a backup says about itself, before the records that it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupRecord {
    /// The format of the store's keys and records: [`MetaRecord::format`].
    pub format: u32,
    /// How many partitions the runs are spread over.
    pub partitions: u16,
    /// The release of the host that wrote the backup: `baton 0.1.0`.
    pub made_by: String,
    /// As of when it is, in milliseconds since the epoch.
    pub at_ms: i64,
}

/// The secret that the random numbers of calls come from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedKeyRecord {
    /// 32 random bytes, made once for the store.
    pub secret: [u8; 32],
}

impl fmt::Debug for SeedKeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeedKeyRecord(…)")
    }
}

/// A component's bytes. Stored as they are behind the version byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentRecord(pub Vec<u8>);

impl Record for ComponentRecord {
    const NAME: &'static str = "component";

    fn encode(&self) -> Vec<u8> {
        [&[1], self.0.as_slice()].concat()
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self(form(Self::NAME, 1, bytes)?.to_vec()))
    }
}
