//! Nothing is in the way of the runs any more.

use std::time::Duration;

use baton_store::record::{OpenRecord, PhaseRecord, Record};
use baton_store::{RunId, Store, TenantId, key};

use super::World;
use crate::partition::Extent;
use crate::schedule::ScheduleName;
use crate::simulation::client::{Order, Wish};
use crate::simulation::documents::{EVENTS, SCHEDULED};
use crate::simulation::host::{PARTITIONS, Surroundings};
use crate::simulation::store::{Fate, Readable};

/// After so many rounds without disturbance a run is taken to have no end. Some of them take no longer than half a minute
/// on the clock, which may have been put back by hours.
const ROUNDS_MAX: usize = 10_000;

/// In so many rounds somebody sends what runs may listen to.
const SENDING: usize = 6;

impl World {
    /// Nothing is in the way of the runs any more, and they end.
    pub(crate) fn settle(&mut self) {
        self.trace.say(|| "peace".to_owned());
        for round in 0..ROUNDS_MAX {
            let before = self.reached();
            self.go_on();
            if self.reached() != before || !self.host.is_at_rest() {
                continue;
            }
            if self.open().is_empty() && self.client.waits_for() == 0 && self.ticking().is_empty() {
                return;
            }
            if round % SENDING == 0 {
                // One at a time: where bounds are narrow, there is no room for more.
                let event = self.event(EVENTS[round / SENDING % EVENTS.len()]);
                self.ask(event);
            } else {
                let due = self.due_in_ms();
                self.jump(due.max(1));
            }
        }
        let open = self.open();
        panic!("these runs come to no end: {open:?}");
    }

    /// How far all is: where that does not change, there is nothing to do.
    fn reached(&self) -> (usize, usize) {
        let Surroundings {
            store, connectors, ..
        } = &self.around;
        (store.commits(), connectors.made())
    }

    /// Everybody does what there is to do.
    pub(crate) fn go_on(&mut self) {
        for partition in 0..self.host.partitions() {
            self.host.turn(partition, usize::MAX);
        }
        self.host.tick();
        self.host.write(Fate::Kept, &self.around.store, false);
        for partition in 0..self.host.partitions() {
            self.host.turn(partition, usize::MAX);
        }
        self.host.tick();
        for _ in 0..self.around.connectors.under_way() {
            let told = self.around.connectors.answer(0);
            self.trace.say(|| told);
        }
        self.host.tick();
        self.hear();
        if self.client.waits_for() == 0 {
            for name in self.ticking() {
                self.ask(Wish::Pause(name));
            }
            for id in self.approvals() {
                self.ask(Wish::Decide(id));
            }
            for run in self.suspended() {
                self.ask(Wish::Resume(run));
            }
        }
    }

    fn suspended(&self) -> Vec<RunId> {
        let is_suspended = |run: &RunId| {
            let open = self.open_record(run);
            open.is_some_and(|it| it.phase == PhaseRecord::Suspended)
        };
        self.open().into_iter().filter(is_suspended).collect()
    }

