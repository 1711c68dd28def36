//! A store that keeps nothing: for tests, and the model that other stores are compared with.

use std::collections::{BTreeMap, btree_map};
use std::convert::Infallible;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use crate::batch::{Batch, Operation};
use crate::error::{CommitError, ReadError};
use crate::key::KeyRange;
use crate::store::{Direction, Pair, Store, Walk, some_of};

/// A store in memory. It lives as long as the value does.
#[derive(Debug, Default)]
pub struct MemoryStore {
    pairs: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        let pairs = self.pairs.read().unwrap_or_else(PoisonError::into_inner);
        Ok(pairs.get(key).cloned())
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Pair>, ReadError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let pairs = self.pairs.read().unwrap_or_else(PoisonError::into_inner);
        let bounds = (
            Bound::Included(range.start.as_slice()),
            Bound::Excluded(range.end.as_slice()),
        );
        let within = pairs
            .range::<[u8], _>(bounds)
            .map(|(key, value)| (key.clone(), value.clone()));
        Ok(match direction {
            Direction::Ascending => within.take(limit).collect(),
            Direction::Descending => within.rev().take(limit).collect(),
        })
    }

    fn walk(&self) -> Result<Box<dyn Walk>, ReadError> {
        let pairs = self.pairs.read().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(MemoryWalk(pairs.clone().into_iter())))
    }

    fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        let mut pairs = self.pairs.write().unwrap_or_else(PoisonError::into_inner);
        for operation in batch.operations() {
            match operation {
                Operation::Put(key, value) => drop(pairs.insert(key.clone(), value.clone())),
                Operation::Delete(key) => drop(pairs.remove(key)),
            }
        }
        Ok(())
    }
}

/// A walk through a copy.
struct MemoryWalk(btree_map::IntoIter<Vec<u8>, Vec<u8>>);

impl Walk for MemoryWalk {
    fn next(&mut self, bytes: usize) -> Result<Vec<Pair>, ReadError> {
        let mut rest = self.0.by_ref().map(Ok::<_, Infallible>);
        let Ok(pairs) = some_of(&mut rest, bytes);
        Ok(pairs)
    }
}
