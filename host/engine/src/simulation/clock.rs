//! The clock of a simulated world.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use baton_workflow::Timestamp;

use crate::clock::Clock;

/// When each world begins.
const BEGINNING: i64 = 1_800_000_000_000;

/// A clock that stands still until the world moves it, forward or back.
pub(crate) struct SimulatedClock(AtomicI64);

impl Default for SimulatedClock {
    fn default() -> Self {
        Self(AtomicI64::new(BEGINNING))
    }
}

impl SimulatedClock {
    /// Moves it by so many milliseconds.
    pub(crate) fn jump(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    /// Who drives the engine asks for how long there is nothing to do, and lets the time pass itself.
    fn patience(&self, remaining: Duration) -> Duration {
        remaining
    }
}
