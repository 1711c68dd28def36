//! What a tenant owns beside the journals of its runs. All times are milliseconds since the epoch.

use serde::{Deserialize, Serialize};

use super::{DecodeError, Json, Record, form, records};

records! {
    WorkflowRecord = "workflow",
    ConnectorRecord = "connector",
    GrantRecord = "grant",
    RunIndexRecord = "run index",
    ChildRecord = "child",
    IdempotencyRecord = "idempotency",
    EventLogRecord = "event log",
    LoggedEventRecord = "logged event",
    EventIdRecord = "event id",
    SinkRecord = "sink",
    SecretRecord = "secret",
    ResourcesRecord = "resources",
}

/// A version of a workflow. Written once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowRecord {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The SHA-256 of the document, under which its text is stored.
    pub digest: [u8; 32],
    /// The document's title.
    pub title: Option<String>,
    /// The document's summary.
    pub summary: Option<String>,
    /// The connectors that it calls, by name, each once.
    pub connectors: Vec<String>,
    /// When it was published.
    pub published_at_ms: i64,
}

/// A document, byte for byte as it was posted. Stored as it is behind the version byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRecord(pub String);

impl Record for DocumentRecord {
    const NAME: &'static str = "document";

    fn encode(&self) -> Vec<u8> {
        [&[1], self.0.as_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let text = form(Self::NAME, 1, bytes)?.to_vec();
        let damaged = |_| DecodeError::Damaged {
            name: Self::NAME,
            detail: "not UTF-8".into(),
        };
        Ok(Self(String::from_utf8(text).map_err(damaged)?))
    }
}

/// What a workflow version keeps elsewhere, as it was when the version was published. There is none for a
/// version that keeps nothing elsewhere. Written once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourcesRecord {
    /// The document's own URI, where it was a file: relative URIs start there.
    pub home: Option<String>,
    /// The resources, by URI.
    pub resources: Vec<ResourceRecord>,
}

/// Something that was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRecord {
    /// Where it was.
    pub uri: String,
    /// What it was.
    pub text: String,
}

/// A connector that is installed. Another installation under the name takes its place; the component
/// itself stays for the runs that keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorRecord {
    /// The name under which workflows know it.
    pub name: String,
    /// The version of its WIT package, where that has one.
    pub version: Option<String>,
    /// The SHA-256 of the component, under which its bytes are stored.
    pub digest: [u8; 32],
    /// When it was installed.
    pub installed_at_ms: i64,
}

/// What a connector is granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRecord {
    /// The grant as the tenant has written it.
    pub spec: Json,
    /// When it was granted.
    pub granted_at_ms: i64,
}

/// What a tenant's list of runs is filtered by. Written with the start, and again with the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunIndexRecord {
    /// The workflow's namespace.
    pub namespace: String,
    /// The workflow's name.
    pub name: String,
    /// The workflow's version.
    pub version: String,
    /// Whether it has ended, and how.
    pub status: StatusRecord,
    /// What the client has tagged it with, by key.
    pub tags: Vec<(String, String)>,
}

/// That a run has started another one. Written with the other one's start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildRecord {
    /// The JSON pointer of the task that started it.
    pub task: String,
}

/// Whether a run has ended, and how. New statuses are added at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatusRecord {
    /// Not ended.
    Open,
    /// Ended with an output.
    Completed,
    /// Ended with an error.
    Faulted,
    /// Ended from outside.
    Cancelled,
}

/// Which run a client's idempotency key started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// The run.
    pub run: [u8; 16],
    /// The SHA-256 of what was asked for, to tell a repetition from another request under the same key.
    pub request: [u8; 32],
}

/// How far a tenant's log of events reaches. Written with every event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLogRecord {
    /// The position of the oldest event that is kept, or of the next one where there is none.
    pub first: u64,
    /// The position of the next event, from 1 on.
    pub next: u64,
    /// How many bytes the records of the events that are kept have.
    pub bytes: u64,
}

/// An event of a tenant's log. Written once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedEventRecord {
    /// When it came.
    pub at_ms: i64,
    /// The event in its JSON form (CloudEvents).
    pub event: Json,
}

/// Where the event with a source and id is, as long as the log keeps it: what tells a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventIdRecord {
    /// The event's position in the log.
    pub position: u64,
}

/// A secret, sealed. All but `sealed` is in the clear, and a part of what the seal is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRecord {
    /// The name.
    pub name: String,
    /// Which master key sealed it: the first bytes of the key's SHA-256, under a prefix.
    pub key: [u8; 8],
    /// The nonce of the seal.
    pub nonce: [u8; 24],
    /// The value, a JSON text or an object of texts, under XChaCha20-Poly1305.
    pub sealed: Vec<u8>,
    /// The hosts that it may be sent to, as the tenant has written them.
    pub hosts: Vec<String>,
    /// The names of its members, where it is an object.
    pub members: Option<Vec<String>>,
    /// The members that are no secret.
    pub public: Vec<String>,
    /// When it was made.
    pub created_at_ms: i64,
    /// When its value or hosts were last given.
    pub updated_at_ms: i64,
}

/// How far a sink is. Written when it has taken some events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkRecord {
    /// The position of the last event of the log that it has, or has no interest in.
    pub position: u64,
}
