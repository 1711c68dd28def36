//! How much of request bodies is held at once: of all requests, and of each tenant's.
//!
//! A body is counted as it comes, in parts of 64 KiB, so that announcing a large one holds nothing. A tenant may hold as
//! much as is left for all others: half of the whole where it is alone, and less the more others hold.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use baton_api::ProblemKind;
use baton_engine::TenantId;

use crate::refusal::Refusal;

/// In what steps bodies are counted, in bytes: also about what a connection has read ahead.
pub(crate) const PART: usize = 64 << 10;

/// How soon a client may come again when there is no room for its body.
const RETRY: Duration = Duration::from_secs(1);

/// The room that there is for bodies.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Mutex<Parts>>);

/// What a body holds of the budget. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    tenant: TenantId,
    held: usize,
}

/// Why there is no room for more of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Spent {
    /// The tenant holds as much as it may.
    #[error(
        "the bodies of this tenant's requests hold {held} KiB just now, and it may hold as much as is left for all \
         others; send fewer large bodies at a time"
    )]
    Tenant {
        /// How much it holds, in kibibytes.
        held: usize,
    },
    /// All tenants together hold all that there is.
    #[error("the bodies of all requests hold as much as this host takes; try again")]
    Host,
}

/// All in parts.
#[derive(Debug)]
struct Parts {
    free: usize,
    held: HashMap<TenantId, usize>,
}

impl Budget {
    /// Room for so many bytes, of which there is at least one part.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Mutex::new(Parts {
            free: (bytes_max / PART).max(1),
            held: HashMap::new(),
        })))
    }

    /// The share of a body of which nothing has come yet.
    pub(crate) fn share(&self, tenant: &TenantId) -> Share {
        Share {
            budget: self.clone(),
            tenant: tenant.clone(),
            held: 0,
        }
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Makes room for the first so many bytes of the body, or for one where there are none.
    ///
    /// # Errors
    ///
    /// There is no room. It holds what it held before.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), Spent> {
        let wanted = bytes.div_ceil(PART).max(1);
        if wanted > self.held {
            let mut parts = self.budget.parts();
            parts.take(&self.tenant, wanted - self.held)?;
            self.held = wanted;
        }
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.parts().give_back(&self.tenant, self.held);
    }
}

impl Parts {
    fn take(&mut self, tenant: &TenantId, wanted: usize) -> Result<(), Spent> {
        if wanted > self.free {
            return Err(Spent::Host);
        }
        let held = self.held.get(tenant).copied().unwrap_or_default();
        // A first part is never too much.
        if held + wanted > (self.free - wanted).max(1) {
            let held = held * (PART >> 10);
            return Err(Spent::Tenant { held });
        }
        self.free -= wanted;
        *self.held.entry(tenant.clone()).or_default() += wanted;
        Ok(())
    }

    fn give_back(&mut self, tenant: &TenantId, count: usize) {
        self.free += count;
        if let Some(held) = self.held.get_mut(tenant) {
            *held -= count;
            if *held == 0 {
                self.held.remove(tenant);
            }
        }
    }
}

impl From<Spent> for Refusal {
    fn from(spent: Spent) -> Self {
        match spent {
            Spent::Tenant { .. } => Self::busy(spent.to_string(), RETRY),
            Spent::Host => {
                Self::new(ProblemKind::Unavailable, spent.to_string()).retry_after(RETRY)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(number: usize) -> TenantId {
        TenantId::new(&format!("t{number}")).unwrap()
    }

    /// Lets tenants hold what they can, part by part and in turn: how much of 100 parts each has then.
    fn flood(budget: &Budget, tenants: usize) -> (Vec<Share>, Vec<usize>) {
        let mut shares = Vec::new();
        let mut held = vec![0; tenants];
        for _ in 0..100 {
            for (number, held) in held.iter_mut().enumerate() {
                let mut share = budget.share(&tenant(number));
                if share.hold(1).is_ok() {
                    *held += 1;
                    shares.push(share);
                }
            }
        }
        (shares, held)
    }

    #[test]
    fn whoever_is_there_leaves_as_much_as_it_holds() {
        for (tenants, each) in [(1, 50), (2, 33), (3, 25), (9, 10)] {
            let budget = Budget::new(100 * PART);
            let (shares, held) = flood(&budget, tenants);
            assert_eq!(held, vec![each; tenants]);
            let mut late = budget.share(&tenant(99));
            assert_eq!(late.hold(1), Ok(()), "{tenants}");
            drop((shares, late));
            assert_eq!(flood(&budget, 1).1, [50], "all is given back");
        }
    }

    #[test]
    fn a_body_is_counted_as_it_comes() {
        let budget = Budget::new(8 * PART);
        let mut body = budget.share(&tenant(0));
        for bytes in [0, 1, PART, PART + 1, 4 * PART, 2 * PART] {
            assert_eq!(body.hold(bytes), Ok(()), "{bytes}");
        }
        assert_eq!(body.held, 4);
        let error = body.hold(4 * PART + 1).unwrap_err();
        assert_eq!(error, Spent::Tenant { held: 256 });
        assert_eq!(body.held, 4, "what it has it keeps");
        assert_eq!(budget.share(&tenant(0)).hold(1), Err(error));
        assert_eq!(budget.share(&tenant(1)).hold(1), Ok(()));
        drop(body);
        assert_eq!(budget.share(&tenant(0)).hold(4 * PART), Ok(()));
    }

    #[test]
    fn a_host_that_is_full_says_so() {
        let budget = Budget::new(3 * PART);
        let mut shares: Vec<Share> = (0..4).map(|it| budget.share(&tenant(it))).collect();
        let held: Vec<_> = shares.iter_mut().map(|share| share.hold(1)).collect();
        assert_eq!(held, [Ok(()), Ok(()), Ok(()), Err(Spent::Host)]);
        for (spent, kind) in [
            (Spent::Host, ProblemKind::Unavailable),
            (Spent::Tenant { held: 64 }, ProblemKind::Busy),
        ] {
            assert_eq!(Refusal::from(spent).problem.kind(), Some(kind));
        }
    }
}
