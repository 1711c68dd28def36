//! Locks by name: one holder at a time for each name, and nobody waits for who holds another.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// Locks by name. One that nobody holds or waits for takes no memory.
pub(crate) struct Locks<K>(Arc<Mutex<HashMap<K, Lock>>>);

/// The holding of a lock. Dropping it lets the next one in.
pub(crate) struct Held<K: Eq + Hash> {
    // Dropped before the claim, which counts those who have the lock.
    _guard: OwnedMutexGuard<()>,
    _claim: Claim<K>,
}

/// The interest of one who holds a lock or waits for it.
struct Claim<K: Eq + Hash> {
    locks: Locks<K>,
    name: K,
    lock: Lock,
}

impl<K> Default for Locks<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K> Clone for Locks<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Clone + Eq + Hash> Locks<K> {
    /// Waits until nobody holds the lock of this name. Those who wait come in their order.
    pub(crate) async fn lock(&self, name: K) -> Held<K> {
        let lock = self.by_name().entry(name.clone()).or_default().clone();
        let claim = Claim {
            locks: self.clone(),
            name,
            lock,
        };
        Held {
            _guard: claim.lock.clone().lock_owned().await,
            _claim: claim,
        }
    }
}

impl<K> Locks<K> {
    fn by_name(&self) -> MutexGuard<'_, HashMap<K, Lock>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Claim<K> {
    fn drop(&mut self) {
        let mut by_name = self.locks.by_name();
        // The list's and this one: a third would be somebody who holds it or waits.
        if Arc::strong_count(&self.lock) == 2 {
            by_name.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn is_pending<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> bool {
        future
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    }

    #[tokio::test]
    async fn one_at_a_time_holds_a_name_and_others_hold_others() {
        let locks = Locks::default();
        let first = locks.lock("a").await;
        let mut second = pin!(locks.lock("a"));
        assert!(is_pending(second.as_mut()));
        let other = locks.lock("b").await;
        drop(first);
        let second = second.await;
        assert!(is_pending(pin!(locks.lock("a"))));
        drop((second, other));
        assert!(locks.by_name().is_empty());
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_nothing_behind() {
        let locks = Locks::default();
        let first = locks.lock(1).await;
        {
            let mut second = Box::pin(locks.lock(1));
            assert!(is_pending(second.as_mut()));
            drop(first);
        }
        assert!(locks.by_name().is_empty());
        drop(locks.lock(1).await);
        assert!(locks.by_name().is_empty());
    }
}
