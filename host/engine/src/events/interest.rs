//! Which partitions have runs that listen to what.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use baton_workflow::plan::Topics;

/// Which partitions have runs that listen to what of one tenant's events.
#[derive(Default)]
pub(super) struct Interest {
    /// How many listen to any type, by partition.
    any: HashMap<u16, usize>,
    /// How many listen to a type, by type and partition.
    types: HashMap<Arc<str>, HashMap<u16, usize>>,
}

impl Interest {
    pub(super) fn add(&mut self, topics: &Topics, partition: u16) {
        match topics {
            Topics::Any => *self.any.entry(partition).or_default() += 1,
            Topics::Types(types) => {
                for topic in types {
                    let partitions = self.types.entry(topic.kind.clone()).or_default();
                    *partitions.entry(partition).or_default() += 1;
                }
            }
        }
    }

    pub(super) fn remove(&mut self, topics: &Topics, partition: u16) {
        match topics {
            Topics::Any => take_one(&mut self.any, partition),
            Topics::Types(types) => {
                for topic in types {
                    let Some(partitions) = self.types.get_mut(&topic.kind) else {
                        continue;
                    };
                    take_one(partitions, partition);
                    if partitions.is_empty() {
                        self.types.remove(&topic.kind);
                    }
                }
            }
        }
    }

    /// The partitions that want to know of an event of one of these types.
    pub(super) fn partitions<'a>(&self, types: impl Iterator<Item = &'a str>) -> BTreeSet<u16> {
        let of_types = types.filter_map(|kind| self.types.get(kind));
        std::iter::once(&self.any)
            .chain(of_types)
            .flat_map(HashMap::keys)
            .copied()
            .collect()
    }

    /// The partitions that want to know of any event.
    pub(super) fn all(&self) -> BTreeSet<u16> {
        let of_types = self.types.values().flat_map(HashMap::keys);
        self.any.keys().chain(of_types).copied().collect()
    }
}

fn take_one(partitions: &mut HashMap<u16, usize>, partition: u16) {
    if let Some(count) = partitions.get_mut(&partition) {
        *count -= 1;
        if *count == 0 {
            partitions.remove(&partition);
        }
    }
}

#[cfg(test)]
mod tests {
    use baton_workflow::plan::Topic;

    use super::*;

    #[test]
    fn partitions_are_told_as_long_as_somebody_listens() {
        let types = |names: &[&str]| {
            let topic = |name: &&str| Topic {
                kind: (*name).into(),
                mark: None,
            };
            Topics::Types(names.iter().map(topic).collect())
        };
        let mut interest = Interest::default();
        interest.add(&types(&["a", "b"]), 1);
        interest.add(&types(&["a"]), 1);
        interest.add(&Topics::Any, 2);
        let told = |interest: &Interest, kind| interest.partitions(std::iter::once(kind));
        assert_eq!(told(&interest, "a"), BTreeSet::from([1, 2]));
        assert_eq!(told(&interest, "c"), BTreeSet::from([2]));
        interest.remove(&types(&["a", "b"]), 1);
        assert_eq!(told(&interest, "a"), BTreeSet::from([1, 2]));
        assert_eq!(told(&interest, "b"), BTreeSet::from([2]));
        interest.remove(&types(&["a"]), 1);
        interest.remove(&Topics::Any, 2);
        assert!(told(&interest, "a").is_empty() && interest.types.is_empty());
    }
}
