//! Where the random numbers of calls come from.

use baton_store::seed::SeedKey;
use sha2::{Digest as _, Sha256};

/// The block of SHA-256, in bytes.
const BLOCK: usize = 64;

/// The seed of a call's random numbers: the same for every attempt and after every recovery, so that a call that
/// uses nothing else can be made again; and known to nobody who does not know the store's secret. The
/// idempotency key alone would not do: it is sent to the servers that the call asks.
pub(crate) fn seed(secret: &SeedKey, idempotency_key: &str) -> [u8; 32] {
    hmac_sha256(secret.bytes(), idempotency_key.as_bytes())
}

/// HMAC (RFC 2104) with SHA-256 and a key that is no longer than a block.
pub(crate) fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut padded = [0; BLOCK];
    padded[..key.len()].copy_from_slice(key);
    let inner = Sha256::new()
        .chain_update(padded.map(|byte| byte ^ 0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(padded.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test cases 1 and 2. A key is filled up with zeros, so that a shorter one is the same key.
    #[test]
    fn it_is_hmac() {
        let key = |bytes: &[u8]| {
            let mut key = [0; 32];
            key[..bytes.len()].copy_from_slice(bytes);
            key
        };
        for (key, message, expected) in [
            (
                key(&[0x0b; 20]),
                "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                key(b"Jefe"),
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
        ] {
            assert_eq!(hex::encode(hmac_sha256(&key, message.as_bytes())), expected);
        }
    }

    #[test]
    fn another_store_gives_other_numbers() {
        let of = |secret| seed(&SeedKey::from_bytes([secret; 32]), "run/task/1");
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
