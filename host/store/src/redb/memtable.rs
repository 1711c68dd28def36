//! What is in the log and may not be in the tree yet: held in memory, where all can read it.
//!
//! Keys and values are parts of the log's records, which are kept for them: so a commit copies nothing for it, and to let
//! go of all of them, which is done on another thread, frees little and seldom.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;

use super::log::Generation;
use crate::store::Direction;

/// A key and what became of it: its value, or none where it was removed.
pub(super) type Change<B = Bytes> = (B, Option<B>);

/// Within which keys.
pub(super) type Bounds<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// Changes, by their keys: the last one of each.
#[derive(Debug, Default)]
pub(super) struct Memtable(BTreeMap<Bytes, Option<Bytes>>);

impl Memtable {
    pub(super) fn add(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.0.extend(changes);
    }

    /// All changes, each key once: some of them all through the keys, then those between them.
    ///
    /// A page of the tree that is full is halved, and where keys come in their order nothing comes to the first half any more.
    /// So the pages are half full of the first ones, and what comes between them fills them.
    pub(super) fn changes(&self) -> impl Iterator<Item = Change<&[u8]>> {
        let some = |are_first| {
            let numbered = self.0.iter().enumerate();
            numbered.filter(move |(number, _)| is_first(*number) == are_first)
        };
        let changes = some(true).chain(some(false));
        changes.map(|(_, (key, value))| (&key[..], value.as_deref()))
    }

    fn within(&self, bounds: Bounds, direction: Direction) -> impl Iterator<Item = Change<&Bytes>> {
        let (ascending, descending) = match direction {
            Direction::Ascending => (Some(self.0.range::<[u8], _>(bounds)), None),
            Direction::Descending => (None, Some(self.0.range::<[u8], _>(bounds).rev())),
        };
        let both = ascending.into_iter().flatten();
        let both = both.chain(descending.into_iter().flatten());
        both.map(|(key, value)| (key, value.as_ref()))
    }
}

/// Whether the change of that number is one of the first that go to the tree: five of eight are. With half of them, what
/// comes between them would find many pages too full already, since no two halves of a page are alike.
fn is_first(number: usize) -> bool {
    number * 5 % 8 < 5
}

/// What goes beyond the tree: what is being put into it, and what has come since.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// What a checkpoint is to put into the tree, and the generation of the log that goes on from there.
    pub(super) settling: Option<(Arc<Memtable>, Generation)>,
    pub(super) filling: Memtable,
}

impl Recent {
    /// What was to be put into the tree is there.
    pub(super) fn settled(&mut self) {
        self.settling = None;
    }

    /// All is in the tree.
    pub(super) fn all_settled(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.settling.is_none() && self.filling.0.is_empty()
    }

    /// All changes, those that came later behind.
    pub(super) fn changes(&self) -> impl Iterator<Item = Change<&[u8]>> {
        let settling = self.settling.iter();
        let older = settling.flat_map(|(older, _)| older.changes());
        older.chain(self.filling.changes())
    }

    /// What became of a key, if that is known here.
    pub(super) fn get(&self, key: &[u8]) -> Option<Option<Bytes>> {
        let settling = self.settling.as_ref();
        let older = || settling.and_then(|(older, _)| older.0.get(key));
        self.filling.0.get(key).or_else(older).cloned()
    }

    /// The changes on which the first `values` pairs within these bounds, in this direction, depend.
    pub(super) fn within(
        &self,
        bounds: Bounds,
        direction: Direction,
        values: usize,
    ) -> Vec<Change> {
        let settling = self.settling.iter();
        let older = settling.flat_map(|(older, _)| older.within(bounds, direction));
        let newer = self.filling.within(bounds, direction);
        let mut left = values;
        Merged::new(newer, older.map(Ok::<_, Infallible>), direction)
            .filter_map(Result::ok)
            .take_while(|(_, value)| {
                let goes_on = left > 0;
                left -= usize::from(goes_on && value.is_some());
                goes_on
            })
            .map(|(key, value)| (key.clone(), value.cloned()))
            .collect()
    }
}

