//! The store itself, and content by its digest.

use super::builder::Builder;
use crate::id::Digest;

/// The kinds of shared records.
mod kind {
    pub(super) const META: u8 = b'm';
    pub(super) const COMPONENT: u8 = b'c';
    pub(super) const SEED_KEY: u8 = b's';
    pub(super) const PROBE: u8 = b'p';
}

/// What the store says about itself: [`crate::record::MetaRecord`].
pub fn meta() -> Vec<u8> {
    Builder::shared(kind::META).key()
}

/// What is written, and removed in the same batch, to see whether the store takes anything. Nothing is ever there.
pub fn probe() -> Vec<u8> {
    Builder::shared(kind::PROBE).key()
}

/// What the random numbers of calls come from: [`crate::record::SeedKeyRecord`].
pub fn seed_key() -> Vec<u8> {
    Builder::shared(kind::SEED_KEY).key()
}

/// A component's bytes, by their digest: [`crate::record::ComponentRecord`].
pub fn component(digest: &Digest) -> Vec<u8> {
    Builder::shared(kind::COMPONENT).bytes(&digest.0).key()
}
