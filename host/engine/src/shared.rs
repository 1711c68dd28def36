//! What all parts of the engine have in common.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use baton_sandbox::Sandbox;
use baton_store::meta::Meta;
use baton_store::seed::SeedKey;
use baton_store::{Digest, Partition as Number, RunId, Store, TenantId};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::admission::{self, Admission};
use crate::beginnings::Beginnings;
use crate::bulkhead::Bulkhead;
use crate::choices::Choices;
use crate::clock::Clock;
use crate::digest;
use crate::dispatch::Dispatch;
use crate::error::OpenError;
use crate::events::EventLogs;
use crate::fair::FairSemaphore;
use crate::grants::Grants;
use crate::journal::Journal;
use crate::library::Library;
use crate::live::LiveRuns;
use crate::mailbox::{Mailbox, Refused};
use crate::outside::{Invoke, Languages};
use crate::partition::Message;
use crate::platform::Platform;
use crate::processors::Processors;
use crate::sandboxed::{Calls, Sandboxed};
use crate::schedule::Schedules;
use crate::settings::{EngineLimits, LifecycleEvents, Settings};
use crate::shares::Bounds;
use crate::vault::Vault;
use crate::version::Versions;

/// How many runs that nobody asks for may be prepared at the same time: children, and what is scheduled. All wait
/// until there is room; how many there can be is bounded by the open runs and by the schedules.
const OWN_STARTS: Bounds = Bounds {
    all: 32,
    per_tenant: 16,
    present_per_tenant: usize::MAX,
};

/// How many schedules may look at events at the same time: each evaluates expressions meanwhile, for which it has an instance
/// of their language, of those that runs have. All others wait for their turn.
const GATHERERS: Bounds = Bounds {
    all: 16,
    per_tenant: 8,
    present_per_tenant: usize::MAX,
};

/// What all parts of the engine have in common.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) platform: Platform,
    pub(crate) journal: Journal,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: EngineLimits,
    pub(crate) lifecycle: LifecycleEvents,
    /// How many partitions the store has.
    pub(crate) partitions: u16,
    pub(crate) library: Arc<Library>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) languages: Arc<dyn Languages>,
    pub(crate) versions: Arc<Versions>,
    pub(crate) choices: Choices,
    pub(crate) dispatch: Dispatch,
    pub(crate) live: LiveRuns,
    pub(crate) admission: Admission,
    pub(crate) beginnings: Beginnings,
    /// How many runs have ended since the host started.
    pub(crate) ended: AtomicU64,
    pub(crate) events: EventLogs,
    /// Where each partition is told what has happened, by its number.
    pub(crate) mailboxes: Vec<Arc<Mailbox<Message>>>,
    pub(crate) processors: Arc<Processors>,
    pub(crate) bulkhead: Bulkhead,
    /// Who may start runs that nobody asks for: children, and what is scheduled.
    pub(crate) own_starts: FairSemaphore,
    /// Which schedules may look at events.
    pub(crate) gatherers: FairSemaphore,
    pub(crate) schedules: Schedules,
    /// The release of the host, for what it writes: `baton 0.1.0`.
    pub(crate) made_by: String,
    /// The expression language that new runs use.
    pub(crate) language: Digest,
    /// `$runtime` of new runs.
    pub(crate) runtime: Value,
}

