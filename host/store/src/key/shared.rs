//! The store itself, and content by its digest.

use super::builder::Builder;
use crate::id::Digest;

/// The kinds of shared records.
mod kind {
    pub(super) const META: u8 = b'm';
    pub(super) const COMPONENT: u8 = b'c';
    pub(super) const SEED_KEY: u8 = b's';
}

/// What the store says about itself: [`crate::record::MetaRecord`].
pub fn meta() -> Vec<u8> {
    Builder::shared(kind::META).key()
}

/// What the random numbers of calls come from: [`crate::record::SeedKeyRecord`].
pub fn seed_key() -> Vec<u8> {
    Builder::shared(kind::SEED_KEY).key()
}

/// A component's bytes, by their digest: [`crate::record::ComponentRecord`].
pub fn component(digest: &Digest) -> Vec<u8> {
    Builder::shared(kind::COMPONENT).bytes(&digest.0).key()
}
