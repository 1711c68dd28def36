//! What the placeholders of one call stand for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::host::{Destination, HostPattern};
use super::placeholder::{self, LENGTH, Placeholder};
use super::{Secrets, Value};
use crate::limits::CREDENTIALS_MAX;

/// All but the unreserved characters (RFC 3986, section 2.3).
pub(super) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The secrets of one call, and the credentials that the host has made of them for it. Clones are the same.
#[derive(Clone)]
pub(crate) struct Keyring(Arc<Inner>);

struct Inner {
    known: HashMap<Placeholder, Entry>,
    made: Mutex<HashMap<Placeholder, Entry>>,
    seed: [u8; 32],
}

/// What a placeholder stands for.
#[derive(Clone)]
pub(crate) struct Entry {
    /// What to call it in a message.
    name: String,
    value: Value,
    /// It may go where each of these has a pattern for: a credential is bound to what all of its parts are
    /// bound to.
    bounds: Vec<Arc<[HostPattern]>>,
    /// What a credential was made of.
    parts: Vec<(Placeholder, Value)>,
}

/// How a value is written where it is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As it is: plain text, bytes.
    Raw,
    /// In a header, which takes no control characters.
    Header,
    /// Percent-encoded: in a URL or a form.
    Percent,
    /// Within a string of JSON.
    Json,
}

/// Why a text can't be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfillable {
    /// It holds a placeholder that the call does not know.
    #[error(
        "it holds the placeholder of a secret that this call may not use, or that is gone: name the secret under \
         `use.secrets` of the workflow, or grant it to the connector"
    )]
    Unknown,
    /// It holds a secret that must not go there.
    #[error(
        "the secret `{name}` is not bound to {to}: add that host to the secret's hosts if it may have it"
    )]
    NotBound {
        /// The secret.
        name: String,
        /// Where the text would go.
        to: String,
    },
    /// The value has characters that may not stand there.
    #[error("the value of the secret `{name}` holds a control character, which no header may")]
    NoHeader {
        /// The secret.
        name: String,
    },
    /// The call has asked for too many credentials.
    #[error("the call has made {CREDENTIALS_MAX} credentials, as many as one may")]
    TooMany,
}

/// The placeholders that were filled in, and what with.
#[derive(Clone, Default)]
pub(crate) struct Used(pub(super) Vec<(Placeholder, Value)>);

impl Used {
    /// Whether nothing was filled in.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, placeholder: Placeholder, entry: &Entry) {
        let all = entry
            .parts
            .iter()
            .cloned()
            .chain([(placeholder, entry.value.clone())]);
        for (placeholder, value) in all {
            if !self.0.iter().any(|(other, _)| *other == placeholder) {
                self.0.push((placeholder, value));
            }
        }
    }
}

impl Keyring {
    /// The secrets of a call. `seed` is what makes the placeholders of its credentials.
    pub(crate) fn new(secrets: &Secrets, seed: [u8; 32]) -> Self {
        let entry = |secret: &super::Secret| Entry {
            name: secret.name.clone(),
            value: secret.value.clone(),
            bounds: vec![Arc::clone(&secret.hosts)],
            parts: Vec::new(),
        };
        let known = secrets
            .iter()
            .map(|secret| (secret.placeholder, entry(secret)));
        Self(Arc::new(Inner {
            known: known.collect(),
            made: Mutex::default(),
            seed,
        }))
    }

