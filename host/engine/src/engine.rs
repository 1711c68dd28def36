//! The handle: what the outside asks of the engine.

mod approvals;
mod backup;
mod connectors;
mod control;
mod delete;
mod events;
mod retry;
mod run_views;
mod runs;
mod schedules;
mod secrets;
mod subscription;
mod workflows;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::vec::Drain;

use baton_sandbox::Sandbox;
use baton_store::{Partition as Number, Store, TenantId};
use baton_system::priority;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinError};

use crate::error::{OpenError, Unavailable};
use crate::events::sweep;
use crate::handoff::Handoff;
use crate::journal::Notice;
use crate::locks::Locks;
use crate::mailbox::Mailbox;
use crate::outside::Invoke;
use crate::partition::{Message, Partition};
use crate::platform::Platform;
use crate::retention;
use crate::schedule;
use crate::settings::{Retention, Settings};
use crate::shared::Shared;
use crate::shares::{Bounds, Shares};

pub use backup::Backup;
pub use subscription::Subscription;

pub(crate) use run_views::view_of;
pub(crate) use workflows::{find as find_workflow, published_versions};

/// How much may be read and checked at the same time: histories, lists, documents, components. Each may hold an
/// instance of an expression language.
const READERS: Bounds = Bounds {
    all: 16,
    per_tenant: 8,
    present_per_tenant: 64,
};

/// How many starts for which not all is at hand may be prepared at the same time, for each processor: few, since that is a
/// matter of the processor mostly, for which more threads would only wait. They wait behind no reader.
const STARTS: Bounds = Bounds {
    all: 4,
    per_tenant: 1,
    present_per_tenant: 10_000,
};

/// When to ask again that too much is under way.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The engine. Clones are cheap and drive the same runs.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    sandbox: Arc<Sandbox>,
    threads: Mutex<Option<Threads>>,
    stopping: AtomicBool,
    /// Starts what is scheduled.
    scheduler: Option<AbortHandle>,
    /// The tasks that deliver events, drop old ones and remove old runs.
    tasks: Mutex<Vec<AbortHandle>>,
    readers: Shares,
    starts: Shares,
    /// One publication or installation at a time: each reads what it is about to write.
    writing: tokio::sync::Mutex<()>,
    /// One backup at a time: each keeps the store from using freed pages again.
    backups: Arc<Semaphore>,
    /// One start at a time under one idempotency key.
    keys: Locks<(TenantId, String)>,
}

impl Inner {
    /// An engine for which nobody works.
    fn idle(shared: Arc<Shared>, sandbox: Arc<Sandbox>) -> Self {
        let processors = shared.platform.processors();
        let starts = Bounds {
            all: STARTS.all * processors,
            per_tenant: STARTS.per_tenant * processors,
            ..STARTS
        };
        Self {
            shared,
            sandbox,
            threads: Mutex::new(None),
            stopping: AtomicBool::new(false),
            scheduler: None,
            tasks: Mutex::default(),
            readers: Shares::new(READERS),
            starts: Shares::new(starts),
            writing: tokio::sync::Mutex::new(()),
            backups: Arc::new(Semaphore::new(1)),
            keys: Locks::default(),
        }
    }
}

struct Threads {
    partitions: Vec<JoinHandle<()>>,
    /// Those of the partitions behind the bulkhead.
    apart: Vec<JoinHandle<()>>,
    writer: JoinHandle<()>,
}

/// Sees to it that a partition whose thread has ended, if by a mistake of the host's, keeps nothing that others wait for.
struct Ends<'a> {
    partition: &'a Mutex<Partition>,
    mailbox: Arc<Mailbox<Message>>,
}

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.mailbox.end();
        give_up(self.partition);
    }
}

/// Sees to it that partitions end where the journal's thread has ended, if by a mistake of the host's: nothing becomes durable any
/// more that somebody may wait for.
struct JournalEnds<'a>(&'a Shared);

impl Drop for JournalEnds<'_> {
    fn drop(&mut self) {
        let mailboxes = self.0.mailboxes.iter().chain(&self.0.bulkhead.mailboxes);
        mailboxes.for_each(|mailbox| mailbox.close());
    }
}

/// A partition takes no more turns, if by a mistake of the host's: it keeps nothing that others wait for.
pub(crate) fn give_up(partition: &Mutex<Partition>) {
    let mut partition = partition.lock().unwrap_or_else(PoisonError::into_inner);
    partition.give_up();
}

impl Threads {
    /// Whether all are at work. None ends before the engine stops, unless the host has made a mistake: then the runs
    /// of a partition stand still until the host is restarted.
    fn are_at_work(&self) -> bool {
        let mut partitions = self.partitions.iter().chain(&self.apart);
        !self.writer.is_finished() && !partitions.any(JoinHandle::is_finished)
    }
}

