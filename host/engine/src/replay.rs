//! A run from its journal: the same events on the same plan make the same run again.

use std::collections::BTreeMap;
use std::sync::Arc;

use baton_sandbox::{Capability, Description};
use baton_store::record::{
    DocumentRecord, EventRecord, Json, OpenRecord, PinRecord, Record, RunIndexRecord, RunRecord,
    SnapshotRecord, StatusRecord, WorkflowPinRecord,
};
use baton_store::{Digest, Direction, Partition, ReadError, RunId, TenantId, key};
use baton_workflow::machine::{
    Command, Difference, Ending, Event, Facts, Machine, Occurrence, Status,
};
use baton_workflow::{CloudEvent, Timestamp};

use crate::catalog::Connectors;
use crate::codec;
use crate::library::DescribeError;
use crate::lifecycle;
use crate::origin::Origin;
use crate::resources;
use crate::shared::Shared;
use crate::snapshot::{self, Found, Uncovered};
use crate::version::{Source, Version, VersionKey};

/// How many events are read from the store at a time.
const EVENTS_AT_A_TIME: usize = 256;

/// A run in memory, before anybody drives it.
pub(crate) struct Loaded {
    pub(crate) id: RunId,
    pub(crate) tenant: TenantId,
    pub(crate) version: Arc<Version>,
    pub(crate) machine: Machine,
    pub(crate) index: Arc<RunIndexRecord>,
    pub(crate) pins: Arc<[Pin]>,
    /// How many events its journal has.
    pub(crate) events: u32,
    /// How many of them no snapshot has.
    pub(crate) uncovered: Uncovered,
    /// How many times it has been corrected.
    pub(crate) corrections: u32,
    /// The time of the last event.
    pub(crate) last_at: Timestamp,
    /// How the run ended with the last of them, where it has.
    pub(crate) ending: Option<Ending>,
    /// What it emitted at its start, where nothing has been recorded since: the host may have stopped before that
    /// was in the log.
    pub(crate) emitted: Vec<CloudEvent>,
    pub(crate) origin: Origin,
}

/// A connector as a run keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Pin {
    pub(crate) name: String,
    pub(crate) digest: Digest,
    /// Whether it came with the host, with this release or with the one that the run began to keep it under.
    pub(crate) bundled: bool,
    /// Whether the component imports nothing by which it could touch the world or see anything that may
    /// differ next time.
    pub(crate) inert: bool,
}

/// Why a run can't be had from its journal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Describe(#[from] DescribeError),
    #[error("its {0} is not in the store")]
    Missing(&'static str),
    #[error("its document can't be run by this host: {0}")]
    Plan(String),
    #[error("its expressions can't be evaluated just now: {0}")]
    Language(String),
    #[error(
        "it ends before event {number} of its journal: the journal is damaged, or this host makes another run of \
         it than the host that wrote it"
    )]
    Diverged { number: u32 },
    #[error("event {number} of its journal names a corrected version that its record does not")]
    Uncorrected { number: u32 },
    #[error("it can't go on under the version of event {number} of its journal: {difference}")]
    Differs { number: u32, difference: Difference },
}

impl LoadError {
    /// Whether it may well go some seconds later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Language(_) => true,
            Self::Read(error) => error.is_passing(),
            Self::Describe(error) => error.is_passing(),
            Self::Missing(_)
            | Self::Plan(_)
            | Self::Diverged { .. }
            | Self::Uncorrected { .. }
            | Self::Differs { .. } => false,
        }
    }
}

impl From<LoadError> for crate::Unavailable {
    fn from(error: LoadError) -> Self {
        Self::of(
            &format!("the run can't be read: {error}"),
            error.is_passing(),
        )
    }
}

impl Pin {
    pub(crate) fn new(shared: &Shared, record: &PinRecord, description: &Description) -> Self {
        let sees_nothing = |capability: Option<Capability>| match capability {
            Some(
                Capability::Http
                | Capability::Config
                | Capability::Clock
                | Capability::Secrets
                | Capability::Cache
                | Capability::Tcp
                | Capability::Process
                | Capability::Items,
            )
            | None => false,
            Some(Capability::Log | Capability::Random | Capability::Call | Capability::Inert) => {
                true
            }
        };
        let inert = description
            .imports
            .iter()
            .all(|import| sees_nothing(import.capability));
        let digest = Digest(record.digest);
        Self {
            name: record.name.clone(),
            digest,
            bundled: record.bundled || shared.library.is_bundled(&record.name, &digest),
            inert,
        }
    }
}

