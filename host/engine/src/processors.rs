//! Who computes where tenants share the host: no more partitions at a time than the machine has processors.
//!
//! Threads that compute, where there are more of them than processors, wait for one another as the system's scheduler finds
//! fair, which knows nothing of tenants. So where several have something to do, a partition takes a turn for one of them
//! only once that is granted. Who comes next is a matter of the [tenants](crate::turns), across all partitions: one that
//! asks for little does not wait for all that another one has to do, nor for the turns of that one that are under way: they
//! are preempted. A tenant that is alone has all partitions at once: then the system's scheduler does as well, with fewer
//! threads that are put to sleep and woken.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baton_store::{Partition as Number, TenantId};
use rustc_hash::FxHashSet;

use crate::mailbox::{Mailbox, Reader};
use crate::partition::Message;
use crate::turns::Turns;

/// For how many turns the processors count as shared once several tenants have been seen to ask: one that asks now and then
/// must not find all taken each time.
const SHARED_TURNS: u32 = 1_024;

/// The processors, and who waits for one.
pub(crate) struct Processors {
    state: Mutex<State>,
    /// Whether they are shared. Who only wants to know that waits for nobody.
    are_shared: AtomicBool,
    mailboxes: Vec<Arc<Mailbox<Message>>>,
}

struct State {
    turns: Turns<Wanted>,
    /// What waits.
    wanted: FxHashSet<Wanted>,
    /// How many turns are under way.
    running: usize,
    /// How many may be where the processors are shared.
    processors: usize,
    /// For how many of the next turns they are.
    shared: u32,
    /// Whether they are in any case.
    always: bool,
}

impl State {
    /// Whether others have turns, and a tenant has none and waits for none.
    fn is_new(&self, tenant: &TenantId) -> bool {
        !self.turns.has(tenant) && !self.turns.is_alone(tenant)
    }

    fn has_room(&self) -> bool {
        !(self.always || self.shared > 0) || self.running < self.processors
    }

    /// A turn for a tenant is over: those that may begin now.
    fn next_after(&mut self, tenant: &TenantId) -> Vec<Wanted> {
        self.shared = self.shared.saturating_sub(1);
        self.running -= 1;
        self.turns.give_back(tenant);
        let mut next = Vec::new();
        while self.has_room() {
            let Some(wanted) = self.turns.grant() else {
                break;
            };
            self.running += 1;
            self.wanted.remove(&wanted);
            next.push(wanted);
        }
        next
    }
}

/// A turn of a partition, for a tenant.
type Wanted = (Number, TenantId);

/// A turn that may begin. Dropping it gives the processor to the next one.
pub(crate) struct Granted {
    pub(crate) tenant: TenantId,
    processors: Arc<Processors>,
}

impl Drop for Granted {
    fn drop(&mut self) {
        self.processors.give_back(&self.tenant);
    }
}

impl Processors {
    /// So many, at least one, for the partitions with these mailboxes.
    pub(crate) fn new(count: usize, mailboxes: Vec<Arc<Mailbox<Message>>>) -> Self {
        let state = State {
            turns: Turns::new(mailboxes.len(), mailboxes.len()),
            wanted: FxHashSet::default(),
            running: 0,
            processors: count.max(1),
            shared: 0,
            always: false,
        };
        Self {
            state: Mutex::new(state),
            are_shared: AtomicBool::new(false),
            mailboxes,
        }
    }

    /// As [`Processors::new`], with no more turns at a time than `count` for a tenant that is alone as well: there are others
    /// that want the machine's processors.
    pub(crate) fn always_shared(count: usize, mailboxes: Vec<Arc<Mailbox<Message>>>) -> Self {
        let processors = Self::new(count, mailboxes);
        processors.lock().always = true;
        processors
    }

    /// A partition has something to do for a tenant. Where its turn can't begin at once, it [is told](Message::Turn) when it
    /// may; asking again changes nothing while it waits. Where it has to wait and the tenant had nothing to do before, turns
    /// of others end early.
    pub(crate) fn ask(self: &Arc<Self>, partition: Number, tenant: &TenantId) -> Option<Granted> {
        let wanted = (partition, tenant.clone());
        let mut state = self.lock();
        if state.wanted.contains(&wanted) {
            return None;
        }
        let is_new = state.is_new(tenant);
        self.see(&mut state, tenant);
        if state.has_room() && state.turns.take(tenant) {
            state.running += 1;
            return Some(self.granted(tenant.clone()));
        }
        state.turns.wait(tenant, wanted.clone());
        state.wanted.insert(wanted);
        if is_new {
            self.mailboxes.iter().for_each(|mailbox| mailbox.preempt());
        }
        None
    }

