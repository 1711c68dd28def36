//! A partition: the runs that one thread owns. Behind the [bulkhead](crate::bulkhead) is a second one of each number, for other
//! tenants.
//!
//! The thread takes what has happened (a new run, an answer, a cancellation, a timer), applies it to the
//! runs' machines, and appends the events to the journal: one turn, of one tenant. What may touch the world, and what
//! somebody is told, waits as an [`Effect`] until the turn is durable.

mod alarms;
mod aside;
mod asleep;
mod at_hand;
mod child;
mod effect;
mod end;
mod inbox;
mod items;
mod listeners;
mod look;
mod moving;
mod passing;
mod recover;
mod remove;
mod request;
mod retry;
mod reveals;
mod run;
mod timers;
mod topics;
mod turn;
mod unread;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use baton_store::{Partition as Number, RunId, TenantId};
use baton_workflow::Timestamp;
use baton_workflow::machine::{Event, TaskKey, TimerKey};

use crate::admission::Place;
use crate::beginnings::Beginning;
use crate::journal::Notice;
use crate::mailbox::Mailbox;
use crate::origin::Parent;
use crate::outside::Answer;
use crate::processors::{Granted, Processors};
use crate::replay::Loaded;
use crate::shared::Shared;
use crate::start::KeyHeld;

pub(crate) use look::LookReply;
#[cfg(test)]
pub(crate) use moving::Extent;
pub(crate) use moving::Moved;
pub(crate) use remove::Remove;
pub(crate) use request::{Decided, Reply, Request};
pub(crate) use retry::Retry;

use alarms::{Alarms, NEVER};
use aside::Aside;
use asleep::Idle;
use effect::Effect;
use inbox::Inbox;
use items::HandedOver;
use listeners::Listeners;
use moving::Side;
use recover::Reopen;
use reveals::Asked;
use run::ActiveRun;
use timers::Timers;
use turn::Turn;

/// How long a thread sleeps when it has nothing to do and nothing is due. Any message wakes it.
const IDLE: Duration = Duration::from_secs(3600);

/// When to ask again that too much waits to become durable.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How many timers, listeners and runs to put to sleep a partition sees to at a time, before it looks for what has come
/// meanwhile.
const AT_A_TIME: usize = 32;

/// How many calls that are over at once it makes itself at a time. More are made aside, so that they hold up nothing else
/// for long and all processors take part.
const CALLS_AT_A_TIME: usize = 64;

/// How much later runs are woken for which there is no room in memory just now.
const SNOOZE: Duration = Duration::from_millis(100);

/// What a partition is told.
pub(crate) enum Message {
    /// A new run is durable.
    Begin(Box<Begin>),
    /// A call has been answered, or a run that another one wanted could not be started.
    Answered {
        run: RunId,
        task: TaskKey,
        attempt: u32,
        answer: Answer,
    },
    /// A run that another one has started is there.
    ChildStarted {
        run: RunId,
        task: TaskKey,
        attempt: u32,
    },
    /// A run that another one has started has ended.
    ChildEnded {
        tenant: TenantId,
        parent: Parent,
        answer: Answer,
    },
    /// A call that nobody waits for has got room and begins.
    Begun {
        run: RunId,
        task: TaskKey,
        attempt: u32,
    },
    /// A call has handed over an item, and waits to hear whether more is wanted.
    HandedOver {
        run: RunId,
        task: TaskKey,
        attempt: u32,
        item: HandedOver,
    },
    /// A call is to be given the value of a secret, and waits until that is recorded.
    Revealed {
        run: RunId,
        task: TaskKey,
        attempt: u32,
        asked: Asked,
    },
    /// Somebody asks something of a run: who, and why.
    Request {
        tenant: TenantId,
        run: RunId,
        request: Request,
        who: (String, Option<String>),
        reply: Reply,
    },
    /// Somebody looks at what a run waits for.
    Look {
        tenant: TenantId,
        run: RunId,
        reply: LookReply,
    },
    /// A person has decided what a task of a run has asked.
    Decided {
        tenant: TenantId,
        run: RunId,
        decided: Box<Decided>,
        reply: Reply,
    },
    /// A run that another one has started asks whether that one still waits for it.
    Asked {
        tenant: TenantId,
        parent: Parent,
        child: RunId,
    },
    /// Somebody wants a run that has faulted to be tried again.
    Retry(Box<Retry>),
    /// A run that has ended is not kept any longer.
    Remove(Box<Remove>),
    /// Nobody waits any more for a run that another one has started.
    Unwanted {
        tenant: TenantId,
        run: RunId,
        parent: RunId,
    },
    /// Events that runs of this partition may listen to are in a tenant's log. There is one of these for each log at
    /// most.
    Published { tenant: TenantId },
    /// A tenant's log is about to drop what is before the position `before`. All before `next` has been told.
    Passing {
        tenant: TenantId,
        before: u64,
        next: u64,
    },
    /// The turn of that number is durable.
    Durable(u64),
    /// The partition may take a turn for a tenant.
    Turn(Granted),
    /// A tenant has moved to this partition.
    Moved(Box<Moved>),
}

