//! Runs that runs start.
//!
//! A child's id is made of its parent's and of the task's, visit's and attempt's, so that it is started once,
//! however often a host goes down over it: who comes back looks for it first. One that is not awaited is started once for
//! all attempts. Parent and child may be in
//! different partitions, each of which makes durable what is its own, and tells the other afterwards:
//!
//! - The parent starts the child when the event that asks for it is durable.
//! - The child tells the parent of its end when that is durable. What is lost in a crash the parent finds in the
//!   store, when it starts what it waits for again.
//! - The parent cancels the child when it is durable that it no longer waits. What is lost in a crash, or comes
//!   before the child's beginning, the child makes good: it asks its parent whenever it comes into memory.

use std::sync::Arc;
use std::time::Duration;

use baton_store::record::{EndRecord, Record, RunIndexRecord, StatusRecord};
use baton_store::{Digest, ReadError, RunId, TenantId, key};
use baton_workflow::machine::{ChildRun, Ending};
use baton_workflow::{Data, Error, ErrorKind};
use serde_json::Value;
use tokio::task::JoinError;

use crate::codec;
use crate::digest;
use crate::engine::published_versions;
use crate::error::{StartError, Unavailable};
use crate::failure;
use crate::fair::FairPermit;
use crate::keep;
use crate::origin::{Origin, Parent};
use crate::replay;
use crate::shared::Shared;
use crate::start::{self, Prepared};
use crate::view::StartRun;

/// When to try again where the store does not take part in a start.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A child that is to be started.
#[derive(Clone)]
pub(crate) struct Start {
    pub(crate) tenant: TenantId,
    pub(crate) id: RunId,
    pub(crate) parent: Parent,
    pub(crate) child: ChildRun,
}

/// The id of a child. Stored, so that it must never change.
pub(crate) fn id(parent: &RunId, child: &ChildRun) -> RunId {
    let ChildRun { task, first, .. } = child;
    let identity = format!("child\0{parent}\0{}\0{first}\0{}", task.visit, task.pointer);
    let Digest(hash) = digest::of(identity.as_bytes());
    let random = hash[..10].try_into().expect("ten bytes");
    RunId::new(u64::try_from(child.at.as_millis()).unwrap_or(0), &random)
}

/// Starts a child, unless it has been started before. Gives what the parent's task is answered; nothing where
/// the child's end will answer it.
pub(crate) async fn start(shared: &Arc<Shared>, start: Start) -> Option<Result<Data, Error>> {
    let awaited = start.parent.awaited;
    let (found, _permit) = match prepare_in_time(shared, &start).await {
        Ok(prepared) => prepared,
        Err(NotStarted::Refused(error)) => return Some(Err(error)),
        Err(NotStarted::JustNow(_) | NotStarted::Never) => return None,
    };
    let started = Ok(Arc::new(Value::Null));
    match found {
        Found::Ended(answer) if awaited => Some(answer),
        Found::Started if awaited => None,
        Found::Ended(_) | Found::Started => Some(started),
        Found::Absent(prepared) => {
            let Prepared { batch, begin, .. } = *prepared;
            let (done, durable) = tokio::sync::oneshot::channel();
            let owner = shared.clone();
            let tenant = begin.run.tenant.clone();
            shared.journal.append(&tenant, batch, Vec::new(), move || {
                start::begin(&owner, begin);
                // Who started it may not want it any more.
                let _ = done.send(());
            });
            durable.await.ok().filter(|()| !awaited).map(|()| started)
        }
    }
}

/// What there is of a child.
enum Found {
    Absent(Box<Prepared>),
    Started,
    Ended(Result<Data, Error>),
}

/// Why a child is not started.
enum NotStarted {
    /// Its parent's task fails with this.
    Refused(Error),
    /// The store does not read or write just now, or there is no room, which is nothing that the parent has to hear of: why.
    JustNow(String),
    /// The host is stopping.
    Never,
}

