//! Secrets during a call: placeholders for the guest, values in what leaves the host.
//!
//! The guest and the workflow have [`Placeholder`]s. A [`Keyring`] knows, for one call, what those stand for
//! that the call may use, and fills the values in ([`Keyring::fill`]) where something goes out to a
//! [`Destination`] that the secret is bound to. What comes back is scrubbed of the values that went out
//! ([`Scrubber`]). Whatever capability lets bytes out uses these three.
//!
//! Values are in memory that is wiped when it is given up, and are never shown by `Debug`.

mod host;
mod keyring;
mod placeholder;
mod scrub;

pub(crate) use host::Destination;
pub use host::{HostPattern, HostPatternError};
pub(crate) use keyring::{Encoding, Keyring, Unfillable, Used};
pub use placeholder::Placeholder;
pub(crate) use scrub::Scrubber;

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// The value of a secret, or of a member of one. Wiped when it is given up; shown by nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Zeroizing<String>);

impl Value {
    /// A value.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The value itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(…)")
    }
}

/// A secret that a call may use, or a member of one.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The secret's name.
    pub name: String,
    /// The member, where the secret is an object of texts.
    pub member: Option<String>,
    /// What stands for it.
    pub placeholder: Placeholder,
    /// What it is.
    pub value: Value,
    /// The hosts that it may be sent to.
    pub hosts: Arc<[HostPattern]>,
}

/// All secrets that a call may use: those of the connector's grant and those of the workflow's `use.secrets`,
/// as far as they exist. Clones are the same secrets.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Arc<Vec<Secret>>);

impl Secrets {
    /// These secrets.
    #[must_use]
    pub fn new(secrets: Vec<Secret>) -> Self {
        Self(Arc::new(secrets))
    }

    /// No secrets.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Secret> {
        self.0.iter()
    }
}
