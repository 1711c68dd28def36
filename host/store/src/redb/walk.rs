//! A walk through the file: one read transaction, which redb's copies of pages keep as it was.

use redb::{Database, Range, ReadableDatabase};

use super::{TABLE, read_error};
use crate::error::ReadError;
use crate::store::{Pair, Walk, some_of};

/// Holds the transaction: its pages are freed when this is dropped. A store that is opened again after a failure
/// of its medium takes the file away from it, and it fails.
pub(super) struct RedbWalk(Range<'static, &'static [u8], &'static [u8]>);

impl RedbWalk {
    pub(super) fn begin(database: &Database) -> Result<Self, redb::Error> {
        let table = database.begin_read()?.open_table(TABLE)?;
        Ok(Self(table.range::<&[u8]>(..)?))
    }
}

impl Walk for RedbWalk {
    fn next(&mut self, bytes: usize) -> Result<Vec<Pair>, ReadError> {
        let mut rest = self.0.by_ref().map(|pair| {
            let (key, value) = pair?;
            Ok((key.value().to_vec(), value.value().to_vec()))
        });
        some_of(&mut rest, bytes).map_err(|error: redb::StorageError| read_error(&error.into()))
    }
}