/// A new run, of which the first event is durable.
pub(crate) struct Begin {
    pub(crate) run: Loaded,
    pub(crate) started: Event,
    pub(crate) at: Timestamp,
    pub(crate) place: Place,
    /// Until it begins, nobody else takes it up.
    pub(crate) beginning: Beginning,
    /// Nor starts one more under the idempotency key that it was started under, if it was.
    pub(crate) key: Option<KeyHeld>,
}

/// The thread's state.
pub(crate) struct Partition {
    number: Number,
    shared: Arc<Shared>,
    mailbox: Arc<Mailbox<Message>>,
    side: Side,
    /// Where its turns are granted.
    processors: Arc<Processors>,
    /// What it has been told and has not taken in yet.
    inbox: Inbox,
    runs: HashMap<RunId, ActiveRun>,
    timers: Timers,
    alarms: Alarms,
    idle: Idle,
    listeners: Listeners,
    aside: Aside,
    /// The runs that are being removed, until that is durable.
    removing: HashSet<RunId>,
    /// The calls of which the next item is wanted, if they have handed one over.
    pulls: Vec<(RunId, TaskKey, u32)>,
    /// The turns that are not durable yet.
    pending: BTreeMap<u64, Pending>,
    turns: u64,
    /// Whether it has taken up what was open when the host stopped.
    has_recovered: bool,
    /// How many calls it has made itself this time.
    calls_here: usize,
}

/// When a partition has something to do again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Next {
    /// At once.
    Now,
    /// When that comes due, or sooner, if it is told of something.
    At(Timestamp),
    /// When it is told of something.
    Told,
}

/// A turn that is not durable yet.
struct Pending {
    tenant: TenantId,
    /// What waits for that.
    effects: Vec<Effect>,
}

impl Partition {
    pub(crate) fn new(number: Number, shared: Arc<Shared>, mailbox: Arc<Mailbox<Message>>) -> Self {
        Self {
            number,
            processors: shared.processors.clone(),
            shared,
            mailbox,
            side: Side::default(),
            inbox: Inbox::default(),
            runs: HashMap::new(),
            timers: Timers::default(),
            alarms: Alarms::default(),
            idle: Idle::default(),
            listeners: Listeners::default(),
            aside: Aside::default(),
            removing: HashSet::new(),
            pulls: Vec::new(),
            pending: BTreeMap::new(),
            turns: 0,
            has_recovered: false,
            calls_here: 0,
        }
    }

