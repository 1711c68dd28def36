//! How many runs each tenant has open, and how many of them in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use baton_store::TenantId;

use crate::error::StartError;

/// When to ask again whether there is room.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Counts the open runs of each tenant, and refuses those beyond the bounds.
#[derive(Clone)]
pub(crate) struct Admission {
    tenants: Arc<Mutex<HashMap<TenantId, Count>>>,
    max: Count,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    open: usize,
    /// Those of them that are not asleep.
    awake: usize,
}

/// A place in memory for one open run. Dropping it gives the place back.
pub(crate) struct Place {
    admission: Admission,
    tenant: TenantId,
    sleeps: bool,
}

/// Why there is no place for one more run of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crowded {
    /// As many are open as may be.
    Open(usize),
    /// As many are in memory as may be.
    Awake(usize),
}

impl std::fmt::Display for Crowded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(max) => write!(formatter, "{max} runs are open, as many as may be"),
            Self::Awake(max) => write!(
                formatter,
                "{max} runs are at work, as many as may be at a time"
            ),
        }
    }
}

impl From<Crowded> for StartError {
    fn from(crowded: Crowded) -> Self {
        Self::Busy {
            reason: crowded.to_string(),
            retry_after: RETRY_AFTER,
        }
    }
}

impl Admission {
    /// At most so many `open` and so many of them `awake`, for each tenant.
    pub(crate) fn new(open: usize, awake: usize) -> Self {
        Self {
            tenants: Arc::default(),
            max: Count { open, awake },
        }
    }

    /// A place for one more, if there is one.
    pub(crate) fn enter(&self, tenant: &TenantId) -> Result<Place, Crowded> {
        self.enter_below(tenant, self.max)
    }

    fn enter_below(&self, tenant: &TenantId, max: Count) -> Result<Place, Crowded> {
        let mut tenants = self.lock();
        let count = tenants.get(tenant).copied().unwrap_or_default();
        if count.open >= max.open {
            return Err(Crowded::Open(max.open));
        }
        if count.awake >= max.awake {
            return Err(Crowded::Awake(max.awake));
        }
        let count = tenants.entry(tenant.clone()).or_default();
        count.open += 1;
        count.awake += 1;
        Ok(self.place(tenant))
    }

    /// A place for one that another run has started. Those have as many places again as there are for all, so
    /// that runs that fill all places do not keep one another from ending.
    pub(crate) fn enter_beyond(&self, tenant: &TenantId) -> Result<Place, Crowded> {
        self.enter_below(tenant, self.beyond())
    }

    /// A place for one that was admitted before the host was restarted, whatever the bound is now.
    pub(crate) fn enter_again(&self, tenant: &TenantId) -> Place {
        self.enter_asleep(tenant);
        self.wake(tenant)
    }

    /// Counts one that was admitted before the host was restarted, and that is asleep.
    pub(crate) fn enter_asleep(&self, tenant: &TenantId) {
        self.lock().entry(tenant.clone()).or_default().open += 1;
    }

    /// A place in memory for one that is asleep, whatever the bound is.
    pub(crate) fn wake(&self, tenant: &TenantId) -> Place {
        self.lock().entry(tenant.clone()).or_default().awake += 1;
        self.place(tenant)
    }

    /// Whether so many of the tenant's runs are in memory that those which nobody asks for have to sleep on.
    pub(crate) fn is_crowded(&self, tenant: &TenantId) -> bool {
        let count = self.lock().get(tenant).copied().unwrap_or_default();
        count.awake >= self.beyond().awake
    }

    fn beyond(&self) -> Count {
        Count {
            open: self.max.open.saturating_mul(2),
            awake: self.max.awake.saturating_mul(2),
        }
    }

    fn place(&self, tenant: &TenantId) -> Place {
        Place {
            admission: self.clone(),
            tenant: tenant.clone(),
            sleeps: false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Count>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, tenant: &TenantId, sleeps: bool) {
        let mut tenants = self.lock();
        if let Some(count) = tenants.get_mut(tenant) {
            count.open -= usize::from(!sleeps);
            count.awake -= 1;
            if *count == Count::default() {
                tenants.remove(tenant);
            }
        }
    }
}

impl Place {
    /// The run leaves memory and stays open.
    pub(crate) fn sleep(mut self) {
        self.sleeps = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.admission.leave(&self.tenant, self.sleeps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).expect("a tenant")
    }

    #[test]
    fn a_tenant_fills_its_own_places_only() {
        let admission = Admission::new(2, 10);
        let (a, b) = (tenant("a"), tenant("b"));
        let first = admission.enter(&a).expect("room");
        let second = admission.enter_again(&a);
        assert_eq!(admission.enter(&a).err(), Some(Crowded::Open(2)));
        assert!(admission.enter(&b).is_ok());
        let beyond = [(); 2].map(|()| admission.enter_beyond(&a).expect("room for children"));
        assert!(admission.enter_beyond(&a).is_err());
        drop(beyond);
        drop(first);
        assert!(admission.enter(&a).is_ok());
        drop(second);
        assert!(admission.lock().is_empty());
    }

    #[test]
    fn one_that_sleeps_makes_room_in_memory() {
        let admission = Admission::new(10, 1);
        let a = tenant("a");
        let first = admission.enter(&a).expect("room");
        assert_eq!(admission.enter(&a).err(), Some(Crowded::Awake(1)));
        first.sleep();
        let second = admission.enter(&a).expect("room again");
        assert!(!admission.is_crowded(&a));
        let woken = admission.wake(&a);
        assert!(admission.is_crowded(&a));
        drop((second, woken));
        assert!(admission.lock().is_empty());
    }
}