impl Engine {
    /// Starts the engine on a store: recovers the runs that were under way, makes again the calls that had
    /// not been answered, sets again the timers that had not come due.
    ///
    /// Must be called within a tokio runtime with a timer; calls run on it. Its threads should begin with
    /// [`priority::reset`](baton_system::priority::reset). It returns at once;
    /// [`Engine::is_ready`] says when all open runs are at work, or asleep, again.
    ///
    /// # Errors
    ///
    /// Where the store can't be read or written or is of a later format, and where what the settings give
    /// is no connector or grant.
    pub fn open(
        store: Arc<dyn Store>,
        sandbox: Arc<Sandbox>,
        settings: Settings,
    ) -> Result<Self, OpenError> {
        Self::open_with(store, sandbox, settings, None)
    }

    /// As [`Engine::open`], with somebody else to make the calls: for tests.
    ///
    /// # Errors
    ///
    /// As [`Engine::open`].
    pub fn open_with(
        store: Arc<dyn Store>,
        sandbox: Arc<Sandbox>,
        settings: Settings,
        invoke: Option<Arc<dyn Invoke>>,
    ) -> Result<Self, OpenError> {
        let (schedules, retention) = (settings.schedules, settings.retention.clone());
        let shared = Shared::open(store, &sandbox, settings, invoke, Platform::System)?;
        Self::start_threads(Arc::new(shared), sandbox, schedules, retention)
    }

    /// An engine for which nobody works but who drives it.
    #[cfg(test)]
    pub(crate) fn idle(shared: Arc<Shared>, sandbox: Arc<Sandbox>) -> Self {
        Self {
            inner: Arc::new(Inner::idle(shared, sandbox)),
        }
    }

    fn start_threads(
        shared: Arc<Shared>,
        sandbox: Arc<Sandbox>,
        schedules: bool,
        retention: Retention,
    ) -> Result<Self, OpenError> {
        let partitions = (0..).zip(&shared.mailboxes).map(|(number, mailbox)| {
            let partition = Partition::new(Number(number), shared.clone(), mailbox.clone());
            Arc::new(Mutex::new(partition))
        });
        let partitions: Vec<_> = partitions.collect();
        let mut handoff = Handoff::new(shared.clone(), partitions.clone());
        let writer = spawn("baton-journal", {
            let shared = shared.clone();
            move || {
                let _ends = JournalEnds(&shared);
                let (store, events) = (&*shared.store, &shared.events);
                let tell = |notices: Drain<'_, Notice>| handoff.tell(notices);
                shared.journal.write(store, events, tell);
            }
        })?;
        let mut threads = Threads {
            partitions: Vec::new(),
            apart: Vec::new(),
            writer,
        };
        for (partition, mailbox) in partitions.into_iter().zip(&shared.mailboxes) {
            let mailbox = mailbox.clone();
            let work = move || work(&partition, mailbox);
            threads.partitions.push(spawn("baton-partition", work)?);
        }
        for (number, mailbox) in (0..).zip(&shared.bulkhead.mailboxes) {
            let (shared, mailbox) = (shared.clone(), mailbox.clone());
            let work = move || {
                priority::lower();
                work(
                    &Mutex::new(Partition::apart(Number(number), shared)),
                    mailbox,
                );
            };
            threads.apart.push(spawn("baton-bulkhead", work)?);
        }
        let scheduler = schedules.then(|| Handle::current().spawn(schedule::drive(shared.clone())));
        let sweeping = tokio::spawn(sweep::run(shared.clone()));
        let removing = tokio::spawn(retention::run(shared.clone(), retention));
        let inner = Inner {
            scheduler: scheduler.map(|task| task.abort_handle()),
            threads: Mutex::new(Some(threads)),
            tasks: Mutex::new(vec![sweeping.abort_handle(), removing.abort_handle()]),
            ..Inner::idle(shared, sandbox)
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Whether several tenants have had something to do of late, so that they take turns at the processors.
    pub fn is_shared(&self) -> bool {
        self.shared().is_shared()
    }

    /// Whether the engine takes work: it has recovered, is not shutting down, its threads are at work, and its store
    /// can be written.
    pub fn is_ready(&self) -> bool {
        self.shared().events.are_recovered()
            && !self.inner.stopping.load(Ordering::SeqCst)
            && self.inner.shared.journal.stalled().is_none()
            && self.threads().as_ref().is_some_and(Threads::are_at_work)
    }

    /// Stops: takes no more requests, makes durable what has happened, abandons the calls under way and
    /// waits for its threads. The runs stay open and go on when a host opens the store again. Further
    /// calls of this method do nothing.
    pub async fn shutdown(&self) {
        self.inner.stopping.store(true, Ordering::SeqCst);
        if let Some(scheduler) = &self.inner.scheduler {
            scheduler.abort();
        }
        self.end_tasks();
        let threads = self.threads().take();
        let Some(threads) = threads else { return };
        let shared = self.shared().clone();
        // Threads are joined where waiting is allowed.
        let joined = tokio::task::spawn_blocking(move || {
            end(&shared.mailboxes, threads.partitions);
            // They are told of what comes to the others to the last.
            end(&shared.bulkhead.mailboxes, threads.apart);
            shared.journal.close();
            drop(threads.writer.join());
        });
        drop(joined.await);
    }

    fn threads(&self) -> MutexGuard<'_, Option<Threads>> {
        let threads = self.inner.threads.lock();
        threads.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    fn check_open(&self) -> Result<(), Unavailable> {
        match self.inner.stopping.load(Ordering::SeqCst) {
            true => Err(Unavailable::ShuttingDown),
            false => Ok(()),
        }
    }

    /// Does something for a tenant that takes a while or reads much, where it does not hold up others.
    async fn aside<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        work: impl FnOnce(&Arc<Shared>) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        self.in_share(&self.inner.readers, tenant, work).await
    }

    async fn in_share<T: Send + 'static>(
        &self,
        shares: &Shares,
        tenant: &TenantId,
        work: impl FnOnce(&Arc<Shared>) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let share = shares.enter(tenant).await.ok_or(Unavailable::Busy {
            retry_after: RETRY_AFTER,
        })?;
        let shared = self.inner.shared.clone();
        let done = self.shared().platform.aside(move || {
            let _share = share;
            work(&shared)
        });
        done.await.map_err(|error| failed(&error))
    }