    /// Does what its thread does once it has waited for [so long](Partition::patience), or is told of something. False
    /// once it is told of nothing any more.
    pub(crate) fn work(&mut self, messages: &mut VecDeque<Message>) -> bool {
        self.mailbox.heed();
        let open = self.mailbox.take(messages, self.inbox.len());
        self.take_turn(messages);
        if !open {
            // Nobody takes their answers any more. They will be made again.
            self.runs.values_mut().for_each(ActiveRun::end_calls);
        }
        open
    }

    /// Takes what it has been told, and takes the next turn that it may: some of that, and of what has come due meanwhile.
    pub(crate) fn take_turn(&mut self, messages: &mut VecDeque<Message>) {
        self.move_out();
        self.sort(messages, None);
        if self.mailbox.is_closed() {
            return self.take_last_turn();
        }
        self.read_timers();
        if self.patience().is_zero() && !self.inbox.is_granted() {
            self.ask_for_what_is_due();
        }
        let Some(granted) = self.next_turn() else {
            return;
        };
        self.calls_here = 0;
        let turn = self.receive(&granted.tenant, messages);
        self.see_to_what_is_due(turn);
        self.end_turn(granted);
    }

    /// Takes in all that is left: nobody is told of anything any more.
    fn take_last_turn(&mut self) {
        let mut turn = Turn::new(self.turns + 1);
        self.receive_all(&mut turn);
        self.see_to_what_is_due(turn);
    }

    fn see_to_what_is_due(&mut self, mut turn: Turn) {
        self.elapse(&mut turn);
        self.come_back(&mut turn);
        self.read_again(&mut turn);
        self.offer(&mut turn);
        self.pull(&mut turn);
        self.pass_some(&mut turn);
        self.put_to_sleep(&mut turn);
        self.finish(turn);
    }

    /// For how long there is nothing to do, unless somebody tells of something.
    pub(crate) fn patience(&self) -> Duration {
        match self.next() {
            Next::Now => Duration::ZERO,
            Next::At(due) => {
                let remaining = self.shared.clock.now().until(due);
                match remaining.is_zero() {
                    true => remaining,
                    false => self.shared.clock.patience(remaining),
                }
            }
            Next::Told => IDLE,
        }
    }

    /// When there is something to do again.
    pub(crate) fn next(&self) -> Next {
        if self.inbox.is_granted() {
            return Next::Now;
        }
        // That it may take a turn is told, and that one is durable, before which nothing elapses.
        if self.inbox.is_asked() || self.is_behind() {
            return Next::Told;
        }
        if self.listeners.are_queued() || self.listeners.are_passing() || self.has_sleepy() {
            return Next::Now;
        }
        let due = self.timers.next().into_iter().chain(self.aside.next());
        let due = due.chain(self.listeners.unread.next());
        match due.fold(self.alarms.next(), Timestamp::min) {
            NEVER => Next::Told,
            due => Next::At(due),
        }
    }

    fn handle(&mut self, message: Message, turn: &mut Turn) {
        match message {
            Message::Begin(begin) => self.begin(*begin, turn),
            Message::Answered {
                run,
                task,
                attempt,
                answer,
            } => self.answered(&run, task, attempt, answer, turn),
            Message::ChildStarted { run, task, attempt } => {
                self.child_started(&run, &task, attempt, turn);
            }
            Message::ChildEnded {
                tenant,
                parent,
                answer,
            } => self.child_ended(&tenant, parent, answer, turn),
            Message::Begun { run, task, attempt } => self.begun(&run, &task, attempt, turn),
            Message::HandedOver {
                run,
                task,
                attempt,
                item,
            } => self.handed_over(&run, &task, attempt, item, turn),
            Message::Revealed {
                run,
                task,
                attempt,
                asked,
            } => self.revealed(&run, task, attempt, asked, turn),
            Message::Request {
                tenant,
                run,
                request,
                who,
                reply,
            } => self.request((&tenant, &run), request, who, reply, turn),
            Message::Look { tenant, run, reply } => self.look(&tenant, &run, reply, turn),
            Message::Decided {
                tenant,
                run,
                decided,
                reply,
            } => self.decide((&tenant, &run), *decided, reply, turn),
            Message::Retry(retry) => self.retry(retry, turn),
            Message::Remove(remove) => self.remove(*remove, turn),
            Message::Asked {
                tenant,
                parent,
                child,
            } => self.asked(&tenant, &parent, child, turn),
            Message::Unwanted {
                tenant,
                run,
                parent,
            } => self.unwanted(&tenant, &run, &parent, turn),
            Message::Published { tenant } => self.published(tenant),
            Message::Passing {
                tenant,
                before,
                next,
            } => self.passing(tenant, before, next),
            Message::Durable(number) => self.durable(number),
            Message::Turn(_) | Message::Moved(_) => {}
        }
    }

