//! What an operator can set, with defaults and their reasons.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use baton_sandbox::process::ProcessRules;
use baton_sandbox::{GrantSpec, LimitsSpec};
use baton_store::{Digest, TenantId};

use crate::clock::{Clock, SystemClock};
use crate::digest;
use crate::vault::MasterKeys;

/// A component that comes with the host. Its bytes are not looked at before somebody uses it.
#[derive(Clone)]
pub struct Bundled {
    digest: Digest,
    bytes: Cow<'static, [u8]>,
}

impl Bundled {
    /// A component with its SHA-256, which is known from when it was built. Where it is another one, what runs
    /// with the component says so.
    #[must_use]
    pub fn known(digest: Digest, bytes: &'static [u8]) -> Self {
        let bytes = Cow::Borrowed(bytes);
        Self { digest, bytes }
    }

    /// A component of which nothing is known yet.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self {
            digest: digest::of(&bytes),
            bytes: Cow::Owned(bytes),
        }
    }

    /// Its SHA-256.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// How the engine is set up.
#[derive(Clone)]
pub struct Settings {
    /// The connectors that come with the host, by name. Every tenant has them without installing; what a tenant
    /// installs under the same name stands in front of it. Default: none.
    pub bundled: BTreeMap<String, Bundled>,
    /// The component of the expression language `jq`. Default: none, which lets workflows be published
    /// only if their expressions are paths (`.a.b`, `$input.x`).
    pub language: Option<Bundled>,
    /// Grants that hold as long as this host runs and are stored nowhere, by tenant and connector: what
    /// `--allow` gives. They add to what the tenant has granted: egress rules are joined, settings and
    /// limits that stand here go first. Default: none.
    pub standing_grants: BTreeMap<(TenantId, String), GrantSpec>,
    /// What secrets are sealed under. Default: nothing, which lets tenants keep no secrets.
    pub secrets: Option<MasterKeys>,
    /// Which tenants' connectors may run processes of the machine, and how: what an operator has turned on. It
    /// holds for connectors that came with the host, never for one that a tenant has installed under the same
    /// name. Default: none.
    pub processes: BTreeMap<(TenantId, String), Arc<ProcessRules>>,
    /// The limits of calls of connectors that came with the host, by name, where the grant has none of its own and
    /// the default does not do: an interpreter takes more memory than what speaks HTTP. Default: none.
    pub bundled_limits: BTreeMap<String, LimitsSpec>,
    /// Which of the specification's lifecycle events go into the event logs. Default: none, since a busy host has
    /// more of them than of all others, which they would push out of the log.
    pub lifecycle: LifecycleEvents,
    /// For how long runs are kept once they have ended. Default: for ever.
    pub retention: Retention,
    /// Bounds on what is accepted and held.
    pub limits: EngineLimits,
    /// Over how many partitions a new store spreads its runs. A store that exists keeps its count.
    /// Default: 8.
    pub partitions: u16,
    /// The release of the host, for `$runtime` and for the store: `0.1.0`. Default: this crate's.
    pub version: String,
    /// Whether workflows start by themselves on this host. What is due stays due where they do not. Default: yes.
    pub schedules: bool,
    /// Where the time comes from. Default: the system.
    pub clock: Arc<dyn Clock>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bundled: BTreeMap::new(),
            language: None,
            standing_grants: BTreeMap::new(),
            secrets: None,
            processes: BTreeMap::new(),
            bundled_limits: BTreeMap::new(),
            lifecycle: LifecycleEvents::default(),
            retention: Retention::default(),
            limits: EngineLimits::default(),
            partitions: baton_store::meta::PARTITIONS_DEFAULT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            schedules: true,
            clock: Arc::new(SystemClock),
        }
    }
}

/// Which of the specification's lifecycle events (dsl.md, "Lifecycle Events") are published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LifecycleEvents {
    /// None.
    #[default]
    Off,
    /// Those of workflows.
    Workflows,
    /// Those of workflows and of their tasks.
    Tasks,
}

/// For how long runs are kept once they have ended; none is for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Those of tenants of which nothing else is said. Default: for ever, since nobody gets back what was removed.
    pub default: Option<Duration>,
    /// Those of these tenants.
    pub tenants: BTreeMap<TenantId, Option<Duration>>,
}

impl Retention {
    /// For how long a tenant's are kept.
    pub fn of(&self, tenant: &TenantId) -> Option<Duration> {
        self.tenants.get(tenant).copied().unwrap_or(self.default)
    }

    /// The shortest time of all; none where all are kept for ever.
    pub fn shortest(&self) -> Option<Duration> {
        let all = self.tenants.values().copied().chain([self.default]);
        all.flatten().min()
    }
}

