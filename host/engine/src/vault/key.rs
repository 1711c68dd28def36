//! Master keys: what secrets are sealed under.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The bytes of a key.
const LENGTH: usize = 32;

/// How many keys a host takes at once: the one that seals, and those from before.
const KEYS_MAX: usize = 16;

/// Which key sealed something: public, and no help in finding the key.
pub(super) type KeyId = [u8; 8];

/// A key of 256 bits.
#[derive(Clone)]
pub(super) struct MasterKey(Zeroizing<[u8; LENGTH]>);

/// The keys that secrets are sealed under. The first one seals; all of them open, so that a key is replaced by
/// putting a new one in front, and the old one goes once every secret has been given again.
#[derive(Clone)]
pub struct MasterKeys(Vec<MasterKey>);

/// Why a text gives no keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    /// There is none in it.
    #[error("there is no key: `baton secret key` makes one")]
    None,
    /// A line is none.
    #[error("line {line} is no key: a key is 32 bytes in base64; `baton secret key` makes one")]
    Malformed {
        /// The line, from 1.
        line: usize,
    },
    /// There are too many.
    #[error("there are more than {KEYS_MAX} keys")]
    TooMany,
}

impl MasterKeys {
    /// Reads keys, one a line or separated by commas, the one that seals first. Empty lines, and those that begin
    /// with `#`, count for nothing.
    ///
    /// # Errors
    ///
    /// Says which line is no key, without showing it.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let mut keys = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let parts = text.split(',').map(str::trim);
            for part in parts.filter(|part| !part.is_empty() && !text.trim().starts_with('#')) {
                keys.push(MasterKey::parse(part).ok_or(MasterKeyError::Malformed { line })?);
            }
        }
        match keys.len() {
            0 => Err(MasterKeyError::None),
            1..=KEYS_MAX => Ok(Self(keys)),
            _ => Err(MasterKeyError::TooMany),
        }
    }

    /// A new key as text, from 32 random bytes, which must come from a cryptographically secure generator.
    #[must_use]
    pub fn text_of(random: [u8; LENGTH]) -> Zeroizing<String> {
        Zeroizing::new(BASE64_STANDARD.encode(random))
    }

    /// The key that seals.
    pub(super) fn first(&self) -> &MasterKey {
        &self.0[0]
    }

    /// The key of that id.
    pub(super) fn get(&self, id: KeyId) -> Option<&MasterKey> {
        self.0.iter().find(|key| key.id() == id)
    }
}

impl MasterKey {
    fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(BASE64_STANDARD.decode(text).ok()?);
        let bytes: [u8; LENGTH] = bytes.as_slice().try_into().ok()?;
        Some(Self(Zeroizing::new(bytes)))
    }

    pub(super) fn id(&self) -> KeyId {
        let hash = Sha256::new()
            .chain_update(b"baton master key\0")
            .chain_update(self.bytes())
            .finalize();
        let mut id = KeyId::default();
        id.copy_from_slice(&hash[..8]);
        id
    }

    pub(super) fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKeys({} of them)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_from_lines_and_lists() {
        let [a, b] = [1, 2].map(|byte| MasterKeys::text_of([byte; LENGTH]).to_string());
        let ids = |text: &str| -> Vec<KeyId> {
            let keys = MasterKeys::parse(text).expect("keys");
            keys.0.iter().map(MasterKey::id).collect()
        };
        assert_eq!(ids(&a).len(), 1);
        assert_eq!(
            ids(&format!("# new\n{b}\n\n{a}\n")),
            ids(&format!("{b},{a}"))
        );
        assert_ne!(ids(&a), ids(&b));
    }

    #[test]
    fn what_is_no_key_is_not_shown() {
        let key = MasterKeys::text_of([1; LENGTH]).to_string();
        for (text, expected) in [
            (String::new(), "there is no key"),
            (format!("{key}\nsecret"), "line 2 is no key"),
            ("c2hvcnQ=".to_owned(), "line 1 is no key"),
        ] {
            let error = MasterKeys::parse(&text).expect_err("no keys").to_string();
            assert!(
                error.contains(expected) && !error.contains("c2hv"),
                "{error}"
            );
        }
        let many = [key.as_str(); KEYS_MAX + 1].join(",");
        assert_eq!(
            MasterKeys::parse(&many).err(),
            Some(MasterKeyError::TooMany)
        );
        assert!(!format!("{:?}", MasterKeys::parse(&key)).contains(&key));
    }
}