    /// A turn is durable. Those of its tenant before it are as well: of those from before that one has moved behind the bulkhead
    /// it is told by way of the other partition, which may be later.
    fn durable(&mut self, number: u64) {
        let tenant = self.pending.get(&number).map(|it| it.tenant.clone());
        let Some(tenant) = tenant else { return };
        let up_to_it = self.pending.range(..=number);
        let of_tenant = up_to_it.filter(|(_, it)| it.tenant == tenant);
        let durable: Vec<_> = of_tenant.map(|(number, _)| *number).collect();
        for number in durable {
            let effects = self.pending.remove(&number).map(|it| it.effects);
            for effect in effects.unwrap_or_default() {
                self.release(effect);
            }
        }
    }

    /// A new run: its first event is durable already, so that what it wants may be done at once.
    fn begin(&mut self, begin: Begin, turn: &mut Turn) {
        let Begin {
            run,
            started,
            at,
            place,
            beginning: _beginning,
            key: _key,
        } = begin;
        let id = run.id;
        self.runs
            .insert(id, ActiveRun::new(run, place, &self.shared.live));
        self.ask_parent(&id);
        let _ = self.apply(&id, started, at, turn, Recorded::Already);
    }

    fn answered(
        &mut self,
        id: &RunId,
        task: TaskKey,
        attempt: u32,
        answer: Answer,
        turn: &mut Turn,
    ) {
        let Some(run) = self.runs.get_mut(id) else {
            return;
        };
        // An answer that is no longer wanted is no event, and neither is one that comes after the run's end.
        let is_wanted = run.end_call(&task, attempt) || run.end_child(&task, attempt);
        if run.machine.status().is_ended() {
            return self.record_end(id, turn);
        }
        if !is_wanted {
            return;
        }
        let event = Event::Answered {
            task,
            attempt,
            answer: answer.result,
        };
        let at = run.time(self.shared.clock.now());
        let _ = self.apply(id, event, at, turn, Recorded::Now);
    }

    /// Applies the timers that have come due.
    fn elapse(&mut self, turn: &mut Turn) {
        if self.is_behind() {
            return;
        }
        let now = self.shared.clock.now();
        let (admission, runs) = (&self.shared.admission, &self.runs);
        let later = now.after(SNOOZE);
        // One that has come into memory meanwhile needs no room, and no alarm either.
        let due = self.alarms.take_due(now, AT_A_TIME, later, |tenant, run| {
            runs.contains_key(run) || !admission.is_crowded(tenant)
        });
        let mut due = due.into_iter();
        for (_, run, tenant) in due.by_ref() {
            self.turn_of(&tenant, turn);
            self.wake_or_forget(&tenant, &run, turn);
            if turn.has_taken_long(&self.shared.platform) {
                break;
            }
        }
        for (due, run, tenant) in due {
            self.alarms.set(due, run, tenant);
        }
        // Those that are set meanwhile have to wait for the next turn, so that a loop without delay does not
        // keep the others waiting.
        let mut due = self.timers.take_due(now, AT_A_TIME).into_iter();
        for (due, id, timer) in due.by_ref() {
            self.elapse_one(due, &id, timer, turn);
            if turn.has_taken_long(&self.shared.platform) {
                break;
            }
        }
        for (due, id, timer) in due {
            self.timers.set(due, id, timer);
        }
    }