/// Bounds on what is accepted and held. Whatever passes one is refused at the door.
#[derive(Clone, Debug)]
pub struct EngineLimits {
    /// How many runs of one tenant may be open at once. Default: 2,000,000: those that wait take room on the disk, some
    /// kilobytes each, and next to no memory. Beyond it, starts are refused as busy.
    pub open_runs_per_tenant: usize,
    /// How many runs of one tenant may be in memory at once: those that are at work, and those that wait and have not
    /// left it yet. Default: 20,000, some hundred megabytes at a few kilobytes a run. Beyond it, starts are refused as
    /// busy; beyond twice as many, runs that are asleep sleep on.
    pub awake_runs_per_tenant: usize,
    /// How many runs of all tenants may be in memory at once. Default: 40,000. Once half as many are, a tenant may have no
    /// more than an equal share of that half, and starts beyond it are refused as busy; once all are, only a tenant that
    /// has none may have one. A quarter more of them may be runs that were asleep, so that starts do not keep those out.
    pub awake_runs: usize,
    /// How many runs that wait for timers, events or people may stay in memory, of all tenants; those that have waited
    /// for the longest time leave it. Default: 4,096, so that what is woken soon is at hand.
    pub waiting_in_memory: usize,
    /// How many workflows of one tenant may start by themselves (`schedule`). Default: 1,000, more than people keep
    /// an eye on: each is in memory with some kilobytes, and one that gathers events has a task that reads the log.
    /// Beyond it, another workflow with a schedule is not published.
    pub schedules_per_tenant: usize,
    /// How many runs may start one another in a row (`run: workflow`). Default: 32, far beyond what people
    /// nest; it is there for a workflow that runs itself without end.
    pub nesting: u32,
    /// How many requests may wait for one partition. Default: 10,000, about a second of its work.
    /// Beyond it, starts and cancellations are refused as busy.
    pub mailbox: usize,
    /// How many requests may wait for the journal. Default: 10,000: some tens of megabytes, or as much as inputs of
    /// [`EngineLimits::input_bytes`] take, of which few can wait, since few starts are prepared at a time.
    pub journal_queue: usize,
    /// How many calls of all tenants may be under way at once; others wait, and a tenant that has fewer under way comes
    /// before one that has more. One of sixteen is kept for tenants that have none under way, unless one tenant may
    /// make all. Default: 512, which bounds the memory of their instances.
    pub calls: usize,
    /// How many calls of one tenant may be under way at once; others of that tenant wait. Default: 256,
    /// so that no tenant takes all of [`EngineLimits::calls`].
    pub calls_per_tenant: usize,
    /// How many subscriptions (`call: asyncapi`) of all tenants may be open at once; others wait their turn, as calls
    /// do. They count apart from calls, since what works on a message may make calls. Default: 256, which is also what the
    /// sandbox has instances for.
    pub subscriptions: usize,
    /// How many subscriptions of one tenant may be open at once; others of that tenant wait. Default: 128.
    pub subscriptions_per_tenant: usize,
    /// How long a call may take that neither the workflow nor the grant bounds. Default: 24 hours; the
    /// sandbox's own default limit ends most calls long before. It ends no subscription.
    pub call_time: Duration,
    /// The largest input of a run, in bytes of JSON text. Default: 4 MiB.
    pub input_bytes: usize,
    /// How many tags a run may have. Default: 32.
    pub tags: usize,
    /// The longest key or value of a tag, in bytes. Default: 256.
    pub tag_bytes: usize,
    /// The longest idempotency key, in bytes. Default: 255.
    pub idempotency_key_bytes: usize,
    /// The most items of one page of a list. Default: 1,000.
    pub page: usize,
    /// How many turns of one partition may wait to become durable before it waits with them: timers do not
    /// elapse, and pure calls are not made ahead. Twice as many, and cancellations are refused as busy.
    /// Default: 256, which is more than the runs that may be in memory can fill by answers alone: what one tenant has to
    /// write holds up no other's timers.
    pub uncommitted_turns: usize,
    /// After how many events of a run its state is kept, so that only what follows is read when the run is loaded: less
    /// often where the state takes more bytes than the events since then. Default: 256, some milliseconds of reading.
    pub snapshot_events: u32,
    /// How many lines of a run's history a reader may be behind before it is dropped. Default: 1,024.
    pub subscriber_lag: usize,
    /// How many workflow versions are kept ready to run. Default: 256, some tens of kilobytes each; the
    /// least used makes room, and is lowered again from its text when it is needed.
    pub plans: usize,
    /// How many instances of expression languages there are for the runs of all versions, in use or warm.
    /// Default: 64, 8 MiB each at most; the one unused for the longest time makes room. With the 16
    /// that check documents it must stay below what the sandbox may have, by default 256.
    pub evaluators: usize,
    /// The largest event, sent or emitted, in bytes of its JSON form; for the events that a run emits, what it was at
    /// the run's start. Default: 1 MiB, sixteen times what the CloudEvents specification has everybody take.
    pub event_bytes: usize,
    /// How many bytes of events a tenant's log keeps; the oldest make room. Default: 256 MiB, about 500,000
    /// events of half a kilobyte.
    pub event_log_bytes: u64,
    /// How many events a tenant's log keeps; the oldest make room. Default: 1,000,000, so that many small ones take
    /// no more time to look through than few large ones.
    pub event_log_events: u64,
    /// How long a tenant's log keeps events at least, where they have room. Default: 7 days. What is older is looked
    /// for every ten minutes, and dropped the next time. A run that begins to listen for events that have been dropped
    /// since its start faults.
    pub event_log_age: Duration,
    /// How many connectors are kept compiled. Default: 256, some megabytes each; the least used makes room,
    /// and is taken from the cache of compiled components when it is needed.
    pub components: usize,
}

impl Default for EngineLimits {
    fn default() -> Self {
        Self {
            open_runs_per_tenant: 2_000_000,
            awake_runs_per_tenant: 20_000,
            awake_runs: 40_000,
            waiting_in_memory: 4_096,
            schedules_per_tenant: 1_000,
            nesting: 32,
            mailbox: 10_000,
            journal_queue: 10_000,
            calls: 512,
            calls_per_tenant: 256,
            subscriptions: 256,
            subscriptions_per_tenant: 128,
            call_time: Duration::from_secs(24 * 3600),
            input_bytes: 4 << 20,
            tags: 32,
            tag_bytes: 256,
            idempotency_key_bytes: 255,
            page: 1_000,
            uncommitted_turns: 256,
            snapshot_events: 256,
            subscriber_lag: 1_024,
            plans: 256,
            evaluators: 64,
            event_bytes: 1 << 20,
            event_log_bytes: 256 << 20,
            event_log_events: 1_000_000,
            event_log_age: Duration::from_secs(7 * 24 * 3600),
            components: 256,
        }
    }
}
