//! Runs: start, read, follow.

use std::sync::Arc;
use std::time::Duration;

use baton_store::record::{IdempotencyRecord, Record};
use baton_store::{Digest, ReadError, RunId, TenantId, key};
use baton_workflow::machine::Note;
use tokio::sync::oneshot;

use super::run_views::{list, live, view};
use super::{Engine, RETRY_AFTER, Subscription};
use crate::digest;
use crate::error::{ListError, StartError, Unavailable};
use crate::history::History;
use crate::journal::NotCommitted;
use crate::keep;
use crate::origin::Origin;
use crate::partition::Message;
use crate::replay::LoadError;
use crate::shared::Shared;
use crate::start::{self, KeyHeld, Prepared};
use crate::view::{AwaitedView, Page, RunFilter, RunView, StartRun};

/// How long to wait at most for what a run waits for. A run is shown without it where the store is slow, say.
const LOOKING: Duration = Duration::from_secs(1);

/// The idempotency key of a start, and the right to start a run under it.
struct Key {
    /// Under what it is stored which run it has started.
    stored: Vec<u8>,
    /// What was asked for.
    asked: Digest,
    held: KeyHeld,
}

impl Engine {
    /// Starts a run. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// See [`StartError`]; no run has been started then.
    pub async fn start(&self, tenant: &TenantId, request: StartRun) -> Result<RunView, StartError> {
        self.start_from(tenant, request, Origin::Request).await
    }

    /// Starts a run, whatever it is that wants it.
    pub(super) async fn start_from(
        &self,
        tenant: &TenantId,
        request: StartRun,
        origin: Origin,
    ) -> Result<RunView, StartError> {
        self.check_open()?;
        self.check_bounds(&request)?;
        let Some(key) = request.idempotency_key.clone() else {
            return self.start_new(tenant, request, origin, None).await;
        };
        self.start_once(tenant, request, origin, key).await
    }

    /// Starts a run, unless one was started under this key.
    async fn start_once(
        &self,
        tenant: &TenantId,
        request: StartRun,
        origin: Origin,
        key: String,
    ) -> Result<RunView, StartError> {
        let asked = request_digest(&request, &origin);
        let stored = key::idempotency(tenant, &key);
        let held = self.inner.keys.lock((tenant.clone(), key)).await;
        let key = Key {
            stored,
            asked,
            held,
        };
        let stored = self.shared().store.get(&key.stored);
        let Some(stored) = stored.map_err(Unavailable::from)? else {
            return self.start_new(tenant, request, origin, Some(key)).await;
        };
        let before = IdempotencyRecord::decode(&stored)
            .map_err(ReadError::from)
            .map_err(Unavailable::from)?;
        match self.run(tenant, &RunId::from_bytes(before.run)).await? {
            Some(_) if before.request != asked.0 => Err(StartError::KeyReused),
            Some(run) => Ok(run),
            // It has been removed, and knew nothing of its key.
            None => self.start_new(tenant, request, origin, Some(key)).await,
        }
    }

    /// Starts a run. What changes the store is one commit, which is made whether or not somebody waits for it.
    async fn start_new(
        &self,
        tenant: &TenantId,
        request: StartRun,
        origin: Origin,
        key: Option<Key>,
    ) -> Result<RunView, StartError> {
        let prepared = self.prepare(tenant, request, origin).await?;
        let Prepared {
            mut batch,
            mut begin,
            started,
        } = prepared;
        if let Some(key) = key {
            let record = IdempotencyRecord {
                run: *begin.run.id.as_bytes(),
                request: key.asked.0,
            };
            batch.put(key.stored, record.encode());
            begin.key = Some(key.held);
        }
        self.shared()
            .journal
            .commit_and_tell(batch, start::beginning(self.shared(), begin))
            .await
            .map_err(|error| match error {
                NotCommitted::Busy => StartError::Busy {
                    reason: "too much waits to be written".into(),
                    retry_after: RETRY_AFTER,
                },
                error => StartError::Unavailable(error.into()),
            })?;
        // Nothing can fail any more: the run is there, whatever else can be read.
        Ok(started)
    }