/// Loads a run: its machine is where its journal ends. Of the journal, what is behind the run's snapshot is read, where
/// it has one. Also an open run may have ended there, where the host stopped between the record of its start and that of
/// its end.
pub(crate) fn load(
    shared: &Arc<Shared>,
    partition: Partition,
    tenant: &TenantId,
    id: &RunId,
) -> Result<Loaded, LoadError> {
    let record = run_record(shared, partition, tenant, id)?.ok_or(LoadError::Missing("record"))?;
    let index = index_record(&record, StatusRecord::Open);
    let mut run = Replay::from_snapshot(shared, partition, tenant, id, record)?;
    let mut ending = None;
    let mut emitted = Vec::new();
    while let Some(commands) = run.step()? {
        emitted.clear();
        // What follows an end is that the run goes on.
        ending = None;
        for command in commands {
            match command {
                Command::End(end) => ending = Some(end),
                // What later events have brought about is in the log, since it was committed with them.
                Command::Emit(event) if run.events == 1 => emitted.push(event),
                Command::Note(note) if run.events == 1 => {
                    emitted.extend(lifecycle::events(shared.lifecycle, id, &index, &note));
                }
                _ => {}
            }
        }
    }
    if !emitted.is_empty() && may_have_been_dropped(shared, partition, tenant, id)? {
        emitted.clear();
    }
    let Replay {
        machine,
        record,
        version,
        pins,
        events,
        uncovered,
        last_at,
        ..
    } = run;
    Ok(Loaded {
        id: *id,
        tenant: tenant.clone(),
        index: Arc::new(index),
        machine,
        version,
        pins,
        events,
        uncovered,
        corrections: u32::try_from(record.corrections.len()).unwrap_or(u32::MAX),
        last_at,
        ending,
        emitted,
        origin: codec::origin(record.origin),
    })
}

/// Whether events from behind a run's start have been dropped: then it has been there for long, and what it emitted at
/// its start has been in the log, though the log may not know it any more.
fn may_have_been_dropped(
    shared: &Shared,
    partition: Partition,
    tenant: &TenantId,
    id: &RunId,
) -> Result<bool, LoadError> {
    let first = shared.events.first(&*shared.store, tenant)?;
    let started = first_event(shared, partition, tenant, id)?.event;
    Ok(matches!(started, Event::Started { events_from, .. } if events_from < first))
}

/// What a run is and keeps.
pub(crate) fn run_record(
    shared: &Shared,
    partition: Partition,
    tenant: &TenantId,
    id: &RunId,
) -> Result<Option<RunRecord>, ReadError> {
    let stored = shared.store.get(&key::run(partition, tenant, id))?;
    Ok(stored.as_deref().map(RunRecord::decode).transpose()?)
}

/// A run's first event: its input.
pub(crate) fn first_event(
    shared: &Shared,
    partition: Partition,
    tenant: &TenantId,
    id: &RunId,
) -> Result<Occurrence, LoadError> {
    let stored = shared
        .store
        .get(&key::event(partition, tenant, id, 1))?
        .ok_or(LoadError::Missing("first event"))?;
    Ok(codec::occurrence(
        EventRecord::decode(&stored).map_err(ReadError::from)?,
    )?)
}

/// The phase of an open run, as its last turn has left it; none where it is not open.
pub(crate) fn open_status(
    shared: &Shared,
    tenant: &TenantId,
    id: &RunId,
) -> Result<Option<Status>, ReadError> {
    let partition = id.partition(shared.partitions);
    let stored = shared.store.get(&key::open(partition, tenant, id))?;
    let record = stored.as_deref().map(OpenRecord::decode).transpose()?;
    Ok(record.map(|it| codec::open_status(it.phase)))
}

/// What the index of runs says of a run.
pub(crate) fn index_record(record: &RunRecord, status: StatusRecord) -> RunIndexRecord {
    let workflow = record.current_workflow();
    RunIndexRecord {
        namespace: workflow.namespace.clone(),
        name: workflow.name.clone(),
        version: workflow.version.clone(),
        status,
        tags: record.tags.clone(),
    }
}

