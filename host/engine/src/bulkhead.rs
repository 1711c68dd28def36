//! Tenants that have much to compute have partitions of their own.
//!
//! A partition does one thing at a time, and threads have processors as the system finds fair. What a document has the host
//! compute for a run (an expression, a loop in which nothing is waited for, a filter of events) keeps the run's partition
//! until it is done, and the runs of all others in that partition wait; and where a tenant has many runs, some thread that
//! computes for one of them loses its processor with that partition in its hands. So whoever has others wait for long, or
//! has more than a part of the time, goes behind the bulkhead, until the host stops: each partition has a second one there,
//! of the same number and the same records, with a thread that gives way to others, and it [has all](crate::partition::Moved)
//! of that tenant from then on. Whoever is behind the bulkhead waits for others who are, by [turns](crate::processors), and
//! no one else does.
//!
//! Where messages come from knows nothing of that: a partition passes on what is not its own any more.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use baton_store::TenantId;

use crate::mailbox::Mailbox;
use crate::partition::Message;
use crate::processors::Processors;
use crate::tabs::Tabs;

/// A turn that computes for longer is long: what it does is no longer many small things.
pub(crate) const LONG: Duration = Duration::from_millis(5);

/// A tenant's long turns may have one part in so many of a thread's time while there are others: at most the slowest one in a
/// hundred of its neighbours' steps meets one then.
const SHARE: u32 = 100;

/// How much of it they may have at once.
const AT_ONCE: Duration = Duration::from_millis(50);

/// What turns take that are not long counts for one part in so many: of those a tenant may have a quarter of a thread's time,
/// and more than a second at once.
const BRIEF_COUNT: u32 = 25;

/// Who is behind the bulkhead, and what is there.
pub(crate) struct Bulkhead {
    /// How many tenants are behind it: who only wants to know whether there are more than he knows waits for nobody.
    count: AtomicUsize,
    state: Mutex<State>,
    /// Where each partition behind it is told what has happened, by its number.
    pub(crate) mailboxes: Vec<Arc<Mailbox<Message>>>,
    pub(crate) processors: Arc<Processors>,
}

struct State {
    /// In the order in which they came.
    tenants: Vec<TenantId>,
    tabs: Tabs,
}

impl Bulkhead {
    /// One with as many partitions behind it as there are mailboxes, of which so many compute at a time.
    pub(crate) fn new(processors: usize, mailboxes: Vec<Arc<Mailbox<Message>>>) -> Self {
        let state = State {
            tenants: Vec::new(),
            tabs: Tabs::new(SHARE, AT_ONCE),
        };
        Self {
            count: AtomicUsize::new(0),
            state: Mutex::new(state),
            processors: Arc::new(Processors::always_shared(processors, mailboxes.clone())),
            mailboxes,
        }
    }

    /// A turn of a tenant's has computed for so long, where there are others who may have waited for it.
    pub(crate) fn note(&self, tenant: &TenantId, took: Duration) {
        let counted = match took > LONG {
            true => took,
            false => took / BRIEF_COUNT,
        };
        let now = Instant::now();
        let mut state = self.lock();
        state.tabs.add(tenant, counted, now);
        if state.tabs.is_full(tenant, now) {
            drop(state);
            self.put(tenant);
        }
    }

    /// Has a tenant go behind it.
    pub(crate) fn put(&self, tenant: &TenantId) {
        let mut state = self.lock();
        if state.tenants.contains(tenant) {
            return;
        }
        tracing::info!(%tenant, "the tenant has much to compute beside others: until the host stops, its runs go on apart from theirs");
        state.tenants.push(tenant.clone());
        self.count.store(state.tenants.len(), Ordering::Release);
    }

    /// Whether anybody is behind it.
    pub(crate) fn is_used(&self) -> bool {
        self.count() > 0
    }

    /// How many tenants are behind it.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Whether a tenant is behind it.
    pub(crate) fn has(&self, tenant: &TenantId) -> bool {
        self.is_used() && self.lock().tenants.contains(tenant)
    }

    /// Those who are behind it, for who knows of so many; none where there are no more.
    pub(crate) fn since(&self, known: usize) -> Vec<TenantId> {
        match self.count() > known {
            true => self.lock().tenants[known..].to_vec(),
            false => Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_much_to_compute_goes_behind_it_and_nobody_else() {
        let bulkhead = Bulkhead::new(1, Vec::new());
        let names = ["calm", "busy", "long"];
        let [calm, busy, long] = names.map(|it| TenantId::new(it).expect("a tenant"));
        for _ in 0..BRIEF_COUNT {
            bulkhead.note(&calm, LONG);
        }
        bulkhead.note(&long, AT_ONCE);
        assert!(!bulkhead.is_used() && bulkhead.since(0).is_empty());
        bulkhead.note(&long, AT_ONCE);
        assert_eq!(bulkhead.since(0), std::slice::from_ref(&long));
        assert!(bulkhead.has(&long) && !bulkhead.has(&calm));
        for _ in 0..20 * BRIEF_COUNT {
            bulkhead.note(&busy, LONG);
        }
        assert_eq!(bulkhead.since(1), [busy]);
        assert_eq!(bulkhead.since(2), []);
    }
}