    /// The schedules that start runs as long as time goes on.
    fn ticking(&self) -> Vec<&'static str> {
        let is_ticking = |name: &&str| {
            let name = ScheduleName {
                tenant: TenantId::default(),
                namespace: "test".to_owned(),
                name: (*name).to_owned(),
            };
            let state = self.host.shared.schedules.get(&name);
            state.is_some_and(|it| it.paused.is_none() && it.gathers_from().is_none())
        };
        let names = SCHEDULED.iter().map(|workflow| workflow.name);
        names.filter(is_ticking).collect()
    }

    /// Has the neighbour start many runs, in a world in which nothing else happens.
    pub(crate) fn crowd(&mut self, count: usize, order: &Order) {
        for _ in 0..count {
            self.ask(Wish::Neighbour(order.clone()));
        }
        self.host.tick();
        self.host.write(Fate::Kept, &self.around.store, false);
        self.host.tick();
    }

    /// Starts a run and gives it, in a world in which nothing else happens.
    pub(crate) fn start(&mut self, order: Order) -> RunId {
        let key = self.client.name("key");
        self.ask(Wish::Start {
            key: key.clone(),
            order,
        });
        for _ in 0..ROUNDS_MAX {
            if let Some((_, Some(run))) = self.client.orders.get(&key) {
                return *run;
            }
            self.go_on();
        }
        panic!("it is not started");
    }

    /// Has a run fall asleep and its host end, in a world in which nothing else happens. The next host can't read the event log
    /// as it recovers. Whether the run hears all the same what comes `meanwhile`, before there is a host that tells it, and
    /// what comes `later`, and ends.
    ///
    /// Where somebody asks for `another` run at once, that host knows the log already, though it can't read what is in it.
    pub(crate) fn hears(
        &mut self,
        order: Order,
        [meanwhile, later]: [&[&'static str]; 2],
        another: Option<Order>,
    ) -> bool {
        self.around.limits.waiting_in_memory = 0;
        self.die();
        let run = self.start(order);
        let has_slept = (0..ROUNDS_MAX).any(|_| {
            self.go_on();
            self.is_asleep(&run)
        });
        assert!(has_slept);
        self.send(meanwhile);
        self.die();
        if let Some(order) = another {
            let key = self.client.name("key");
            self.ask(Wish::Start { key, order });
            self.host.tick();
        }
        self.around.store.allow(Readable::AllButEvents);
        for partition in 0..self.host.partitions() {
            self.host.turn(partition, usize::MAX);
        }
        self.around.store.allow(Readable::All);
        self.go_on();
        assert!(self.is_asleep(&run), "it can't be told of them");
        self.jump(60_000);
        self.go_on();
        self.send(later);
        (0..ROUNDS_MAX).any(|_| {
            self.go_on();
            self.open().is_empty()
        })
    }

    /// Starts a run and has its tenant go behind the bulkhead while it waits, in a world in which nothing else happens. How much
    /// its partition has, and the one behind it: before that, and then.
    pub(crate) fn moves(&mut self, order: Order) -> [[Extent; 2]; 2] {
        let run = self.start(order);
        (0..SENDING).for_each(|_| self.go_on());
        let before = self.host.extents(&run);
        self.host.shared.bulkhead.put(&TenantId::default());
        self.go_on();
        let then = self.host.extents(&run);
        self.settle();
        [before, then]
    }

    /// Has these events come, of which nobody is told yet.
    fn send(&mut self, events: &[&'static str]) {
        for kind in events {
            let event = self.event(kind);
            self.ask(event);
        }
        self.host.tick();
        self.host.write(Fate::Kept, &self.around.store, false);
    }

    fn is_asleep(&self, run: &RunId) -> bool {
        self.open_record(run).is_some_and(|it| it.asleep.is_some())
    }

    /// What is stored of a run while it is open.
    fn open_record(&self, run: &RunId) -> Option<OpenRecord> {
        let key = key::open(run.partition(PARTITIONS), &TenantId::default(), run);
        let stored = self.around.store.get(&key).expect("read");
        stored.map(|it| OpenRecord::decode(&it).expect("an open run"))
    }

    /// Has a run start and go on at hand, in a world in which nothing else happens, while each partition has a thread that
    /// sleeps. How many of them are woken.
    pub(crate) fn woken_by(&mut self, order: Order) -> usize {
        self.go_on();
        let mailboxes = self.host.shared.mailboxes.clone();
        let key = self.client.name("key");
        std::thread::scope(|scope| {
            for mailbox in &mailboxes {
                scope.spawn(|| mailbox.wait(Duration::from_secs(3_600)));
                while !mailbox.is_awaited() {
                    std::thread::yield_now();
                }
            }
            self.ask(Wish::Start { key, order });
            self.host.tick();
            self.host.write(Fate::Kept, &self.around.store, true);
            let woken = mailboxes.iter().filter(|it| !it.is_awaited()).count();
            mailboxes.iter().for_each(|it| it.leave(true, true));
            woken
        })
    }
}