    /// Prepares a run. Mostly all is at hand: to have another thread do it then would take longer than it takes.
    async fn prepare(
        &self,
        tenant: &TenantId,
        request: StartRun,
        origin: Origin,
    ) -> Result<Prepared, StartError> {
        let shared = self.shared();
        let place = shared.admission.enter(tenant)?;
        if let Some(kept) = keep::keep_new_at_hand(shared, tenant, start::wanted(&request))? {
            return start::prepare(shared, tenant, request, origin, None, place, kept);
        }
        let owner = tenant.clone();
        let aside = move |shared: &Arc<Shared>| {
            let kept = keep::keep_new(shared, &owner, start::wanted(&request))?;
            start::prepare(shared, &owner, request, origin, None, place, kept)
        };
        self.in_share(&self.inner.starts, tenant, aside).await?
    }

    fn check_bounds(&self, request: &StartRun) -> Result<(), StartError> {
        let limits = &self.shared().limits;
        start::check_input(limits, &request.input)?;
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
        Ok(view(self.shared(), tenant, run)?)
    }

    /// What an open run waits for, as far as it is durable: 100 tasks at most. None where the run is not open, or
    /// has too much to do to say so soon.
    pub async fn awaited(&self, tenant: &TenantId, run: &RunId) -> Option<Vec<AwaitedView>> {
        let shared = self.shared();
        live(shared, tenant, run).ok()??;
        let (reply, answer) = oneshot::channel();
        let look = Message::Look {
            tenant: tenant.clone(),
            run: *run,
            reply,
        };
        shared.offer(tenant, run, look).ok()?;
        let answer = tokio::time::timeout(LOOKING, answer).await;
        answer.ok()?.ok()
    }

    /// A run, once it has ended or `patience` is over.
    pub async fn wait(
        &self,
        tenant: &TenantId,
        run: &RunId,
        patience: Duration,
    ) -> Result<Option<RunView>, Unavailable> {
        if let Some(live) = live(self.shared(), tenant, run)? {
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
        let (owner, filter) = (tenant.clone(), filter.clone());
        Ok(self
            .aside(tenant, move |shared| {
                list(shared, &owner, &filter, cursor, limit)
            })
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
        let (owner, run) = (tenant.clone(), *run);
        let read = move |shared: &Arc<Shared>| {
            let Some(mut history) = History::open(shared, &owner, &run, after)? else {
                return Ok(None);
            };
            let mut notes = history.read(limit)?.notes;
            notes.truncate(limit);
            Ok::<_, LoadError>(Some(notes))
        };
        Ok(self.aside(tenant, read).await??)
    }

    /// What has happened and will happen in a run, from the line behind `after` (0 for all) to the run's
    /// end. None where there is no such run.
    pub async fn subscribe(
        &self,
        tenant: &TenantId,
        run: &RunId,
        after: u64,
    ) -> Result<Option<Subscription>, Unavailable> {
        let (owner, id) = (tenant.clone(), *run);
        let open = move |shared: &Arc<Shared>| History::open(shared, &owner, &id, after);
        let history = self.aside(tenant, open).await??;
        let subscription =
            |history| Subscription::new(self.clone(), tenant.clone(), *run, history, after);
        Ok(history.map(subscription))
    }
}

/// What a repetition under the same idempotency key must ask for too.
fn request_digest(request: &StartRun, origin: &Origin) -> Digest {
    let StartRun {
        namespace,
        name,
        version,
        input,
        tags,
        ..
    } = request;
    let mut parts = serde_json::json!([namespace, name, version, input, tags]);
    if let (Origin::Restart(restart), Some(parts)) = (origin, parts.as_array_mut()) {
        parts.push(restart.run.to_string().into());
    }
    digest::of(parts.to_string().as_bytes())
}