    /// Whether there is nothing that could be filled in.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.known.is_empty() && self.made().is_empty()
    }

    /// Fills in what goes to `to`. None where there was nothing to fill in.
    ///
    /// # Errors
    ///
    /// A placeholder stands for nothing that the call may use, or for a secret that is not bound to `to`; or its
    /// value can't be written in that encoding.
    pub(crate) fn fill(
        &self,
        bytes: &[u8],
        encoding: Encoding,
        to: &Destination,
        used: &mut Used,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Unfillable> {
        self.filled(bytes, encoding, used, |entry| {
            let is_bound = |hosts: &Arc<[HostPattern]>| hosts.iter().any(|host| host.allows(to));
            match entry.bounds.iter().all(is_bound) {
                true => Ok(()),
                false => Err(Unfillable::NotBound {
                    name: entry.name.clone(),
                    to: to.to_string(),
                }),
            }
        })
    }

    /// Fills in what stays in the host: to be hashed, or made a credential.
    ///
    /// # Errors
    ///
    /// A placeholder stands for nothing that the call may use.
    pub(crate) fn fill_here(
        &self,
        bytes: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, Ingredients), Unfillable> {
        let mut ingredients = Ingredients::default();
        let mut used = Used::default();
        let filled = self.filled(bytes, Encoding::Raw, &mut used, |entry| {
            ingredients.bounds.extend(entry.bounds.iter().cloned());
            if ingredients.name.is_empty() {
                ingredients.name.clone_from(&entry.name);
            }
            Ok(())
        })?;
        ingredients.parts = used.0;
        Ok((
            filled.unwrap_or_else(|| Zeroizing::new(bytes.to_vec())),
            ingredients,
        ))
    }

    /// A placeholder for a value that was made of others: it goes where all of them may go. The same call makes the
    /// same ones, in their order.
    ///
    /// # Errors
    ///
    /// [`Unfillable::TooMany`].
    pub(crate) fn make(
        &self,
        value: Value,
        ingredients: Ingredients,
    ) -> Result<Placeholder, Unfillable> {
        let mut made = self.made();
        if made.len() >= CREDENTIALS_MAX {
            return Err(Unfillable::TooMany);
        }
        let hash = Sha256::new()
            .chain_update(b"credential")
            .chain_update(self.0.seed)
            .chain_update(made.len().to_be_bytes())
            .finalize();
        let mut digits = [0; 16];
        digits.copy_from_slice(&hash[..16]);
        let placeholder = Placeholder::from_bytes(digits);
        let entry = Entry {
            name: ingredients.name,
            value,
            bounds: ingredients.bounds,
            parts: ingredients.parts,
        };
        made.insert(placeholder, entry);
        Ok(placeholder)
    }

    fn filled(
        &self,
        bytes: &[u8],
        encoding: Encoding,
        used: &mut Used,
        mut check: impl FnMut(&Entry) -> Result<(), Unfillable>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Unfillable> {
        let mut next = placeholder::find(bytes, 0);
        if next.is_none() {
            return Ok(None);
        }
        let mut filled = Zeroizing::new(Vec::with_capacity(bytes.len() * 2));
        let mut done = 0;
        while let Some((at, placeholder)) = next {
            let entry = self.entry(placeholder).ok_or(Unfillable::Unknown)?;
            check(&entry)?;
            filled.extend_from_slice(&bytes[done..at]);
            write(&mut filled, &entry, encoding)?;
            used.add(placeholder, &entry);
            done = at + LENGTH;
            next = placeholder::find(bytes, done);
        }
        filled.extend_from_slice(&bytes[done..]);
        Ok(Some(filled))
    }

    fn entry(&self, placeholder: Placeholder) -> Option<Entry> {
        let known = self.0.known.get(&placeholder).cloned();
        known.or_else(|| self.made().get(&placeholder).cloned())
    }

    fn made(&self) -> std::sync::MutexGuard<'_, HashMap<Placeholder, Entry>> {
        self.0.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What something was made of.
#[derive(Default)]
pub(crate) struct Ingredients {
    name: String,
    bounds: Vec<Arc<[HostPattern]>>,
    parts: Vec<(Placeholder, Value)>,
}

impl Ingredients {
    /// These and those.
    pub(crate) fn and(mut self, mut other: Self) -> Self {
        if self.name.is_empty() {
            self.name = other.name;
        }
        self.bounds.append(&mut other.bounds);
        self.parts.append(&mut other.parts);
        self
    }
}

fn write(to: &mut Vec<u8>, entry: &Entry, encoding: Encoding) -> Result<(), Unfillable> {
    let value = entry.value.expose();
    match encoding {
        Encoding::Raw => to.extend_from_slice(value.as_bytes()),
        Encoding::Header => {
            // RFC 9110, section 5.5.
            if value.chars().any(|it| it.is_control() && it != '\t') {
                return Err(Unfillable::NoHeader {
                    name: entry.name.clone(),
                });
            }
            to.extend_from_slice(value.as_bytes());
        }
        Encoding::Percent => {
            for part in percent_encode(value.as_bytes(), ENCODED) {
                to.extend_from_slice(part.as_bytes());
            }
        }
        Encoding::Json => to.extend_from_slice(json(value).as_bytes()),
    }
    Ok(())
}

/// What stands between the quotes of a JSON string.
pub(super) fn json(value: &str) -> Zeroizing<String> {
    let quoted = Zeroizing::new(serde_json::Value::String(value.to_owned()).to_string());
    Zeroizing::new(quoted[1..quoted.len() - 1].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const VALUE: &str = "p\"ä /\\?";

    fn placeholder() -> Placeholder {
        Placeholder::from_bytes([1; 16])
    }

    fn keyring(value: &str) -> Keyring {
        let secret = Secret {
            name: "token".to_owned(),
            member: None,
            placeholder: placeholder(),
            value: Value::new(value.to_owned()),
            hosts: Arc::from(["a.example".parse().unwrap()]),
        };
        Keyring::new(&Secrets::new(vec![secret]), [9; 32])
    }

    fn to(host: &str) -> Destination {
        Destination {
            host: url::Host::parse(host).unwrap(),
            port: 443,
        }
    }

    fn fill(text: &str, encoding: Encoding, host: &str) -> Result<Option<String>, Unfillable> {
        let filled =
            keyring(VALUE).fill(text.as_bytes(), encoding, &to(host), &mut Used::default())?;
        Ok(filled.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
    }

    #[test]
    fn a_value_is_written_as_its_place_needs_it() {
        let text = format!("<{0}|{0}>", placeholder());
        for (encoding, expected) in [
            (Encoding::Raw, VALUE),
            (Encoding::Header, VALUE),
            (Encoding::Percent, "p%22%C3%A4%20%2F%5C%3F"),
            (Encoding::Json, "p\\\"ä /\\\\?"),
        ] {
            let filled = fill(&text, encoding, "a.example").unwrap();
            assert_eq!(filled, Some(format!("<{expected}|{expected}>")));
        }
        assert_eq!(fill("nothing", Encoding::Raw, "b.example"), Ok(None));
    }

    #[test]
    fn a_secret_goes_only_where_it_is_bound_to() {
        let error = fill(&placeholder().to_string(), Encoding::Raw, "b.example").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the secret `token` is not bound to b.example:443: add that host to the secret's hosts if it may have it"
        );
        let other = Placeholder::from_bytes([2; 16]).to_string();
        assert_eq!(
            fill(&other, Encoding::Raw, "a.example"),
            Err(Unfillable::Unknown)
        );
    }

    #[test]
    fn a_header_takes_no_line_break() {
        let keyring = keyring("a\r\nx-evil: 1");
        let text = placeholder().to_string();
        let filled = keyring.fill(
            text.as_bytes(),
            Encoding::Header,
            &to("a.example"),
            &mut Used::default(),
        );
        assert!(matches!(filled, Err(Unfillable::NoHeader { .. })));
    }

    #[test]
    fn a_credential_is_bound_to_what_its_parts_are_bound_to() {
        let keyring = keyring(VALUE);
        let (_, parts) = keyring
            .fill_here(format!("ada:{}", placeholder()).as_bytes())
            .unwrap();
        let made = keyring.make(Value::new("made".to_owned()), parts).unwrap();
        let text = made.to_string();
        let mut used = Used::default();
        let filled = keyring.fill(text.as_bytes(), Encoding::Raw, &to("a.example"), &mut used);
        assert_eq!(filled.unwrap().unwrap().as_slice(), b"made");
        assert_eq!(used.0.len(), 2, "the part is scrubbed as well");
        let elsewhere = keyring.fill(
            text.as_bytes(),
            Encoding::Raw,
            &to("b.example"),
            &mut Used::default(),
        );
        assert!(matches!(elsewhere, Err(Unfillable::NotBound { .. })));
    }

    #[test]
    fn credentials_are_bounded() {
        let keyring = keyring(VALUE);
        let make = || keyring.make(Value::new("x".to_owned()), Ingredients::default());
        let made: std::collections::HashSet<_> =
            (0..CREDENTIALS_MAX).map(|_| make().unwrap()).collect();
        assert_eq!(made.len(), CREDENTIALS_MAX);
        assert_eq!(make(), Err(Unfillable::TooMany));
    }
}
