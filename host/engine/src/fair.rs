//! Permits that tenants share: so many at once of all, and so many of each. Who gets the next one, [`crate::turns`] says.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baton_store::TenantId;
use tokio::sync::oneshot;

use crate::turns::Turns;

/// Permits for all tenants, of which each may hold so many, and for which tenants that wait take turns.
pub(crate) struct FairSemaphore(Arc<Permits>);

/// The permits, and who waits for one. Being told is having it.
type Permits = Mutex<Turns<oneshot::Sender<()>>>;

/// The right to do one thing. Dropping it gives it back.
pub(crate) struct FairPermit {
    permits: Arc<Permits>,
    tenant: TenantId,
}

/// Somebody who waits for a permit. Dropping it before it is over gives up the place, or the permit.
struct Waiting<'a> {
    permits: &'a Permits,
    tenant: &'a TenantId,
    number: u64,
    over: bool,
}

impl FairSemaphore {
    /// `all` permits, of which one tenant may hold `per_tenant`. Both are at least one.
    pub(crate) fn new(all: usize, per_tenant: usize) -> Self {
        Self(Arc::new(Mutex::new(Turns::new(all, per_tenant))))
    }

    /// A permit, once it is the tenant's turn.
    pub(crate) async fn acquire(&self, tenant: &TenantId) -> FairPermit {
        let (mut waiting, granted) = {
            let mut turns = lock(&self.0);
            if turns.take(tenant) {
                return self.permit(tenant);
            }
            let (sender, granted) = oneshot::channel();
            let waiting = Waiting {
                permits: &self.0,
                tenant,
                number: turns.wait(tenant, sender),
                over: false,
            };
            (waiting, granted)
        };
        // The other end is kept until the permit is granted.
        let _ = granted.await;
        waiting.over = true;
        self.permit(tenant)
    }

    /// A permit, unless there is none for the tenant now.
    pub(crate) fn try_acquire(&self, tenant: &TenantId) -> Option<FairPermit> {
        let taken = lock(&self.0).take(tenant);
        taken.then(|| self.permit(tenant))
    }

    fn permit(&self, tenant: &TenantId) -> FairPermit {
        FairPermit {
            permits: self.0.clone(),
            tenant: tenant.clone(),
        }
    }
}

impl Drop for FairPermit {
    fn drop(&mut self) {
        give_back(&self.permits, &self.tenant);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let gives_up = !self.over && !lock(self.permits).leave(self.tenant, self.number);
        if gives_up {
            give_back(self.permits, self.tenant);
        }
    }
}

fn give_back(permits: &Permits, tenant: &TenantId) {
    let mut turns = lock(permits);
    turns.give_back(tenant);
    while let Some(next) = turns.grant() {
        // Whoever has gone away in this very moment gives it back.
        let _ = next.send(());
    }
}

fn lock(permits: &Permits) -> MutexGuard<'_, Turns<oneshot::Sender<()>>> {
    permits.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).expect("a tenant")
    }

    #[tokio::test]
    async fn who_does_not_wait_is_refused_where_there_is_none() {
        let permits = FairSemaphore::new(2, 1);
        let first = permits.try_acquire(&tenant("a")).expect("a permit");
        assert!(permits.try_acquire(&tenant("a")).is_none(), "its own share");
        let _second = permits.acquire(&tenant("b")).await;
        assert!(permits.try_acquire(&tenant("c")).is_none(), "all are held");
        drop(first);
        assert!(permits.try_acquire(&tenant("c")).is_some());
    }

    #[tokio::test]
    async fn a_permit_passes_by_those_that_have_gone_away() {
        let permits = FairSemaphore::new(1, 1);
        let (a, b) = (tenant("a"), tenant("b"));
        let mut context = Context::from_waker(Waker::noop());
        let held = permits.acquire(&a).await;
        let mut third = pin!(permits.acquire(&b));
        {
            let mut first = Box::pin(permits.acquire(&a));
            let mut second = Box::pin(permits.acquire(&a));
            assert!(first.as_mut().poll(&mut context).is_pending());
            assert!(second.as_mut().poll(&mut context).is_pending());
            assert!(third.as_mut().poll(&mut context).is_pending());
            // One goes away before it is granted the permit, the other one behind that.
            drop(first);
            drop(held);
            drop(second);
        }
        drop(third.await);
        assert!(permits.try_acquire(&a).is_some());
    }
}
