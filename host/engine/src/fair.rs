//! Permits that tenants share: so many at once of all, and so many of each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use baton_store::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A semaphore for all tenants, and one for each within it.
pub(crate) struct FairSemaphore {
    all: Arc<Semaphore>,
    /// One for each tenant that has ever asked; a few hundred bytes each.
    tenants: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
    per_tenant: usize,
}

/// The right to do one thing. Dropping it gives it back.
pub(crate) struct FairPermit {
    _of_all: Option<OwnedSemaphorePermit>,
    _of_tenant: Option<OwnedSemaphorePermit>,
}

impl FairSemaphore {
    /// `all` permits, of which one tenant may hold `per_tenant`. Both are at least one.
    pub(crate) fn new(all: usize, per_tenant: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all.clamp(1, Semaphore::MAX_PERMITS))),
            tenants: Mutex::default(),
            per_tenant: per_tenant.clamp(1, Semaphore::MAX_PERMITS),
        }
    }

    /// A permit, once there is one.
    pub(crate) async fn acquire(&self, tenant: &TenantId) -> FairPermit {
        // The tenant's own first: who waits for it holds none of those that all share. Neither semaphore
        // is ever closed.
        let of_tenant = self.tenant(tenant).acquire_owned().await.ok();
        FairPermit {
            _of_all: self.all.clone().acquire_owned().await.ok(),
            _of_tenant: of_tenant,
        }
    }

    /// A permit, unless the tenant holds as many as it may, or all are held.
    pub(crate) fn try_acquire(&self, tenant: &TenantId) -> Option<FairPermit> {
        let of_tenant = self.tenant(tenant).try_acquire_owned().ok()?;
        let of_all = self.all.clone().try_acquire_owned().ok()?;
        Some(FairPermit {
            _of_all: Some(of_all),
            _of_tenant: Some(of_tenant),
        })
    }

    fn tenant(&self, tenant: &TenantId) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(semaphore) = tenants.get(tenant) {
            return semaphore.clone();
        }
        let semaphore = Arc::new(Semaphore::new(self.per_tenant));
        tenants.insert(tenant.clone(), semaphore.clone());
        semaphore
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_does_not_wait_is_refused_where_there_is_none() {
        let permits = FairSemaphore::new(2, 1);
        let tenant = |name| TenantId::new(name).expect("a tenant");
        let first = permits.try_acquire(&tenant("a")).expect("a permit");
        assert!(permits.try_acquire(&tenant("a")).is_none(), "its own share");
        let _second = permits.acquire(&tenant("b")).await;
        assert!(permits.try_acquire(&tenant("c")).is_none(), "all are held");
        drop(first);
        assert!(permits.try_acquire(&tenant("c")).is_some());
    }
}
