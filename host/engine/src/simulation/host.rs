//! A host of a simulated world: the engine, with nobody at work but who drives it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use baton_sandbox::Sandbox;
use baton_store::{Partition as Number, RunId};
use baton_workflow::Timestamp;
use tokio::runtime::Runtime;

use super::chance::Chance;
use super::clock::SimulatedClock;
use super::connectors::{SimulatedConnectors, installed};
use super::language::Language;
use super::store::{Fate, SimulatedStore};
use crate::engine::Engine;
use crate::journal::Writer;
use crate::mailbox::Mailbox;
use crate::partition::{Extent, Message, Partition};
use crate::platform::Platform;
use crate::schedule;
use crate::settings::{EngineLimits, LifecycleEvents, Settings};
use crate::shared::Shared;
use crate::version::Versions;

/// Over how many partitions runs are spread.
pub(crate) const PARTITIONS: u16 = 2;

/// How often tasks of the runtime get their turn in one go: more often than one waits for another.
const ROUNDS: usize = 3;

/// How far the machine's own clock goes on each time: who waits by it since something can't be done just now tries again.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is around the hosts of a world, and outlives them.
pub(crate) struct Surroundings {
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) store: Arc<SimulatedStore>,
    pub(crate) connectors: Arc<SimulatedConnectors>,
    pub(crate) limits: EngineLimits,
    pub(crate) lifecycle: LifecycleEvents,
}

/// A host.
pub(crate) struct Host {
    pub(crate) engine: Engine,
    pub(crate) shared: Arc<Shared>,
    /// Those behind the bulkhead are behind all others.
    partitions: Vec<Driven>,
    writer: Writer,
    // Dropped last: what is under way on it knows the others.
    runtime: Runtime,
}

/// A partition without a thread.
struct Driven {
    partition: Partition,
    mailbox: Arc<Mailbox<Message>>,
    /// What it has been told and has not looked at.
    told: VecDeque<Message>,
}

impl Driven {
    fn new(partition: Partition, mailbox: &Arc<Mailbox<Message>>) -> Self {
        Self {
            partition,
            mailbox: mailbox.clone(),
            told: VecDeque::new(),
        }
    }
}

impl Host {
    /// How many partitions there are, on both sides of the bulkhead.
    pub(crate) fn partitions(&self) -> usize {
        self.partitions.len()
    }

