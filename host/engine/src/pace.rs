//! How long functions keep the thread that calls them, as far as has been seen.
//!
//! A call of a brief one is made where its run is, on the partition's own thread: to hand it to another thread, and its
//! answer back, takes longer than the call does. What takes longer, or waits for something, goes to the threads of the
//! async runtime, so that it holds up no other run.

use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use baton_sandbox::thread_time;

use crate::outside::{Answer, Call};

/// How many functions are known at once. Another one that falls into the same slot takes it, and begins anew.
const SLOTS: usize = 1024;

/// A function is brief whose calls take less, on average.
const BRIEF: Duration = Duration::from_micros(250);

/// What is taken for the average of a function that has not been called: some fifty brief calls show that it is.
const UNKNOWN: Duration = Duration::from_micros(500);

/// What a call counts for that has not been answered when it first lets go of its thread: since it waits, or since it
/// has computed for a [tick](baton_sandbox::limits::TICK). After one of them, it takes some twenty brief ones until the
/// function counts as brief again, so that one that only looks brief holds up a partition rarely.
const NOT_AT_ONCE: Duration = Duration::from_millis(20);

/// For how much the last call counts in the average: one in so many.
const WEIGHT: u64 = 64;

/// What is known of functions: for each, half of a hash of what it is, and the average in nanoseconds.
pub(crate) struct Pace {
    hasher: RandomState,
    seen: Box<[AtomicU64]>,
}

/// Where in a [`Pace`] a function is.
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    index: usize,
    mark: u64,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            seen: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The slot of the function that is called, for this tenant.
    pub(crate) fn slot(&self, call: &Call) -> Slot {
        let what = (&call.tenant, call.digest.0, &call.interface, &call.function);
        let hash = self.hasher.hash_one(what);
        Slot {
            index: usize::try_from(hash % SLOTS as u64).unwrap_or_default(),
            mark: hash & !u64::from(u32::MAX),
        }
    }

    /// Whether the function's calls are over at once.
    pub(crate) fn is_brief(&self, slot: Slot) -> bool {
        self.average(slot) < nanos(BRIEF)
    }

    /// Makes a call, and notes for how long it keeps its thread until it is answered, or lets go of it.
    pub(crate) async fn watch(
        &self,
        slot: Slot,
        mut call: Pin<Box<dyn Future<Output = Answer> + Send>>,
    ) -> Answer {
        let mut is_first = true;
        poll_fn(|context| {
            if !std::mem::take(&mut is_first) {
                return call.as_mut().poll(context);
            }
            // When others have the processor, that is no fault of the function.
            let began = thread_time();
            let answer = call.as_mut().poll(context);
            let took = match answer {
                Poll::Ready(_) => thread_time().saturating_sub(began).min(NOT_AT_ONCE),
                Poll::Pending => NOT_AT_ONCE,
            };
            self.note(slot, took);
            answer
        })
        .await
    }

    /// One that is noted at the same time on another thread may be lost, which does not matter.
    fn note(&self, slot: Slot, took: Duration) {
        let average = self.average(slot);
        let average = average - average / WEIGHT + nanos(took) / WEIGHT;
        self.seen[slot.index].store(slot.mark | average, Ordering::Relaxed);
    }

    fn average(&self, slot: Slot) -> u64 {
        let seen = self.seen[slot.index].load(Ordering::Relaxed);
        let (mark, average) = (seen & !u64::from(u32::MAX), seen & u64::from(u32::MAX));
        match mark == slot.mark && seen != 0 {
            true => average,
            false => nanos(UNKNOWN),
        }
    }
}

/// No more than [`NOT_AT_ONCE`], so that it fits into 32 bits.
fn nanos(time: Duration) -> u64 {
    u64::from(time.min(NOT_AT_ONCE).subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: Slot = Slot {
        index: 7,
        mark: 3 << 32,
    };
    const QUICK: Duration = Duration::from_micros(20);

    fn brief_calls_until_brief(pace: &Pace) -> usize {
        let mut calls = 0;
        while !pace.is_brief(SLOT) {
            pace.note(SLOT, QUICK);
            calls += 1;
        }
        calls
    }

    #[test]
    fn a_function_is_brief_once_it_has_been_for_a_while() {
        let pace = Pace::new();
        let first = brief_calls_until_brief(&pace);
        assert!((30..80).contains(&first), "{first}");
        for _ in 0..1000 {
            pace.note(SLOT, QUICK);
        }
        assert!(pace.is_brief(SLOT));
        pace.note(SLOT, NOT_AT_ONCE);
        let again = brief_calls_until_brief(&pace);
        assert!((10..40).contains(&again), "{again}");
    }

    #[test]
    fn one_that_waits_one_time_in_ten_is_never_brief_for_long() {
        let pace = Pace::new();
        let mut made_here = 0;
        for number in 0..10_000 {
            let waits = number % 10 == 0;
            made_here += usize::from(waits && pace.is_brief(SLOT));
            pace.note(SLOT, if waits { NOT_AT_ONCE } else { QUICK });
        }
        assert_eq!(made_here, 0);
    }

    #[test]
    fn one_that_computes_for_long_is_not_brief() {
        let pace = Pace::new();
        for _ in 0..1000 {
            pace.note(SLOT, BRIEF * 2);
        }
        assert!(!pace.is_brief(SLOT));
    }

    #[test]
    fn a_function_in_the_slot_of_another_one_begins_anew() {
        let pace = Pace::new();
        brief_calls_until_brief(&pace);
        let other = Slot {
            mark: 4 << 32,
            ..SLOT
        };
        assert!(!pace.is_brief(other));
        pace.note(other, QUICK);
        assert!(!pace.is_brief(SLOT), "it has been forgotten");
    }
}
