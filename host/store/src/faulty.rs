//! A store that fails on purpose.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::batch::Batch;
use crate::error::{CommitError, ReadError};
use crate::key::KeyRange;
use crate::store::{Direction, Pair, Store, Walk};

/// What happens to commits, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// From the commit of that number on, the process counts as dead: nothing more becomes durable, and
    /// every commit fails.
    CrashBefore(u64),
    /// As [`Fault::CrashBefore`], but the commit of that number still becomes durable. Only nobody is
    /// told: it fails like those behind it. This is the crash between a medium's writing and its answer.
    CrashAfter(u64),
    /// The commits from the first number up to and without the second fail as on a full disk, and
    /// nothing of them is kept; then there is room again.
    Full(u64, u64),
}

/// A store over another that lets commits fail. Reads always work: what they see is what is durable.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    fault: Mutex<Fault>,
    commits: AtomicU64,
}

impl FaultyStore {
    /// A store over `inner`, with a fault.
    pub fn new(inner: Arc<dyn Store>, fault: Fault) -> Self {
        Self {
            inner,
            fault: Mutex::new(fault),
            commits: AtomicU64::new(0),
        }
    }

    /// How many commits were tried.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    /// Whether the crash has come.
    pub fn is_crashed(&self) -> bool {
        match *self.fault.lock().unwrap_or_else(PoisonError::into_inner) {
            Fault::CrashBefore(at) | Fault::CrashAfter(at) => self.commits() >= at,
            Fault::None | Fault::Full(..) => false,
        }
    }
}

impl Store for FaultyStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.inner.get(key)
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Pair>, ReadError> {
        self.inner.scan(range, direction, limit)
    }

    fn walk(&self) -> Result<Box<dyn Walk>, ReadError> {
        self.inner.walk()
    }

    fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        // The lock makes the number of a commit and its effect one step.
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        let crashed = || {
            Err(CommitError::Io {
                detail: "the process has crashed".into(),
            })
        };
        match *fault {
            Fault::CrashBefore(at) if number >= at => crashed(),
            Fault::CrashAfter(at) if number > at => crashed(),
            Fault::CrashAfter(at) if number == at => {
                self.inner.commit(batch).and_then(|()| crashed())
            }
            Fault::Full(from, to) if (from..to).contains(&number) => Err(CommitError::Full),
            _ => self.inner.commit(batch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    /// Commits the keys 1 to 4 and gives those that are durable and those whose commit said so.
    fn check(fault: Fault) -> (Vec<u8>, Vec<u8>) {
        let inner = Arc::new(MemoryStore::new());
        let store = FaultyStore::new(inner.clone(), fault);
        let acknowledged = (1..=4)
            .filter(|number| {
                let mut batch = Batch::new();
                batch.put(vec![*number], Vec::new());
                store.commit(&batch).is_ok()
            })
            .collect();
        let all = KeyRange {
            start: vec![0],
            end: vec![9],
        };
        let pairs = inner.scan(&all, Direction::Ascending, 9).expect("read");
        (
            pairs.into_iter().map(|(key, _)| key[0]).collect(),
            acknowledged,
        )
    }

    #[test]
    fn each_fault_does_what_it_says() {
        assert_eq!(check(Fault::None), (vec![1, 2, 3, 4], vec![1, 2, 3, 4]));
        assert_eq!(check(Fault::CrashBefore(3)), (vec![1, 2], vec![1, 2]));
        assert_eq!(check(Fault::CrashAfter(3)), (vec![1, 2, 3], vec![1, 2]));
        assert_eq!(check(Fault::Full(2, 4)), (vec![1, 4], vec![1, 4]));
    }
}
