//! What gathers the events that start runs: a task for each schedule with `on`.
//!
//! How far it is it knows in memory alone. What is stored is where in the log the events begin that may start more
//! runs, and which behind it have started some; it is written with each run, and before the log drops what is behind it.
//! From there the same is gathered again.

use std::collections::BTreeSet;
use std::sync::Arc;

use baton_store::Batch;
use baton_workflow::schedule::{Gathered, Gatherings};
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use super::ScheduleName;
use super::driver::{RETRY_AFTER, make_durable, prepare};
use super::state::Scheduled;
use crate::error::{StartError, Unavailable};
use crate::events::Reach;
use crate::keep::{self, Wanted};
use crate::shared::Shared;
use crate::start::{self, Prepared};
use crate::version::Version;

/// How many events of the log are read in one go.
const EVENTS_AT_A_TIME: usize = 256;

/// How many events that have started runs are remembered behind an open gathering. One more, and the oldest of
/// those is given up.
const TAKEN_MAX: usize = 10_000;

/// Gathers events for a schedule until it is another one, or what `stop` listens to is dropped.
pub(super) async fn gather(
    shared: Arc<Shared>,
    name: ScheduleName,
    epoch: u64,
    mut stop: oneshot::Receiver<()>,
) {
    let mut gatherer = None;
    let schedules = &shared.schedules;
    loop {
        let next = match gatherer.take() {
            Some(gatherer) => Ok(Some(gatherer)),
            None => Gatherer::begin(&shared, &name, epoch).await,
        };
        let worked = match next {
            Ok(Some(gatherer)) => gatherer.work(&shared, &name).await,
            Ok(None) => return,
            Err(error) => {
                let (tenant, reason) = (&name.tenant, error.reason());
                if schedules.stall(&name, epoch, shared.clock.now(), reason.clone()) {
                    tracing::error!(%tenant, workflow = %name, %reason, "the events of a schedule can't be gathered");
                }
                Worked::Later(None)
            }
        };
        match worked {
            Worked::Started(further) => gatherer = Some(further),
            Worked::Over => return,
            Worked::Later(further) => {
                gatherer = further;
                tokio::select! {
                    () = tokio::time::sleep(RETRY_AFTER) => {}
                    _ = &mut stop => return,
                }
            }
            Worked::Waiting(mut waiting) => {
                schedules.go_on(&name, epoch);
                let (next, from) = (waiting.next, waiting.from);
                let may_move = waiting.place() > from;
                let is_due = |reach: &Reach| reach.next > next || may_move && reach.passing > from;
                tokio::select! {
                    // Who is to stop looks at no more.
                    biased;
                    _ = &mut stop => return,
                    // The log's sender lives as long as the host.
                    _ = waiting.log.wait_for(is_due) => {}
                }
                gatherer = Some(waiting);
            }
        }
    }
}

/// What looking at the events came to.
enum Worked {
    /// A run has been started, or that it could not be is recorded.
    Started(Gatherer),
    /// All have been looked at.
    Waiting(Gatherer),
    /// It did not go just now; without a gatherer, all has to be gathered again.
    Later(Option<Gatherer>),
    /// It is another schedule now.
    Over,
}

/// How far a schedule is with its events.
struct Gatherer {
    epoch: u64,
    version: Arc<Version>,
    log: watch::Receiver<Reach>,
    gatherings: Gatherings,
    /// Where the record says that the events begin which may start more runs.
    from: u64,
    /// The position of the next event to look at.
    next: u64,
    /// Those from there on that have started runs already.
    taken: BTreeSet<u64>,
    /// What has come together, and waits for its run.
    complete: Option<Gathered>,
}

impl Gatherer {
    /// A gatherer where the record says; none where another gathers for the schedule by now, or none at all.
    async fn begin(
        shared: &Arc<Shared>,
        name: &ScheduleName,
        epoch: u64,
    ) -> Result<Option<Self>, StartError> {
        let Some(state) = shared.schedules.gathered_by(name, epoch) else {
            return Ok(None);
        };
        let Some((next, taken)) = state.gathers_from() else {
            return Ok(None);
        };
        let log = shared.events.watch(&*shared.store, &name.tenant);
        let log = log.map_err(Unavailable::from)?;
        let (owner, of, version) = (shared.clone(), name.clone(), state.version.clone());
        let version = shared.platform.aside(move || {
            let wanted = Wanted {
                namespace: &of.namespace,
                name: &of.name,
                version: Some(&version),
            };
            keep::version(&owner, &of.tenant, wanted)
        });
        let version = version.await.map_err(|_| Unavailable::ShuttingDown)??;
        let gatherings = Gatherings::new(&version.plan);
        Ok(gatherings.map(|gatherings| Self {
            epoch,
            version,
            log,
            gatherings,
            from: next,
            next,
            taken: taken.iter().copied().collect(),
            complete: None,
        }))
    }

