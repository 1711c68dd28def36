//! What a store says about itself.

use crate::batch::Batch;
use crate::error::{CommitError, ReadError};
use crate::key;
use crate::record::{MetaRecord, Record};
use crate::store::Store;

/// The format of keys and records that this release writes, and the latest that it reads.
pub const FORMAT: u32 = 1;

/// The number of partitions of a new store where nothing else is asked for. More than there are
/// processors to serve them on a usual machine, so that they spread evenly; few enough that each one's
/// loop costs nothing while it is idle.
pub const PARTITIONS_DEFAULT: u16 = 8;

/// What a store says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// The format of keys and records.
    pub format: u32,
    /// How many partitions the runs are spread over, at least 1. Fixed for the life of the store.
    pub partitions: u16,
    /// The release of the host that made it.
    pub created_by: String,
    /// When it was made, in milliseconds since the epoch.
    pub created_at_ms: i64,
}

/// Why a store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum MetaError {
    /// What it says about itself can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is new and can't be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A later release wrote it.
    #[error(
        "the store is of format {found}, and this host knows formats up to {FORMAT}: run the release that wrote \
         it, or a later one (it says it was made by {created_by})"
    )]
    NewerVersion {
        /// The format that it has.
        found: u32,
        /// The release that made it.
        created_by: String,
    },
}

impl Meta {
    /// What `store` says about itself; nothing where it is new.
    ///
    /// # Errors
    ///
    /// Where it can't be read, or is of a later format.
    pub fn read(store: &dyn Store) -> Result<Option<Self>, MetaError> {
        let Some(bytes) = store.get(&key::meta())? else {
            return Ok(None);
        };
        let record = MetaRecord::decode(&bytes).map_err(ReadError::from)?;
        if record.format > FORMAT {
            return Err(MetaError::NewerVersion {
                found: record.format,
                created_by: record.created_by,
            });
        }
        if record.format == 0 || record.partitions == 0 || record.partitions > key::PARTITIONS_MAX {
            let detail = format!(
                "it claims format {} and {} partitions",
                record.format, record.partitions
            );
            return Err(ReadError::Corrupt { detail }.into());
        }
        Ok(Some(Self {
            format: record.format,
            partitions: record.partitions,
            created_by: record.created_by,
            created_at_ms: record.created_at_ms,
        }))
    }

    /// What `store` says about itself. A new store is given what is passed here: `partitions` (at least
    /// 1, at most [`key::PARTITIONS_MAX`]; put into those bounds), the release that makes it and the
    /// time.
    ///
    /// # Errors
    ///
    /// As [`Meta::read`], or where a new store can't be written.
    pub fn read_or_create(
        store: &dyn Store,
        partitions: u16,
        created_by: &str,
        created_at_ms: i64,
    ) -> Result<Self, MetaError> {
        if let Some(meta) = Self::read(store)? {
            return Ok(meta);
        }
        let partitions = partitions.clamp(1, key::PARTITIONS_MAX);
        let meta = Self {
            format: FORMAT,
            partitions,
            created_by: created_by.to_owned(),
            created_at_ms,
        };
        let record = MetaRecord {
            format: FORMAT,
            partitions,
            created_by: meta.created_by.clone(),
            created_at_ms,
        };
        let mut batch = Batch::new();
        batch.put(key::meta(), record.encode());
        store.commit(&batch)?;
        Ok(meta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    #[test]
    fn a_store_keeps_what_it_was_made_with() {
        let store = MemoryStore::new();
        let made = Meta::read_or_create(&store, 3, "baton 0.1.0", 5).expect("made");
        let found = Meta::read_or_create(&store, 9, "baton 9.9.9", 7).expect("found");
        assert_eq!(made, found);
        assert_eq!(found.partitions, 3);
    }

    #[test]
    fn a_later_format_is_refused_by_name() {
        let store = MemoryStore::new();
        let record = MetaRecord {
            format: FORMAT + 1,
            partitions: 8,
            created_by: "baton 7.0.0".into(),
            created_at_ms: 0,
        };
        let mut batch = Batch::new();
        batch.put(key::meta(), record.encode());
        store.commit(&batch).expect("committed");
        let error = Meta::read_or_create(&store, 8, "", 0).expect_err("refused");
        assert!(
            matches!(error, MetaError::NewerVersion { found: 2, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("baton 7.0.0"));
    }

    #[test]
    fn partitions_are_put_into_their_bounds() {
        for (asked, given) in [(0, 1), (u16::MAX, key::PARTITIONS_MAX)] {
            let meta = Meta::read_or_create(&MemoryStore::new(), asked, "", 0).expect("made");
            assert_eq!(meta.partitions, given);
        }
    }
}
