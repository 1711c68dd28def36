//! A world: hosts, one after the other, on one store; connectors, clients and a clock around them; and what happens to
//! them, as a seed has it.

mod mood;
mod peace;
mod wishes;

use std::sync::Arc;
use std::time::Duration;

use baton_store::{Batch, RunId, TenantId, key};

use super::chance::Chance;
use super::client::{Client, Wish};
use super::clock::SimulatedClock;
use super::connectors::{SimulatedConnectors, shown};
use super::host::{Host, PARTITIONS, Surroundings};
use super::language;
use super::neighbour;
use super::store::{Fate, Readable, SimulatedStore};
use super::trace::Trace;
use crate::partition::Message;
use crate::view::ApprovalId;

use mood::Mood;

/// A world.
pub(crate) struct World {
    pub(crate) around: Surroundings,
    pub(crate) host: Host,
    pub(crate) client: Client,
    pub(crate) trace: Trace,
    chance: Chance,
    mood: Mood,
}

impl World {
    /// A world on a store in which `base` is, as the seed has it.
    pub(crate) fn new(base: &Batch, seed: u64, trace: Trace) -> Self {
        let mut chance = Chance::new(seed);
        let mood = Mood::new(&mut chance);
        Self::with(base, chance, mood, trace)
    }

    /// A world in which nothing happens by itself.
    pub(crate) fn peaceful(base: &Batch) -> Self {
        Self::with(base, Chance::new(0), Mood::peace(), Trace::default())
    }

    fn with(base: &Batch, mut chance: Chance, mood: Mood, trace: Trace) -> Self {
        language::allow(true);
        let around = Surroundings {
            clock: Arc::new(SimulatedClock::default()),
            store: Arc::new(SimulatedStore::new(base)),
            connectors: Arc::new(SimulatedConnectors::default()),
            limits: mood.limits.clone(),
            lifecycle: mood.lifecycle,
        };
        Self {
            host: Host::open(&around, chance.branch()),
            client: Client::default(),
            around,
            trace,
            chance,
            mood,
        }
    }

    /// Lets happen what the seed has happen; then gives it peace, until all runs have ended.
    pub(crate) fn play(&mut self) {
        for _ in 0..self.mood.steps {
            self.step();
            self.hear();
        }
        self.settle();
    }

    fn step(&mut self) {
        if self.chance.one_in(self.mood.dies) {
            if self.chance.one_in(4) {
                self.trace.say(|| "the host stops".to_owned());
                self.host.stop(&self.around.store);
                self.host.tick();
                self.hear();
            }
            return self.die();
        }
        if self.chance.one_in(self.mood.moves) {
            self.move_somebody();
        }
        match self.chance.below(20) {
            0..=6 => {
                let partition = self.chance.below(self.host.partitions());
                let most = *self.chance.pick(&[1, 2, usize::MAX]).expect("some");
                let readable = self.readable(partition);
                self.trace.say(|| format!("turn of {partition} on {most}"));
                self.troubled(readable, |world| world.host.turn(partition, most));
            }
            7..=10 => self.write(),
            11..=13 => {
                let readable = self.medium();
                self.trace.say(|| "tick".to_owned());
                self.troubled(readable, |world| world.host.tick());
            }
            14..=15 => self.answer(),
            16 => self.pass(),
            17 if self.chance.one_in(self.mood.repeats) => self.repeat(),
            _ => self.wish(),
        }
    }

    /// A tenant goes behind the bulkhead.
    fn move_somebody(&mut self) {
        let tenant = match self.chance.one_in(3) {
            true => neighbour(),
            false => TenantId::default(),
        };
        self.trace
            .say(|| format!("{tenant} goes behind the bulkhead"));
        self.host.shared.bulkhead.put(&tenant);
    }

    /// What a partition can read in its turn.
    fn readable(&mut self, partition: usize) -> Readable {
        match self.medium() {
            // Until it can read the open runs, it only waits.
            Readable::Nothing if !self.host.has_recovered(partition) => Readable::AllButEvents,
            readable => readable,
        }
    }

    /// What can be read.
    fn medium(&mut self) -> Readable {
        match self.chance.one_in(self.mood.unreadable) {
            true => Readable::Nothing,
            false => Readable::All,
        }
    }

