//! What is around a run: it answers calls, lets timers elapse, cancels and crashes, as chance would have
//! it, and keeps its own books of what the run has asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use baton_workflow::machine::{Facts, TaskKey, TimerKey};
use baton_workflow::{Command, Error, ErrorKind, Event, Machine, Timestamp};
use serde_json::{Value, json};

use crate::support::{Jq, Run};

/// After so many events a run is taken to have no end.
const EVENTS_MAX: usize = 20_000;

/// What a world does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mood {
    /// Anything: calls fail, answers come twice, somebody cancels.
    Any,
    /// Every call is answered well, sooner or later.
    Calm,
}

/// A run, and what is around it.
pub(crate) struct World {
    pub(crate) run: Run,
    /// The calls under way.
    calls: Vec<(TaskKey, u32)>,
    /// The timers that are set.
    timers: BTreeMap<TimerKey, Timestamp>,
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
        let mut world = Self {
            run: Run::start(text, input),
            calls: Vec::new(),
            timers: BTreeMap::new(),
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
        self.play_with_crashes(mood, &[]);
    }

    /// The same, with a crash behind each of these events.
    pub(crate) fn play_with_crashes(&mut self, mood: Mood, crashes: &[usize]) {
        while !self.run.status().is_ended() {
            if crashes.contains(&self.run.journal.len()) {
                self.crash();
            }
            let event = self.next(mood);
            self.run.apply(event);
            self.enter();
            assert!(
                self.run.journal.len() < EVENTS_MAX,
                "a run without end:\n{}",
                self.text
            );
        }
        assert!(
            self.calls.is_empty(),
            "{:?} were not abandoned:\n{}",
            self.calls,
            self.text
        );
        assert!(
            self.timers.is_empty(),
            "{:?} were not cleared:\n{}",
            self.timers,
            self.text
        );
    }

    /// The host dies and comes back: the run is made again from its journal.
    fn crash(&mut self) {
        let before = self.run.machine.outstanding();
        let facts = Facts {
            id: "run-1".to_owned(),
            runtime: json!({"name": "Baton", "version": "0"}),
            secrets: json!({}),
        };
        let mut machine = Machine::new(self.run.machine.plan().clone(), facts);
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

    /// Enters what the run has asked for, and checks that it asks for nothing twice and gives back nothing
    /// that it does not have.
    fn enter(&mut self) {
        let commands = &self.run.commands[self.entered..];
        for command in commands {
            match command {
                Command::Invoke(call) => {
                    let call = (call.task.clone(), call.attempt);
                    assert!(
                        !self.calls.contains(&call),
                        "{call:?} twice:\n{}",
                        self.text
                    );
                    self.calls.push(call);
                }
                Command::StartRun(child) => {
                    let call = (child.task.clone(), child.attempt);
                    assert!(
                        !self.calls.contains(&call),
                        "{call:?} twice:\n{}",
                        self.text
                    );
                    self.calls.push(call);
                }
                Command::Abandon { task, attempt } => {
                    let open = self.calls.len();
                    self.calls
                        .retain(|call| (&call.0, call.1) != (task, *attempt));
                    assert_eq!(self.calls.len() + 1, open, "{task:?}:\n{}", self.text);
                }
                Command::SetTimer { timer, due } => {
                    let before = self.timers.insert(timer.clone(), *due);
                    assert_eq!(before, None, "{timer:?} twice:\n{}", self.text);
                }
                Command::ClearTimer { timer } => {
                    let due = self.timers.remove(timer);
                    assert!(due.is_some(), "{timer:?} is not set:\n{}", self.text);
                }
                _ => {}
            }
        }
        self.entered = self.run.commands.len();
        if !self.run.status().is_ended() {
            self.compare();
        }
    }

    /// The machine's books are the world's.
    fn compare(&self) {
        let outstanding = self.run.machine.outstanding();
        let mut theirs: Vec<_> = outstanding
            .calls
            .iter()
            .map(|call| (call.task.clone(), call.attempt))
            .collect();
        let children = &outstanding.children;
        theirs.extend(
            children
                .iter()
                .map(|child| (child.task.clone(), child.attempt)),
        );
        let mut ours = self.calls.clone();
        theirs.sort();
        ours.sort();
        assert_eq!(theirs, ours, "{}", self.text);
        let theirs: BTreeMap<_, _> = outstanding.timers.into_iter().collect();
        assert_eq!(theirs, self.timers, "{}", self.text);
        assert!(
            !self.calls.is_empty() || !self.timers.is_empty(),
            "nothing is under way, and the run has not ended:\n{}",
            self.text
        );
    }

    /// What happens next.
    fn next(&mut self, mood: Mood) -> Event {
        if mood == Mood::Any {
            let by = || "ada".to_owned();
            match self.chance.below(40) {
                0 => {
                    return Event::CancelRequested {
                        by: by(),
                        reason: None,
                    };
                }
                1 if self.chance.below(8) == 0 => {
                    return Event::StopRequested {
                        by: by(),
                        reason: None,
                    };
                }
                2 | 3 if !self.given.is_empty() => {
                    let again = self.chance.below(self.given.len());
                    return self.given[again].clone();
                }
                _ => {}
            }
        }
        let earliest = self.timers.iter().min_by_key(|(_, due)| **due);
        let earliest = earliest.map(|(timer, due)| (timer.clone(), *due));
        match earliest {
            Some((timer, due)) if self.calls.is_empty() || self.chance.below(4) == 0 => {
                self.timers.remove(&timer);
                self.run.now = self.run.now.max(due);
                Event::Elapsed { timer }
            }
            _ => self.answer(mood),
        }
    }

    fn answer(&mut self, mood: Mood) -> Event {
        let which = self.chance.below(self.calls.len());
        let (task, attempt) = self.calls.remove(which);
        let fails = mood == Mood::Any && self.chance.below(5) == 0;
        let answer = match fails {
            true => {
                let mut error = Error::new(
                    ErrorKind::Communication,
                    "Failed",
                    "as chance would have it",
                );
                error.status = 503;
                Err(error)
            }
            false => Ok(Arc::new(json!({ "n": 1, "of": task.pointer }))),
        };
        let event = Event::Answered {
            task,
            attempt,
            answer,
        };
        self.given.push(event.clone());
        event
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
