//! What is stored under the keys.
//!
//! A record is one byte, the version of its form, and the form itself in
//! [postcard](https://postcard.jamesmunns.com/wire-format). Each type here is version 1 of its kind unless it
//! says otherwise.
//! They are types of their own, used for nothing but storing: whoever reads or writes them converts.
//!
//! To change a form, keep the old type under a name with its version, give the new one the next number
//! and convert in [`Record::decode`]; add a file under `tests/golden` and leave those that are there.

mod approval;
mod open;
mod run;
mod schedule;
mod shared;
mod snapshot;
mod tenant;

pub use approval::{ApprovalRecord, OutcomeRecord};
pub use open::{AsleepRecord, ListeningRecord, MarkRecord, OpenRecord, PhaseRecord, TopicRecord};
pub use run::{
    AnswerRecord, CallRecord, CorrectionRecord, DecisionRecord, EndRecord, EndingRecord,
    ErrorRecord, EventKindRecord, EventRecord, OriginRecord, ParentRecord, PinRecord,
    RestartRecord, RevealRecord, RunRecord, ScheduledRecord, TaskRecord, TimerKindRecord,
    TimerRecord, WorkflowPinRecord,
};
pub use schedule::{
    PauseRecord, ScheduleFailureRecord, ScheduleRecord, ScheduledStartRecord, TriggerKindRecord,
    TriggerRecord,
};
pub use shared::{BackupRecord, ComponentRecord, MetaRecord, SeedKeyRecord};
pub use snapshot::SnapshotRecord;
pub use tenant::{
    ChildRecord, ConnectorRecord, DocumentRecord, EventIdRecord, EventLogRecord, GrantRecord,
    IdempotencyRecord, LoggedEventRecord, ResourceRecord, ResourcesRecord, RunIndexRecord,
    SecretRecord, SinkRecord, StatusRecord, WorkflowRecord,
};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A JSON value as text (RFC 8259). Never parsed by this crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(pub String);

/// Something that is stored.
pub trait Record: Sized {
    /// What it is, for messages: `run`, `event`.
    const NAME: &'static str;

    /// The bytes to store.
    fn encode(&self) -> Vec<u8>;

    /// The record of stored bytes, of this or any earlier version.
    ///
    /// # Errors
    ///
    /// Where the bytes are of a later version, or no such record at all.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError>;
}

/// Why bytes are no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A later release wrote it.
    #[error(
        "a {name} record is of version {version}, which this host does not know: run a later release"
    )]
    NewerVersion {
        /// What it should be.
        name: &'static str,
        /// The version that it has.
        version: u8,
    },
    /// It is not what was written.
    #[error("a {name} record is damaged: {detail}")]
    Damaged {
        /// What it should be.
        name: &'static str,
        /// What is wrong.
        detail: String,
    },
}

impl From<DecodeError> for crate::ReadError {
    fn from(error: DecodeError) -> Self {
        Self::Corrupt {
            detail: error.to_string(),
        }
    }
}

/// The version byte and the postcard form.
fn encode_form<T: Serialize>(version: u8, record: &T) -> Vec<u8> {
    postcard::to_extend(record, vec![version]).expect("records hold nothing that postcard refuses")
}

/// What [`encode_form`] made of a record of that version.
fn decode_form<T: DeserializeOwned>(
    name: &'static str,
    version: u8,
    bytes: &[u8],
) -> Result<T, DecodeError> {
    let form = form(name, version, bytes)?;
    match postcard::take_from_bytes(form) {
        Ok((record, [])) => Ok(record),
        Ok((_, rest)) => Err(DecodeError::Damaged {
            name,
            detail: format!("{} bytes too many", rest.len()),
        }),
        Err(error) => Err(DecodeError::Damaged {
            name,
            detail: error.to_string(),
        }),
    }
}

/// The bytes behind the version, which must be that one.
fn form<'a>(name: &'static str, expected: u8, bytes: &'a [u8]) -> Result<&'a [u8], DecodeError> {
    match bytes.split_first() {
        Some((version, form)) if *version == expected => Ok(form),
        Some((0, _)) => Err(DecodeError::Damaged {
            name,
            detail: "no version".into(),
        }),
        Some((version, _)) => Err(DecodeError::NewerVersion {
            name,
            version: *version,
        }),
        None => Err(DecodeError::Damaged {
            name,
            detail: "empty".into(),
        }),
    }
}

/// Makes postcard types of version 1 records.
macro_rules! records {
    ($($type:ident = $name:literal),* $(,)?) => {$(
        impl crate::record::Record for $type {
            const NAME: &'static str = $name;

            fn encode(&self) -> Vec<u8> {
                crate::record::encode_form(1, self)
            }

            fn decode(bytes: &[u8]) -> Result<Self, crate::record::DecodeError> {
                crate::record::decode_form(Self::NAME, 1, bytes)
            }
        }
    )*};
}
use records;