    /// Does something that changes what is stored, to its end: also when who asked for it has gone away
    /// meanwhile, which drops the future of whatever awaits this.
    async fn whole<T, E, F>(&self, work: impl FnOnce(Self) -> F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Unavailable> + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let done = tokio::spawn(work(self.clone())).await;
        done.map_err(|error| failed(&error))?
    }
}

/// Has partitions come to an end of what they have been told, and waits for that.
fn end(mailboxes: &[Arc<Mailbox<Message>>], threads: Vec<JoinHandle<()>>) {
    mailboxes.iter().for_each(|mailbox| mailbox.close());
    threads.into_iter().for_each(|thread| drop(thread.join()));
}

/// The body of a partition's thread. Ends when its mailbox is closed and empty, or when the host has made a mistake in it.
fn work(partition: &Mutex<Partition>, mailbox: Arc<Mailbox<Message>>) {
    let ends = Ends { partition, mailbox };
    let mut messages = VecDeque::new();
    // Until it has recovered it takes no turns, so that nobody is to ask for any in its name.
    let is_asleep = ends.mailbox.attend();
    let Ok(mut at_work) = partition.lock() else {
        return;
    };
    if !at_work.has_recovered() {
        at_work.recover();
    }
    ends.mailbox.leave(is_asleep, false);
    let mut patience = at_work.patience();
    drop(at_work);
    loop {
        ends.mailbox.wait(patience);
        let Ok(mut at_work) = partition.lock() else {
            return;
        };
        if !at_work.work(&mut messages) {
            return;
        }
        patience = at_work.patience();
    }
}

/// Why a task of the runtime came to no end.
pub(crate) fn failed(error: &JoinError) -> Unavailable {
    match error.is_cancelled() {
        true => Unavailable::ShuttingDown,
        false => Unavailable::Broken(format!("the host failed: {error}")),
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(OpenError::Thread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::peace;
    use crate::simulation::store::Readable;

    #[test]
    fn nobody_asks_for_turns_of_a_partition_that_recovers() {
        let world = peace();
        let (shared, store) = (world.host.shared.clone(), &world.around.store);
        let mailbox = shared.mailboxes[0].clone();
        let partition = Partition::new(Number(0), shared.clone(), mailbox.clone());
        let partition = Mutex::new(partition);
        let [flood, calm] = ["flood", "calm"].map(|it| TenantId::new(it).expect("a tenant"));
        let turn = shared.processors.ask(Number(1), &flood);
        assert!(!shared.processors.are_wanted_by(&calm) && shared.processors.are_shared());
        store.allow(Readable::Nothing);
        let is_wanted = std::thread::scope(|scope| {
            scope.spawn(|| work(&partition, mailbox.clone()));
            while partition.try_lock().is_ok() {
                std::thread::yield_now();
            }
            let processors = &shared.processors;
            processors.tell(Number(0), &calm, Message::Durable(7));
            let is_wanted = processors.are_wanted_by(&calm);
            store.allow(Readable::All);
            mailbox.close();
            is_wanted
        });
        assert!(!is_wanted);
        drop(turn);
    }
}
