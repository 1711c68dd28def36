//! SHA-256, the identity of content.

use baton_store::Digest;
use sha2::{Digest as _, Sha256};

/// The digest of some content.
pub(crate) fn of(content: &[u8]) -> Digest {
    Digest(Sha256::digest(content).into())
}
