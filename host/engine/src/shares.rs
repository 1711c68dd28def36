//! Work that is done aside: bounded for all tenants together, and for each so that it leaves room for others, who take
//! turns where they wait.

use baton_store::TenantId;

use crate::admission::{self, Admission, Place};
use crate::fair::{FairPermit, FairSemaphore};

/// How much may be done at the same time, and wait for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// At once, of all tenants.
    pub(crate) all: usize,
    /// At once, of one tenant.
    pub(crate) per_tenant: usize,
    /// At once and waiting, of one tenant. What is more is refused.
    pub(crate) present_per_tenant: usize,
}

/// Gives out shares.
pub(crate) struct Shares {
    present: Admission,
    permits: FairSemaphore,
}

/// The right to do one thing. Dropping it gives it back.
pub(crate) struct Share {
    _permit: FairPermit,
    _place: Place,
}

impl Shares {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            present: Admission::new(admission::Bounds {
                open: bounds.present_per_tenant,
                awake: usize::MAX,
                awake_of_all: usize::MAX,
            }),
            permits: FairSemaphore::new(bounds.all, bounds.per_tenant),
        }
    }

    /// A share of a tenant, once it is its turn; none where as many of this tenant wait as may.
    pub(crate) async fn enter(&self, tenant: &TenantId) -> Option<Share> {
        let place = self.present.enter(tenant).ok()?;
        Some(Share {
            _permit: self.permits.acquire(tenant).await,
            _place: place,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn a_tenant_leaves_room_for_others_and_is_refused_beyond_its_bound() {
        let shares = Shares::new(Bounds {
            all: 3,
            per_tenant: 2,
            present_per_tenant: 3,
        });
        let tenant = |name| TenantId::new(name).expect("a tenant");
        let (flood, other) = (tenant("flood"), tenant("other"));
        let first = shares.enter(&flood).await.expect("a share");
        let _second = shares.enter(&flood).await.expect("a share");
        let mut third = pin!(shares.enter(&flood));
        let mut context = Context::from_waker(Waker::noop());
        assert!(third.as_mut().poll(&mut context).is_pending());
        assert!(shares.enter(&flood).await.is_none(), "one more is refused");
        assert!(shares.enter(&other).await.is_some());
        drop(first);
        assert!(third.await.is_some());
    }
}
