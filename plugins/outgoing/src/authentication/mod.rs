//! Authenticating (dsl-reference, "Authentication"): a [`Policy`], and requests sent under it.
//!
//! Credentials may be placeholders of secrets. What needs the value inside an encoding (the credentials of Basic, a
//! hash) is asked of the host, by way of [`Environment`]; the value itself never gets in here.

mod basic;
mod conceal;
mod digest;
mod jwt;
mod oauth2;
mod policy;
mod sending;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use policy::{OAuth2, Policy, Token, UserPassword};
pub use sending::Authenticated;

use crate::{ErrorKind, SendError};

/// What authenticating needs of the host besides the network.
pub trait Environment {
    /// The credentials of Basic (RFC 7617), or what stands for them.
    ///
    /// # Errors
    ///
    /// The host refuses.
    fn basic(&self, username: &str, password: &str) -> Result<String, SendError>;

    /// The hash of a text, in which placeholders stand for what they stand for.
    ///
    /// # Errors
    ///
    /// The host refuses.
    fn hash(&self, algorithm: Algorithm, text: &str) -> Result<Vec<u8>, SendError>;

    /// HMAC-SHA256 (RFC 2104).
    ///
    /// # Errors
    ///
    /// The host refuses.
    fn hmac_sha256(&self, key: &str, data: &[u8]) -> Result<Vec<u8>, SendError>;

    /// What was last kept under a key, where it is still there.
    fn remembered(&self, key: &str) -> Option<String>;

    /// Keeps a value for at most that many milliseconds.
    fn remember(&self, key: &str, value: &str, milliseconds: u64);

    /// The time, in seconds since 1970.
    fn now(&self) -> u64;

    /// A random number, the same for every attempt of a call.
    fn random(&self) -> u64;
}

/// A hash function of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RFC 1321.
    Md5,
    /// FIPS 180-4.
    Sha256,
    /// FIPS 180-4, truncated to 256 bits.
    Sha512Part256,
}

/// Bytes as hex digits in lower case.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn invalid(detail: impl Into<String>) -> SendError {
    SendError::new(ErrorKind::Invalid, detail)
}

fn configuration(detail: impl Into<String>) -> SendError {
    SendError::new(ErrorKind::Configuration, detail)
}

fn unauthenticated(detail: impl Into<String>) -> SendError {
    SendError::new(ErrorKind::Authentication, detail)
}
