//! Runs: start, read, follow, cancel.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use baton_store::record::{
    EndRecord, IdempotencyRecord, OpenRecord, PinRecord, Record, RunIndexRecord, RunRecord,
    StatusRecord, WorkflowPinRecord,
};
use baton_store::{Batch, Digest, Direction, ReadError, RunId, TenantId, key};
use baton_workflow::Timestamp;
use baton_workflow::machine::{Ending, Event, Facts, Machine, Note, NoteKind, Status};
use tokio::sync::{broadcast, oneshot};

use super::{Engine, KEY_LOCKS, workflows};
use crate::admission::Place;
use crate::catalog::Connectors;
use crate::codec;
use crate::digest;
use crate::error::{CancelError, Lagged, ListError, StartError, Unavailable};
use crate::journal::NotCommitted;
use crate::mailbox::Refused;
use crate::partition::{Begin, Message};
use crate::replay::{self, Loaded, Pin};
use crate::shared::Shared;
use crate::version::VersionKey;
use crate::view::{ConnectorReference, Page, RunFilter, RunView, StartRun, WorkflowReference};

/// How many entries of the index of runs one page looks at.
const INDEX_AT_A_TIME: usize = 10_000;

/// When to ask again that too much is under way.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Engine {
    /// Starts a run. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// See [`StartError`]; no run has been started then.
    pub async fn start(&self, tenant: &TenantId, request: StartRun) -> Result<RunView, StartError> {
        self.check_open()?;
        self.check_bounds(&request)?;
        let Some(key) = request.idempotency_key.clone() else {
            return self.start_new(tenant, request, None).await;
        };
        let asked = request_digest(&request);
        let lock = usize::from(digest::of(key.as_bytes()).0[0]) % KEY_LOCKS;
        let _one_at_a_time = self.inner.keys[lock].lock().await;
        let key = key::idempotency(tenant, &key);
        let Some(stored) = self.shared().store.get(&key).map_err(Unavailable::from)? else {
            return self.start_new(tenant, request, Some((key, asked))).await;
        };
        let before = IdempotencyRecord::decode(&stored)
            .map_err(ReadError::from)
            .map_err(Unavailable::from)?;
        if before.request != asked.0 {
            return Err(StartError::KeyReused);
        }
        let run = self.run(tenant, &RunId::from_bytes(before.run)).await?;
        run.ok_or_else(|| {
            Unavailable::Storage("the run that was started before is not in the store".into())
                .into()
        })
    }

    async fn start_new(
        &self,
        tenant: &TenantId,
        request: StartRun,
        idempotency: Option<(Vec<u8>, Digest)>,
    ) -> Result<RunView, StartError> {
        let place = self
            .shared()
            .admission
            .enter(tenant)
            .ok_or_else(|| StartError::Busy {
                reason: format!(
                    "{} runs are open, as many as may be",
                    self.shared().limits.open_runs_per_tenant
                ),
                retry_after: RETRY_AFTER,
            })?;
        let owner = tenant.clone();
        let prepared = self
            .aside(move |shared| prepare(shared, &owner, request, place))
            .await??;
        let Prepared { mut batch, begin } = prepared;
        let id = begin.run.id;
        if let Some((key, request)) = idempotency {
            let record = IdempotencyRecord {
                run: *id.as_bytes(),
                request: request.0,
            };
            batch.put(key, record.encode());
        }
        self.shared()
            .journal
            .commit(batch)
            .await
            .map_err(|error| match error {
                NotCommitted::Busy => StartError::Busy {
                    reason: "too much waits to be written".into(),
                    retry_after: RETRY_AFTER,
                },
                error => StartError::Unavailable(error.into()),
            })?;
        let partition = id.partition(self.shared().partitions);
        self.shared().live.adopt(id, begin.run.live.clone());
        self.inner.partitions[usize::from(partition.0)].push(Message::Begin(Box::new(begin)));
        let run = self.run(tenant, &id).await?;
        run.ok_or_else(|| {
            Unavailable::Storage("the run that was started can't be read".into()).into()
        })
    }

    fn check_bounds(&self, request: &StartRun) -> Result<(), StartError> {
        let limits = &self.shared().limits;
        let bytes = request.input.to_string().len();
        if bytes > limits.input_bytes {
            return Err(StartError::InputTooLarge {
                bytes,
                max: limits.input_bytes,
            });
        }
        if request.tags.len() > limits.tags {
            return Err(StartError::Invalid(format!(
                "{} tags are more than the {} that a run may have",
                request.tags.len(),
                limits.tags
            )));
        }
        if let Some((key, _)) = request
            .tags
            .iter()
            .find(|(key, value)| key.len().max(value.len()) > limits.tag_bytes || key.is_empty())
        {
            return Err(StartError::Invalid(format!(
                "the tag `{key}` is not of 1 to {0} bytes with a value of at most {0} bytes",
                limits.tag_bytes
            )));
        }
        let key = request.idempotency_key.as_deref();
        if key.is_some_and(|key| key.is_empty() || key.len() > limits.idempotency_key_bytes) {
            return Err(StartError::Invalid(format!(
                "an idempotency key has 1 to {} bytes",
                limits.idempotency_key_bytes
            )));
        }
        Ok(())
    }

    /// A run.
    pub async fn run(
        &self,
        tenant: &TenantId,
        run: &RunId,
    ) -> Result<Option<RunView>, Unavailable> {
        view(self.shared(), tenant, run)
    }

    /// A run, once it has ended or `patience` is over.
    pub async fn wait(
        &self,
        tenant: &TenantId,
        run: &RunId,
        patience: Duration,
    ) -> Result<Option<RunView>, Unavailable> {
        if let Some(live) = self.shared().live.get(tenant, run) {
            let mut ended = live.ended();
            let _ = tokio::time::timeout(patience, ended.wait_for(|ended| *ended)).await;
        }
        self.run(tenant, run).await
    }

    /// A tenant's runs, the newest first. At most `limit` and the bound of a page; `cursor` is
    /// [`Page::next`] of the page before. A page may have fewer items than `limit`, even none, and still
    /// have a next one.
    ///
    /// # Errors
    ///
    /// [`ListError::Cursor`] where `cursor` is none of this list.
    pub async fn runs(
        &self,
        tenant: &TenantId,
        filter: &RunFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<RunView>, ListError> {
        let limit = limit.clamp(1, self.shared().limits.page);
        let cursor = cursor
            .map(|it| it.parse::<RunId>().map_err(|_| ListError::Cursor))
            .transpose()?;
        let (tenant, filter) = (tenant.clone(), filter.clone());
        Ok(self
            .aside(move |shared| list(shared, &tenant, &filter, cursor, limit))
            .await??)
    }

    /// What has happened in a run: the lines behind `after` (0 for all), at most `limit` and the bound of
    /// a page. None where there is no such run.
    pub async fn history(
        &self,
        tenant: &TenantId,
        run: &RunId,
        after: u64,
        limit: usize,
    ) -> Result<Option<Vec<Note>>, Unavailable> {
        let limit = limit.min(self.shared().limits.page);
        let (tenant, run) = (tenant.clone(), *run);
        Ok(self
            .aside(move |shared| replay::history(shared, &tenant, &run, after, limit))
            .await??)
    }

    /// What has happened and will happen in a run, from the line behind `after` (0 for all) to the run's
    /// end. None where there is no such run.
    pub async fn subscribe(
        &self,
        tenant: &TenantId,
        run: &RunId,
        after: u64,
    ) -> Result<Option<Subscription>, Unavailable> {
        // Listening first and reading the journal then, no line is missed; those that come twice are known
        // by their numbers.
        let live = self.shared().live.get(tenant, run);
        let receiver = live.map(|live| live.follow(self.shared().limits.subscriber_lag));
        let (owner, id) = (tenant.clone(), *run);
        let read = self
            .aside(move |shared| replay::history(shared, &owner, &id, after, usize::MAX))
            .await??;
        let subscription = |notes: Vec<Note>| Subscription {
            backlog: notes.into(),
            receiver,
            last: after,
        };
        Ok(read.map(subscription))
    }

    /// Ends a run now, in the name of `by`. Tasks under way are abandoned. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`CancelError::NotFound`] and [`CancelError::Ended`] where there is nothing to cancel.
    pub async fn cancel(
        &self,
        tenant: &TenantId,
        run: &RunId,
        by: &str,
        reason: Option<&str>,
    ) -> Result<RunView, CancelError> {
        self.check_open()?;
        let before = self.run(tenant, run).await?.ok_or(CancelError::NotFound)?;
        if before.status.is_ended() {
            return Err(CancelError::Ended(before.status));
        }
        let (reply, answer) = oneshot::channel();
        let message = Message::Cancel {
            run: *run,
            by: by.to_owned(),
            reason: reason.map(str::to_owned),
            reply,
        };
        let partition = run.partition(self.shared().partitions);
        self.inner.partitions[usize::from(partition.0)]
            .offer(message)
            .map_err(|refused| match refused {
                Refused::Full => CancelError::Busy {
                    retry_after: RETRY_AFTER,
                },
                Refused::Closed => CancelError::Unavailable(Unavailable::ShuttingDown),
            })?;
        let cancelled = answer.await.map_err(|_| Unavailable::ShuttingDown)?;
        let now = self.run(tenant, run).await?.ok_or(CancelError::NotFound)?;
        match cancelled {
            Ok(()) => Ok(now),
            Err(CancelError::NotFound) if now.status.is_ended() => {
                Err(CancelError::Ended(now.status))
            }
            Err(CancelError::NotFound) => Err(Unavailable::Storage(
                "the run can't be loaded; the host's log says why".into(),
            )
            .into()),
            Err(error) => Err(error),
        }
    }
}