    /// A tenant has something to do.
    fn see(&self, state: &mut State, tenant: &TenantId) {
        if !state.turns.is_alone(tenant) {
            state.shared = SHARED_TURNS;
            self.are_shared.store(true, Ordering::Relaxed);
        }
    }

    fn mailbox(&self, partition: Number) -> &Mailbox<Message> {
        &self.mailboxes[usize::from(partition.0)]
    }

    fn granted(self: &Arc<Self>, tenant: TenantId) -> Granted {
        let processors = self.clone();
        Granted { tenant, processors }
    }

    /// Tells a partition something of a tenant's. Where it sleeps, it is woken once it has a turn, and not before.
    pub(crate) fn tell(self: &Arc<Self>, partition: Number, tenant: &TenantId, message: Message) {
        let mailbox = self.mailbox(partition);
        let Some(reader) = mailbox.put(message) else {
            return;
        };
        // One that is awake asks by itself, but once its turn is over, and the next one granted to who has waited.
        let preempts = reader == Reader::Awake && self.are_shared() && self.lock().is_new(tenant);
        if !(preempts || reader == Reader::Asleep) {
            return;
        }
        if let Some(granted) = self.ask(partition, tenant) {
            mailbox.push(Message::Turn(granted));
        }
        if preempts {
            mailbox.preempt();
        }
    }

    /// A tenant has something to do for which it does not ask. Whether it has a turn at any partition, or waits for one.
    pub(crate) fn are_wanted_by(&self, tenant: &TenantId) -> bool {
        let mut state = self.lock();
        self.see(&mut state, tenant);
        state.turns.has(tenant)
    }

    /// Leaves one of them to other threads where they are shared, if there is more than one.
    pub(crate) fn leave_one(&self) {
        let mut state = self.lock();
        state.processors = state.processors.saturating_sub(1).max(1);
    }

    fn give_back(self: &Arc<Self>, tenant: &TenantId) {
        let mut state = self.lock();
        let next = state.next_after(tenant);
        if state.shared == 0 {
            self.are_shared.store(false, Ordering::Relaxed);
        }
        drop(state);
        for (partition, tenant) in next {
            let granted = Message::Turn(self.granted(tenant));
            self.mailbox(partition).push(granted);
        }
    }

