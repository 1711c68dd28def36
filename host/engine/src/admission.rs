//! How many runs each tenant has open, and how many of them in memory; and how many are in memory of all.

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
    counts: Arc<Mutex<Counts>>,
    max: Bounds,
}

/// How many runs may be open and in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Open, of a tenant.
    pub(crate) open: usize,
    /// In memory, of a tenant.
    pub(crate) awake: usize,
    /// In memory, of all tenants. Once half of the places are taken, a tenant may have an equal share of that half and no
    /// more; once all are, only one that has none gets another.
    pub(crate) awake_of_all: usize,
}

#[derive(Default)]
struct Counts {
    tenants: HashMap<TenantId, Count>,
    /// Those in memory, of all tenants.
    awake: usize,
    /// How many tenants have some in memory.
    at_work: usize,
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
    pub(crate) fn new(max: Bounds) -> Self {
        Self {
            counts: Arc::default(),
            max,
        }
    }

    /// A place for one more, if there is one.
    pub(crate) fn enter(&self, tenant: &TenantId) -> Result<Place, Crowded> {
        self.enter_below(tenant, self.max)
    }

    fn enter_below(&self, tenant: &TenantId, max: Bounds) -> Result<Place, Crowded> {
        let mut counts = self.lock();
        if counts.of(tenant).open >= max.open {
            return Err(Crowded::Open(max.open));
        }
        if let Some(most) = counts.met(tenant, max) {
            return Err(Crowded::Awake(most));
        }
        counts.tenants.entry(tenant.clone()).or_default().open += 1;
        counts.wake(tenant);
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
        let mut counts = self.lock();
        counts.tenants.entry(tenant.clone()).or_default().open += 1;
    }

    /// A place in memory for one that is asleep, whatever the bound is.
    pub(crate) fn wake(&self, tenant: &TenantId) -> Place {
        self.lock().wake(tenant);
        self.place(tenant)
    }

    /// Whether so many runs are in memory that those of the tenant which nobody asks for have to sleep on.
    pub(crate) fn is_crowded(&self, tenant: &TenantId) -> bool {
        self.lock().met(tenant, self.beyond()).is_some()
    }

    fn beyond(&self) -> Bounds {
        Bounds {
            open: self.max.open.saturating_mul(2),
            awake: self.max.awake.saturating_mul(2),
            awake_of_all: self
                .max
                .awake_of_all
                .saturating_add(self.max.awake_of_all / 4),
        }
    }

    fn place(&self, tenant: &TenantId) -> Place {
        Place {
            admission: self.clone(),
            tenant: tenant.clone(),
            sleeps: false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, tenant: &TenantId, sleeps: bool) {
        let mut counts = self.lock();
        let Some(count) = counts.tenants.get_mut(tenant) else {
            return;
        };
        count.open -= usize::from(!sleeps);
        count.awake -= 1;
        let is_idle = count.awake == 0;
        if *count == Count::default() {
            counts.tenants.remove(tenant);
        }
        counts.awake -= 1;
        counts.at_work -= usize::from(is_idle);
    }
}

impl Counts {
    fn of(&self, tenant: &TenantId) -> Count {
        self.tenants.get(tenant).copied().unwrap_or_default()
    }

    /// One more of the tenant is in memory.
    fn wake(&mut self, tenant: &TenantId) {
        let count = self.tenants.entry(tenant.clone()).or_default();
        self.at_work += usize::from(count.awake == 0);
        count.awake += 1;
        self.awake += 1;
    }

    /// How many of the tenant may be in memory now, where there are as many.
    fn met(&self, tenant: &TenantId, max: Bounds) -> Option<usize> {
        let awake = self.of(tenant).awake;
        let half = max.awake_of_all / 2;
        let most = match self.awake {
            all if all < half => usize::MAX,
            all if all < max.awake_of_all => half / (self.at_work + usize::from(awake == 0)),
            _ => 1,
        };
        let most = max.awake.min(most.max(1));
        (awake >= most).then_some(most)
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

    fn admission(open: usize, awake: usize, awake_of_all: usize) -> Admission {
        Admission::new(Bounds {
            open,
            awake,
            awake_of_all,
        })
    }

    impl Admission {
        fn is_empty(&self) -> bool {
            let counts = self.lock();
            counts.tenants.is_empty() && counts.awake == 0 && counts.at_work == 0
        }
    }

    #[test]
    fn a_tenant_fills_its_own_places_only() {
        let admission = admission(2, 10, 100);
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
        assert!(admission.is_empty());
    }

    #[test]
    fn one_that_sleeps_makes_room_in_memory() {
        let admission = admission(10, 1, 100);
        let a = tenant("a");
        let first = admission.enter(&a).expect("room");
        assert_eq!(admission.enter(&a).err(), Some(Crowded::Awake(1)));
        first.sleep();
        let second = admission.enter(&a).expect("room again");
        assert!(!admission.is_crowded(&a));
        let woken = admission.wake(&a);
        assert!(admission.is_crowded(&a));
        drop((second, woken));
        assert!(admission.is_empty());
    }

    #[test]
    fn where_many_places_in_memory_are_taken_each_tenant_has_its_share() {
        let admission = admission(100, 10, 16);
        let (a, b, c) = (tenant("a"), tenant("b"), tenant("c"));
        let mut of_a: Vec<_> = (0..8).map(|_| admission.enter(&a).expect("room")).collect();
        assert_eq!(admission.enter(&a).err(), Some(Crowded::Awake(8)));
        let of_b = [(); 4].map(|()| admission.enter(&b).expect("its share"));
        assert_eq!(admission.enter(&b).err(), Some(Crowded::Awake(4)));
        assert!(
            !admission.is_crowded(&b),
            "one more of those that sleep may wake"
        );
        of_a.truncate(1);
        let more = [(); 3].map(|()| admission.enter(&a).expect("room again"));
        let of_c = [(); 2].map(|()| admission.enter(&c).expect("its share"));
        assert_eq!(admission.enter(&c).err(), Some(Crowded::Awake(2)));
        drop((of_a, of_b, of_c, more));
        assert!(admission.is_empty());
    }

    #[test]
    fn where_all_places_in_memory_are_taken_who_has_none_gets_one() {
        let admission = admission(100, 10, 16);
        let tenants: Vec<_> = (0..40).map(|it| tenant(&format!("t{it}"))).collect();
        let mut places = Vec::new();
        for tenant in &tenants {
            places.extend((0..10).map_while(|_| admission.enter(tenant).ok()));
        }
        let awake = admission.lock().awake;
        assert!(awake >= 40, "each has one: {awake}");
        assert!(
            awake <= 16 + 40,
            "and no more than the bound beside it: {awake}"
        );
        for tenant in &tenants {
            assert!(admission.is_crowded(tenant), "{tenant}");
        }
    }
}
