//! The task that starts what is due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use baton_store::{Batch, RunId};
use baton_workflow::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::gatherer::gather;
use super::state::Scheduled;
use super::{Ended, Entry, ScheduleName};
use crate::error::StartError;
use crate::keep;
use crate::origin::Origin;
use crate::shared::Shared;
use crate::start::{self, Prepared};
use crate::view::StartRun;

/// How long the driver sleeps when nothing is due. Any change of a schedule wakes it.
const IDLE: Duration = Duration::from_secs(3600);

/// When to try again where there was no room for a run.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Starts what is due, until it is dropped.
pub(crate) async fn drive(shared: Arc<Shared>) {
    let mut gatherers = BTreeMap::new();
    loop {
        let now = shared.clock.now();
        let (ended, due, next) = {
            let mut known = shared.schedules.known();
            for name in std::mem::take(&mut known.regather) {
                let entry = known.schedules.get(&name);
                regather(&shared, &mut gatherers, name, entry);
            }
            let ended = std::mem::take(&mut known.ended);
            let due = known.take_due(now);
            (ended, due, known.due.first().map(|(next, _)| *next))
        };
        for ended in ended {
            tokio::spawn(note_end(shared.clone(), ended));
        }
        for name in due {
            tokio::spawn(start(shared.clone(), name));
        }
        let patience = next.map_or(IDLE, |next| shared.clock.patience(now.until(next)));
        tokio::select! {
            () = shared.schedules.changed.notified() => {}
            () = tokio::time::sleep(patience) => {}
        }
    }
}

/// Lets a schedule gather events as it says now. Who gathers stops when what tells it so is dropped.
fn regather(
    shared: &Arc<Shared>,
    gatherers: &mut BTreeMap<ScheduleName, oneshot::Sender<()>>,
    name: ScheduleName,
    entry: Option<&Entry>,
) {
    gatherers.remove(&name);
    if let Some(entry) = entry.filter(|entry| entry.state.gathers_from().is_some()) {
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(gather(shared.clone(), name.clone(), entry.epoch, stopped));
        gatherers.insert(name, stop);
    }
}

/// A run that a schedule has started has ended.
async fn note_end(shared: Arc<Shared>, Ended { name, run, at }: Ended) {
    let schedules = &shared.schedules;
    let _one_at_a_time = schedules.lock(&name).await;
    let Some(mut state) = schedules.get(&name) else {
        return;
    };
    if state.ended(&run, at) {
        let mut batch = Batch::new();
        schedules.store(&name, Some(&state), &mut batch);
        if make_durable(&shared, &name, batch, || ()).await {
            schedules.set(name, Some(state));
        }
    }
}

/// Something of a schedule is due.
async fn start(shared: Arc<Shared>, name: ScheduleName) {
    let schedules = &shared.schedules;
    let _one_at_a_time = schedules.lock(&name).await;
    let now = shared.clock.now();
    let Some(mut state) = schedules.get(&name) else {
        return;
    };
    let Some((index, due)) = state.due(now) else {
        // It has been changed meanwhile.
        return schedules.set(name, Some(state));
    };
    let scheduled = Scheduled {
        kind: state.triggers[index].kind.name().to_owned(),
        due: due.at,
        missed: due.missed,
    };
    let tenant = &name.tenant;
    let mut batch = Batch::new();
    let durable = match prepare(&shared, &name, &state.version, scheduled, empty()).await {
        Ok(Prepared {
            batch: run, begin, ..
        }) => {
            let id: RunId = begin.run.id;
            state.started(index, &due, id, now);
            if due.missed > 0 {
                let (missed, late) = (due.missed, due.at);
                tracing::warn!(%tenant, workflow = %name, run = %id, missed, due = %late, "starts were missed; one run makes up for them");
            }
            schedules.store(&name, Some(&state), &mut batch);
            batch.append(run);
            let owner = shared.clone();
            make_durable(&shared, &name, batch, move || start::begin(&owner, begin)).await
        }
        Err(StartError::Busy { .. } | StartError::Unavailable(_)) => {
            tracing::warn!(%tenant, workflow = %name, "there is no room for a run that is due; it is tried again");
            return schedules.look_again(&name, now.after(RETRY_AFTER));
        }
        Err(error) => {
            let reason = error.reason();
            if state.is_news(&reason) {
                tracing::error!(%tenant, workflow = %name, %reason, "a run that is due can't be started");
            }
            state.failed(index, &due, reason, now);
            schedules.store(&name, Some(&state), &mut batch);
            make_durable(&shared, &name, batch, || ()).await
        }
    };
    if durable {
        schedules.set(name, Some(state));
    }
}

/// The input of a run that is started at a time.
fn empty() -> Value {
    Value::Object(Map::new())
}

/// Prepares a run of a schedule.
pub(super) async fn prepare(
    shared: &Arc<Shared>,
    name: &ScheduleName,
    version: &str,
    scheduled: Scheduled,
    input: Value,
) -> Result<Prepared, StartError> {
    let place = shared.admission.enter(&name.tenant)?;
    let request = StartRun {
        namespace: name.namespace.clone(),
        name: name.name.clone(),
        version: Some(version.to_owned()),
        input,
        tags: Default::default(),
        idempotency_key: None,
    };
    let _permit = shared.own_starts.acquire(&name.tenant).await;
    let (owner, tenant) = (shared.clone(), name.tenant.clone());
    let prepared = shared.platform.aside(move || {
        let origin = Origin::Schedule(scheduled);
        let kept = keep::keep_new(&owner, &tenant, start::wanted(&request))?;
        start::prepare(&owner, &tenant, request, origin, None, place, kept)
    });
    // It fails where the host is stopping, or has made a mistake that its log tells of.
    prepared.await.map_err(|_| StartError::Busy {
        reason: "the host is stopping, or has failed".to_owned(),
        retry_after: RETRY_AFTER,
    })?
}

/// Makes a batch of a schedule's durable, however long it takes, and does something then. False where the host stops before.
pub(super) async fn make_durable(
    shared: &Shared,
    name: &ScheduleName,
    batch: Batch,
    then: impl FnOnce() + Send + 'static,
) -> bool {
    let (done, durable) = tokio::sync::oneshot::channel();
    shared
        .journal
        .append(&name.tenant, batch, Vec::new(), move || {
            then();
            let _ = done.send(());
        });
    durable.await.is_ok()
}

impl super::Schedules {
    fn look_again(&self, name: &ScheduleName, at: Timestamp) {
        self.known().look_at(name, at);
        self.changed.notify_one();
    }
}
