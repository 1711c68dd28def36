//! How a run comes to be, whoever starts it.

use std::sync::Arc;

use baton_store::record::{
    ChildRecord, OpenRecord, PinRecord, Record, RunRecord, StatusRecord, WorkflowPinRecord,
    WorkflowRecord,
};
use baton_store::{Batch, Digest, RunId, TenantId, key};
use baton_workflow::machine::{Event, Facts, Machine, Status};
use serde_json::Value;
use tokio::runtime::Handle;

use crate::admission::Place;
use crate::catalog::Connectors;
use crate::codec;
use crate::engine::{find_workflow, view_of};
use crate::error::{StartError, Unavailable};
use crate::live::LiveRun;
use crate::origin::Origin;
use crate::partition::{Begin, Message};
use crate::replay::{self, Loaded, Pin};
use crate::resources;
use crate::settings::EngineLimits;
use crate::shared::Shared;
use crate::vault::VaultError;
use crate::version::{Source, Version, VersionKey};
use crate::view::{ConnectorReference, RunView, StartRun};

/// A run that is ready to begin, and what has to be durable before.
pub(crate) struct Prepared {
    pub(crate) batch: Batch,
    pub(crate) begin: Begin,
    /// The run as it is then.
    pub(crate) started: RunView,
}

/// Prepares a run: finds the workflow and what it needs, and makes its first records. Takes an id of its own where
/// none is given. Reads much, and is done aside.
///
/// # Errors
///
/// Where there is no such workflow, or it can't be run.
pub(crate) fn prepare(
    shared: &Shared,
    tenant: &TenantId,
    request: StartRun,
    origin: Origin,
    id: Option<RunId>,
    place: Place,
) -> Result<Prepared, StartError> {
    let StartRun {
        namespace,
        name,
        version,
        input,
        tags,
        ..
    } = request;
    let Found {
        workflow,
        pins,
        pin_records,
        version,
    } = self::version(shared, tenant, &namespace, &name, version.as_deref())?;
    let events_from = shared
        .events
        .next(&*shared.store, tenant)
        .map_err(Unavailable::from)?;
    let names = version.plan.secrets().iter().map(String::as_str);
    let (secrets, missing) = shared
        .vault
        .facts(tenant, names)
        .map_err(|error| match error {
            VaultError::Read(error) => Unavailable::from(error).into(),
            other => StartError::SealedSecrets(other.to_string()),
        })?;
    if !missing.is_empty() {
        return Err(StartError::MissingSecrets { names: missing });
    }
    let secrets = Value::Object(secrets);

    let at = shared.clock.now();
    let id = id
        .unwrap_or_else(|| RunId::new(u64::try_from(at.as_millis()).unwrap_or(0), &rand::random()));
    let record = RunRecord {
        workflow: WorkflowPinRecord {
            namespace: workflow.namespace,
            name: workflow.name,
            version: workflow.version,
            digest: workflow.digest,
        },
        language: shared.language.0,
        connectors: pin_records,
        tags: tags.into_iter().collect(),
        started_at_ms: at.as_millis(),
        runtime: codec::json(&shared.runtime),
        origin: codec::origin_record(&origin),
        secrets: codec::json(&secrets),
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
        OpenRecord { waiting: false }.encode(),
    );
    batch.put(key::run_index(tenant, &id), index.encode());
    if let Origin::Run(parent) = &origin {
        let child = ChildRecord {
            task: parent.task.pointer.to_string(),
        };
        batch.put(key::child(tenant, &parent.run, &id), child.encode());
    }
    let facts = Facts {
        id: id.to_string(),
        runtime: shared.runtime.clone(),
        secrets,
    };
    let started_view = view_of(id, record, input, Status::Running, None, Vec::new());
    let run = Loaded {
        id,
        tenant: tenant.clone(),
        machine: Machine::new(version.plan.clone(), facts),
        version,
        live: LiveRun::new(tenant.clone(), Status::Running),
        index: Arc::new(index),
        pins: pins.into(),
        events: 1,
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
        },
        started: started_view,
    })
}

/// A version of a workflow with the connectors that there are now, ready to run.
pub(crate) struct Found {
    workflow: WorkflowRecord,
    pins: Vec<Pin>,
    pin_records: Vec<PinRecord>,
    pub(crate) version: Arc<Version>,
}

/// Finds a version of a workflow, the highest where none is named, and makes it ready. Reads much, and is done
/// aside.
///
/// # Errors
///
/// Where there is no such workflow, or it can't be run.
pub(crate) fn version(
    shared: &Shared,
    tenant: &TenantId,
    namespace: &str,
    name: &str,
    version: Option<&str>,
) -> Result<Found, StartError> {
    let found = find_workflow(shared, tenant, namespace, name, version)?;
    let workflow = found.ok_or_else(|| StartError::NoSuchWorkflow {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        version: version.map(str::to_owned),
    })?;
    let mut connectors = Connectors::default();
    let mut pins = Vec::new();
    let mut pin_records = Vec::new();
    for name in &workflow.connectors {
        // One that is missing is for the plan to complain about, with its place in the document.
        let Some(entry) = shared
            .library
            .find(tenant, name)
            .map_err(Unavailable::from)?
        else {
            continue;
        };
        let digest = entry.digest;
        let description = shared
            .library
            .describe(&digest)
            .map_err(Unavailable::from)?;
        keep(shared, &digest)?;
        let ConnectorReference { version, .. } = entry.reference(&description);
        pins.push(Pin::new(name, digest, &description));
        pin_records.push(PinRecord {
            name: name.clone(),
            version,
            digest: digest.0,
        });
        connectors.0.insert(name.clone(), description);
    }
    keep(shared, &shared.language)?;
    let document = Digest(workflow.digest);
    let key = VersionKey {
        tenant: tenant.clone(),
        document,
        language: shared.language,
        connectors: pins
            .iter()
            .map(|pin| (pin.name.clone(), pin.digest))
            .collect(),
    };
    let source = || {
        Ok::<_, Unavailable>(Source {
            text: replay::document(shared, tenant, &document)?,
            resources: resources::stored(shared, tenant, &document)?,
            connectors,
        })
    };
    let version = shared
        .versions
        .get(&key, source)?
        .map_err(StartError::Outdated)?;
    Ok(Found {
        workflow,
        pins,
        pin_records,
        version,
    })
}

/// Sees to it that a component which a run keeps is in the store, durably.
fn keep(shared: &Shared, digest: &Digest) -> Result<(), Unavailable> {
    shared.library.keep(digest, |batch| {
        // Aside, where it may block: by way of the journal, which waits where a disk is full.
        let committed = Handle::current().block_on(shared.journal.commit(batch));
        Ok(committed?)
    })
}

/// Lets a run begin, of which the first records are durable.
pub(crate) fn begin(shared: &Shared, begin: Begin) {
    let id = begin.run.id;
    shared.live.adopt(id, begin.run.live.clone());
    shared.mailbox(&id).push(Message::Begin(Box::new(begin)));
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
