//! How many bytes a call may be brought.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often the bounds of a call have begun anew: with each item that it hands over. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Renewals(Arc<AtomicU64>);

impl Renewals {
    /// All bounds of the call begin anew.
    pub(crate) fn renew(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// So many bytes, from one renewal to the next.
#[derive(Debug)]
pub(crate) struct Quota {
    limit: u64,
    left: u64,
    renewals: Renewals,
    /// The renewals that `left` knows of.
    seen: u64,
}

impl Quota {
    pub(crate) fn new(limit: u64, renewals: &Renewals) -> Self {
        Self {
            limit,
            left: limit,
            renewals: renewals.clone(),
            seen: renewals.count(),
        }
    }

    /// How many bytes there are from one renewal to the next.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes so many bytes. Whether there were as many.
    pub(crate) fn take(&mut self, bytes: u64) -> bool {
        let count = self.renewals.count();
        if count != self.seen {
            self.seen = count;
            self.left = self.limit;
        }
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_limit_from_one_renewal_to_the_next() {
        let renewals = Renewals::default();
        let mut quota = Quota::new(10, &renewals);
        assert!(quota.take(6) && quota.take(4) && !quota.take(1));
        renewals.renew();
        assert!(quota.take(10) && !quota.take(1));
    }
}