/// A version that a run keeps, with the connectors that it keeps for it.
fn version(
    shared: &Shared,
    tenant: &TenantId,
    language: Digest,
    workflow: &WorkflowPinRecord,
    kept: &[PinRecord],
) -> Result<(Arc<Version>, Arc<[Pin]>), LoadError> {
    let mut connectors = BTreeMap::new();
    let mut pins = Vec::with_capacity(kept.len());
    for pin in kept {
        let digest = Digest(pin.digest);
        let description = shared.library.describe(&digest)?;
        pins.push(Pin::new(shared, pin, &description));
        connectors.insert(pin.name.clone(), description);
    }
    let key = VersionKey {
        tenant: tenant.clone(),
        document: Digest(workflow.digest),
        language,
        connectors: pins
            .iter()
            .map(|pin| (pin.name.clone(), pin.digest))
            .collect(),
    };
    let connectors = Connectors(connectors);
    let source = || {
        Ok::<_, LoadError>(Source {
            text: document(shared, tenant, &key.document)?,
            resources: resources::stored(shared, tenant, &key.document)?,
            connectors: &connectors,
        })
    };
    match shared.versions.get(&key, source)? {
        Ok(version) => Ok((version, pins.into())),
        Err(diagnostics) => {
            let first = diagnostics
                .first()
                .map(|it| it.message.clone())
                .unwrap_or_default();
            Err(LoadError::Plan(first))
        }
    }
}

/// What a run knows of the world, with `$secrets` as it is to it then.
fn facts(id: &RunId, record: &RunRecord, secrets: &Json) -> Result<Facts, LoadError> {
    Ok(Facts {
        id: id.to_string(),
        runtime: codec::value(&record.runtime)?,
        secrets: codec::value(secrets)?,
        event_bytes: record.event_bytes,
    })
}

/// A document that was published.
pub(crate) fn document(
    shared: &Shared,
    tenant: &TenantId,
    digest: &Digest,
) -> Result<String, LoadError> {
    let stored = shared
        .store
        .get(&key::document(tenant, digest))?
        .ok_or(LoadError::Missing("document"))?;
    Ok(DocumentRecord::decode(&stored).map_err(ReadError::from)?.0)
}

/// A machine that is led through its journal.
pub(crate) struct Replay {
    shared: Arc<Shared>,
    tenant: TenantId,
    record: RunRecord,
    machine: Machine,
    version: Arc<Version>,
    pins: Arc<[Pin]>,
    events: u32,
    uncovered: Uncovered,
    last_at: Timestamp,
    range: key::KeyRange,
    read: std::vec::IntoIter<baton_store::Pair>,
}

impl Replay {
    /// A machine before the first event of its journal; none where there is no such run.
    pub(crate) fn open(
        shared: &Arc<Shared>,
        tenant: &TenantId,
        id: &RunId,
    ) -> Result<Option<Self>, LoadError> {
        let partition = id.partition(shared.partitions);
        let Some(record) = run_record(shared, partition, tenant, id)? else {
            return Ok(None);
        };
        Self::new(shared, partition, tenant, id, record).map(Some)
    }

    fn new(
        shared: &Arc<Shared>,
        partition: Partition,
        tenant: &TenantId,
        id: &RunId,
        record: RunRecord,
    ) -> Result<Self, LoadError> {
        let language = Digest(record.language);
        let (version, pins) = version(
            shared,
            tenant,
            language,
            &record.workflow,
            &record.connectors,
        )?;
        let facts = facts(id, &record, &record.secrets)?;
        Ok(Self {
            shared: shared.clone(),
            tenant: tenant.clone(),
            machine: Machine::new(version.plan.clone(), facts),
            version,
            pins,
            events: 0,
            uncovered: Uncovered::default(),
            last_at: Timestamp::from_millis(record.started_at_ms),
            record,
            range: key::events(partition, tenant, id),
            read: Vec::new().into_iter(),
        })
    }

    /// A machine where the run's last snapshot has left it; before the first event, where there is none that this host
    /// can use.
    fn from_snapshot(
        shared: &Arc<Shared>,
        partition: Partition,
        tenant: &TenantId,
        id: &RunId,
        record: RunRecord,
    ) -> Result<Self, LoadError> {
        let corrections = record.corrections.len();
        let found = snapshot::find(shared, partition, tenant, id, corrections)?;
        let is_kept = !matches!(found, Found::Nothing);
        if let Found::Snapshot(snapshot) = found
            && let Some(run) = Self::restored(shared, partition, tenant, id, &record, &snapshot)?
        {
            return Ok(run);
        }
        let mut run = Self::new(shared, partition, tenant, id, record)?;
        run.uncovered.is_kept = is_kept;
        Ok(run)
    }