    /// Does something while that much can be read, and expressions can be evaluated or not.
    fn troubled(&mut self, readable: Readable, work: impl FnOnce(&mut Self)) {
        let is_speechless = self.chance.one_in(self.mood.speechless);
        self.trace
            .say(|| format!("  readable: {readable:?}, expressions: {}", !is_speechless));
        self.around.store.allow(readable);
        language::allow(!is_speechless);
        work(self);
        language::allow(true);
        self.around.store.allow(Readable::All);
    }

    fn write(&mut self) {
        let fate = match () {
            () if self.chance.one_in(self.mood.dies) => Fate::Lost,
            () if self.chance.one_in(self.mood.dies) => Fate::Untold,
            () if self.chance.one_in(self.mood.refuses) => Fate::Refused,
            () => Fate::Kept,
        };
        let at_hand = self.chance.one_in(2);
        let readable = self.medium();
        self.trace
            .say(|| format!("write: {fate:?}, at hand: {at_hand}"));
        self.troubled(readable, |world| {
            world.host.write(fate, &world.around.store, at_hand);
        });
        if matches!(fate, Fate::Lost | Fate::Untold) {
            self.die();
        }
    }

    /// The host dies, and another one comes.
    pub(crate) fn die(&mut self) {
        self.trace.say(|| "the host dies".to_owned());
        self.client.forget();
        self.host = Host::open(&self.around, self.chance.branch());
    }

    fn answer(&mut self) {
        let count = self.around.connectors.under_way();
        if count > 0 {
            let told = self.around.connectors.answer(self.chance.below(count));
            self.trace.say(|| told);
        }
    }

    /// What has been told once is told again.
    fn repeat(&mut self) {
        let given = self.around.connectors.given(&mut self.chance);
        if let Some((key, answer)) = given {
            self.trace.say(|| format!("again: {}", shown(&key)));
            let (run, task, attempt) = key;
            let message = Message::Answered {
                run,
                task,
                attempt,
                answer,
            };
            self.host.tell(&run, message);
        }
    }

    /// Time passes.
    fn pass(&mut self) {
        let by_ms = match self.chance.one_in(self.mood.jumps) {
            true => *self
                .chance
                .pick(&[-3_600_000, -5_000, 3_600_000, 100_000_000])
                .expect("some"),
            false => match self.chance.below(3) {
                0 => self.due_in_ms(),
                _ => i64::try_from(self.chance.below(3_000)).expect("it is small"),
            },
        };
        self.jump(by_ms);
    }

    fn jump(&mut self, by_ms: i64) {
        self.around.clock.jump(by_ms);
        self.host.look_at_the_clock();
        self.trace
            .say(|| format!("{by_ms} ms later it is {}", self.host.now()));
    }

    fn due_in_ms(&self) -> i64 {
        let due = self.host.due_in().min(Duration::from_secs(7_200));
        i64::try_from(due.as_millis()).expect("it is bounded")
    }

    fn ask(&mut self, wish: Wish) {
        self.trace.say(|| format!("somebody asks: {wish:?}"));
        self.client.ask(wish, &self.host);
    }

    fn hear(&mut self) {
        match self.client.hear() {
            Ok(heard) => heard.into_iter().for_each(|it| self.trace.say(|| it)),
            Err(wrong) => panic!("{wrong}"),
        }
        let wrong = self.around.connectors.wrong();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    /// The runs that there are.
    pub(crate) fn runs(&self) -> Vec<RunId> {
        self.runs_of(&TenantId::default())
    }

    /// Those of a tenant.
    pub(crate) fn runs_of(&self, tenant: &TenantId) -> Vec<RunId> {
        let index = key::run_indexes(tenant);
        let index = self.around.store.all(&index).into_iter();
        index
            .filter_map(|(key, _)| key::parse_run_index(&key))
            .collect()
    }

    /// Those that have not ended.
    pub(crate) fn open(&self) -> Vec<RunId> {
        let of = |number| {
            self.around
                .store
                .all(&key::opens(baton_store::Partition(number)))
        };
        let open = (0..PARTITIONS).flat_map(of);
        open.filter_map(|(key, _)| key::parse_open(&key))
            .map(|(_, run)| run)
            .collect()
    }

    /// What people are asked.
    pub(crate) fn approvals(&self) -> Vec<ApprovalId> {
        let range = key::open_approvals(&TenantId::default());
        let open = self.around.store.all(&range).into_iter();
        open.filter_map(|(key, _)| key::parse_approval(&key))
            .map(|(run, task, visit)| ApprovalId { run, task, visit })
            .collect()
    }
}
