//! Runs that are about to begin: their first records are durable or become so, and their partition will be told.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baton_store::RunId;

/// The runs that are about to begin.
///
/// A partition that takes up what was open when the host stopped finds those in the store too, where somebody is quick to
/// start them. It leaves them alone: it is told of each.
#[derive(Clone, Default)]
pub(crate) struct Beginnings {
    runs: Arc<Mutex<HashSet<RunId>>>,
}

/// That a run is about to begin: until its partition has taken it, or it is given up.
pub(crate) struct Beginning {
    of: Beginnings,
    run: RunId,
}

impl Beginnings {
    /// A run is about to begin. To be said before its first records become durable.
    pub(crate) fn enter(&self, run: RunId) -> Beginning {
        self.lock().insert(run);
        Beginning {
            of: self.clone(),
            run,
        }
    }

    /// Whether a run is about to begin.
    pub(crate) fn has(&self, run: &RunId) -> bool {
        self.lock().contains(run)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<RunId>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Beginning {
    fn drop(&mut self) {
        self.of.lock().remove(&self.run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_about_to_begin_until_it_has() {
        let (beginnings, run) = (Beginnings::default(), RunId::from_bytes([1; 16]));
        let beginning = beginnings.enter(run);
        assert!(beginnings.has(&run));
        drop(beginning);
        assert!(!beginnings.has(&run));
    }
}
