//! What is around a run: it answers calls, decides, lets timers elapse, publishes events, suspends, cancels and
//! crashes, as chance would have it.

use std::sync::Arc;

use baton_workflow::machine::{Answer, Decision, Status, Weight};
use baton_workflow::{Error, ErrorKind, Event, Machine};
use serde_json::{Value, json};

use super::books::{Asked, Books};
use super::text::EVENT;
use crate::support::{Jq, Run, facts};

/// After so many events a run is taken to have no end.
const EVENTS_MAX: usize = 20_000;

/// What a world does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mood {
    /// Anything: calls fail, answers come twice, somebody cancels, suspends and resumes.
    Any,
    /// Everything goes well, sooner or later.
    Calm,
    /// The same, and the run is suspended now and then.
    Suspending,
}

/// What comes in between, and may change nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Interruption {
    /// The host dies, and the run is made again from its journal.
    Crash,
    /// The run is made again from its snapshot.
    Snapshot,
}

/// A run, and what is around it.
pub(crate) struct World {
    pub(crate) run: Run,
    books: Books,
    /// How many commands have been entered in the books.
    entered: usize,
    /// Answers that have been given, to give them again.
    given: Vec<Event>,
    text: String,
    chance: Chance,
}

impl World {
    /// A run of a document's tasks that has started.
    pub(crate) fn new(text: &str, input: Value, seed: u64) -> Self {
        let mut run = Run::start(text, input);
        run.is_restored = false;
        let mut world = Self {
            run,
            books: Books::default(),
            entered: 0,
            given: Vec::new(),
            text: text.to_owned(),
            chance: Chance(seed),
        };
        world.enter();
        world
    }

    /// Plays until the run ends.
    pub(crate) fn play(&mut self, mood: Mood) {
        self.play_interrupted(mood, Interruption::Crash, &[]);
    }

    /// The same, interrupted behind each of these events.
    pub(crate) fn play_interrupted(&mut self, mood: Mood, by: Interruption, behind: &[usize]) {
        while !self.run.status().is_ended() {
            if behind.contains(&self.run.journal.len()) {
                match by {
                    Interruption::Crash => self.crash(),
                    Interruption::Snapshot => self.run.restore(),
                }
            }
            self.step(mood);
            self.enter();
            let count = self.run.journal.len();
            assert!(count < EVENTS_MAX, "a run without end:\n{}", self.text);
        }
        let left = &self.books;
        assert!(
            left.is_empty(),
            "something is still under way:\n{}",
            self.text
        );
    }

    /// The host dies and comes back: the run is made again from its journal.
    fn crash(&mut self) {
        let before = self.run.machine.outstanding();
        let mut machine = Machine::new(self.run.machine.plan().clone(), facts());
        let mut jq = Jq::default();
        let mut commands = Vec::new();
        for occurrence in &self.run.journal {
            commands.extend(machine.apply(occurrence.event.clone(), occurrence.at, &mut jq));
        }
        assert_eq!(commands, self.run.commands, "{}", self.text);
        assert_eq!(machine.status(), self.run.machine.status());
        assert_eq!(machine.outstanding(), before, "{}", self.text);
        self.run.machine = machine;
    }

    /// Enters what the run has asked for.
    fn enter(&mut self) {
        for command in &self.run.commands[self.entered..] {
            let entered = self.books.enter(command);
            entered.unwrap_or_else(|why| panic!("{why}\n{}", self.text));
        }
        self.entered = self.run.commands.len();
        if !self.run.status().is_ended() {
            let outstanding = self.run.machine.outstanding();
            self.books.compare(&outstanding, &self.text);
        }
    }

    fn is_suspended(&self) -> bool {
        self.run.status() == Status::Suspended
    }

    /// Lets something happen.
    fn step(&mut self, mood: Mood) {
        if let Some(request) = self.request(mood) {
            return self.run.apply(request);
        }
        let listens = !self.run.machine.outstanding().listening.is_empty();
        if listens && (self.is_left(mood) || self.chance.below(3) == 0) {
            return self.run.publish(EVENT, json!({ "n": 1 }));
        }
        let handed_over = self.handed_over();
        if let Some(item) = handed_over
            && (self.is_left(mood) || self.chance.below(3) == 0)
        {
            return self.run.apply(item);
        }
        assert!(
            !self.is_left(mood),
            "nothing is under way, and the run has not ended:\n{}",
            self.text
        );
        let event = self.next(mood);
        self.run.apply(event);
    }

