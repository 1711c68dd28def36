//! Warm instances of expression languages, of all workflow versions together.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use baton_store::Digest;

use crate::outside::{Evaluator, Filter, Languages};

/// Which workflow version an instance has compiled the expressions of.
pub(crate) type VersionNumber = u64;

/// The instances: at most so many, whether somebody uses them or not.
///
/// Those that nobody uses stay warm for their version until another needs the room. Who finds all of them in
/// use waits for one: each thread uses one at a time, so that one always comes back.
pub(crate) struct Evaluators {
    languages: Arc<dyn Languages>,
    pool: Mutex<Pool>,
    returned: Condvar,
    max: usize,
}

#[derive(Default)]
struct Pool {
    /// The one that was returned longest ago first.
    idle: VecDeque<(VersionNumber, Warm)>,
    lent: usize,
}

/// An evaluator and what it has compiled of a version's expressions, by their number.
pub(crate) struct Warm {
    pub(crate) evaluator: Box<dyn Evaluator>,
    pub(crate) filters: Vec<Option<Filter>>,
}

impl Evaluators {
    /// At most `max` instances, at least 1.
    pub(crate) fn new(languages: Arc<dyn Languages>, max: usize) -> Self {
        Self {
            languages,
            pool: Mutex::default(),
            returned: Condvar::new(),
            max: max.max(1),
        }
    }

    /// An instance for a version: one that has worked for it before, where there is one. Waits while all are
    /// in use.
    ///
    /// # Errors
    ///
    /// Where there is no such language or it can't be started.
    pub(crate) fn lend(
        &self,
        version: VersionNumber,
        language: &Digest,
    ) -> Result<Lent<'_>, String> {
        let mut pool = self.lock();
        while pool.idle.is_empty() && pool.lent >= self.max {
            pool = self
                .returned
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let known = pool.idle.iter().rposition(|(of, _)| *of == version);
        let warm = known.and_then(|at| pool.idle.remove(at));
        let full = pool.lent + pool.idle.len() >= self.max;
        let evicted = match &warm {
            None if full => pool.idle.pop_front(),
            _ => None,
        };
        pool.lent += 1;
        drop(pool);
        // From here on the guard gives the place back, whatever happens.
        let mut lent = Lent {
            evaluators: self,
            version,
            warm: warm.map(|(_, warm)| warm),
        };
        // Its instance must be gone before the next is made.
        drop(evicted);
        if lent.warm.is_none() {
            lent.warm = Some(Warm {
                evaluator: self.languages.evaluator(language)?,
                filters: Vec::new(),
            });
        }
        Ok(lent)
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An instance in use. Dropping it returns it.
pub(crate) struct Lent<'a> {
    evaluators: &'a Evaluators,
    version: VersionNumber,
    warm: Option<Warm>,
}

impl Lent<'_> {
    /// The instance.
    pub(crate) fn warm(&mut self) -> &mut Warm {
        self.warm.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        // Where its user panicked, or it can't be started, a new one is better.
        let warm = self.warm.take();
        let usable = |warm: &Warm| !std::thread::panicking() && !warm.evaluator.is_unavailable();
        let mut pool = self.evaluators.lock();
        pool.lent -= 1;
        if let Some(warm) = warm.filter(usable) {
            pool.idle.push_back((self.version, warm));
        }
        drop(pool);
        self.evaluators.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use serde_json::Value;

    use super::*;
    use crate::outside::SyntaxError;

    /// Counts the evaluators that were started and those that are there.
    #[derive(Default)]
    struct Counted {
        started: AtomicUsize,
        there: Arc<AtomicUsize>,
    }

    struct One(Arc<AtomicUsize>);

    impl Drop for One {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    impl Languages for Counted {
        fn evaluator(&self, _: &Digest) -> Result<Box<dyn Evaluator>, String> {
            self.started.fetch_add(1, Ordering::SeqCst);
            self.there.fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(One(self.there.clone())))
        }
    }

    impl Evaluator for One {
        fn compile(&mut self, _: &str, _: &[String]) -> Result<Filter, SyntaxError> {
            Ok(Filter(0))
        }

        fn evaluate(&mut self, _: Filter, _: &Value, _: &[&Value]) -> Result<Value, String> {
            Ok(Value::Null)
        }
    }

    const LANGUAGE: Digest = Digest([0; 32]);

    #[test]
    fn the_one_unused_longest_makes_room_and_never_are_there_more() {
        let counted = Arc::new(Counted::default());
        let evaluators = Evaluators::new(counted.clone(), 2);
        for version in [1, 2, 1, 1, 2] {
            drop(evaluators.lend(version, &LANGUAGE).expect("lent"));
        }
        assert_eq!(counted.started.load(Ordering::SeqCst), 2);
        for version in [3, 2, 3] {
            drop(evaluators.lend(version, &LANGUAGE).expect("lent"));
            assert_eq!(counted.there.load(Ordering::SeqCst), 2);
        }
        assert_eq!(counted.started.load(Ordering::SeqCst), 3, "1 made room");
    }

    #[test]
    fn who_finds_all_in_use_waits_for_one() {
        let counted = Arc::new(Counted::default());
        let evaluators = Arc::new(Evaluators::new(counted.clone(), 1));
        let first = evaluators.lend(1, &LANGUAGE).expect("lent");
        let (sender, got) = mpsc::channel();
        let waits = std::thread::spawn({
            let evaluators = evaluators.clone();
            move || {
                let lent = evaluators.lend(2, &LANGUAGE).is_ok();
                sender.send(lent).expect("received");
            }
        });
        assert!(got.try_recv().is_err());
        drop(first);
        assert_eq!(got.recv(), Ok(true));
        waits.join().expect("joined");
        assert_eq!(counted.there.load(Ordering::SeqCst), 1);
    }
}
