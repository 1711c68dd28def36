//! What readers see of what goes beyond the tree, and how it comes there.
//!
//! The writer waits for no reader: one that had its processor taken from it in the midst of a look would hold up all commits.
//! What becomes durable while somebody looks lies ready, and whoever looks next takes it in first.

use std::sync::{
    Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
};

use super::log::Changes;
use super::memtable::Recent;

/// What goes beyond the tree, for many readers.
#[derive(Default)]
pub(super) struct Visible {
    recent: RwLock<Recent>,
    /// What has become durable since, in its order. Who has this lock does nothing that takes long.
    ready: Mutex<Vec<Changes>>,
}

impl Visible {
    pub(super) fn new(recent: Recent) -> Self {
        Self {
            recent: RwLock::new(recent),
            ready: Mutex::default(),
        }
    }

    /// Has readers see what has become durable. It waits for none of them.
    pub(super) fn add(&self, changes: Changes) {
        self.ready().push(changes);
        let mut recent = match self.recent.try_write() {
            Ok(recent) => recent,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        self.take_in(&mut recent);
    }

    /// To look at it: all that has become durable before is there.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Recent> {
        if !self.ready().is_empty() {
            drop(self.change());
        }
        self.recent.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// To change it: all that has become durable before is there.
    pub(super) fn change(&self) -> RwLockWriteGuard<'_, Recent> {
        let recent = self.recent.write();
        let mut recent = recent.unwrap_or_else(PoisonError::into_inner);
        self.take_in(&mut recent);
        recent
    }

    fn take_in(&self, recent: &mut Recent) {
        let ready = std::mem::take(&mut *self.ready());
        recent.filling.add(ready.into_iter().flatten());
    }

    fn ready(&self) -> MutexGuard<'_, Vec<Changes>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::batch::Batch;

    fn changes(number: u64) -> Changes {
        let mut batch = Batch::new();
        batch.put(vec![7], number.to_be_bytes().to_vec());
        Changes::of(&batch)
    }

    fn number(recent: &Recent) -> Option<u64> {
        let value = recent.get(&[7])?.expect("it is not removed");
        Some(u64::from_be_bytes(value[..].try_into().expect("a number")))
    }

    #[test]
    fn who_writes_does_not_wait_for_who_reads() {
        let visible = Visible::default();
        let reader = visible.read();
        visible.add(changes(1));
        visible.add(changes(2));
        assert_eq!(number(&reader), None, "it looks at what was there");
        drop(reader);
        assert_eq!(number(&visible.read()), Some(2));
        assert!(visible.ready().is_empty());
    }

    #[test]
    fn who_reads_sees_what_has_become_durable_before() {
        const LAST: u64 = 20_000;
        let (visible, durable) = (Visible::default(), AtomicU64::new(0));
        let read = || {
            let mut seen = 0;
            while seen < LAST {
                let before = durable.load(Ordering::SeqCst).max(seen);
                seen = number(&visible.read()).unwrap_or(0);
                assert!(seen >= before, "{seen} after {before}");
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(read);
            scope.spawn(read);
            for number in 1..=LAST {
                visible.add(changes(number));
                durable.store(number, Ordering::SeqCst);
            }
        });
    }
}