/// The lines of a run's history as they come, each once it is durable.
pub struct Subscription {
    backlog: VecDeque<Note>,
    receiver: Option<broadcast::Receiver<Note>>,
    last: u64,
}

impl Subscription {
    /// The next line; none once the run has ended and all its lines have come, and none after an error.
    ///
    /// # Errors
    ///
    /// [`Lagged`] where lines came faster than they were taken.
    pub async fn next(&mut self) -> Option<Result<Note, Lagged>> {
        loop {
            let note = match self.backlog.pop_front() {
                Some(note) => note,
                None => match self.receiver.as_mut()?.recv().await {
                    Ok(note) => note,
                    Err(broadcast::error::RecvError::Closed) => {
                        self.receiver = None;
                        return None;
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        self.receiver = None;
                        return Some(Err(Lagged));
                    }
                },
            };
            if note.seq <= self.last {
                continue;
            }
            self.last = note.seq;
            if ends(note.kind) {
                self.receiver = None;
            }
            return Some(Ok(note));
        }
    }
}

fn ends(kind: NoteKind) -> bool {
    matches!(
        kind,
        NoteKind::WorkflowCompleted | NoteKind::WorkflowFaulted | NoteKind::WorkflowCancelled
    )
}

/// A run that is ready to begin, and what has to be durable before.
struct Prepared {
    batch: Batch,
    begin: Begin,
}

