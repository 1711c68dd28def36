//! What waits, by tenants, who take turns: data in, data out.

use std::collections::VecDeque;

use baton_store::TenantId;
use rustc_hash::FxHashMap;

/// What waits for its turn. Within a tenant, what came first is first.
pub(crate) struct Lanes<T> {
    lanes: FxHashMap<TenantId, VecDeque<T>>,
    /// The tenants that have something here, in the order of their turns.
    order: VecDeque<TenantId>,
    /// Whether it is the turn of the first of them.
    has_begun: bool,
    len: usize,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self {
            lanes: FxHashMap::default(),
            order: VecDeque::new(),
            has_begun: false,
            len: 0,
        }
    }
}

impl<T> Lanes<T> {
    /// How much waits.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many tenants have something here.
    pub(crate) fn tenants(&self) -> usize {
        self.order.len()
    }

    /// Adds something of a tenant's.
    pub(crate) fn put(&mut self, tenant: &TenantId, item: T) {
        self.len += 1;
        if let Some(lane) = self.lanes.get_mut(tenant) {
            return lane.push_back(item);
        }
        self.order.push_back(tenant.clone());
        self.lanes.insert(tenant.clone(), VecDeque::from([item]));
    }

    /// The turn of the next tenant begins, if anything waits. Whoever has had one before and has more is behind all others.
    pub(crate) fn turn(&mut self) {
        if self.has_begun {
            self.order.rotate_left(1);
        }
        self.has_begun = !self.order.is_empty();
    }

    /// Takes the next thing of the tenant whose turn it is; none where that has nothing left.
    pub(crate) fn take(&mut self) -> Option<T> {
        let tenant = self.order.front().filter(|_| self.has_begun)?;
        let lane = self.lanes.get_mut(tenant)?;
        let item = lane.pop_front()?;
        self.len -= 1;
        if lane.is_empty() {
            self.lanes.remove(tenant);
            self.order.pop_front();
            self.has_begun = false;
        }
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_take_turns_and_each_has_its_order() {
        let [a, b] = ["a", "b"].map(|name| TenantId::new(name).expect("a tenant"));
        let mut lanes = Lanes::default();
        lanes.turn();
        assert_eq!(lanes.take(), None);
        for item in 1..=3 {
            lanes.put(&a, ("a", item));
        }
        lanes.put(&b, ("b", 1));
        assert_eq!((lanes.len(), lanes.tenants()), (4, 2));
        assert_eq!(lanes.take(), None, "it is nobody's turn");
        lanes.turn();
        assert_eq!(lanes.take(), Some(("a", 1)));
        assert_eq!(lanes.take(), Some(("a", 2)), "it is its turn still");
        lanes.turn();
        assert_eq!(lanes.take(), Some(("b", 1)));
        assert_eq!(lanes.take(), None, "it has nothing left");
        assert_eq!(lanes.tenants(), 1);
        lanes.put(&b, ("b", 2));
        lanes.turn();
        assert_eq!(lanes.take(), Some(("a", 3)), "it has waited for longer");
        lanes.turn();
        assert_eq!(lanes.take(), Some(("b", 2)));
        assert_eq!(lanes.take(), None);
        assert!(lanes.is_empty());
    }
}
