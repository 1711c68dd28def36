//! What belongs to the store itself.

use serde::{Deserialize, Serialize};

use super::{DecodeError, Record, records, version_1};

records! {
    MetaRecord = "meta",
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

/// A component's bytes. Stored as they are behind the version byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentRecord(pub Vec<u8>);

impl Record for ComponentRecord {
    const NAME: &'static str = "component";

    fn encode(&self) -> Vec<u8> {
        [&[1], self.0.as_slice()].concat()
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self(version_1(Self::NAME, bytes)?.to_vec()))
    }
}
