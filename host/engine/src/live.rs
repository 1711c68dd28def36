//! What is known of the open runs besides what is stored: their durable phase, who listens, and what
//! their calls tell of their progress.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baton_sandbox::Progress;
use baton_store::{RunId, TenantId};
use baton_workflow::machine::{Note, Status, TaskKey};
use tokio::sync::{broadcast, watch};

use crate::view::CallProgress;

/// The open runs, by id. Everything that it says is durable.
#[derive(Default)]
pub(crate) struct LiveRuns {
    runs: Mutex<HashMap<RunId, Arc<LiveRun>>>,
}

impl LiveRuns {
    /// Adds a run.
    pub(crate) fn insert(&self, run: RunId, tenant: TenantId, status: Status) -> Arc<LiveRun> {
        let live = LiveRun::new(tenant, status);
        self.adopt(run, live.clone());
        live
    }

    /// Adds a run that was made before it was known to be durable.
    pub(crate) fn adopt(&self, run: RunId, live: Arc<LiveRun>) {
        self.lock().insert(run, live);
    }

    /// A run of a tenant, if it is open.
    pub(crate) fn get(&self, tenant: &TenantId, run: &RunId) -> Option<Arc<LiveRun>> {
        self.lock()
            .get(run)
            .filter(|live| live.tenant == *tenant)
            .cloned()
    }

    /// Removes a run that has ended, and tells those that wait for its end.
    pub(crate) fn end(&self, run: &RunId) {
        let live = self.lock().remove(run);
        if let Some(live) = live {
            live.ended.send_replace(true);
            // Readers get what was sent before, and then the end.
            live.state().notes = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RunId, Arc<LiveRun>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open run.
pub(crate) struct LiveRun {
    tenant: TenantId,
    state: Mutex<State>,
    ended: watch::Sender<bool>,
}

struct State {
    status: Status,
    /// Made for the first reader.
    notes: Option<broadcast::Sender<Note>>,
    calls: BTreeMap<(TaskKey, u32), Progress>,
}

impl LiveRun {
    /// A run that nobody knows of yet.
    pub(crate) fn new(tenant: TenantId, status: Status) -> Arc<Self> {
        let state = State {
            status,
            notes: None,
            calls: BTreeMap::new(),
        };
        Arc::new(Self {
            tenant,
            state: Mutex::new(state),
            ended: watch::Sender::new(false),
        })
    }

    /// The run's phase.
    pub(crate) fn status(&self) -> Status {
        self.state().status
    }

    /// Says what has become durable.
    pub(crate) fn publish(&self, status: Status, notes: Vec<Note>) {
        let mut state = self.state();
        state.status = status;
        if let Some(sender) = &state.notes {
            // It fails where nobody reads any more, which is nobody's loss.
            notes.into_iter().for_each(|note| drop(sender.send(note)));
        }
    }

    /// The lines that become durable from now on. A reader that is more than `lag` lines behind loses
    /// them.
    pub(crate) fn follow(&self, lag: usize) -> broadcast::Receiver<Note> {
        let mut state = self.state();
        state
            .notes
            .get_or_insert_with(|| broadcast::Sender::new(lag.max(1)))
            .subscribe()
    }

    /// Becomes true when the run's end is durable.
    pub(crate) fn ended(&self) -> watch::Receiver<bool> {
        self.ended.subscribe()
    }

    /// A call is under way; it tells its progress there.
    pub(crate) fn call_started(&self, task: TaskKey, attempt: u32, progress: Progress) {
        self.state().calls.insert((task, attempt), progress);
    }

    /// A call is over.
    pub(crate) fn call_ended(&self, task: &TaskKey, attempt: u32) {
        self.state().calls.remove(&(task.clone(), attempt));
    }

    /// What the calls that are under way have told.
    pub(crate) fn progress(&self) -> Vec<CallProgress> {
        let told = |((task, attempt), progress): (&(TaskKey, u32), &Progress)| CallProgress {
            task: task.clone(),
            attempt: *attempt,
            heartbeats: progress.beats(),
            progress: progress.latest(),
        };
        self.state()
            .calls
            .iter()
            .map(told)
            .filter(|call| call.heartbeats > 0)
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
