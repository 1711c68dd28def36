//! The secret of a store that the random numbers of its calls come from.

use std::fmt;

use crate::batch::Batch;
use crate::error::ReadError;
use crate::key;
use crate::meta::MetaError;
use crate::record::{Record, SeedKeyRecord};
use crate::store::Store;

/// 32 random bytes, made once for a store. Who knows them and a call's idempotency key knows the numbers that
/// the call has seen as random, so that they are shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct SeedKey([u8; 32]);

impl SeedKey {
    /// A secret of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret itself.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The secret of `store`. A store without one, which is new or of an earlier release, is given `fresh`, which
    /// must come from a cryptographically secure generator.
    ///
    /// # Errors
    ///
    /// Where it can't be read, or a new one can't be written.
    pub fn read_or_create(store: &dyn Store, fresh: [u8; 32]) -> Result<Self, MetaError> {
        if let Some(stored) = store.get(&key::seed_key())? {
            let record = SeedKeyRecord::decode(&stored).map_err(ReadError::from)?;
            return Ok(Self(record.secret));
        }
        let mut batch = Batch::new();
        batch.put(key::seed_key(), SeedKeyRecord { secret: fresh }.encode());
        store.commit(&batch)?;
        Ok(Self(fresh))
    }
}

impl fmt::Debug for SeedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeedKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    #[test]
    fn a_store_keeps_the_secret_that_it_was_given_first() {
        let store = MemoryStore::new();
        let made = SeedKey::read_or_create(&store, [1; 32]).expect("made");
        let found = SeedKey::read_or_create(&store, [2; 32]).expect("found");
        assert_eq!((made.bytes(), found.bytes()), (&[1; 32], &[1; 32]));
        assert!(!format!("{made:?}").contains('1'));
    }
}
