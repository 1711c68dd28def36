//! How a run comes to be, whoever starts it.

use std::sync::Arc;

use baton_store::record::{
    ChildRecord, OpenRecord, PhaseRecord, Record, RestartRecord, RunRecord, StatusRecord,
};
use baton_store::{Batch, RunId, TenantId, key};
use baton_workflow::machine::{Event, Facts, Machine, Status};
use serde_json::Value;

use crate::admission::Place;
use crate::codec;
use crate::engine::view_of;
use crate::error::{StartError, Unavailable};
use crate::journal::Notice;
use crate::keep::{Kept, Wanted};
use crate::locks::Held;
use crate::origin::{Origin, Restart};
use crate::partition::{Begin, Message};
use crate::replay::{self, Loaded};
use crate::settings::EngineLimits;
use crate::shared::Shared;
use crate::snapshot::Uncovered;
use crate::view::{RunView, StartRun};

/// That nobody else starts a run under an idempotency key of a tenant's.
pub(crate) type KeyHeld = Held<(TenantId, String)>;

/// A run that is ready to begin, and what has to be durable before.
pub(crate) struct Prepared {
    pub(crate) batch: Batch,
    pub(crate) begin: Begin,
    /// The run as it is then.
    pub(crate) started: RunView,
}

/// The workflow that a request names.
pub(crate) fn wanted(request: &StartRun) -> Wanted<'_> {
    Wanted {
        namespace: &request.namespace,
        name: &request.name,
        version: request.version.as_deref(),
    }
}

/// Prepares a run of what it keeps: makes its first records. Takes an id of its own where none is given.
///
/// # Errors
///
/// Where the store can't be read.
pub(crate) fn prepare(
    shared: &Shared,
    tenant: &TenantId,
    request: StartRun,
    origin: Origin,
    id: Option<RunId>,
    place: Place,
    kept: Kept,
) -> Result<Prepared, StartError> {
    let StartRun {
        input,
        tags,
        idempotency_key,
        ..
    } = request;
    let events_from = shared
        .events
        .next(&*shared.store, tenant)
        .map_err(Unavailable::from)?;

    let at = shared.clock.now();
    let id = id.unwrap_or_else(|| {
        let at_ms = u64::try_from(at.as_millis()).unwrap_or(0);
        RunId::new(at_ms, &shared.platform.random())
    });
    let Kept {
        workflow,
        version,
        connectors,
        pins,
        secrets,
    } = kept;
    let record = RunRecord {
        workflow,
        language: shared.language.0,
        connectors,
        tags: tags.into_iter().collect(),
        started_at_ms: at.as_millis(),
        runtime: codec::json(&shared.runtime),
        origin: codec::origin_record(&origin),
        secrets: codec::json(&secrets),
        corrections: Vec::new(),
        event_bytes: u64::try_from(shared.limits.event_bytes).unwrap_or(u64::MAX),
        idempotency_key,
    };
    let input = Arc::new(input);
    let started = Event::Started {
        input: input.clone(),
        events_from,
    };
    let index = replay::index_record(&record, StatusRecord::Open);
    let partition = id.partition(shared.partitions);
    let mut batch = Batch::new();
    batch.put(key::run(partition, tenant, &id), record.encode());
    batch.put(
        key::event(partition, tenant, &id, 1),
        codec::event_record(&started, at).encode(),
    );
    batch.put(
        key::open(partition, tenant, &id),
        OpenRecord {
            phase: PhaseRecord::Running,
            asleep: None,
        }
        .encode(),
    );
    batch.put(key::run_index(tenant, &id), index.encode());
    match &origin {
        Origin::Request | Origin::Schedule(_) => {}
        Origin::Run(parent) => {
            let child = ChildRecord {
                task: parent.task.pointer.to_string(),
            };
            batch.put(key::child(tenant, &parent.run, &id), child.encode());
        }
        Origin::Restart(Restart { run, by }) => {
            let restart = RestartRecord {
                run: *run.as_bytes(),
                by: by.clone(),
            };
            batch.put(key::restart(tenant, run, &id), restart.encode());
        }
    }
    let facts = Facts {
        id: id.to_string(),
        runtime: shared.runtime.clone(),
        secrets,
        event_bytes: record.event_bytes,
    };
    let started_view = view_of(id, record, input, Status::Running, None, Vec::new());
    let run = Loaded {
        id,
        tenant: tenant.clone(),
        machine: Machine::new(version.plan.clone(), facts),
        version,
        index: Arc::new(index),
        pins: pins.into(),
        events: 1,
        uncovered: Uncovered::default(),
        corrections: 0,
        last_at: at,
        ending: None,
        emitted: Vec::new(),
        origin,
    };
    Ok(Prepared {
        batch,
        begin: Begin {
            run,
            started,
            at,
            place,
            beginning: shared.beginnings.enter(id),
            key: None,
        },
        started: started_view,
    })
}

/// Lets a run begin, of which the first records are durable.
pub(crate) fn begin(shared: &Shared, begin: Begin) {
    beginning(shared, begin).tell(shared);
}

/// What lets a run begin, once its first records are durable.
pub(crate) fn beginning(shared: &Shared, begin: Begin) -> Notice {
    let partition = begin.run.id.partition(shared.partitions);
    let tenant = begin.run.tenant.clone();
    Notice::new(tenant, partition, Message::Begin(Box::new(begin)))
}

/// Whether a run may start with this input.
///
/// # Errors
///
/// [`StartError::InputTooLarge`].
pub(crate) fn check_input(limits: &EngineLimits, input: &Value) -> Result<(), StartError> {
    let bytes = input.to_string().len();
    if bytes > limits.input_bytes {
        return Err(StartError::InputTooLarge {
            bytes,
            max: limits.input_bytes,
        });
    }
    Ok(())
}
