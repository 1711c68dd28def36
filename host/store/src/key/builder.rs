//! How keys are put together.

use super::{KeyRange, PARTITIONS_MAX, SHARED, TENANTS};
use crate::id::{Partition, TenantId};

/// A key under construction.
pub(super) struct Builder(Vec<u8>);

impl Builder {
    pub(super) fn partition(partition: Partition, kind: u8) -> Self {
        debug_assert!(partition.0 < PARTITIONS_MAX);
        let mut key = Vec::with_capacity(64);
        key.extend(partition.0.to_be_bytes());
        key.push(kind);
        Self(key)
    }

    /// The space of what tenants own.
    pub(super) fn tenants() -> Self {
        let mut key = Vec::with_capacity(64);
        key.extend(TENANTS.to_be_bytes());
        Self(key)
    }

    pub(super) fn tenant_space(tenant: &TenantId, kind: u8) -> Self {
        Self::tenants().tenant(tenant).byte(kind)
    }

    pub(super) fn shared(kind: u8) -> Self {
        let mut key = Vec::with_capacity(40);
        key.extend(SHARED.to_be_bytes());
        Self(key).byte(kind)
    }

    pub(super) fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn tenant(self, tenant: &TenantId) -> Self {
        let name = tenant.as_str().as_bytes();
        let length = u8::try_from(name.len()).expect("a tenant's name has at most 63 bytes");
        self.byte(length).bytes(name)
    }

    /// A part of variable length that others follow.
    pub(super) fn terminated(self, text: &str) -> Self {
        debug_assert!(!text.as_bytes().contains(&0));
        self.bytes(text.as_bytes()).byte(0)
    }

    pub(super) fn key(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn range(self) -> KeyRange {
        KeyRange::prefix(self.0)
    }
}
