//! How long a call computes.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Adds up the time in which a future is polled: the time in which the guest runs, or the host for it, but
/// not the time in which it waits.
#[derive(Debug)]
pub(crate) struct Meter {
    origin: Instant,
    /// Nanoseconds of all polls that have ended.
    spent: AtomicU64,
    /// When the poll that is under way began, in nanoseconds after the origin, plus one; 0 where none is.
    since: AtomicU64,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            spent: AtomicU64::new(0),
            since: AtomicU64::new(0),
        }
    }

    /// The time spent so far.
    pub(crate) fn spent(&self) -> Duration {
        let since = self.since.load(Ordering::Relaxed);
        let running = if since == 0 {
            0
        } else {
            (self.nanos() + 1).saturating_sub(since)
        };
        Duration::from_nanos(self.spent.load(Ordering::Relaxed) + running)
    }

    /// Runs a future and measures it.
    pub(crate) async fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        poll_fn(|cx| {
            let began = self.nanos();
            self.since.store(began + 1, Ordering::Relaxed);
            let poll = future.as_mut().poll(cx);
            self.since.store(0, Ordering::Relaxed);
            self.spent
                .fetch_add(self.nanos() - began, Ordering::Relaxed);
            poll
        })
        .await
    }

    fn nanos(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