    /// A host on what there is.
    pub(crate) fn open(around: &Surroundings, chance: Chance) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let shared = {
            let _runtime = runtime.enter();
            let settings = Settings {
                clock: around.clock.clone(),
                limits: around.limits.clone(),
                lifecycle: around.lifecycle,
                partitions: PARTITIONS,
                ..Settings::default()
            };
            let platform = Platform::Simulated(Mutex::new(chance));
            let invoke = around.connectors.clone();
            let store = around.store.clone();
            let shared = Shared::open(store, sandbox(), settings, Some(invoke), platform);
            let mut shared = shared.expect("it opens");
            for connector in installed() {
                let description = connector.description.clone();
                shared.library.know(connector.digest, description);
            }
            shared.languages = Arc::new(Language);
            shared.versions = versions().clone();
            Arc::new(shared)
        };
        around.connectors.attach(&shared);
        drop(runtime.spawn(schedule::drive(shared.clone())));
        let before = (0..).zip(&shared.mailboxes).map(|(number, mailbox)| {
            let partition = Partition::new(Number(number), shared.clone(), mailbox.clone());
            Driven::new(partition, mailbox)
        });
        let apart = (0..).zip(&shared.bulkhead.mailboxes);
        let apart = apart.map(|(number, mailbox)| {
            Driven::new(Partition::apart(Number(number), shared.clone()), mailbox)
        });
        Self {
            partitions: before.chain(apart).collect(),
            writer: Writer::new(&shared.journal),
            engine: Engine::idle(shared.clone(), sandbox().clone()),
            shared,
            runtime,
        }
    }

    /// Whether a partition has recovered.
    pub(crate) fn has_recovered(&self, partition: usize) -> bool {
        self.partitions[partition].partition.has_recovered()
    }

    /// Has a partition take its turns on `most` of the messages that it has been told, after it has recovered.
    pub(crate) fn turn(&mut self, partition: usize, most: usize) {
        let driven = &mut self.partitions[partition];
        if !driven.partition.has_recovered() {
            return driven.partition.recover();
        }
        let mut new = VecDeque::new();
        driven.mailbox.heed();
        driven.mailbox.take(&mut new, 0);
        driven.told.append(&mut new);
        let count = most.min(driven.told.len());
        let mut messages = driven.told.drain(..count).collect();
        // What is left comes before whatever comes meanwhile.
        if !driven.told.is_empty() {
            driven.mailbox.preempt();
        }
        driven.partition.take_turn(&mut messages);
    }

    /// How much the partition of a run has, and the one behind it.
    pub(crate) fn extents(&self, run: &RunId) -> [Extent; 2] {
        let number = usize::from(run.partition(PARTITIONS).0);
        [number, number + usize::from(PARTITIONS)].map(|it| self.partitions[it].partition.extent())
    }

    /// Whether a partition has taken in all that it has been given to.
    pub(crate) fn has_taken_in_all(&self, partition: usize) -> bool {
        self.partitions[partition].partition.has_taken_in_all()
    }

    /// Whether all has been taken in that partitions have been told.
    pub(crate) fn is_at_rest(&self) -> bool {
        let mut partitions = self.partitions.iter();
        partitions.all(|driven| {
            driven.told.is_empty()
                && driven.mailbox.is_empty()
                && driven.partition.has_taken_in_all()
        })
    }

    /// Stops, as a host does that is told to: what has happened becomes durable.
    pub(crate) fn stop(&mut self, store: &SimulatedStore) {
        for driven in &mut self.partitions {
            if !driven.partition.has_recovered() {
                driven.partition.recover();
            }
            driven.mailbox.close();
            let mut is_open = true;
            while is_open {
                let mut new = VecDeque::new();
                is_open = driven.mailbox.take(&mut new, 0);
                driven.told.append(&mut new);
                driven.partition.take_turn(&mut driven.told);
            }
        }
        self.shared.journal.close();
        store.decide(Fate::Kept);
        while self.writer.take() && self.writer.commit(store, &self.shared.events) {}
    }

    /// Has the journal's writer commit what waits, and tell the partitions. Where they are `at_hand`, they go on at once if
    /// they may.
    pub(crate) fn write(&mut self, fate: Fate, store: &SimulatedStore, at_hand: bool) {
        store.decide(fate);
        self.writer.take();
        self.writer.commit(store, &self.shared.events);
        for notice in self.writer.notices() {
            let driven = &mut self.partitions[usize::from(notice.partition.0)];
            let may = driven.partition.is_at_hand() && driven.told.is_empty();
            match at_hand && may {
                true => driven.partition.go_on(notice, &mut driven.told),
                false => notice.tell(&self.shared),
            }
        }
    }

    /// Lets the tasks of the runtime go on until all wait for something.
    pub(crate) fn tick(&self) {
        self.runtime.block_on(async {
            tokio::time::advance(PATIENCE).await;
            for _ in 0..ROUNDS {
                tokio::task::yield_now().await;
            }
        });
    }

    /// Does something on the runtime.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.runtime.spawn(work));
    }

    /// Tells the partition of a run something.
    pub(crate) fn tell(&self, run: &RunId, message: Message) {
        self.shared.mailbox(run).push(message);
    }

    /// In how long something comes due, as far as anybody knows.
    pub(crate) fn due_in(&self) -> Duration {
        let patience = self.partitions.iter().map(|it| it.partition.patience());
        let scheduled = self.shared.schedules.next_due();
        let scheduled = scheduled.map(|due| self.now().until(due));
        patience.chain(scheduled).min().unwrap_or_default()
    }

    /// The clock has moved.
    pub(crate) fn look_at_the_clock(&self) {
        self.shared.schedules.look();
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }
}

/// What the engine is opened with and never asks for: others make the calls.
fn sandbox() -> &'static Arc<Sandbox> {
    static SANDBOX: OnceLock<Arc<Sandbox>> = OnceLock::new();
    SANDBOX.get_or_init(|| Sandbox::new(baton_sandbox::Settings::default()).expect("a sandbox"))
}

/// The versions that are ready to run, of all worlds: they are the same in each.
fn versions() -> &'static Arc<Versions> {
    static VERSIONS: OnceLock<Arc<Versions>> = OnceLock::new();
    VERSIONS.get_or_init(|| Arc::new(Versions::new(Arc::new(Language), 256, 64)))
}