fn prepare(
    shared: &Shared,
    tenant: &TenantId,
    request: StartRun,
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
    let found = workflows::find(shared, tenant, &namespace, &name, version.as_deref())?;
    let workflow = found.ok_or(StartError::NoSuchWorkflow {
        namespace,
        name,
        version,
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
        let ConnectorReference {
            version, digest, ..
        } = entry.reference;
        let description = shared
            .library
            .describe(&digest)
            .map_err(Unavailable::from)?;
        pins.push(Pin::new(name, digest, &description));
        pin_records.push(PinRecord {
            name: name.clone(),
            version,
            digest: digest.0,
        });
        connectors.0.insert(name.clone(), description);
    }
    let document = Digest(workflow.digest);
    let key = VersionKey {
        document,
        language: shared.language,
        connectors: pins
            .iter()
            .map(|pin| (pin.name.clone(), pin.digest))
            .collect(),
    };
    let source = || {
        let text = replay::document(shared, tenant, &document)?;
        Ok::<_, Unavailable>((text, connectors))
    };
    let version = shared
        .versions
        .get(&key, source)?
        .map_err(StartError::Outdated)?;

    let at = shared.clock.now();
    let id = RunId::new(u64::try_from(at.as_millis()).unwrap_or(0), &rand::random());
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
        parent: None,
    };
    let started = Event::Started {
        input: Arc::new(input),
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
    let facts = Facts {
        id: id.to_string(),
        runtime: shared.runtime.clone(),
    };
    let run = Loaded {
        id,
        tenant: tenant.clone(),
        machine: Machine::new(version.plan.clone(), facts),
        version,
        live: crate::live::LiveRun::new(tenant.clone(), Status::Running),
        index: Arc::new(index),
        pins: pins.into(),
        events: 1,
        last_at: at,
    };
    Ok(Prepared {
        batch,
        begin: Begin {
            run,
            started,
            at,
            place,
        },
    })
}

/// What a repetition under the same idempotency key must ask for too.
fn request_digest(request: &StartRun) -> Digest {
    let StartRun {
        namespace,
        name,
        version,
        input,
        tags,
        ..
    } = request;
    let parts = serde_json::json!([namespace, name, version, input, tags]);
    digest::of(parts.to_string().as_bytes())
}

/// A run, as far as it is durable.
fn view(shared: &Shared, tenant: &TenantId, id: &RunId) -> Result<Option<RunView>, Unavailable> {
    let partition = id.partition(shared.partitions);
    // The phase first: a run that ends while this reads is shown as open still, or as ended whole.
    let live = shared.live.get(tenant, id);
    let Some(record) = replay::run_record(shared, partition, tenant, id)? else {
        return Ok(None);
    };
    let Event::Started { input } = replay::first_event(shared, partition, tenant, id)?.event else {
        return Err(ReadError::Corrupt {
            detail: "a run's journal does not begin with its start".into(),
        }
        .into());
    };
    let end = shared.store.get(&key::end(partition, tenant, id))?;
    let end = end
        .as_deref()
        .map(EndRecord::decode)
        .transpose()
        .map_err(ReadError::from)?;
    let ended_at = end.as_ref().map(|end| Timestamp::from_millis(end.at_ms));
    let ending = end.map(|end| codec::ending(end.ending)).transpose()?;
    let status = match &ending {
        Some(ending) => codec::ended_status(ending).0,
        None => live.as_ref().map_or(Status::Running, |live| live.status()),
    };
    let (output, error) = match ending {
        Some(Ending::Completed(output)) => (Some(output), None),
        Some(Ending::Faulted(error)) => (None, Some(error)),
        Some(Ending::Cancelled) | None => (None, None),
    };
    let WorkflowPinRecord {
        namespace,
        name,
        version,
        digest,
    } = record.workflow;
    let connector = |pin: PinRecord| ConnectorReference {
        name: pin.name,
        version: pin.version,
        digest: Digest(pin.digest),
    };
    Ok(Some(RunView {
        id: *id,
        workflow: WorkflowReference {
            namespace,
            name,
            version,
            digest: Digest(digest),
        },
        status,
        input,
        output,
        error,
        started_at: Timestamp::from_millis(record.started_at_ms),
        ended_at,
        connectors: record.connectors.into_iter().map(connector).collect(),
        tags: record.tags.into_iter().collect(),
        parent: record.parent.map(RunId::from_bytes),
        progress: live
            .filter(|_| ended_at.is_none())
            .map(|live| live.progress())
            .unwrap_or_default(),
    }))
}

fn list(
    shared: &Shared,
    tenant: &TenantId,
    filter: &RunFilter,
    cursor: Option<RunId>,
    limit: usize,
) -> Result<Page<RunView>, Unavailable> {
    let bound = |at: Timestamp| {
        let at = u64::try_from(at.as_millis()).unwrap_or(0);
        key::run_index(tenant, &RunId::least_at(at))
    };
    let mut range = key::run_indexes(tenant);
    if let Some(before) = filter.started_before {
        range = range.before(&bound(before));
    }
    if let Some(after) = filter.started_after {
        range.start = range.start.max(bound(after));
    }
    if let Some(cursor) = cursor {
        range = range.before(&key::run_index(tenant, &cursor));
    }
    let index = shared
        .store
        .scan(&range, Direction::Descending, INDEX_AT_A_TIME)?;
    let all = index.len() < INDEX_AT_A_TIME;
    let mut items = Vec::new();
    let mut last = None;
    for (key, value) in &index {
        if items.len() == limit {
            return Ok(Page {
                items,
                next: last.map(|last: RunId| last.to_string()),
            });
        }
        let Some(id) = key::parse_run_index(key) else {
            continue;
        };
        last = Some(id);
        let record = RunIndexRecord::decode(value).map_err(ReadError::from)?;
        if !matches(filter, &record) {
            continue;
        }
        if let Some(run) = view(shared, tenant, &id)?
            && filter.status.is_none_or(|status| status == run.status)
        {
            items.push(run);
        }
    }
    Ok(Page {
        items,
        next: last.filter(|_| !all).map(|last| last.to_string()),
    })
}

/// Whether a run may be one of those that are asked for, as far as the index tells.
fn matches(filter: &RunFilter, record: &RunIndexRecord) -> bool {
    let of_workflow = |(namespace, name): &(String, String)| {
        *namespace == record.namespace && *name == record.name
    };
    let in_phase = |status: Status| match record.status {
        // It may have ended since.
        StatusRecord::Open => true,
        StatusRecord::Completed => status == Status::Completed,
        StatusRecord::Faulted => status == Status::Faulted,
        StatusRecord::Cancelled => status == Status::Cancelled,
    };
    filter.workflow.as_ref().is_none_or(of_workflow)
        && filter
            .tag
            .as_ref()
            .is_none_or(|tag| record.tags.contains(tag))
        && filter.status.is_none_or(in_phase)
}
