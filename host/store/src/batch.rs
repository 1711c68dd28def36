//! What is committed together.

/// One change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Stores a value, in place of whatever the key held.
    Put(Vec<u8>, Vec<u8>),
    /// Removes the key, if it is there.
    Delete(Vec<u8>),
}

impl Operation {
    /// The key that is changed.
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Put(key, _) | Self::Delete(key) => key,
        }
    }
}

/// Changes that become durable together or not at all. Of several changes of one key the last counts.
///
/// Changes are blind: none depends on what is there. So the same batch may be committed twice with the
/// effect of once, and a commit whose outcome is in doubt may simply be made again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    operations: Vec<Operation>,
}

impl Batch {
    /// A batch without changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the storing of `value` under `key`.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.operations.push(Operation::Put(key, value));
    }

    /// Adds the removal of `key`.
    pub fn delete(&mut self, key: Vec<u8>) {
        self.operations.push(Operation::Delete(key));
    }

    /// Adds all changes of `other` behind those that are here.
    pub fn append(&mut self, mut other: Self) {
        self.operations.append(&mut other.operations);
    }

    /// Takes away all changes but the first `count`.
    pub fn truncate(&mut self, count: usize) {
        self.operations.truncate(count);
    }

    /// The changes, in the order in which they were added.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Whether there are no changes.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Bytes of all keys and values.
    pub fn size(&self) -> usize {
        self.operations
            .iter()
            .map(|operation| match operation {
                Operation::Put(key, value) => key.len() + value.len(),
                Operation::Delete(key) => key.len(),
            })
            .sum()
    }
}
