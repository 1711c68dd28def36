//! What the engine takes of the machine that it runs on, beside the [time](crate::clock) and the medium: threads for
//! what blocks, and random numbers.

#[cfg(test)]
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::task::JoinError;

#[cfg(test)]
use crate::simulation::Chance;

/// What the engine takes of the machine that it runs on.
pub(crate) enum Platform {
    /// Threads of the async runtime, and the system's random numbers.
    System,
    /// One thread for all, and numbers that follow from a seed.
    #[cfg(test)]
    Simulated(Mutex<Chance>),
}

impl Platform {
    /// Does something that blocks or takes long, where it holds up nobody.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        match self {
            Self::System => tokio::task::spawn_blocking(work).await,
            #[cfg(test)]
            Self::Simulated(_) => Ok(work()),
        }
    }

    /// How many threads may compute at a time: two at least, so that one that waits for the disk is not all there is.
    pub(crate) fn processors(&self) -> usize {
        match self {
            Self::System => thread::available_parallelism().map_or(2, |it| it.get().max(2)),
            #[cfg(test)]
            Self::Simulated(_) => 1,
        }
    }

    /// Whether a call is made on the thread that wants it made, where it is likely to be over at once.
    pub(crate) fn calls_here(&self, is_brief: impl FnOnce() -> bool) -> bool {
        match self {
            Self::System => is_brief(),
            // How long calls take is a matter of the machine.
            #[cfg(test)]
            Self::Simulated(chance) => chance
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .one_in(2),
        }
    }

    /// How long the thread at hand has computed. Only differences mean something.
    pub(crate) fn thread_time(&self) -> Duration {
        match self {
            Self::System => baton_system::thread_time(),
            // What is computed takes no time.
            #[cfg(test)]
            Self::Simulated(_) => Duration::ZERO,
        }
    }

    /// What the id of a new run is made of.
    pub(crate) fn random(&self) -> [u8; 10] {
        match self {
            Self::System => rand::random(),
            #[cfg(test)]
            Self::Simulated(chance) => chance
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .bytes(),
        }
    }
}