    fn elapse_one(&mut self, due: Timestamp, id: &RunId, timer: TimerKey, turn: &mut Turn) {
        if !self.turn_of_run(id, turn) {
            return;
        }
        let now = self.shared.clock.now();
        let Some(run) = self.runs.get_mut(id) else {
            return;
        };
        // One that came due with it may have cleared it, or ended the run.
        if run.timers.get(&timer) != Some(&due) {
            return;
        }
        run.timers.remove(&timer);
        let before = turn.batch.operations().len();
        turn.batch.delete(run.timer_key(self.number, &timer, due));
        let at = run.time(now);
        let applied = self.apply(id, Event::Elapsed { timer }, at, turn, Recorded::Now);
        if applied.is_err() {
            // It has not elapsed. In the store the run may be asleep still, so that after a restart it has nothing else to wake it.
            turn.batch.truncate(before);
        }
    }

    /// Ends the turn: hands it to the journal.
    fn finish(&mut self, turn: Turn) {
        let (tenant, began) = (turn.tenant.clone(), turn.began);
        self.hand_over(turn);
        if let Some(tenant) = tenant {
            self.note_turn(&tenant, began);
        }
    }

    fn hand_over(&mut self, turn: Turn) {
        let nothing_to_write = turn.batch.is_empty() && turn.events.is_empty();
        if nothing_to_write && turn.effects.is_empty() {
            return;
        }
        self.turns = turn.number;
        if nothing_to_write {
            // Nothing to write: what was begun, say. Then nothing to wait for either.
            turn.effects
                .into_iter()
                .for_each(|effect| self.release(effect));
            return;
        }
        debug_assert!(turn.tenant.is_some(), "all that is written is a tenant's");
        let tenant = turn.tenant.unwrap_or_default();
        let pending = Pending {
            tenant: tenant.clone(),
            effects: turn.effects,
        };
        self.pending.insert(turn.number, pending);
        let (journal, durable) = (&self.shared.journal, Message::Durable(turn.number));
        if !self.side.is_apart() {
            let notice = Notice::new(tenant, self.number, durable);
            return journal.append_and_tell(turn.batch, turn.events, notice);
        }
        // Nobody goes on with it at hand.
        let (processors, number, whose) = (self.processors.clone(), self.number, tenant.clone());
        let tell = move || processors.tell(number, &whose, durable);
        journal.append(&tenant, turn.batch, turn.events, tell);
    }

    /// The last turn in which the run had an event.
    fn last_turn_of(&self, id: &RunId) -> u64 {
        self.runs.get(id).map_or(0, |run| run.last_turn)
    }

    /// Whether a turn is durable, of which the present one is `now`. Turns of different tenants become so in any order.
    fn is_durable(&self, number: u64, now: u64) -> bool {
        number < now && !self.pending.contains_key(&number)
    }

    /// Whether so much waits to become durable that no run should go ahead of it.
    fn is_behind(&self) -> bool {
        self.pending.len() >= self.shared.limits.uncommitted_turns
    }

    /// Whether so much waits that requests have to wait outside. They may go beyond what runs may by themselves, so
    /// that a run that keeps busy does not keep anybody from cancelling it.
    fn refuses_requests(&self) -> bool {
        self.pending.len() >= 2 * self.shared.limits.uncommitted_turns
    }

    /// Does `effect` when the turn of that number is durable: at once, where it is.
    fn after(&mut self, number: u64, effect: Effect, turn: &mut Turn) {
        if number == turn.number {
            turn.effects.push(effect);
        } else if let Some(pending) = self.pending.get_mut(&number) {
            pending.effects.push(effect);
        } else {
            self.release(effect);
        }
    }
}

/// Whether an event is in the journal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recorded {
    /// It is, and durable.
    Already,
    /// It goes there with this turn.
    Now,
}
