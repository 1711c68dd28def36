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

    /// Begins a walk through all that is stored. It sees every batch whose commit has returned before, and none
    /// that is committed later.
    ///
    /// It holds up nobody. But as long as there is one, the medium may keep what is replaced or removed meanwhile.
    /// It fails when the store is dropped before it.
    ///
    /// # Errors
    ///
    /// As [`Store::get`].
    fn walk(&self) -> Result<Box<dyn Walk>, ReadError>;

    /// Makes `batch` durable. When this returns `Ok`, no crash can take it back.
    ///
    /// # Errors
    ///
    /// Where the batch is not known to be durable; it is not visible then either. After a crash it may be there, wholly, as
    /// long as nothing has been committed since.
    fn commit(&self, batch: &Batch) -> Result<(), CommitError>;
}

/// A walk through all pairs of a store as they were at one moment, in the order of the keys.
pub trait Walk: Send {
    /// The next pairs: as few as have `bytes` bytes together or more, one at least. None behind the last pair.
    ///
    /// # Errors
    ///
    /// As [`Store::get`]; the walk is over then.
    fn next(&mut self, bytes: usize) -> Result<Vec<Pair>, ReadError>;
}

/// The next pairs of `rest`, as [`Walk::next`] has them.
pub(crate) fn some_of<E>(
    rest: &mut impl Iterator<Item = Result<Pair, E>>,
    bytes: usize,
) -> Result<Vec<Pair>, E> {
    let mut pairs = Vec::new();
    let mut size = 0;
    for pair in rest {
        let (key, value) = pair?;
        size += key.len() + value.len();
        pairs.push((key, value));
        if size >= bytes {
            break;
        }
    }
    Ok(pairs)
}
