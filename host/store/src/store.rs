//! The one trait over the medium.

use crate::batch::Batch;
use crate::error::{CommitError, ReadError};
use crate::key::KeyRange;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Which end of a range a scan begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// At the least key.
    Ascending,
    /// At the greatest key.
    Descending,
}

/// An ordered map from byte keys to byte values that survives the process.
///
/// Keys order as bytes do. A read sees all batches whose commit has returned, and each batch wholly or
/// not at all. All methods block the calling thread; `commit` for as long as the medium takes to make
/// the batch durable. One writer at a time is enough: the engine has one journal writer.
pub trait Store: Send + Sync {
    /// The value under `key`, if there is one.
    ///
    /// # Errors
    ///
    /// Where the medium does not answer, or answers with something else than was written.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError>;

    /// The first `limit` pairs of `range`, from the end that `direction` says.
    ///
    /// # Errors
    ///
    /// As [`Store::get`].
    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Pair>, ReadError>;

    /// Makes `batch` durable. When this returns `Ok`, no crash can take it back.
    ///
    /// # Errors
    ///
    /// Where the batch did not become durable; it is not visible then either.
    fn commit(&self, batch: &Batch) -> Result<(), CommitError>;
}
