//! A run's record as former releases wrote it.

use serde::{Deserialize, Serialize};

use super::{CorrectionRecord, OriginRecord, PinRecord, RunRecord, WorkflowPinRecord};
use crate::record::{DecodeError, Json, decode_form};

/// The last version that is not written any more.
pub(super) const LAST: u8 = 5;

/// Reads a record of one of these versions.
pub(super) fn decode(name: &'static str, bytes: &[u8]) -> Result<RunRecord, DecodeError> {
    let record = match bytes.first() {
        Some(1) => RunRecord2::from(decode_form::<RunRecord1>(name, 1, bytes)?).into(),
        Some(2) => decode_form::<RunRecord2>(name, 2, bytes)?.into(),
        Some(3) => decode_form::<RunRecord3>(name, 3, bytes)?,
        Some(4) => return decode_form::<RunRecord4>(name, 4, bytes).map(RunRecord::from),
        _ => return decode_form::<RunRecord5>(name, LAST, bytes).map(RunRecord::from),
    };
    Ok(RunRecord4::from(record).into())
}

/// Version 1 of a run's record, which knew nothing of what starts a run but requests.
#[derive(Serialize, Deserialize)]
struct RunRecord1 {
    workflow: WorkflowPinRecord,
    language: [u8; 32],
    connectors: Vec<FormerPin>,
    tags: Vec<(String, String)>,
    started_at_ms: i64,
    runtime: Json,
    /// Never written.
    parent: Option<[u8; 16]>,
}

/// Version 2, which knew nothing of secrets.
#[derive(Serialize, Deserialize)]
struct RunRecord2 {
    workflow: WorkflowPinRecord,
    language: [u8; 32],
    connectors: Vec<FormerPin>,
    tags: Vec<(String, String)>,
    started_at_ms: i64,
    runtime: Json,
    origin: OriginRecord,
}

/// Version 3, which knew nothing of corrections.
#[derive(Serialize, Deserialize)]
struct RunRecord3 {
    workflow: WorkflowPinRecord,
    language: [u8; 32],
    connectors: Vec<FormerPin>,
    tags: Vec<(String, String)>,
    started_at_ms: i64,
    runtime: Json,
    origin: OriginRecord,
    secrets: Json,
}

/// Version 4, which did not know which connectors had come with the host, and bounded no events.
#[derive(Serialize, Deserialize)]
struct RunRecord4 {
    workflow: WorkflowPinRecord,
    language: [u8; 32],
    connectors: Vec<FormerPin>,
    tags: Vec<(String, String)>,
    started_at_ms: i64,
    runtime: Json,
    origin: OriginRecord,
    secrets: Json,
    corrections: Vec<FormerCorrection>,
}

/// Version 5, which did not know under which key the run was started.
#[derive(Serialize, Deserialize)]
struct RunRecord5 {
    workflow: WorkflowPinRecord,
    language: [u8; 32],
    connectors: Vec<PinRecord>,
    tags: Vec<(String, String)>,
    started_at_ms: i64,
    runtime: Json,
    origin: OriginRecord,
    secrets: Json,
    corrections: Vec<CorrectionRecord>,
    event_bytes: u64,
}

/// A connector as versions 1 to 4 kept it.
#[derive(Serialize, Deserialize)]
struct FormerPin {
    name: String,
    version: Option<String>,
    digest: [u8; 32],
}

/// A correction as version 4 kept it.
#[derive(Serialize, Deserialize)]
struct FormerCorrection {
    workflow: WorkflowPinRecord,
    connectors: Vec<FormerPin>,
    secrets: Json,
}

impl From<RunRecord1> for RunRecord2 {
    fn from(before: RunRecord1) -> Self {
        Self {
            workflow: before.workflow,
            language: before.language,
            connectors: before.connectors,
            tags: before.tags,
            started_at_ms: before.started_at_ms,
            runtime: before.runtime,
            origin: OriginRecord::Request,
        }
    }
}

impl From<RunRecord2> for RunRecord3 {
    fn from(before: RunRecord2) -> Self {
        Self {
            workflow: before.workflow,
            language: before.language,
            connectors: before.connectors,
            tags: before.tags,
            started_at_ms: before.started_at_ms,
            runtime: before.runtime,
            origin: before.origin,
            secrets: Json("{}".into()),
        }
    }
}

impl From<RunRecord3> for RunRecord4 {
    fn from(before: RunRecord3) -> Self {
        Self {
            workflow: before.workflow,
            language: before.language,
            connectors: before.connectors,
            tags: before.tags,
            started_at_ms: before.started_at_ms,
            runtime: before.runtime,
            origin: before.origin,
            secrets: before.secrets,
            corrections: Vec::new(),
        }
    }
}

impl From<RunRecord4> for RunRecord {
    fn from(before: RunRecord4) -> Self {
        Self {
            workflow: before.workflow,
            language: before.language,
            connectors: pins(before.connectors),
            tags: before.tags,
            started_at_ms: before.started_at_ms,
            runtime: before.runtime,
            origin: before.origin,
            secrets: before.secrets,
            corrections: before.corrections.into_iter().map(Into::into).collect(),
            event_bytes: u64::MAX,
            idempotency_key: None,
        }
    }
}

impl From<RunRecord5> for RunRecord {
    fn from(before: RunRecord5) -> Self {
        Self {
            workflow: before.workflow,
            language: before.language,
            connectors: before.connectors,
            tags: before.tags,
            started_at_ms: before.started_at_ms,
            runtime: before.runtime,
            origin: before.origin,
            secrets: before.secrets,
            corrections: before.corrections,
            event_bytes: before.event_bytes,
            idempotency_key: None,
        }
    }
}

impl From<FormerCorrection> for CorrectionRecord {
    fn from(before: FormerCorrection) -> Self {
        Self {
            workflow: before.workflow,
            connectors: pins(before.connectors),
            secrets: before.secrets,
        }
    }
}

fn pins(before: Vec<FormerPin>) -> Vec<PinRecord> {
    let pin = |before: FormerPin| PinRecord {
        name: before.name,
        version: before.version,
        digest: before.digest,
        bundled: false,
    };
    before.into_iter().map(pin).collect()
}
