//! The handle: what the outside asks of the engine.

mod connectors;
mod runs;
mod workflows;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use baton_sandbox::Sandbox;
use baton_store::meta::Meta;
use baton_store::{Batch, Direction, Partition as Number, Store, key};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::admission::Admission;
use crate::digest;
use crate::dispatch::Dispatch;
use crate::error::{OpenError, Unavailable};
use crate::grants::Grants;
use crate::journal::Journal;
use crate::library::Library;
use crate::live::LiveRuns;
use crate::mailbox::Mailbox;
use crate::outside::{Invoke, Languages};
use crate::partition::{Message, Partition, Reopen};
use crate::replay;
use crate::sandboxed::{Calls, Sandboxed};
use crate::settings::Settings;
use crate::shared::Shared;
use crate::version::Versions;

pub use runs::Subscription;

/// How many readers may replay journals at the same time: each may hold an instance of an expression
/// language.
const READERS_MAX: usize = 16;

/// How many locks the idempotency keys of starts share.
const KEY_LOCKS: usize = 64;

/// The engine. Clones are cheap and drive the same runs.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    sandbox: Arc<Sandbox>,
    partitions: Vec<Arc<Mailbox<Message>>>,
    threads: Mutex<Option<Threads>>,
    /// How many partitions have still to recover.
    recovering: Arc<AtomicUsize>,
    stopping: AtomicBool,
    readers: Arc<Semaphore>,
    /// One publication or installation at a time: each reads what it is about to write.
    writing: tokio::sync::Mutex<()>,
    /// One start at a time under one idempotency key.
    keys: Vec<tokio::sync::Mutex<()>>,
}

struct Threads {
    partitions: Vec<JoinHandle<()>>,
    writer: JoinHandle<()>,
}

impl Engine {
    /// Starts the engine on a store: recovers the runs that were under way, makes again the calls that had
    /// not been answered, sets again the timers that had not come due.
    ///
    /// Must be called within a tokio runtime with a timer; calls run on it. It returns when it knows which
    /// runs are open; [`Engine::is_ready`] says when all of them are at work again.
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
        let now = settings.clock.now();
        let made_by = format!("baton {}", settings.version);
        let meta = Meta::read_or_create(&*store, settings.partitions, &made_by, now.as_millis())?;
        let mut batch = Batch::new();
        let library = Arc::new(Library::new(store.clone(), &settings.bundled, &mut batch)?);
        let language = match settings.language.is_empty() {
            true => digest::of(&[]),
            false => library.add(&settings.language, &mut batch)?,
        };
        if !batch.is_empty() {
            store.commit(&batch)?;
        }
        let grants = Arc::new(Grants::new(store.clone(), settings.standing_grants)?);
        let sandboxed = Arc::new(Sandboxed::new(
            sandbox.clone(),
            library.clone(),
            grants.clone(),
        ));
        let invoke = invoke.unwrap_or_else(|| Arc::new(Calls(sandboxed.clone())));
        let languages: Arc<dyn Languages> = sandboxed;
        let limits = settings.limits;
        let shared = Arc::new(Shared {
            journal: Journal::new(limits.journal_queue),
            clock: settings.clock,
            partitions: meta.partitions,
            library,
            grants,
            versions: Versions::new(languages.clone(), limits.plans, limits.evaluators),
            languages,
            dispatch: Dispatch::new(
                Handle::current(),
                invoke,
                limits.calls,
                limits.calls_per_tenant,
            ),
            live: LiveRuns::default(),
            admission: Admission::new(limits.open_runs_per_tenant),
            language,
            runtime: json!({ "name": "baton", "version": settings.version, "metadata": {} }),
            limits,
            store,
        });
        Self::start_threads(shared, sandbox)
    }

    fn start_threads(shared: Arc<Shared>, sandbox: Arc<Sandbox>) -> Result<Self, OpenError> {
        let open: Vec<_> = (0..shared.partitions)
            .map(|it| open_runs(&shared, Number(it)))
            .collect::<Result<_, _>>()?;
        let recovering = Arc::new(AtomicUsize::new(open.len()));
        let mailboxes: Vec<_> = open
            .iter()
            .map(|_| Arc::new(Mailbox::new(shared.limits.mailbox)))
            .collect();
        let writer = spawn("baton-journal", {
            let shared = shared.clone();
            move || shared.journal.write(&*shared.store)
        })?;
        let mut threads = Threads {
            partitions: Vec::new(),
            writer,
        };
        for ((number, open), mailbox) in (0..).zip(open).zip(&mailboxes) {
            let mut partition = Partition::new(Number(number), shared.clone(), mailbox.clone());
            let recovering = recovering.clone();
            threads.partitions.push(spawn("baton-partition", move || {
                partition.recover(open);
                recovering.fetch_sub(1, Ordering::SeqCst);
                partition.work();
            })?);
        }
        let inner = Inner {
            shared,
            sandbox,
            partitions: mailboxes,
            threads: Mutex::new(Some(threads)),
            recovering,
            stopping: AtomicBool::new(false),
            readers: Arc::new(Semaphore::new(READERS_MAX)),
            writing: tokio::sync::Mutex::new(()),
            keys: (0..KEY_LOCKS)
                .map(|_| tokio::sync::Mutex::new(()))
                .collect(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Whether the engine takes work: it has recovered, is not shutting down, and its store can be
    /// written.
    pub fn is_ready(&self) -> bool {
        self.inner.recovering.load(Ordering::SeqCst) == 0
            && !self.inner.stopping.load(Ordering::SeqCst)
            && self.inner.shared.journal.stalled().is_none()
    }

    /// Stops: takes no more requests, makes durable what has happened, abandons the calls under way and
    /// waits for its threads. The runs stay open and go on when a host opens the store again. Further
    /// calls of this method do nothing.
    pub async fn shutdown(&self) {
        self.inner.stopping.store(true, Ordering::SeqCst);
        let threads = self
            .inner
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(threads) = threads else { return };
        self.inner
            .partitions
            .iter()
            .for_each(|mailbox| mailbox.close());
        let journal = self.inner.shared.journal.clone();
        // Threads are joined where waiting is allowed.
        let joined = tokio::task::spawn_blocking(move || {
            threads
                .partitions
                .into_iter()
                .for_each(|thread| drop(thread.join()));
            journal.close();
            drop(threads.writer.join());
        });
        drop(joined.await);
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    fn check_open(&self) -> Result<(), Unavailable> {
        match self.inner.stopping.load(Ordering::SeqCst) {
            true => Err(Unavailable::ShuttingDown),
            false => Ok(()),
        }
    }

    /// Does something that takes a while or reads much, where it does not hold up others.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let permit = self.inner.readers.clone().acquire_owned().await;
        let shared = self.inner.shared.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&shared)
        });
        done.await
            .map_err(|error| Unavailable::Storage(format!("the host failed: {error}")))
    }
}

/// The runs of a partition that have not ended. From here on they are known as open.
fn open_runs(shared: &Shared, partition: Number) -> Result<Vec<Reopen>, OpenError> {
    let stored = shared
        .store
        .scan(&key::opens(partition), Direction::Ascending, usize::MAX)?;
    let mut open = Vec::with_capacity(stored.len());
    for (key, value) in stored {
        let Some((tenant, run)) = key::parse_open(&key) else {
            continue;
        };
        shared
            .live
            .insert(run, tenant.clone(), replay::open_status(&value)?);
        let place = shared.admission.enter_again(&tenant);
        open.push(Reopen { tenant, run, place });
    }
    Ok(open)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(OpenError::Thread)
}