impl NotStarted {
    /// Why nobody has come to an end of preparing it.
    fn failed(error: &JoinError) -> Self {
        match error.is_panic() {
            true => Self::Refused(failure::of_host("it started this run")),
            false => Self::Never,
        }
    }
}

/// Prepares a child, and waits with that until the store reads. What it has then is a permit for the rest of the start.
async fn prepare_in_time(
    shared: &Arc<Shared>,
    start: &Start,
) -> Result<(Found, FairPermit), NotStarted> {
    let mut is_told = false;
    loop {
        let permit = shared.own_starts.acquire(&start.tenant).await;
        let (owner, wanted) = (shared.clone(), start.clone());
        let prepared = shared.platform.aside(move || prepare(&owner, wanted));
        let prepared = prepared.await;
        match prepared.unwrap_or_else(|error| Err(NotStarted::failed(&error))) {
            Err(NotStarted::JustNow(error)) => {
                if !std::mem::replace(&mut is_told, true) {
                    let (tenant, parent, run) = (&start.tenant, start.parent.run, start.id);
                    tracing::error!(%tenant, %parent, %run, %error, "a run that another one wants can't be started just now; it is tried again");
                }
            }
            prepared => return Ok((prepared?, permit)),
        }
        // Others of the tenant may be luckier.
        drop(permit);
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

fn prepare(shared: &Shared, start: Start) -> Result<Found, NotStarted> {
    let Start {
        tenant,
        id,
        parent,
        child,
    } = start;
    let not_started = |error| match error {
        StartError::Unavailable(Unavailable::Storage(reason)) => NotStarted::JustNow(reason),
        StartError::Unavailable(error @ Unavailable::Busy { .. }) => {
            NotStarted::JustNow(error.to_string())
        }
        StartError::Unavailable(Unavailable::ShuttingDown) => NotStarted::Never,
        error => NotStarted::Refused(refused(shared, &tenant, error)),
    };
    let existing = existing(shared, &tenant, &id).map_err(Unavailable::from);
    if let Some(found) = existing.map_err(|error| not_started(error.into()))? {
        return Ok(found);
    }
    let depth_max = shared.limits.nesting;
    if parent.depth > depth_max {
        let detail = format!(
            "{depth_max} runs have started one another, as many as may; look for a workflow that runs itself"
        );
        let title = "The runs are nested too deeply";
        return Err(NotStarted::Refused(Error::new(
            ErrorKind::Runtime,
            title,
            detail,
        )));
    }
    let place = shared.admission.enter_beyond(&tenant).map_err(|crowded| {
        NotStarted::Refused(busy(&format!("{crowded}; try again when some have ended")))
    })?;
    let request = StartRun {
        namespace: child.namespace,
        name: child.name,
        version: child.version,
        input: Value::clone(&child.input),
        tags: Default::default(),
        idempotency_key: None,
    };
    let origin = Origin::Run(parent);
    start::check_input(&shared.limits, &request.input)
        .and_then(|()| keep::keep_new(shared, &tenant, start::wanted(&request)))
        .and_then(|kept| start::prepare(shared, &tenant, request, origin, Some(id), place, kept))
        .map(|prepared| Found::Absent(Box::new(prepared)))
        .map_err(not_started)
}

/// A child that has been started before.
fn existing(shared: &Shared, tenant: &TenantId, id: &RunId) -> Result<Option<Found>, ReadError> {
    let partition = id.partition(shared.partitions);
    let Some(record) = replay::run_record(shared, partition, tenant, id)? else {
        return Ok(None);
    };
    let Some(end) = shared.store.get(&key::end(partition, tenant, id))? else {
        return Ok(Some(Found::Started));
    };
    let ending = codec::ending(EndRecord::decode(&end)?.ending)?;
    let index = replay::index_record(&record, StatusRecord::Open);
    Ok(Some(Found::Ended(answer(id, &index, &ending))))
}

/// What the task that awaits a run is answered at its end.
pub(crate) fn answer(id: &RunId, index: &RunIndexRecord, ending: &Ending) -> Result<Data, Error> {
    match ending {
        Ending::Completed(output) => Ok(output.clone()),
        // It comes from the task now.
        Ending::Faulted(error) => Err(Error {
            instance: None,
            ..error.clone()
        }),
        Ending::Cancelled => Err(Error::new(
            ErrorKind::Runtime,
            "The run was cancelled",
            format!(
                "the run {id} of {}/{} {}, for which the task waited, was cancelled",
                index.namespace, index.name, index.version
            ),
        )),
    }
}

/// Why a child is not started, as the parent's task tells it.
fn refused(shared: &Shared, tenant: &TenantId, error: StartError) -> Error {
    let text = error.reason();
    match error {
        StartError::NoSuchWorkflow {
            namespace, name, ..
        } => {
            let there = published_versions(shared, tenant, &namespace, &name).unwrap_or_default();
            let there = match there.is_empty() {
                true => "publish it first".to_owned(),
                false => format!("there are {}", there.join(", ")),
            };
            let mut error = Error::new(
                ErrorKind::Configuration,
                "No such workflow",
                format!("{text}: {there}"),
            );
            error.status = 404;
            error
        }
        StartError::Outdated(_) => {
            Error::new(ErrorKind::Configuration, "The workflow can't be run", text)
        }
        // dsl.md, "Secret".
        StartError::MissingSecrets { .. } | StartError::SealedSecrets(_) => {
            Error::new(ErrorKind::Authorization, "Secrets can't be used", text)
        }
        StartError::InputTooLarge { .. } => {
            let mut error = Error::new(ErrorKind::Validation, "The input is too large", text);
            error.status = 413;
            error
        }
        StartError::Busy { .. } => busy(&text),
        StartError::Invalid(_) | StartError::KeyReused | StartError::Unavailable(_) => {
            Error::new(ErrorKind::Runtime, "The run can't be started", text)
        }
    }
}

fn busy(why: &str) -> Error {
    let mut error = Error::new(ErrorKind::Runtime, "Too many runs are open", why);
    error.status = 429;
    error.retry_after = Some(1_000);
    error
}

#[cfg(test)]
mod tests {
    use baton_workflow::Timestamp;
    use baton_workflow::machine::TaskKey;

    use super::*;

    #[tokio::test]
    async fn a_parent_hears_of_a_mistake_of_the_hosts() {
        let failed = tokio::spawn(async { panic!("as it is told to") }).await;
        let told = NotStarted::failed(&failed.expect_err("it panics"));
        let NotStarted::Refused(error) = told else {
            panic!("the task fails");
        };
        assert_eq!(error.title.as_deref(), Some("The host failed"));
        let task = tokio::spawn(std::future::pending::<()>());
        task.abort();
        let told = NotStarted::failed(&task.await.expect_err("it has been stopped"));
        assert!(matches!(told, NotStarted::Never));
    }

    #[test]
    fn a_child_has_one_id_for_ever() {
        let parent = RunId::new(0, &[0; 10]);
        let child = |visit, first| ChildRun {
            task: TaskKey {
                pointer: "/do/0/register".into(),
                visit,
            },
            attempt: 7,
            first,
            at: Timestamp::from_millis(1_800_000_000_000),
            namespace: "test".into(),
            name: "customer".into(),
            version: None,
            input: Arc::new(Value::Null),
            awaited: true,
        };
        let first = id(&parent, &child(1, 1));
        assert_eq!(first.to_string(), "01a3185c-5000-7592-914c-95a648b18a84");
        assert_ne!(first, id(&parent, &child(2, 1)));
        assert_ne!(first, id(&parent, &child(1, 2)));
        assert_ne!(first, id(&RunId::new(1, &[0; 10]), &child(1, 1)));
    }
}