    /// A machine with the state of a snapshot; none where that is damaged.
    fn restored(
        shared: &Arc<Shared>,
        partition: Partition,
        tenant: &TenantId,
        id: &RunId,
        record: &RunRecord,
        snapshot: &SnapshotRecord,
    ) -> Result<Option<Self>, LoadError> {
        let language = Digest(record.language);
        let (workflow, connectors) = (record.current_workflow(), record.current_connectors());
        let (version, pins) = version(shared, tenant, language, workflow, connectors)?;
        let facts = facts(id, record, record.current_secrets())?;
        let machine = match Machine::restore(version.plan.clone(), facts, &snapshot.state) {
            Ok(machine) => machine,
            Err(error) => {
                tracing::warn!(%tenant, run = %id, %error, "a run's snapshot can't be used; its journal is");
                return Ok(None);
            }
        };
        let last = key::event(partition, tenant, id, snapshot.events);
        Ok(Some(Self {
            shared: shared.clone(),
            tenant: tenant.clone(),
            record: record.clone(),
            machine,
            version,
            pins,
            events: snapshot.events,
            uncovered: Uncovered::behind(snapshot.state.len()),
            last_at: Timestamp::from_millis(snapshot.last_at_ms),
            range: key::events(partition, tenant, id).after(&last),
            read: Vec::new().into_iter(),
        }))
    }

    /// Applies the next event and gives what the run wanted then; none behind the last one that is durable.
    pub(crate) fn step(&mut self) -> Result<Option<Vec<Command>>, LoadError> {
        let Some(Occurrence { at, event }) = self.next()? else {
            return Ok(None);
        };
        let number = self.events + 1;
        let starts = matches!(event, Event::Started { .. });
        if starts != (number == 1) {
            let detail = format!("event {number} of a run's journal is out of place");
            return Err(ReadError::Corrupt { detail }.into());
        }
        // Of a run that has ended, nothing is recorded but that it is tried again: this host sees another run than
        // the one that wrote it.
        let goes_on = match event {
            Event::RetryRequested { .. } => self.machine.retriable().is_ok(),
            _ => !self.machine.status().is_ended(),
        };
        if !goes_on {
            return Err(LoadError::Diverged { number });
        }
        if let Event::RetryRequested {
            correction: Some(correction),
            ..
        } = event
        {
            self.correct(number, correction)?;
        }
        self.events = number;
        self.last_at = self.last_at.max(at);
        let mut evaluator = self.version.evaluator();
        let commands = self.machine.apply(event, at, &mut evaluator);
        evaluator.finish().map_err(LoadError::Language)?;
        Ok(Some(commands))
    }

    /// Lets the run go on under a version that it was corrected to with an event.
    fn correct(&mut self, number: u32, correction: u32) -> Result<(), LoadError> {
        let correction = usize::try_from(correction).ok();
        let correction = correction.and_then(|index| self.record.corrections.get(index));
        let correction = correction.ok_or(LoadError::Uncorrected { number })?;
        let language = Digest(self.record.language);
        let (version, pins) = version(
            &self.shared,
            &self.tenant,
            language,
            &correction.workflow,
            &correction.connectors,
        )?;
        let secrets = codec::value(&correction.secrets)?;
        self.machine
            .adopt(version.plan.clone(), secrets)
            .map_err(|difference| LoadError::Differs { number, difference })?;
        (self.version, self.pins) = (version, pins);
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Occurrence>, LoadError> {
        if self.read.len() == 0 {
            let read =
                self.shared
                    .store
                    .scan(&self.range, Direction::Ascending, EVENTS_AT_A_TIME)?;
            if let Some((last, _)) = read.last() {
                self.range = self.range.clone().after(last);
            }
            self.read = read.into_iter();
        }
        let Some((key, stored)) = self.read.next() else {
            return Ok(None);
        };
        let expected = (self.events + 1).to_be_bytes();
        if !key.ends_with(&expected) {
            let detail = format!("event {} of a run's journal is missing", self.events + 1);
            return Err(ReadError::Corrupt { detail }.into());
        }
        self.uncovered.add(stored.len());
        Ok(Some(codec::occurrence(
            EventRecord::decode(&stored).map_err(ReadError::from)?,
        )?))
    }
}