    /// Whether turns are to be short, since several tenants have something to do.
    pub(crate) fn are_shared(&self) -> bool {
        self.are_shared.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::time::Duration;

    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).expect("a tenant")
    }

    /// So many processors, for three partitions.
    fn of(count: usize) -> Arc<Processors> {
        let mailboxes = (0..3).map(|_| Arc::new(Mailbox::new(1)));
        Arc::new(Processors::new(count, mailboxes.collect()))
    }

    /// One processor, for three partitions.
    fn processors() -> Arc<Processors> {
        of(1)
    }

    /// The turns that a partition has been granted since.
    fn granted(processors: &Processors, partition: usize) -> Vec<Granted> {
        let mut told = VecDeque::new();
        processors.mailboxes[partition].take(&mut told, 0);
        let turns = told.into_iter().filter_map(|message| match message {
            Message::Turn(granted) => Some(granted),
            _ => None,
        });
        turns.collect()
    }

    #[test]
    fn who_asks_for_little_comes_before_who_has_much_to_do() {
        let processors = processors();
        let (flood, calm) = (tenant("flood"), tenant("calm"));
        let ask = |partition, tenant| processors.ask(Number(partition), tenant);
        let first = ask(0, &flood).expect("it is alone");
        let second = ask(1, &flood).expect("it is alone");
        assert!(!processors.are_shared());
        assert!(ask(2, &calm).is_none());
        assert!(processors.are_shared());
        assert!(ask(2, &flood).is_none() && ask(2, &flood).is_none());
        let is_preempted = |it: &Arc<Mailbox<Message>>| it.is_preempted();
        assert!(processors.mailboxes.iter().all(is_preempted));
        drop(first);
        let none = granted(&processors, 2);
        assert!(none.is_empty(), "there is one processor");
        drop(second);
        let turns = granted(&processors, 2);
        assert_eq!((turns.len(), &turns[0].tenant), (1, &calm));
        drop(turns);
        let turns = granted(&processors, 2);
        assert_eq!((turns.len(), &turns[0].tenant), (1, &flood));
        drop(turns);
        let none = granted(&processors, 2);
        assert!(none.is_empty(), "asked twice, it is granted once");
        assert!(ask(2, &calm).is_some());
    }

    #[test]
    fn who_sleeps_is_woken_with_a_turn() {
        let processors = processors();
        let (flood, calm) = (tenant("flood"), tenant("calm"));
        let other = processors.ask(Number(0), &flood);
        let mailbox = processors.mailboxes[1].clone();
        let sleeper = std::thread::spawn(move || {
            let mut told = VecDeque::new();
            mailbox.wait(Duration::from_secs(60));
            mailbox.take(&mut told, 0);
            told
        });
        while !processors.mailboxes[1].is_awaited() {
            std::thread::yield_now();
        }
        processors.tell(Number(1), &calm, Message::Durable(7));
        drop(other);
        let told: Vec<_> = sleeper.join().expect("joined").into();
        assert!(matches!(told[..], [Message::Durable(7), Message::Turn(_)]));
    }

    #[test]
    fn who_comes_anew_is_next_where_somebody_is_at_work() {
        let processors = processors();
        let [flood, calm, other] = ["flood", "calm", "other"].map(tenant);
        let tell = |tenant| processors.tell(Number(1), tenant, Message::Durable(7));
        let is_preempted = || processors.mailboxes[1].is_preempted();
        let turn = processors.ask(Number(1), &flood);
        tell(&calm);
        assert!(!is_preempted(), "one was alone");
        assert!(!processors.are_wanted_by(&calm) && processors.are_shared());
        assert!(processors.ask(Number(0), &other).is_none());
        let none = granted(&processors, 1);
        processors.mailboxes[1].heed();
        assert!(none.is_empty() && !is_preempted(), "it has looked");
        tell(&flood);
        assert!(!is_preempted(), "it has its turn");
        tell(&calm);
        assert!(is_preempted() && processors.are_wanted_by(&calm));
        drop(turn);
        drop(granted(&processors, 0));
        let turns = granted(&processors, 1);
        assert_eq!((turns.len(), &turns[0].tenant), (1, &calm));
    }

    #[test]
    fn who_comes_anew_preempts_its_partition_where_there_is_room_as_well() {
        let processors = of(3);
        let [flood, calm, other] = ["flood", "calm", "other"].map(tenant);
        let turns = [&flood, &other].map(|it| processors.ask(Number(1), it));
        assert!(processors.are_shared() && turns.iter().all(Option::is_some));
        processors.tell(Number(1), &calm, Message::Durable(7));
        let is_preempted = processors.mailboxes.iter().map(|it| it.is_preempted());
        assert_eq!(is_preempted.collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(granted(&processors, 1).len(), 1);
    }

    #[test]
    fn where_they_are_always_shared_one_that_is_alone_has_no_more() {
        let mailboxes = (0..3).map(|_| Arc::new(Mailbox::new(9)));
        let processors = Arc::new(Processors::always_shared(2, mailboxes.collect()));
        let alone = tenant("alone");
        let turns = [0, 1, 2].map(|it| processors.ask(Number(it), &alone));
        assert_eq!(turns.each_ref().map(Option::is_some), [true, true, false]);
    }

    #[test]
    fn one_is_left_if_there_are_more() {
        for (count, left) in [(2, 1), (1, 1)] {
            let processors = of(count);
            processors.leave_one();
            assert_eq!(processors.lock().processors, left);
        }
    }

    #[test]
    fn a_tenant_has_all_again_once_it_has_been_alone_for_a_while() {
        let processors = processors();
        let (flood, calm) = (tenant("flood"), tenant("calm"));
        let first = processors.ask(Number(0), &flood);
        assert!(processors.ask(Number(1), &calm).is_none());
        drop(first);
        for partition in [0, 1, 2] {
            assert!(processors.ask(Number(partition), &flood).is_none());
        }
        // Of the neighbour, and all that follow.
        let mut turns = granted(&processors, 1);
        let mut count = 0;
        while processors.are_shared() {
            assert_eq!(turns.len(), 1, "there is one processor");
            drop(turns);
            turns = (0..3).flat_map(|it| granted(&processors, it)).collect();
            count += 1;
            for partition in [0, 1, 2] {
                let asked = processors.ask(Number(partition), &flood);
                turns.extend(asked);
            }
        }
        assert_eq!(count, SHARED_TURNS);
        assert_eq!(turns.len(), 3);
    }

    #[test]
    fn one_that_has_gone_gives_its_turns_back() {
        let processors = processors();
        let (flood, calm) = (tenant("flood"), tenant("calm"));
        let first = processors.ask(Number(0), &flood);
        assert!(processors.ask(Number(1), &calm).is_none());
        assert!(processors.ask(Number(2), &flood).is_none());
        processors.mailboxes[1].end();
        drop(first);
        assert_eq!(granted(&processors, 2).len(), 1);
    }
}
