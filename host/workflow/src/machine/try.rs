//! `try`: a body, and what to do when an error leaves it.
//!
//! An error that the catch clause accepts is first retried, as the policy says. When there is no policy,
//! or it gives up, `catch.do` handles the error; its output is the task's. Without `catch.do` the error
//! is swallowed and the input passes through, unless a retry policy gave up and there is no `catch.then`
//! either: then nobody has handled the error, and it goes on.

use std::sync::Arc;
use std::time::Duration;

use super::Turn;
use super::command::{Detail, NoteKind};
use super::compensate::Ledger;
use super::event::TimerKey;
use super::task::{Place, TaskId, TryPhase, TryWork, Work};
use crate::data::Data;
use crate::error::{Error, ErrorKind};
use crate::plan::{DELAY_MAX, DurationTemplate, Kind, RetryPolicy, Template, Try, truthy};

impl Turn<'_> {
    pub(super) fn begin_try(&mut self, id: TaskId, _: &Try) {
        let frame = self.run.visits.open(self.run.tasks[&id].place.frame);
        self.task_mut(id).work = Work::Try(TryWork {
            retries: 0,
            since: self.at,
            limit: None,
            phase: TryPhase::Trying,
            frame,
            ledger: Ledger::new(),
        });
        self.attempt(id);
    }

    /// Begins the body.
    fn attempt(&mut self, id: TaskId) {
        let plan = self.run.plan.clone();
        let it = self.definition(id, &plan);
        let mut place = Place {
            frame: Some(self.try_work(id).frame),
            ..self.run.tasks[&id].place.inside(id)
        };
        if let Some(limit) = it
            .retry
            .as_ref()
            .and_then(|retry| retry.attempt_limit.as_ref())
        {
            match self.duration(id, limit) {
                Ok(limit) => {
                    let due = self.at.after(limit);
                    place.deadline = Some(place.deadline.map_or(due, |outer| outer.min(due)));
                    let timer = TimerKey::Attempt(self.run.tasks[&id].key.clone());
                    self.set_timer(timer, due);
                    self.try_work(id).limit = Some(limit);
                }
                Err(error) => return self.fail(id, error),
            }
        }
        let input = self.run.tasks[&id].input.clone();
        self.go(it.body, input, place);
    }

    /// The delay between two attempts is over.
    pub(super) fn try_again(&mut self, id: TaskId) {
        let work = self.try_work(id);
        work.phase = TryPhase::Trying;
        let frame = work.frame;
        // The same visits again: each call of the body keeps its identity, and with it its
        // idempotency key, over all attempts.
        self.run.visits.again(frame);
        self.attempt(id);
    }

    /// An attempt has taken longer than one may.
    pub(super) fn attempt_timed_out(&mut self, id: TaskId) {
        let error = Error::new(
            ErrorKind::Timeout,
            "The attempt took too long",
            "it was still under way when the time that `retry.limit.attempt.duration` allows was over",
        );
        self.cancel_inside(id);
        let pointer = self.run.tasks[&id].key.pointer.clone();
        self.try_raised(id, error.at(&pointer));
    }

    /// The body, or the handler, has completed.
    pub(super) fn try_scope_done(&mut self, id: TaskId, output: Data) {
        let plan = self.run.plan.clone();
        let then = self.definition(id, &plan).then;
        match self.try_work(id).phase {
            TryPhase::Undoing { .. } => self.undone(Some(id), Ok(())),
            TryPhase::Handling => self.complete(id, output, then),
            TryPhase::Trying | TryPhase::Pausing => self.complete(id, output, None),
        }
    }

    /// An error has left the body, the handler, or undo steps.
    pub(super) fn try_raised(&mut self, id: TaskId, error: Error) {
        match self.try_work(id).phase {
            TryPhase::Trying => self.body_raised(id, error),
            TryPhase::Undoing { .. } => self.undone(Some(id), Err(error)),
            TryPhase::Handling | TryPhase::Pausing => self.undo_all(id, error, false),
        }
    }

    fn body_raised(&mut self, id: TaskId, error: Error) {
        let timer = TimerKey::Attempt(self.run.tasks[&id].key.clone());
        self.clear_timer(timer);
        let plan = self.run.plan.clone();
        let it = self.definition(id, &plan);
        let variable = Arc::new(error.to_value());
        let place = self.run.tasks[&id]
            .place
            .inside(id)
            .with(&it.variable, variable);
        match self.reaction(id, it, &error, &place) {
            Ok(Reaction::Retry(delay)) => {
                self.forget_inside(id, |_| true);
                self.pause(id, error, delay);
            }
            Ok(Reaction::Handle) => self.undo_all(id, error, true),
            Ok(Reaction::Pass) => self.undo_all(id, error, false),
            Err(failure) => self.undo_all(id, failure, false),
        }
    }

    /// An error has left for good what the `try` does: undoes what was done, and goes on with the error.
    fn undo_all(&mut self, id: TaskId, error: Error, handled: bool) {
        let work = self.try_work(id);
        let is_spent = !work.ledger.is_empty();
        let (frame, before) = (work.frame, &mut work.phase);
        if !is_spent && !handled {
            // The error goes on at once, and what it has ended may yet go on.
            return self.fail(id, error);
        }
        *before = TryPhase::Undoing { error, handled };
        self.forget_inside(id, |_| true);
        if is_spent {
            self.run.visits.spend(frame);
        }
        self.undo_next(Some(id));
    }

    /// All is undone that could be.
    pub(super) fn try_undone(&mut self, id: TaskId) {
        let work = self.try_work(id);
        match std::mem::replace(&mut work.phase, TryPhase::Handling) {
            TryPhase::Undoing {
                error,
                handled: true,
            } => self.handle(id, &error),
            TryPhase::Undoing { error, .. } => self.fail(id, error),
            TryPhase::Trying | TryPhase::Pausing | TryPhase::Handling => {
                unreachable!("a `try` is undoing until all is undone")
            }
        }
    }

    fn reaction(
        &mut self,
        id: TaskId,
        it: &Try,
        error: &Error,
        place: &Place,
    ) -> Result<Reaction, Error> {
        let caught = it.filter.matches(error)
            && self.holds(id, it.when.as_ref(), place, true)?
            && !self.holds(id, it.except_when.as_ref(), place, false)?;
        if !caught {
            return Ok(Reaction::Pass);
        }
        let Some(retry) = &it.retry else {
            return Ok(Reaction::Handle);
        };
        match self.next_delay(id, retry, error, place)? {
            Some(delay) => Ok(Reaction::Retry(delay)),
            None if it.handler.is_some() || it.then.is_some() => Ok(Reaction::Handle),
            None => Ok(Reaction::Pass),
        }
    }

    /// How long to wait before the next attempt; none where there is to be no other.
    fn next_delay(
        &mut self,
        id: TaskId,
        retry: &RetryPolicy,
        error: &Error,
        place: &Place,
    ) -> Result<Option<Duration>, Error> {
        let number = self.try_work(id).retries + 1;
        if retry.count_max.is_some_and(|max| number > max)
            || !self.holds(id, retry.when.as_ref(), place, true)?
            || self.holds(id, retry.except_when.as_ref(), place, false)?
        {
            return Ok(None);
        }
        let base = self
            .optional_duration(id, retry.delay.as_ref())?
            .unwrap_or_default();
        let mut delay = retry.backoff.delay(base, number);
        if let Some((from, to)) = &retry.jitter {
            let (from, to) = (self.duration(id, from)?, self.duration(id, to)?);
            delay += self.jitter(id, number, from, to);
        }
        // Who asks to be left alone for a while is; not for ever.
        delay = delay
            .max(Duration::from_millis(error.retry_after.unwrap_or(0)))
            .min(DELAY_MAX);
        if let Some(limit) = self.optional_duration(id, retry.total_limit.as_ref())? {
            let end = self.try_work(id).since.after(limit);
            if self.at.after(delay) > end {
                return Ok(None);
            }
        }
        Ok(Some(delay))
    }

    /// Between `from` and `to`, as chance would have it, and the same in every replay.
    fn jitter(&self, id: TaskId, retry: u32, from: Duration, to: Duration) -> Duration {
        let key = &self.run.tasks[&id].key;
        let mut hash = Fnv::new();
        hash.add(self.run.facts.id.as_bytes());
        hash.add(key.pointer.as_bytes());
        hash.add(&key.visit.to_le_bytes());
        hash.add(&retry.to_le_bytes());
        from + to.saturating_sub(from).mul_f64(hash.fraction())
    }

    fn pause(&mut self, id: TaskId, error: Error, delay: Duration) {
        let due = self.at.after(delay);
        let work = self.try_work(id);
        work.phase = TryPhase::Pausing;
        work.retries += 1;
        let next = work.retries + 1;
        let key = self.run.tasks[&id].key.clone();
        let detail = Detail {
            error: Some(error),
            due: Some(due),
            ..Detail::default()
        };
        self.note(NoteKind::TaskRetried, Some(key.clone()), Some(next), detail);
        self.set_timer(TimerKey::Retry(key), due);
    }

    fn handle(&mut self, id: TaskId, error: &Error) {
        let plan = self.run.plan.clone();
        let it = self.definition(id, &plan);
        let input = self.run.tasks[&id].input.clone();
        let Some(handler) = it.handler else {
            return self.try_scope_done(id, input);
        };
        let variable = Arc::new(error.to_value());
        let mut place = self.run.tasks[&id]
            .place
            .inside(id)
            .with(&it.variable, variable);
        // The body is over. What the handler does may be undone in turn, and has numbers of its own for that.
        let frame = self.run.visits.open(place.frame);
        let body = std::mem::replace(&mut self.try_work(id).frame, frame);
        self.run.visits.close(body);
        place.frame = Some(frame);
        self.go(handler, input, place);
    }

    fn definition<'p>(&self, id: TaskId, plan: &'p crate::plan::Plan) -> &'p Try {
        match &plan.node(self.run.tasks[&id].node).kind {
            Kind::Try(it) => it,
            _ => unreachable!("only a `try` tries"),
        }
    }

    fn try_work(&mut self, id: TaskId) -> &mut TryWork {
        match &mut self.task_mut(id).work {
            Work::Try(work) => work,
            _ => unreachable!("only a `try` tries"),
        }
    }

    fn holds(
        &mut self,
        id: TaskId,
        condition: Option<&Template>,
        place: &Place,
        default: bool,
    ) -> Result<bool, Error> {
        let Some(condition) = condition else {
            return Ok(default);
        };
        let input = self.run.tasks[&id].input.clone();
        self.fill_on(id, condition, &input, place)
            .map(|value| truthy(&value))
    }

    fn optional_duration(
        &mut self,
        id: TaskId,
        it: Option<&DurationTemplate>,
    ) -> Result<Option<Duration>, Error> {
        it.map(|it| self.duration(id, it)).transpose()
    }
}

/// What a catch clause does about an error.
enum Reaction {
    /// Try again after a delay.
    Retry(Duration),
    /// Run the handler.
    Handle,
    /// Nothing: the error goes on.
    Pass,
}

/// FNV-1a, 64 bits: enough to spread delays, and the same on every machine for ever.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// In [0, 1), from the 53 bits that a float can hold, after a last mixing (the finalizer of
    /// MurmurHash3): FNV spreads the last bytes over its high bits only slowly.
    fn fraction(&self) -> f64 {
        let mut bits = self.0;
        bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        bits ^= bits >> 33;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let fraction = (bits >> 11) as f64 / (1u64 << 53) as f64;
        fraction
    }
}
