//! The text that stands for a secret.

use std::fmt;

use serde::{Serialize, Serializer};

/// What every placeholder begins with.
const PREFIX: &str = "baton-secret-";

/// How many hex digits follow.
const DIGITS: usize = 32;

/// The length of every placeholder, in bytes.
pub(crate) const LENGTH: usize = PREFIX.len() + DIGITS;

/// An opaque text that stands for a secret: `baton-secret-` and 32 hex digits in lower case. Nothing that encodes
/// text for JSON, a URL, a form or a header changes it.
///
/// Whoever makes one sees to it that the same secret has the same placeholder for ever, so that an expression that
/// holds it comes to the same result when a run is replayed, and that nobody can guess it from the secret's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Placeholder([u8; DIGITS / 2]);

impl Placeholder {
    /// The placeholder with these digits.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads a placeholder.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match find(text.as_bytes(), 0) {
            Some((0, placeholder)) if text.len() == LENGTH => Some(placeholder),
            _ => None,
        }
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", hex::encode(self.0))
    }
}

impl Serialize for Placeholder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The first placeholder in `bytes` from `start` on, and where it begins.
pub(super) fn find(bytes: &[u8], start: usize) -> Option<(usize, Placeholder)> {
    let mut from = start;
    loop {
        let at = from + memchr::memmem::find(&bytes[from..], PREFIX.as_bytes())?;
        let digits = bytes.get(at + PREFIX.len()..at + LENGTH)?;
        let mut value = [0; DIGITS / 2];
        let lower = digits
            .iter()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte));
        if lower && hex::decode_to_slice(digits, &mut value).is_ok() {
            return Some((at, Placeholder(value)));
        }
        from = at + PREFIX.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_comes_back_from_its_text() {
        let placeholder = Placeholder::from_bytes([0xab; 16]);
        let text = placeholder.to_string();
        assert_eq!(text.len(), LENGTH);
        assert_eq!(Placeholder::parse(&text), Some(placeholder));
        for wrong in [
            "",
            "baton-secret-",
            &text[1..],
            &text.to_uppercase(),
            &format!("{text}0"),
        ] {
            assert_eq!(Placeholder::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_first_one_is_found_behind_what_only_looks_like_one() {
        let placeholder = Placeholder::from_bytes([7; 16]);
        let text = format!("baton-secret-baton-secret-x {placeholder}{placeholder}");
        let (at, found) = find(text.as_bytes(), 0).unwrap();
        assert_eq!((at, found), (28, placeholder));
        assert_eq!(find(text.as_bytes(), at + 1).unwrap().0, 28 + LENGTH);
        assert_eq!(find(text.as_bytes(), at + LENGTH + 1), None);
    }
}
