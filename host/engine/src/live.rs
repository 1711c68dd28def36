//! What is known of open runs besides what is stored: their durable phase, who follows them, and what their calls tell
//! of their progress.
//!
//! A run is live while somebody has it: the partition that has it in memory, or somebody who follows it. One that is
//! asleep and that nobody follows takes no memory here.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use baton_sandbox::Progress;
use baton_store::{RunId, TenantId};
use baton_workflow::machine::{Note, Status, TaskKey};
use tokio::sync::{broadcast, watch};

use crate::view::CallProgress;

/// The live runs, by id. Everything that it says is durable.
#[derive(Clone, Default)]
pub(crate) struct LiveRuns {
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    runs: HashMap<RunId, Weak<LiveRun>>,
    /// The open runs that the host can't go on with before it is restarted: there is nothing to follow.
    abandoned: HashSet<RunId>,
}

impl LiveRuns {
    /// A run of a tenant, which is live from here on. Where it is already, its phase is what it is.
    pub(crate) fn enter(&self, tenant: &TenantId, run: RunId, status: Status) -> Arc<LiveRun> {
        self.enter_into(&mut self.lock(), tenant, run, status)
    }

    /// As [`LiveRuns::enter`], for the partition that goes on with the run.
    pub(crate) fn take_up(&self, tenant: &TenantId, run: RunId) -> Arc<LiveRun> {
        let mut known = self.lock();
        known.abandoned.remove(&run);
        self.enter_into(&mut known, tenant, run, Status::Running)
    }

    fn enter_into(
        &self,
        known: &mut Known,
        tenant: &TenantId,
        run: RunId,
        status: Status,
    ) -> Arc<LiveRun> {
        if let Some(live) = known.runs.get(&run).and_then(Weak::upgrade) {
            return live;
        }
        let state = State {
            status,
            notes: None,
            calls: BTreeMap::new(),
        };
        let live = Arc::new(LiveRun {
            id: run,
            tenant: tenant.clone(),
            state: Mutex::new(state),
            ended: watch::Sender::new(false),
            runs: self.clone(),
        });
        known.runs.insert(run, Arc::downgrade(&live));
        live
    }

    /// A run of a tenant, if it is live.
    pub(crate) fn get(&self, tenant: &TenantId, run: &RunId) -> Option<Arc<LiveRun>> {
        // Nobody may let go of the last one within the lock, which the drop takes.
        let live = self.lock().runs.get(run).and_then(Weak::upgrade);
        live.filter(|live| live.tenant == *tenant)
    }

    /// Says what has become durable of a run that its partition has not in memory, to those that follow it.
    pub(crate) fn publish(&self, run: &RunId, status: Status, notes: Vec<Note>) {
        let live = self.lock().runs.get(run).and_then(Weak::upgrade);
        if let Some(live) = live {
            live.publish(status, notes);
        }
    }

    /// The host can't go on with a run before it is restarted: those that follow it are told that no more comes.
    pub(crate) fn abandon(&self, run: &RunId) {
        self.lock().abandoned.insert(*run);
        self.end(run);
    }

    /// Whether that is so.
    pub(crate) fn is_abandoned(&self, run: &RunId) -> bool {
        self.lock().abandoned.contains(run)
    }

    /// Removes a run that has ended, and tells those that wait for its end.
    pub(crate) fn end(&self, run: &RunId) {
        let live = self.lock().runs.remove(run).and_then(|live| live.upgrade());
        if let Some(live) = live {
            // Before the lines end: whoever comes to follow behind that sees that there are none.
            live.ended.send_replace(true);
            // Readers get what was sent before, and then the end.
            live.state().notes = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open run.
pub(crate) struct LiveRun {
    id: RunId,
    tenant: TenantId,
    state: Mutex<State>,
    ended: watch::Sender<bool>,
    runs: LiveRuns,
}

struct State {
    status: Status,
    /// Made for the first reader.
    notes: Option<broadcast::Sender<Note>>,
    calls: BTreeMap<(TaskKey, u32), Progress>,
}

/// The lines of a run that become durable. The run is live as long as it has this.
pub(crate) struct Follower {
    notes: broadcast::Receiver<Note>,
    _live: Arc<LiveRun>,
}

impl Follower {
    /// The next line.
    pub(crate) async fn next(&mut self) -> Result<Note, broadcast::error::RecvError> {
        self.notes.recv().await
    }
}

impl LiveRun {
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

    /// The lines that become durable from now on; none once the run's end is durable. A reader that is more than `lag` lines
    /// behind loses them.
    pub(crate) fn follow(self: Arc<Self>, lag: usize) -> Option<Follower> {
        let mut state = self.state();
        // Nobody would end what begins now.
        if *self.ended.borrow() {
            return None;
        }
        let notes = state
            .notes
            .get_or_insert_with(|| broadcast::Sender::new(lag.max(1)))
            .subscribe();
        drop(state);
        Some(Follower { notes, _live: self })
    }

    /// Becomes true when the run's end is durable, or the host can't go on with it.
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

impl Drop for LiveRun {
    fn drop(&mut self) {
        let mut known = self.runs.lock();
        // Somebody may have entered the run anew meanwhile.
        if known
            .runs
            .get(&self.id)
            .is_some_and(|it| it.strong_count() == 0)
        {
            known.runs.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_live_while_somebody_has_it() {
        let runs = LiveRuns::default();
        let (tenant, run) = (TenantId::default(), RunId::new(0, &[0; 10]));
        let driven = runs.enter(&tenant, run, Status::Running);
        let followed = runs.enter(&tenant, run, Status::Waiting);
        assert!(Arc::ptr_eq(&driven, &followed));
        drop(driven);
        assert!(runs.get(&tenant, &run).is_some());
        assert!(
            runs.get(&TenantId::new("b").expect("a tenant"), &run)
                .is_none()
        );
        drop(followed);
        assert!(runs.get(&tenant, &run).is_none() && runs.lock().runs.is_empty());
    }

    #[tokio::test]
    async fn who_follows_one_comes_to_its_end_whenever_that_comes() {
        let runs = LiveRuns::default();
        let (tenant, run) = (TenantId::default(), RunId::new(0, &[0; 10]));
        let live = runs.enter(&tenant, run, Status::Running);
        let mut before = live.clone().follow(1).expect("it has not ended");
        runs.end(&run);
        let closed = broadcast::error::RecvError::Closed;
        assert_eq!(before.next().await.expect_err("there are no lines"), closed);
        assert!(live.follow(1).is_none());
    }

    #[test]
    fn one_that_is_abandoned_is_followed_again_once_it_is_taken_up() {
        let runs = LiveRuns::default();
        let (tenant, run) = (TenantId::default(), RunId::new(0, &[0; 10]));
        let before = runs.take_up(&tenant, run);
        runs.abandon(&run);
        assert!(runs.is_abandoned(&run) && *before.ended().borrow());
        let again = runs.take_up(&tenant, run);
        assert!(!runs.is_abandoned(&run) && !*again.ended().borrow());
    }

    #[test]
    fn one_that_has_ended_and_goes_on_is_another() {
        let runs = LiveRuns::default();
        let (tenant, run) = (TenantId::default(), RunId::new(0, &[0; 10]));
        let before = runs.enter(&tenant, run, Status::Running);
        runs.end(&run);
        let again = runs.enter(&tenant, run, Status::Running);
        assert!(*before.ended().borrow() && !*again.ended().borrow());
        drop(before);
        assert!(runs.get(&tenant, &run).is_some());
    }
}
