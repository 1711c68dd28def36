//! What waits, by tenants: data in, data out.

use std::collections::VecDeque;

use baton_store::TenantId;
use rustc_hash::FxHashMap;

/// What waits, in a lane for each tenant. Within a tenant, what came first is first.
pub(crate) struct Lanes<T> {
    /// None of them is empty.
    lanes: FxHashMap<TenantId, VecDeque<T>>,
    len: usize,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self {
            lanes: FxHashMap::default(),
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
        self.lanes.is_empty()
    }

    /// Whether anything of a tenant's waits.
    pub(crate) fn has(&self, tenant: &TenantId) -> bool {
        self.lanes.contains_key(tenant)
    }

    /// Adds something of a tenant's. Whether nothing of it has waited before.
    pub(crate) fn put(&mut self, tenant: &TenantId, item: T) -> bool {
        self.len += 1;
        if let Some(lane) = self.lanes.get_mut(tenant) {
            lane.push_back(item);
            return false;
        }
        self.lanes.insert(tenant.clone(), VecDeque::from([item]));
        true
    }

    /// Takes the next thing of a tenant.
    pub(crate) fn take(&mut self, tenant: &TenantId) -> Option<T> {
        let lane = self.lanes.get_mut(tenant)?;
        let item = lane.pop_front()?;
        self.len -= 1;
        if lane.is_empty() {
            self.lanes.remove(tenant);
        }
        Some(item)
    }

    /// Takes all of a tenant.
    pub(crate) fn take_all(&mut self, tenant: &TenantId) -> VecDeque<T> {
        let lane = self.lanes.remove(tenant).unwrap_or_default();
        self.len -= lane.len();
        lane
    }

    /// All lanes.
    pub(crate) fn into_lanes(self) -> impl Iterator<Item = (TenantId, VecDeque<T>)> {
        self.lanes.into_iter()
    }
}

/// What waits, and whose tenants take turns.
pub(crate) struct Rotation<T> {
    lanes: Lanes<T>,
    /// The tenants that have a lane, in the order of their turns.
    order: VecDeque<TenantId>,
    /// Whether it is the turn of the first of them.
    has_begun: bool,
}

impl<T> Default for Rotation<T> {
    fn default() -> Self {
        Self {
            lanes: Lanes::default(),
            order: VecDeque::new(),
            has_begun: false,
        }
    }
}

impl<T> Rotation<T> {
    /// How much waits.
    pub(crate) fn len(&self) -> usize {
        self.lanes.len()
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Of how many tenants anything waits.
    pub(crate) fn tenants(&self) -> usize {
        self.order.len()
    }

    /// Adds something of a tenant's.
    pub(crate) fn put(&mut self, tenant: &TenantId, item: T) {
        if self.lanes.put(tenant, item) {
            self.order.push_back(tenant.clone());
        }
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
        let item = self.lanes.take(tenant)?;
        if !self.lanes.has(tenant) {
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
    fn all_of_a_tenant_is_taken_and_nothing_of_others() {
        let [a, b] = ["a", "b"].map(|name| TenantId::new(name).expect("a tenant"));
        let mut lanes = Lanes::default();
        for (tenant, item) in [(&a, 1), (&b, 2), (&a, 3)] {
            lanes.put(tenant, item);
        }
        assert_eq!(lanes.take_all(&a), [1, 3]);
        assert!(lanes.take_all(&a).is_empty() && lanes.len() == 1 && lanes.has(&b));
    }

    #[test]
    fn tenants_take_turns_and_each_has_its_order() {
        let [a, b] = ["a", "b"].map(|name| TenantId::new(name).expect("a tenant"));
        let mut rotation = Rotation::default();
        rotation.turn();
        assert_eq!(rotation.take(), None);
        for item in 1..=3 {
            rotation.put(&a, ("a", item));
        }
        rotation.put(&b, ("b", 1));
        assert_eq!((rotation.len(), rotation.tenants()), (4, 2));
        assert_eq!(rotation.take(), None, "it is nobody's turn");
        rotation.turn();
        assert_eq!(rotation.take(), Some(("a", 1)));
        assert_eq!(rotation.take(), Some(("a", 2)), "it is its turn still");
        rotation.turn();
        assert_eq!(rotation.take(), Some(("b", 1)));
        assert_eq!(rotation.take(), None, "it has nothing left");
        assert_eq!(rotation.tenants(), 1);
        rotation.put(&b, ("b", 2));
        rotation.turn();
        assert_eq!(rotation.take(), Some(("a", 3)), "it has waited for longer");
        rotation.turn();
        assert_eq!(rotation.take(), Some(("b", 2)));
        assert_eq!(rotation.take(), None);
        assert!(rotation.is_empty());
    }
}
