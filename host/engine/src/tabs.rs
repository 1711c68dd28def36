//! What tenants have had of something that all wait for: data in, data out.

use std::time::{Duration, Instant};

use baton_store::TenantId;
use rustc_hash::FxHashMap;

/// What tenants have had of the time. It is forgotten as time goes on.
pub(crate) struct Tabs {
    tabs: FxHashMap<TenantId, Tab>,
    share: u32,
    at_once: Duration,
}

struct Tab {
    time: Duration,
    at: Instant,
}

impl Tabs {
    /// A tenant may have one part in `share` of the time, and so much `at_once`.
    pub(crate) fn new(share: u32, at_once: Duration) -> Self {
        Self {
            tabs: FxHashMap::default(),
            share,
            at_once,
        }
    }

    /// Whether a tenant has had too much of late.
    pub(crate) fn is_full(&self, tenant: &TenantId, now: Instant) -> bool {
        self.left(tenant, now) > self.at_once
    }

    /// A tenant has had so much more.
    pub(crate) fn add(&mut self, tenant: &TenantId, took: Duration, now: Instant) {
        let share = self.share;
        if let Some(tab) = self.tabs.get_mut(tenant) {
            let time = tab.left(share, now) + took;
            *tab = Tab { time, at: now };
            return;
        }
        self.tabs.retain(|_, tab| !tab.left(share, now).is_zero());
        let tab = Tab {
            time: took,
            at: now,
        };
        self.tabs.insert(tenant.clone(), tab);
    }

    fn left(&self, tenant: &TenantId, now: Instant) -> Duration {
        let tab = self.tabs.get(tenant);
        tab.map_or(Duration::ZERO, |tab| tab.left(self.share, now))
    }
}

impl Tab {
    /// What has not been forgotten.
    fn left(&self, share: u32, now: Instant) -> Duration {
        self.time.saturating_sub((now - self.at) / share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRIEF: Duration = Duration::from_millis(5);

    #[test]
    fn a_tenant_has_its_part_of_the_time_and_so_much_at_once() {
        let (mut tabs, now) = (Tabs::new(20, BRIEF), Instant::now());
        let tenant = TenantId::default();
        assert!(!tabs.is_full(&tenant, now));
        tabs.add(&tenant, BRIEF, now);
        assert!(!tabs.is_full(&tenant, now), "so much at once");
        tabs.add(&tenant, BRIEF, now);
        assert!(tabs.is_full(&tenant, now));
        let later = now + BRIEF * 20;
        assert!(tabs.is_full(&tenant, later - BRIEF));
        assert!(!tabs.is_full(&tenant, later), "one part in twenty");
    }

    #[test]
    fn what_a_tenant_has_had_is_forgotten() {
        let (mut tabs, now) = (Tabs::new(20, BRIEF), Instant::now());
        let [a, b] = ["a", "b"].map(|name| TenantId::new(name).expect("a tenant"));
        tabs.add(&a, BRIEF * 2, now);
        assert!(tabs.is_full(&a, now) && !tabs.is_full(&b, now));
        tabs.add(&b, BRIEF, now + BRIEF * 2 * 20);
        assert_eq!(tabs.tabs.len(), 1);
    }
}