    /// Looks at what has come, and starts a run where events have come together.
    async fn work(mut self, shared: &Arc<Shared>, name: &ScheduleName) -> Worked {
        let (owner, of) = (shared.clone(), name.clone());
        let permit = shared.gatherers.acquire(&name.tenant).await;
        let looked = shared.platform.aside(move || {
            let _permit = permit;
            let looked = self.look(&owner, &of);
            (self, looked)
        });
        match looked.await {
            Ok((gatherer, Ok(()))) if gatherer.complete.is_some() => {
                gatherer.start(shared, name).await
            }
            Ok((gatherer, Ok(()))) => gatherer.keep_up(shared, name).await,
            Ok((gatherer, Err(reason))) => {
                let (tenant, epoch) = (&name.tenant, gatherer.epoch);
                let now = shared.clock.now();
                if shared.schedules.stall(name, epoch, now, reason.clone()) {
                    tracing::error!(%tenant, workflow = %name, %reason, "the events of a schedule can't be looked at");
                }
                Worked::Later(None)
            }
            // The host is stopping, or has made a mistake that its log tells of.
            Err(_) => Worked::Later(None),
        }
    }

    /// Looks at the events that there are, until some have come together.
    fn look(&mut self, shared: &Shared, name: &ScheduleName) -> Result<(), String> {
        while self.complete.is_none() {
            let tenant = &name.tenant;
            let slice = shared
                .events
                .read(&*shared.store, tenant, self.next, EVENTS_AT_A_TIME)
                .map_err(|error| error.to_string())?;
            if slice.first > self.next {
                let (first, next) = (slice.first, self.next);
                tracing::warn!(%tenant, workflow = %name, first, next, "events have been dropped that a schedule had not seen");
                self.next = slice.first;
            }
            if slice.events.is_empty() {
                return Ok(());
            }
            for logged in slice.events {
                if !self.taken.remove(&logged.position) {
                    let mut evaluator = self.version.evaluator();
                    let (position, event) = (logged.position, &logged.event);
                    let complete = self.gatherings.offer(position, event, &mut evaluator);
                    // Where the language could not be used, nothing that it has said counts.
                    evaluator.finish()?;
                    self.complete = complete;
                }
                self.next = logged.position + 1;
                if self.complete.is_some() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Where the events begin that may start more runs.
    fn place(&self) -> u64 {
        self.gatherings.first().unwrap_or(self.next)
    }

    /// Writes down how far it is, where the log is about to drop what the record says it has not seen: it is known after
    /// a restart then that it has seen that.
    async fn keep_up(mut self, shared: &Arc<Shared>, name: &ScheduleName) -> Worked {
        let (place, passing) = (self.place(), self.log.borrow().passing);
        if place <= self.from || passing <= self.from {
            return Worked::Waiting(self);
        }
        let schedules = &shared.schedules;
        let _one_at_a_time = schedules.lock(name).await;
        let Some(mut state) = schedules.gathered_by(name, self.epoch) else {
            return Worked::Over;
        };
        state.gathers_on(place);
        let mut batch = Batch::new();
        schedules.store(name, Some(&state), &mut batch);
        if !make_durable(shared, name, batch, || ()).await {
            return Worked::Over;
        }
        schedules.set(name.clone(), Some(state));
        self.from = place;
        Worked::Waiting(self)
    }

    /// Events have come together: a run starts, in one transaction with where the next ones begin.
    async fn start(mut self, shared: &Arc<Shared>, name: &ScheduleName) -> Worked {
        let Some(Gathered { input, positions }) = self.complete.clone() else {
            return Worked::Waiting(self);
        };
        let schedules = &shared.schedules;
        let _one_at_a_time = schedules.lock(name).await;
        // Under the lock: whoever gathers in this one's place has begun where this one has left off.
        let Some(mut state) = schedules.gathered_by(name, self.epoch) else {
            return Worked::Over;
        };
        let now = shared.clock.now();
        let scheduled = Scheduled {
            kind: "on".to_owned(),
            due: now,
            missed: 0,
        };
        let input = Value::clone(&input);
        let prepared = prepare(shared, name, &state.version, scheduled, input).await;
        if let Err(StartError::Busy { .. } | StartError::Unavailable(_)) = prepared {
            return Worked::Later(Some(self));
        }
        let remembered = state.gathers_from().map_or(0, |(_, taken)| taken.len());
        if remembered >= TAKEN_MAX {
            self.gatherings.give_up_oldest();
        }
        let from = self.place();
        let mut batch = Batch::new();
        let durable = match prepared {
            Ok(Prepared {
                batch: run, begin, ..
            }) => {
                state.gathered(from, &positions, now, Ok(begin.run.id));
                schedules.store(name, Some(&state), &mut batch);
                batch.append(run);
                let owner = shared.clone();
                make_durable(shared, name, batch, move || start::begin(&owner, begin)).await
            }
            Err(error) => {
                let reason = error.reason();
                if state.is_news(&reason) {
                    let tenant = &name.tenant;
                    tracing::error!(%tenant, workflow = %name, %reason, "a run that events start can't be started");
                }
                state.gathered(from, &positions, now, Err(reason));
                schedules.store(name, Some(&state), &mut batch);
                make_durable(shared, name, batch, || ()).await
            }
        };
        if !durable {
            return Worked::Over;
        }
        schedules.set(name.clone(), Some(state));
        self.from = from;
        self.complete = None;
        Worked::Started(self)
    }
}
