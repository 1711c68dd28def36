//! What happens in a world, and how often.

use std::time::Duration;

use crate::settings::{EngineLimits, LifecycleEvents};
use crate::simulation::Chance;

/// Never, as far as anybody lives.
const NEVER: usize = 1_000_000;

/// What happens in a world, and how often: worlds that differ in that find more than worlds that are all alike.
pub(super) struct Mood {
    /// How many steps there are before peace comes.
    pub(super) steps: usize,
    /// How often a host dies: once in so many steps.
    pub(super) dies: usize,
    /// How often a commit is refused: once in so many.
    pub(super) refuses: usize,
    /// How often nothing can be read: in one of so many turns of a partition, and of other tasks.
    pub(super) unreadable: usize,
    /// How often no expression can be evaluated: in one of so many of the same.
    pub(super) speechless: usize,
    /// How often the clock jumps far or back: once in so many of its moves.
    pub(super) jumps: usize,
    /// How often somebody wants a run to end, or to begin again: once in so many wishes about runs.
    pub(super) ends: usize,
    /// How many runs somebody starts at most.
    pub(super) runs: usize,
    /// How often something is told again.
    pub(super) repeats: usize,
    /// How often a workflow is published that starts by itself: once in so many wishes.
    pub(super) schedules: usize,
    /// How often the neighbour starts a run: once in so many wishes.
    pub(super) neighbours: usize,
    /// How often a tenant goes behind the bulkhead: before one of so many steps.
    pub(super) moves: usize,
    pub(super) limits: EngineLimits,
    pub(super) lifecycle: LifecycleEvents,
}

impl Mood {
    /// One by chance.
    pub(super) fn new(chance: &mut Chance) -> Self {
        let is_narrow = chance.one_in(3);
        let limits = limits(is_narrow, chance);
        let lifecycle = match chance.one_in(6) {
            true => LifecycleEvents::Tasks,
            false => LifecycleEvents::Off,
        };
        let mut one_of = |choices: &[usize]| *chance.pick(choices).expect("some");
        Self {
            steps: one_of(&[40, 80, 160]),
            dies: one_of(&[10, 30, 100, NEVER]),
            refuses: one_of(&[3, 20, NEVER]),
            unreadable: one_of(&[3, 20, NEVER, NEVER]),
            speechless: one_of(&[3, 20, NEVER, NEVER]),
            jumps: one_of(&[2, 10, NEVER]),
            ends: one_of(&[3, 10, NEVER]),
            runs: one_of(&[1, 2, 4]),
            repeats: one_of(&[1, NEVER]),
            // Where there is no room for a run, a schedule waits with the events that it has gathered, and starts one whenever
            // another one ends: they come to no end together.
            schedules: match is_narrow {
                true => NEVER,
                false => one_of(&[4, NEVER, NEVER]),
            },
            neighbours: one_of(&[2, 5, NEVER]),
            moves: one_of(&[10, 40, NEVER]),
            limits,
            lifecycle,
        }
    }

    /// Nothing happens.
    pub(super) fn peace() -> Self {
        Self {
            limits: EngineLimits::default(),
            lifecycle: LifecycleEvents::Off,
            unreadable: NEVER,
            speechless: NEVER,
            moves: NEVER,
            ..Self::new(&mut Chance::new(0))
        }
    }
}

/// Bounds, wide or so narrow that they are met.
fn limits(is_narrow: bool, chance: &mut Chance) -> EngineLimits {
    let mut limits = EngineLimits::default();
    if is_narrow {
        limits.uncommitted_turns = 1 + chance.below(3);
        limits.mailbox = 1 + chance.below(3);
        limits.journal_queue = 1 + chance.below(3);
        limits.calls = 1 + chance.below(2);
        limits.open_runs_per_tenant = 2 + chance.below(3);
    }
    if is_narrow && chance.one_in(3) {
        limits.awake_runs_per_tenant = 2 + chance.below(3);
        limits.awake_runs = 1 + chance.below(4);
    }
    if chance.one_in(2) {
        limits.waiting_in_memory = chance.below(4);
    }
    if chance.one_in(2) {
        limits.snapshot_events = [1, 2, 5][chance.below(3)];
    }
    if chance.one_in(4) {
        limits.event_log_events = 4 + chance.number() % 8;
        limits.event_log_age = Duration::from_secs(3_600);
    }
    limits
}
