//! What is stored, one pair after the other: what the tree has, and the changes that are not in it yet.

use std::vec;

use bytes::Bytes;
use redb::{Range, ReadTransaction, StorageError};

use super::memtable::{Bounds, Change, Merged};
use super::read_error;
use super::tree::TABLE;
use crate::error::ReadError;
use crate::store::{Direction, Pair, Walk, some_of};

/// Pairs in the order of a direction. Holds a read transaction, which redb's copies of pages keep as it was: they are freed
/// when this is dropped. A store that is opened again after a failure of its medium takes the file away from it, and it
/// fails.
pub(super) struct Pairs(Merged<vec::IntoIter<Change>, Tree>);

impl Pairs {
    /// The pairs within these bounds that a transaction sees, with these changes.
    pub(super) fn of(
        transaction: &ReadTransaction,
        changes: Vec<Change>,
        bounds: Bounds,
        direction: Direction,
    ) -> Result<Self, redb::Error> {
        let range = transaction.open_table(TABLE)?.range::<&[u8]>(bounds)?;
        let tree = Tree { range, direction };
        Ok(Self(Merged::new(changes.into_iter(), tree, direction)))
    }
}

impl Iterator for Pairs {
    type Item = Result<Pair, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.0.next()? {
                Ok((key, Some(value))) => return Some(Ok((key.into(), value.into()))),
                Ok((_, None)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Walk for Pairs {
    fn next(&mut self, bytes: usize) -> Result<Vec<Pair>, ReadError> {
        some_of(self, bytes).map_err(|error| read_error(&error.into()))
    }
}

/// What the tree has, as changes.
struct Tree {
    range: Range<'static, &'static [u8], &'static [u8]>,
    direction: Direction,
}

impl Iterator for Tree {
    type Item = Result<Change, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let pair = match self.direction {
            Direction::Ascending => self.range.next(),
            Direction::Descending => self.range.next_back(),
        };
        Some(pair?.map(|(key, value)| {
            let [key, value] = [key.value(), value.value()].map(Bytes::copy_from_slice);
            (key, Some(value))
        }))
    }
}