    /// Whether nothing is under way that could end. Where all goes well, no subscription ends by itself.
    fn is_left(&self, mood: Mood) -> bool {
        let nothing_else = self.books.timers.is_empty() && self.books.approvals.is_empty();
        nothing_else && self.ending(mood).is_empty()
    }

    /// The calls that may be answered.
    fn ending(&self, mood: Mood) -> Vec<Asked> {
        let all = self.books.calls.iter();
        let ending = all.filter(|it| mood == Mood::Any || !self.books.subscriptions.contains(it));
        ending.cloned().collect()
    }

    /// A message for one of the subscriptions, where one takes it.
    fn handed_over(&mut self) -> Option<Event> {
        let item = Arc::new(json!({ "n": 1 }));
        let open = self.books.subscriptions.intersection(&self.books.calls);
        let mut open = open.cloned();
        open.find_map(|(task, attempt)| {
            let weight = self.run.weigh(&task, attempt, &item);
            (weight == Weight::Taken).then(|| Event::Yielded {
                task,
                attempt,
                item: item.clone(),
            })
        })
    }

    /// What somebody wants of the run.
    fn request(&mut self, mood: Mood) -> Option<Event> {
        let by = "ada".to_owned();
        let reason = None;
        if self.is_suspended() && (self.is_left(mood) || self.chance.below(4) == 0) {
            return Some(Event::ResumeRequested { by, reason });
        }
        if mood != Mood::Calm && self.chance.below(20) == 0 {
            return Some(Event::SuspendRequested { by, reason });
        }
        if mood != Mood::Any {
            return None;
        }
        match self.chance.below(40) {
            0 => Some(Event::CancelRequested { by, reason }),
            1 if self.chance.below(8) == 0 => Some(Event::StopRequested { by, reason }),
            2 | 3 if !self.given.is_empty() => {
                let again = self.chance.below(self.given.len());
                Some(self.given[again].clone())
            }
            _ => None,
        }
    }

    /// What happens to one of the things that are under way.
    fn next(&mut self, mood: Mood) -> Event {
        let held = self.is_suspended();
        let earliest = self.books.timers.iter().min_by_key(|(_, due)| **due);
        let earliest = earliest.map(|(timer, due)| (timer.clone(), *due));
        let calls = self.ending(mood);
        let others = calls.len() + self.books.approvals.len();
        if let Some((timer, due)) = earliest
            && (others == 0 || self.chance.below(4) == 0)
        {
            self.books.elapsed(&timer, held);
            self.run.now = self.run.now.max(due);
            return Event::Elapsed { timer };
        }
        let which = self.chance.below(others);
        let event = match calls.get(which).cloned() {
            Some(call) => {
                self.books.answered(&call, held);
                let answer = self.answer(mood, &call.0.pointer);
                let (task, attempt) = call;
                Event::Answered {
                    task,
                    attempt,
                    answer,
                }
            }
            None => {
                let which = which - calls.len();
                let asked = self.books.approvals.iter().nth(which).cloned();
                let asked = asked.expect("there are as many as were counted");
                self.books.decided(&asked, held);
                let (task, attempt) = asked;
                Event::Decided {
                    task,
                    attempt,
                    answer: Answer {
                        decision: Decision::Approved,
                        by: "grace".to_owned(),
                        comment: None,
                        data: Arc::new(Value::Null),
                    },
                }
            }
        };
        self.given.push(event.clone());
        event
    }

    fn answer(&mut self, mood: Mood, pointer: &str) -> Result<Arc<Value>, Error> {
        if mood == Mood::Any && self.chance.below(5) == 0 {
            let why = "as chance would have it";
            let mut error = Error::new(ErrorKind::Communication, "Failed", why);
            error.status = 503;
            return Err(error);
        }
        Ok(Arc::new(json!({ "n": 1, "of": pointer })))
    }
}

/// Numbers by chance, the same from the same seed (SplitMix64, Steele and others 2014).
struct Chance(u64);

impl Chance {
    /// One of 0 to `bound - 1`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound as u64).expect("it is below a usize")
    }
}
