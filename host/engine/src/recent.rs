//! What was used last: a map of bounded size.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// The values that were used last, under their keys. Whatever is dropped to make room can be made again by
/// who needs it; those who hold a clone of it keep theirs.
pub(crate) struct Recent<K, V> {
    values: HashMap<K, (V, u64)>,
    uses: u64,
    max: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    /// A map of `max` values at most, at least 1.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            values: HashMap::new(),
            uses: 0,
            max: max.max(1),
        }
    }

    /// The value under `key`, which counts as used now.
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.uses += 1;
        let (value, used) = self.values.get_mut(key)?;
        *used = self.uses;
        Some(value.clone())
    }

    /// The value under `key`: `value`, unless there is one already. The one that was not used for the longest
    /// time makes room.
    pub(crate) fn insert(&mut self, key: K, value: V) -> V {
        if let Some(value) = self.get(&key) {
            return value;
        }
        if self.values.len() >= self.max {
            // A linear search: there are some hundreds at most, and what is inserted took far longer to make.
            let oldest = self.values.iter().min_by_key(|(_, (_, used))| *used);
            let oldest = oldest.map(|(key, _)| key.clone());
            oldest.map(|oldest| self.values.remove(&oldest));
        }
        self.values.insert(key, (value.clone(), self.uses));
        value
    }

    /// Drops the values under such keys.
    pub(crate) fn forget(&mut self, are: impl Fn(&K) -> bool) {
        self.values.retain(|key, _| !are(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let mut recent = Recent::new(2);
        assert_eq!(recent.insert("a", 1), 1);
        assert_eq!(recent.insert("b", 2), 2);
        assert_eq!(recent.insert("a", 9), 1, "the first one stays");
        assert_eq!(recent.insert("c", 3), 3);
        assert_eq!(recent.get("b"), None);
        assert_eq!((recent.get("a"), recent.get("c")), (Some(1), Some(3)));
        recent.forget(|key| *key == "a");
        assert_eq!((recent.get("a"), recent.get("c")), (None, Some(3)));
    }
}
