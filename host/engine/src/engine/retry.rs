//! Runs that have ended, once more: a faulted run from the task that failed, any run as a new one.

use std::sync::Arc;

use baton_store::record::RunRecord;
use baton_store::{Digest, RunId, TenantId};
use baton_workflow::machine::NotRetriable;
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::{Engine, RETRY_AFTER};
use crate::codec;
use crate::error::{ControlError, RestartError, RetryError, StartError, Unavailable};
use crate::keep::{self, Before, Wanted};
use crate::mailbox::Refused;
use crate::origin::{Origin, Restart};
use crate::partition::{Message, Retry};
use crate::replay::{self, Loaded};
use crate::shared::Shared;
use crate::view::{RunView, StartRun};

/// How often a run may be corrected. What it keeps of each version is read whenever the run is shown.
const CORRECTIONS_MAX: usize = 100;

/// What a run goes on with.
struct Ready {
    run: Loaded,
    record: RunRecord,
    correction: Option<u32>,
}

impl Engine {
    /// Tries a faulted run again from the task that failed, in the name of `by`: what had completed is not done
    /// again, and what failed or was under way then begins again as another attempt of the same visit, under the
    /// same idempotency key. With a `version`, the run goes on under that version of its workflow. It is durable
    /// when this returns.
    ///
    /// # Errors
    ///
    /// See [`RetryError`]; the run is as it was then.
    pub async fn retry(
        &self,
        tenant: &TenantId,
        run: &RunId,
        version: Option<String>,
        by: &str,
        reason: Option<&str>,
    ) -> Result<RunView, RetryError> {
        let (tenant, run) = (tenant.clone(), *run);
        let who = (by.to_owned(), reason.map(str::to_owned));
        self.whole(async move |engine| engine.retry_whole(&tenant, &run, version, who).await)
            .await
    }

    async fn retry_whole(
        &self,
        tenant: &TenantId,
        id: &RunId,
        version: Option<String>,
        who: (String, Option<String>),
    ) -> Result<RunView, RetryError> {
        self.check_open()?;
        let before = self.run(tenant, id).await?;
        let before = before.ok_or(ControlError::NotFound(*id))?;
        if !before.status.is_ended() {
            return Err(ControlError::NotFaulted(before.status).into());
        }
        let place = self.shared().admission.enter(tenant);
        let place = place.map_err(StartError::from)?;
        let (owner, run) = (tenant.clone(), *id);
        let prepare = move |shared: &Arc<Shared>| prepare(shared, &owner, &run, version);
        let ready = self.aside(tenant, prepare).await??;
        let (reply, answer) = oneshot::channel();
        let retry = Retry {
            run: ready.run,
            record: ready.record,
            correction: ready.correction,
            place,
            who,
            reply,
        };
        self.shared()
            .offer(tenant, id, Message::Retry(Box::new(retry)))
            .map_err(|refused| match refused {
                Refused::Full => ControlError::Busy {
                    retry_after: RETRY_AFTER,
                },
                Refused::Closed => ControlError::Unavailable(Unavailable::ShuttingDown),
            })?;
        answer.await.map_err(|_| Unavailable::ShuttingDown)??;
        let now = self.run(tenant, id).await?;
        Ok(now.ok_or(ControlError::NotFound(*id))?)
    }

    /// Starts a new run of an ended run's workflow, with its input and its tags, in the name of `by`: of the
    /// version that the run has ended with, or of another one. It is durable when this returns. A repetition under
    /// the same idempotency key gives the same run.
    ///
    /// # Errors
    ///
    /// See [`RestartError`]; no run has been started then.
    pub async fn restart(
        &self,
        tenant: &TenantId,
        run: &RunId,
        version: Option<String>,
        by: &str,
        idempotency_key: Option<String>,
    ) -> Result<RunView, RestartError> {
        self.check_open()?;
        let before = self.run(tenant, run).await?;
        let before = before.ok_or(RestartError::NotFound(*run))?;
        if !before.status.is_ended() {
            return Err(RestartError::Open(before.status));
        }
        let workflow = before.workflow;
        let request = StartRun {
            namespace: workflow.namespace,
            name: workflow.name,
            version: Some(version.unwrap_or(workflow.version)),
            input: Arc::unwrap_or_clone(before.input),
            tags: before.tags,
            idempotency_key,
        };
        let restart = Restart {
            run: *run,
            by: by.to_owned(),
        };
        let started = self.start_from(tenant, request, Origin::Restart(restart));
        Ok(started.await?)
    }
}

/// Leads the run through its journal, and lets it take up the corrected version, if there is one.
fn prepare(
    shared: &Arc<Shared>,
    tenant: &TenantId,
    id: &RunId,
    version: Option<String>,
) -> Result<Ready, RetryError> {
    let partition = id.partition(shared.partitions);
    let mut run = replay::load(shared, partition, tenant, id).map_err(Unavailable::from)?;
    // Never older than the journal: where it is newer, somebody was quicker, which the partition sees.
    let record = replay::run_record(shared, partition, tenant, id).map_err(Unavailable::from)?;
    let mut record = record.ok_or(ControlError::NotFound(*id))?;
    match run.machine.retriable() {
        Ok(()) => {}
        Err(NotRetriable::NotFaulted(status)) => {
            return Err(ControlError::NotFaulted(status).into());
        }
        Err(NotRetriable::Undone) => return Err(RetryError::Undone),
    }
    if let Some(parent) = run.origin.awaiting() {
        return Err(RetryError::Awaited { parent: parent.run });
    }
    let correction = match version {
        Some(version) if version != record.current_workflow().version => {
            Some(correct(shared, &mut run, &mut record, version)?)
        }
        _ => None,
    };
    Ok(Ready {
        run,
        record,
        correction,
    })
}

/// Lets a run go on under another version of its workflow.
fn correct(
    shared: &Shared,
    run: &mut Loaded,
    record: &mut RunRecord,
    version: String,
) -> Result<u32, RetryError> {
    let number = record.corrections.len();
    if number >= CORRECTIONS_MAX {
        let max = CORRECTIONS_MAX;
        return Err(RetryError::TooManyCorrections { max });
    }
    let workflow = record.current_workflow();
    let wanted = Wanted {
        namespace: &workflow.namespace,
        name: &workflow.name,
        version: Some(&version),
    };
    let before = Before {
        language: Digest(record.language),
        connectors: record.current_connectors(),
        secrets: secrets(record)?,
    };
    let kept = keep::keep(shared, &run.tenant, wanted, before)?;
    let plan = kept.version.plan.clone();
    run.machine
        .adopt(plan, kept.secrets.clone())
        .map_err(|difference| RetryError::Differs {
            version,
            difference,
        })?;
    record.corrections.push(kept.correction());
    run.corrections += 1;
    run.version = kept.version;
    run.pins = kept.pins.into();
    run.index = Arc::new(replay::index_record(record, run.index.status));
    Ok(u32::try_from(number).expect("a hundred at most"))
}

fn secrets(record: &RunRecord) -> Result<Map<String, Value>, Unavailable> {
    match codec::value(record.current_secrets())? {
        Value::Object(secrets) => Ok(secrets),
        _ => Ok(Map::new()),
    }
}
