//! A host for tests, which run without WebAssembly.

use std::cell::RefCell;
use std::collections::HashMap;

use base64::prelude::{BASE64_STANDARD, Engine};

use super::{Algorithm, Environment};
use crate::SendError;

/// A host without secrets, but with a memory. Its hash of a text is the text's end, and its HMAC is the key.
#[derive(Default)]
pub struct Host {
    /// What is kept, by its key: the value, and for how many milliseconds.
    pub kept: RefCell<HashMap<String, (String, u64)>>,
}

/// How many bytes of a text are its hash.
const HASH_BYTES: usize = 3;

impl Environment for Host {
    fn basic(&self, username: &str, password: &str) -> Result<String, SendError> {
        Ok(BASE64_STANDARD.encode(format!("{username}:{password}")))
    }

    fn hash(&self, _: Algorithm, text: &str) -> Result<Vec<u8>, SendError> {
        Ok(text.bytes().rev().take(HASH_BYTES).collect())
    }

    fn hmac_sha256(&self, key: &str, _: &[u8]) -> Result<Vec<u8>, SendError> {
        Ok(key.as_bytes().to_vec())
    }

    fn remembered(&self, key: &str) -> Option<String> {
        self.kept.borrow().get(key).map(|(value, _)| value.clone())
    }

    fn remember(&self, key: &str, value: &str, milliseconds: u64) {
        let kept = (value.to_owned(), milliseconds);
        self.kept.borrow_mut().insert(key.to_owned(), kept);
    }

    fn now(&self) -> u64 {
        1_800_000_000
    }

    fn random(&self) -> u64 {
        7
    }
}
