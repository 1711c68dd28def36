//! How long functions keep the thread that calls them, as far as has been seen.
//!
//! A call of a brief one is made where its run is, on the partition's own thread: to hand it to another thread, and its
//! answer back, takes longer than the call does. What takes longer, or waits for something, goes to the threads of the
//! async runtime, so that it holds up no other run; and what computes for long, to [threads](crate::computing) that hold up
//! nobody.

use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use baton_system::thread_time;

use crate::computing::LONG;
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

/// A function computes for long whose calls take more at a stretch, on average. Less of it, even of many calls, nobody
/// notices who waits for the threads of the runtime.
const LENGTHY: Duration = Duration::from_millis(1);

/// For how much the last call counts in the average: one in so many.
const WEIGHT: u64 = 64;

/// What is known of functions.
#[derive(Clone)]
pub(crate) struct Pace {
    hasher: RandomState,
    seen: Arc<[Seen]>,
}

/// Of one function: half of a hash of what it is, and an average in nanoseconds, twice.
#[derive(Default)]
struct Seen {
    /// For how long its calls keep their thread, where waiting counts as much.
    kept: AtomicU64,
    /// For how long they compute.
    computed: AtomicU64,
}

/// A call at work.
pub(crate) type Work = Pin<Box<dyn Future<Output = Answer> + Send>>;

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
            seen: (0..SLOTS).map(|_| Seen::default()).collect(),
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
        average(&self.seen[slot.index].kept, slot, UNKNOWN) < nanos(BRIEF)
    }

    /// Whether they compute for long.
    pub(crate) fn is_lengthy(&self, slot: Slot) -> bool {
        average(&self.seen[slot.index].computed, slot, Duration::ZERO) > nanos(LENGTHY)
    }

    /// Makes a call, and notes for how long it keeps its thread until it is answered, or lets go of it. Gives it back where
    /// it computes for long.
    pub(crate) async fn watch(&self, slot: Slot, call: Work) -> Result<Answer, Work> {
        let (mut call, mut is_first) = (Some(call), true);
        poll_fn(|context| {
            let Some(at_work) = &mut call else {
                return Poll::Pending;
            };
            // When others have the processor, that is no fault of the function.
            let began = thread_time();
            let answer = at_work.as_mut().poll(context);
            let computed = thread_time().saturating_sub(began);
            if std::mem::take(&mut is_first) {
                self.note(slot, computed, answer.is_ready());
            }
            match answer {
                Poll::Ready(answer) => Poll::Ready(Ok(answer)),
                Poll::Pending if computed < LONG => Poll::Pending,
                Poll::Pending => call.take().map_or(Poll::Pending, |it| Poll::Ready(Err(it))),
            }
        })
        .await
    }

    /// One that is noted at the same time on another thread may be lost, which does not matter.
    fn note(&self, slot: Slot, computed: Duration, is_answered: bool) {
        let kept = match is_answered {
            true => computed,
            false => NOT_AT_ONCE,
        };
        let seen = &self.seen[slot.index];
        weigh(&seen.kept, slot, kept, UNKNOWN);
        weigh(&seen.computed, slot, computed, Duration::ZERO);
    }
}

/// The average in a place, or what is taken for it where nothing is known.
fn average(place: &AtomicU64, slot: Slot, unknown: Duration) -> u64 {
    let seen = place.load(Ordering::Relaxed);
    let (mark, average) = (seen & !u64::from(u32::MAX), seen & u64::from(u32::MAX));
    match mark == slot.mark && seen != 0 {
        true => average,
        false => nanos(unknown),
    }
}

/// Has one more call count in it.
fn weigh(place: &AtomicU64, slot: Slot, took: Duration, unknown: Duration) {
    let average = average(place, slot, unknown);
    let average = average - average / WEIGHT + nanos(took) / WEIGHT;
    place.store(slot.mark | average, Ordering::Relaxed);
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
            pace.note(SLOT, QUICK, true);
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
            pace.note(SLOT, QUICK, true);
        }
        assert!(pace.is_brief(SLOT));
        pace.note(SLOT, QUICK, false);
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
            pace.note(SLOT, QUICK, !waits);
        }
        assert_eq!(made_here, 0);
    }

    #[test]
    fn one_that_computes_for_long_is_not_brief() {
        let pace = Pace::new();
        for _ in 0..1000 {
            pace.note(SLOT, BRIEF * 2, true);
        }
        assert!(!pace.is_brief(SLOT));
    }

    #[test]
    fn one_whose_calls_compute_is_lengthy_until_they_no_longer_do() {
        let pace = Pace::new();
        for _ in 0..1000 {
            pace.note(SLOT, LENGTHY / 2, true);
            pace.note(SLOT, QUICK, false);
        }
        assert!(!pace.is_lengthy(SLOT), "to wait is not to compute");
        let mut calls = 0;
        while !pace.is_lengthy(SLOT) {
            pace.note(SLOT, LONG * 2, false);
            calls += 1;
        }
        assert!((2..20).contains(&calls), "{calls}");
        for _ in 0..100 {
            pace.note(SLOT, QUICK, true);
        }
        assert!(!pace.is_lengthy(SLOT));
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
        pace.note(other, QUICK, true);
        assert!(!pace.is_brief(SLOT), "it has been forgotten");
    }
}