/// Newer changes over older ones, both in the order of a direction.
pub(super) struct Merged<A: Iterator, B: Iterator> {
    newer: Peekable<A>,
    older: Peekable<B>,
    direction: Direction,
}

impl<A: Iterator, B: Iterator> Merged<A, B> {
    pub(super) fn new(newer: A, older: B, direction: Direction) -> Self {
        Self {
            newer: newer.peekable(),
            older: older.peekable(),
            direction,
        }
    }
}

impl<Key, E, A, B> Iterator for Merged<A, B>
where
    Key: Ord,
    A: Iterator<Item = Change<Key>>,
    B: Iterator<Item = Result<Change<Key>, E>>,
{
    type Item = Result<Change<Key>, E>;

    fn next(&mut self) -> Option<Self::Item> {
        let order = match (self.newer.peek(), self.older.peek()) {
            (None, _) | (_, Some(Err(_))) => Ordering::Greater,
            (_, None) => Ordering::Less,
            (Some((newer, _)), Some(Ok((older, _)))) => match self.direction {
                Direction::Ascending => newer.cmp(older),
                Direction::Descending => older.cmp(newer),
            },
        };
        if order == Ordering::Greater {
            return self.older.next();
        }
        if order == Ordering::Equal {
            self.older.next();
        }
        self.newer.next().map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Model = BTreeMap<Bytes, Option<Bytes>>;

    /// Changes of few keys, so that both tables often know the same one.
    fn changes() -> impl Strategy<Value = Vec<(u8, Option<u8>)>> {
        prop::collection::vec((0u8..12, prop::option::of(any::<u8>())), 0..12)
    }

    fn bytes(byte: u8) -> Bytes {
        Bytes::copy_from_slice(&[byte])
    }

    fn of_bytes(changes: &[(u8, Option<u8>)]) -> impl Iterator<Item = Change> {
        let changes = changes.iter();
        changes.map(|(key, value)| (bytes(*key), value.map(bytes)))
    }

    proptest! {
        #[test]
        fn each_change_goes_to_the_tree_once(all in prop::collection::btree_map(any::<u8>(), any::<u8>(), 0..99)) {
            let mut table = Memtable::default();
            table.add(all.iter().map(|(key, value)| (bytes(*key), Some(bytes(*value)))));
            let changes: Vec<_> = table.changes().collect();
            prop_assert_eq!(changes.len(), all.len());
            let changes = changes.into_iter().map(|(key, value)| (key[0], value.expect("it is there")[0]));
            prop_assert_eq!(changes.collect::<BTreeMap<_, _>>(), all);
        }

        #[test]
        fn both_tables_are_read_as_one(
            older in changes(), newer in changes(), is_settling: bool, values in 0usize..6,
            first in 0u8..8, count in 1u8..8, ascends: bool
        ) {
            let mut recent = Recent::default();
            recent.filling.add(of_bytes(&older));
            if is_settling {
                let full = std::mem::take(&mut recent.filling);
                recent.settling = Some((full.into(), Generation([0; 16])));
            }
            recent.filling.add(of_bytes(&newer));
            let model: Model = of_bytes(&older).chain(of_bytes(&newer)).collect();
            for key in 0..12 {
                prop_assert_eq!(recent.get(&[key]), model.get(&[key][..]).cloned());
            }
            let (start, end) = ([first], [first + count]);
            let bounds = (Bound::Included(&start[..]), Bound::Excluded(&end[..]));
            let direction = match ascends {
                true => Direction::Ascending,
                false => Direction::Descending,
            };
            let mut expected: Vec<Change> = model
                .range::<[u8], _>(bounds)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            if !ascends {
                expected.reverse();
            }
            let found = recent.within(bounds, direction, values);
            prop_assert_eq!(&found[..], &expected[..found.len()]);
            let stored = |changes: &[Change]| changes.iter().filter(|it| it.1.is_some()).count();
            prop_assert_eq!(stored(&found), stored(&expected).min(values));
        }
    }
}
