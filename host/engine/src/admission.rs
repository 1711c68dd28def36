//! How many runs each tenant has open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use baton_store::TenantId;

/// Counts the open runs of each tenant, and refuses those beyond the bound.
#[derive(Clone)]
pub(crate) struct Admission {
    open: Arc<Mutex<HashMap<TenantId, usize>>>,
    max: usize,
}

/// A place for one open run. Dropping it gives the place back.
pub(crate) struct Place {
    admission: Admission,
    tenant: TenantId,
}

impl Admission {
    /// At most `max` for each tenant.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            open: Arc::default(),
            max,
        }
    }

    /// A place for one more, if there is one.
    pub(crate) fn enter(&self, tenant: &TenantId) -> Option<Place> {
        self.enter_below(tenant, self.max)
    }

    fn enter_below(&self, tenant: &TenantId, max: usize) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(tenant.clone()).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Place {
            admission: self.clone(),
            tenant: tenant.clone(),
        })
    }

    /// A place for one that another run has started. Those have as many places again as there are for all, so
    /// that runs that fill all places do not keep one another from ending.
    pub(crate) fn enter_beyond(&self, tenant: &TenantId) -> Option<Place> {
        self.enter_below(tenant, self.max.saturating_mul(2))
    }

    /// A place for one that was admitted before the host was restarted, whatever the bound is now.
    pub(crate) fn enter_again(&self, tenant: &TenantId) -> Place {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        *open.entry(tenant.clone()).or_default() += 1;
        Place {
            admission: self.clone(),
            tenant: tenant.clone(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self
            .admission
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_fills_its_own_places_only() {
        let admission = Admission::new(2);
        let (a, b) = (
            TenantId::new("a").expect("a tenant"),
            TenantId::new("b").expect("a tenant"),
        );
        let first = admission.enter(&a).expect("room");
        let second = admission.enter_again(&a);
        assert!(admission.enter(&a).is_none());
        assert!(admission.enter(&b).is_some());
        let beyond = [(); 2].map(|()| admission.enter_beyond(&a).expect("room for children"));
        assert!(admission.enter_beyond(&a).is_none());
        drop(beyond);
        drop(first);
        assert!(admission.enter(&a).is_some());
        drop(second);
        assert!(admission.open.lock().expect("not poisoned").is_empty());
    }
}
