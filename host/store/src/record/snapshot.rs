//! The state of a run at some point of its journal.

use super::{DecodeError, Record, encode_form, form};

/// What a run's journal comes to, up to one of its events. A cache: it may be missing, and it is of use only to hosts of
/// the form that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRecord {
    /// A digest of the code that gives the state its meaning.
    pub form: [u8; 32],
    /// The number of the last event that the state contains.
    pub events: u32,
    /// When that happened, in milliseconds since 1970-01-01T00:00:00Z.
    pub last_at_ms: i64,
    /// How many times the run had been corrected by then.
    pub corrections: u32,
    /// The state, as the code of that form writes it. It tells itself whether it is whole.
    pub state: Vec<u8>,
}

/// The state may be large. It stands behind the rest as it is.
impl Record for SnapshotRecord {
    const NAME: &'static str = "snapshot";

    fn encode(&self) -> Vec<u8> {
        let head = (self.form, self.events, self.last_at_ms, self.corrections);
        let mut bytes = encode_form(1, &head);
        bytes.extend_from_slice(&self.state);
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let head = postcard::take_from_bytes(form(Self::NAME, 1, bytes)?);
        let (head, state) = head.map_err(|error| DecodeError::Damaged {
            name: Self::NAME,
            detail: error.to_string(),
        })?;
        let (form, events, last_at_ms, corrections) = head;
        Ok(Self {
            form,
            events,
            last_at_ms,
            corrections,
            state: state.to_vec(),
        })
    }
}