impl Shared {
    /// What an engine on a store has in common. Nobody works for it yet. Calls are made by the `sandbox`, unless there
    /// is somebody else to `invoke`.
    ///
    /// # Errors
    ///
    /// As [`crate::Engine::open`].
    pub(crate) fn open(
        store: Arc<dyn Store>,
        sandbox: &Arc<Sandbox>,
        settings: Settings,
        invoke: Option<Arc<dyn Invoke>>,
        platform: Platform,
    ) -> Result<Self, OpenError> {
        let now = settings.clock.now();
        let made_by = format!("baton {}", settings.version);
        let meta = Meta::read_or_create(&*store, settings.partitions, &made_by, now.as_millis())?;
        let secret = SeedKey::read_or_create(&*store, rand::random())?;
        let language = match &settings.language {
            Some(language) => language.digest(),
            None => digest::of(&[]),
        };
        let library = Library::new(store.clone(), settings.bundled, settings.language);
        let library = Arc::new(library);
        let grants = Arc::new(Grants::new(
            store.clone(),
            &library,
            settings.standing_grants,
            settings.processes,
            settings.bundled_limits,
        )?);
        let vault = Arc::new(Vault::new(store.clone(), settings.secrets, &secret));
        let sandboxed = Arc::new(Sandboxed::new(
            sandbox.clone(),
            library.clone(),
            grants.clone(),
            vault.clone(),
            secret,
            settings.limits.components,
        ));
        let invoke = invoke.unwrap_or_else(|| Arc::new(Calls(sandboxed.clone())));
        let languages: Arc<dyn Languages> = sandboxed;
        let limits = settings.limits;
        let mailbox = |_| Arc::new(Mailbox::new(limits.mailbox));
        let mailboxes: Vec<_> = (0..meta.partitions).map(mailbox).collect();
        let apart = (0..meta.partitions).map(mailbox).collect();
        Ok(Self {
            journal: Journal::new(limits.journal_queue),
            clock: settings.clock,
            partitions: meta.partitions,
            library,
            grants,
            vault,
            versions: Arc::new(Versions::new(
                languages.clone(),
                limits.plans,
                limits.evaluators,
            )),
            choices: Choices::new(limits.plans),
            languages,
            dispatch: Dispatch::new(
                Handle::current(),
                invoke,
                FairSemaphore::new(limits.calls, limits.calls_per_tenant),
                FairSemaphore::new(limits.subscriptions, limits.subscriptions_per_tenant),
                platform.processors(),
            ),
            live: LiveRuns::default(),
            beginnings: Beginnings::default(),
            admission: Admission::new(admission::Bounds {
                open: limits.open_runs_per_tenant,
                awake: limits.awake_runs_per_tenant,
                awake_of_all: limits.awake_runs,
            }),
            ended: AtomicU64::new(0),
            events: EventLogs::new(&limits, mailboxes.clone()),
            processors: Arc::new(Processors::new(platform.processors(), mailboxes.clone())),
            bulkhead: Bulkhead::new(platform.processors(), apart),
            mailboxes,
            platform,
            own_starts: FairSemaphore::new(OWN_STARTS.all, OWN_STARTS.per_tenant),
            gatherers: FairSemaphore::new(GATHERERS.all, GATHERERS.per_tenant),
            schedules: Schedules::load(&*store, meta.partitions)?,
            language,
            runtime: json!({ "name": "baton", "version": settings.version, "metadata": {} }),
            limits,
            made_by,
            lifecycle: settings.lifecycle,
            store,
        })
    }

    /// Tells the partition of a run what somebody asks of it.
    ///
    /// # Errors
    ///
    /// Where too much waits there already, or nobody takes anything any more.
    pub(crate) fn offer(
        &self,
        tenant: &TenantId,
        run: &RunId,
        message: Message,
    ) -> Result<(), Refused> {
        let number = usize::from(run.partition(self.partitions).0);
        // A partition passes on at once what is about those behind the bulkhead, so that it never waits there.
        if self.bulkhead.has(tenant) && self.bulkhead.mailboxes[number].is_full() {
            return Err(Refused::Full);
        }
        self.mailboxes[number].offer(message)
    }

    /// Tells a partition something of a tenant's, for which it takes a turn.
    pub(crate) fn tell(&self, partition: Number, tenant: &TenantId, message: Message) {
        match self.bulkhead.has(tenant) {
            // It only passes it on.
            true => self.mailboxes[usize::from(partition.0)].push(message),
            false => self.processors.tell(partition, tenant, message),
        }
    }

    /// Whether several tenants have had something to do of late.
    pub(crate) fn is_shared(&self) -> bool {
        self.processors.are_shared() || self.bulkhead.is_used()
    }

    /// Where the partition that owns a run is told what has happened.
    pub(crate) fn mailbox(&self, run: &RunId) -> &Arc<Mailbox<Message>> {
        let partition = run.partition(self.partitions);
        &self.mailboxes[usize::from(partition.0)]
    }
}
