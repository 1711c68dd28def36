//! The identities that keys are made of. None can be mistaken for another.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

/// A tenant: a DNS label (RFC 1123), 1 to 63 of `a-z`, `0-9` and `-`, with no `-` at either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// The name of the tenant of a host without tokens: `default`.
    pub const DEFAULT: &'static str = "default";

    /// The tenant of that name.
    ///
    /// # Errors
    ///
    /// [`NotATenant`] where `name` is no DNS label.
    pub fn new(name: &str) -> Result<Self, NotATenant> {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=63).contains(&name.len())
            && name.bytes().all(inner)
            && !name.starts_with('-')
            && !name.ends_with('-');
        if fits {
            Ok(Self(name.into()))
        } else {
            Err(NotATenant { name: name.into() })
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TenantId {
    fn default() -> Self {
        Self(Self::DEFAULT.into())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TenantId {
    type Err = NotATenant;

    fn from_str(name: &str) -> Result<Self, NotATenant> {
        Self::new(name)
    }
}

/// A text that names no tenant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no tenant: expected 1 to 63 of a-z, 0-9 and -, with no - at either end")]
pub struct NotATenant {
    name: String,
}

/// A run: a UUID version 7 (RFC 9562), so that ids sort by the time at which they were made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(Uuid);

impl RunId {
    /// A new id, from the time in milliseconds since the epoch and 10 random bytes.
    pub fn new(at_ms: u64, random: &[u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(at_ms, random).into_uuid())
    }

    /// The least id that can have been made at `at_ms`: a bound for scans by time.
    pub fn least_at(at_ms: u64) -> Self {
        Self::new(at_ms, &[0; 10])
    }

    /// The id of those bytes, as keys hold them.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The bytes that keys hold, in the order of the ids.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The partition that owns the run, of `count` (at least 1).
    ///
    /// Taken from the last eight bytes, which are random but for two bits; the first bytes are the time
    /// and would put all runs of a moment into one partition.
    pub fn partition(&self, count: u16) -> Partition {
        let (_, random) = self.0.as_u64_pair();
        let number = random % u64::from(count.max(1));
        Partition(u16::try_from(number).expect("a remainder of a u16"))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for RunId {
    type Err = NotARun;

    fn from_str(text: &str) -> Result<Self, NotARun> {
        // The hyphenated form alone: one run has one address.
        match Uuid::try_parse(text) {
            Ok(uuid) if text.len() == 36 => Ok(Self(uuid)),
            _ => Err(NotARun { text: text.into() }),
        }
    }
}

/// A text that is no run's id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no run's id: expected a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")]
pub struct NotARun {
    text: String,
}

/// A partition: the part of the runs that one processor owns. Numbered from 0 to one less than the
/// count that [`crate::meta::Meta`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(pub u16);

/// The SHA-256 of some content, which is the content's identity. Shown as `sha256:` and 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_are_dns_labels() {
        for good in ["a", "default", "team-7", &"x".repeat(63)] {
            assert!(TenantId::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "A",
            "a_b",
            "a/b",
            "a\0",
            "ä",
            &"x".repeat(64),
        ] {
            assert!(TenantId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn run_ids_sort_by_time_and_read_back() {
        let early = RunId::new(1_000, &[0xff; 10]);
        let late = RunId::new(1_001, &[0; 10]);
        assert!(early < late);
        assert!(RunId::least_at(1_000) < early);
        assert_eq!(early.to_string().parse(), Ok(early));
        assert_eq!(RunId::from_bytes(*early.as_bytes()), early);
        for bad in [
            "",
            "x",
            &early.to_string().replace('-', ""),
            &format!("{{{early}}}"),
        ] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn runs_of_one_moment_spread_over_all_partitions() {
        let used: std::collections::BTreeSet<_> = (0..64)
            .map(|n| RunId::new(1, &[0, 0, 0, 0, 0, 0, 0, 0, 0, n]).partition(8))
            .collect();
        assert_eq!(used.len(), 8);
    }
}
