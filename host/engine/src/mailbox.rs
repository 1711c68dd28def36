//! A queue from many to one thread, taken a batch at a time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A queue from many to one thread.
///
/// Requests from outside are [offered](Mailbox::offer) and refused once as many wait as may. What the
/// engine has itself set off is [pushed](Mailbox::push) and always taken: there is at most one beginning
/// and one answer for each call and one acknowledgement for each append, so that their number is bounded where those
/// are.
pub(crate) struct Mailbox<T> {
    queue: Mutex<Queue<T>>,
    filled: Condvar,
    bound: usize,
    /// Whether the thread is to come to an end of what it is at.
    is_preempted: AtomicBool,
}

struct Queue<T> {
    items: VecDeque<T>,
    /// How many the thread has taken before and has still to see to.
    held: usize,
    closed: bool,
    /// Whether the thread sleeps until there is an item. Only then is it woken: that costs a call into the kernel, also
    /// where nobody sleeps.
    is_awaited: bool,
    /// Whether somebody else sees to what comes.
    is_attended: bool,
    /// Whether the thread is to look after something else than an item.
    is_called: bool,
}

impl<T> Queue<T> {
    fn is_full(&self, bound: usize) -> bool {
        self.items.len() + self.held >= bound
    }

    /// Whether there is nothing for the thread to see to.
    fn is_quiet(&self) -> bool {
        self.items.is_empty() && !self.closed && !self.is_called
    }
}

/// What the thread is at, where it is the one that sees to what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// It sleeps: somebody has to wake it.
    Asleep,
    /// It is awake, and will look by itself.
    Awake,
}

/// Why an offer was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// As many wait as may.
    Full,
    /// Nobody takes any more.
    Closed,
}

impl<T> Mailbox<T> {
    /// A queue that refuses offers while `bound` items wait.
    pub(crate) fn new(bound: usize) -> Self {
        let queue = Queue {
            items: VecDeque::new(),
            held: 0,
            closed: false,
            is_awaited: false,
            is_attended: false,
            is_called: false,
        };
        Self {
            queue: Mutex::new(queue),
            filled: Condvar::new(),
            bound,
            is_preempted: AtomicBool::new(false),
        }
    }

    /// Adds an item if there is room.
    pub(crate) fn offer(&self, item: T) -> Result<(), Refused> {
        let queue = self.lock();
        if queue.closed {
            return Err(Refused::Closed);
        }
        if queue.is_full(self.bound) {
            return Err(Refused::Full);
        }
        self.add(queue, item);
        Ok(())
    }

    /// Whether offers are refused, since as many items wait as may.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().is_full(self.bound)
    }

    /// Adds an item. Behind the end nobody wants it, and it is dropped.
    pub(crate) fn push(&self, item: T) {
        let queue = self.lock();
        if !queue.closed {
            self.add(queue, item);
        }
    }

    /// Adds an item, and leaves the thread asleep if it is. Who will see to it; none where [somebody else](Mailbox::attend)
    /// does, or nobody any more.
    pub(crate) fn put(&self, item: T) -> Option<Reader> {
        let mut queue = self.lock();
        if queue.closed {
            return None;
        }
        queue.items.push_back(item);
        match (queue.is_awaited, queue.is_attended) {
            (true, _) => Some(Reader::Asleep),
            (false, false) => Some(Reader::Awake),
            (false, true) => None,
        }
    }

    /// Somebody else sees to what comes: the thread is left asleep, if it is, until [that ends](Mailbox::leave). Whether it
    /// is.
    pub(crate) fn attend(&self) -> bool {
        let mut queue = self.lock();
        queue.is_attended = true;
        std::mem::take(&mut queue.is_awaited)
    }

    /// The end of [that](Mailbox::attend). The thread is woken, if it is asleep, where something has come and is left, or
    /// where it is to look `at_once` for what there is to do.
    pub(crate) fn leave(&self, is_asleep: bool, at_once: bool) {
        let mut queue = self.lock();
        queue.is_attended = false;
        queue.is_called |= at_once;
        queue.is_awaited |= is_asleep;
        if !queue.is_quiet() {
            self.wake(queue);
        }
    }

    fn add(&self, mut queue: MutexGuard<'_, Queue<T>>, item: T) {
        queue.items.push_back(item);
        self.wake(queue);
    }

    fn wake(&self, mut queue: MutexGuard<'_, Queue<T>>) {
        let is_awaited = std::mem::take(&mut queue.is_awaited);
        drop(queue);
        if is_awaited {
            self.filled.notify_one();
        }
    }

    /// Sleeps until there is an item, or the thread is to [look](Mailbox::leave), or the queue is closed; for `patience` at
    /// most.
    pub(crate) fn wait(&self, patience: Duration) {
        let mut queue = self.lock();
        if queue.is_quiet() && !patience.is_zero() {
            let waited = self.filled.wait_timeout_while(queue, patience, |it| {
                it.is_awaited = it.is_quiet();
                it.is_awaited
            });
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
            queue.is_awaited = false;
        }
        queue.is_called = false;
    }

    /// Takes all that waits into `batch`, which is empty. Of what was taken before, `held` items are still to be seen to:
    /// they count for the bound. False once the queue is closed and empty.
    pub(crate) fn take(&self, batch: &mut VecDeque<T>, held: usize) -> bool {
        let mut queue = self.lock();
        queue.held = held;
        let open = !(queue.closed && queue.items.is_empty());
        std::mem::swap(batch, &mut queue.items);
        open
    }

    /// Asks the thread to come to an end of what it is at, and to see what waits. It does so where it next looks whether
    /// [it is asked](Mailbox::is_preempted).
    pub(crate) fn preempt(&self) {
        self.is_preempted.store(true, Ordering::Relaxed);
    }

    /// The thread has come to an end, and is about to [take](Mailbox::take) what waits.
    pub(crate) fn heed(&self) {
        self.is_preempted.store(false, Ordering::Relaxed);
    }

    /// Whether the thread has been asked to, and has not come to an end yet.
    pub(crate) fn is_preempted(&self) -> bool {
        self.is_preempted.load(Ordering::Relaxed)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().items.is_empty()
    }

    /// Whether the thread sleeps until there is an item.
    #[cfg(test)]
    pub(crate) fn is_awaited(&self) -> bool {
        self.lock().is_awaited
    }

    /// Sleeps for a time whatever comes meanwhile, and no longer than until the close.
    pub(crate) fn rest(&self, time: Duration) {
        let queue = self.lock();
        drop(self.filled.wait_timeout_while(queue, time, |it| !it.closed));
    }

    /// Whether it takes no more.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Takes no more. What waits can still be taken.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    /// Takes no more, and nobody takes what waits: it is dropped.
    pub(crate) fn end(&self) {
        self.close();
        let left = std::mem::take(&mut self.lock().items);
        drop(left);
    }

    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(mailbox: &Mailbox<u32>) -> (Vec<u32>, bool) {
        let mut batch = VecDeque::new();
        let open = mailbox.take(&mut batch, 0);
        (batch.into(), open)
    }

    #[test]
    fn offers_are_bounded_and_pushes_are_not() {
        let mailbox = Mailbox::new(2);
        assert_eq!(mailbox.offer(1), Ok(()));
        assert_eq!(mailbox.offer(2), Ok(()));
        assert_eq!(mailbox.offer(3), Err(Refused::Full));
        mailbox.push(4);
        assert_eq!(take(&mailbox), (vec![1, 2, 4], true));
        assert_eq!(mailbox.offer(5), Ok(()));
        let mut batch = VecDeque::new();
        mailbox.take(&mut batch, 1);
        assert_eq!(mailbox.offer(6), Ok(()));
        assert_eq!(mailbox.offer(7), Err(Refused::Full), "one is held");
    }

    #[test]
    fn what_waits_at_the_close_is_still_taken() {
        let mailbox = Mailbox::new(2);
        mailbox.push(1);
        mailbox.close();
        mailbox.push(2);
        assert_eq!(mailbox.offer(3), Err(Refused::Closed));
        assert_eq!(take(&mailbox), (vec![1], true));
        assert_eq!(take(&mailbox), (vec![], false));
    }

    #[test]
    fn a_rest_ends_with_its_time_or_with_the_close() {
        let mailbox = Mailbox::new(2);
        mailbox.push(1);
        let (time, begun) = (Duration::from_millis(20), std::time::Instant::now());
        mailbox.rest(time);
        assert!(begun.elapsed() >= time, "what waits does not end it");
        mailbox.close();
        mailbox.rest(Duration::from_secs(3600));
        assert_eq!(take(&mailbox), (vec![1], true));
    }

    #[test]
    fn what_is_put_wakes_nobody() {
        let mailbox = Mailbox::new(1);
        assert_eq!(mailbox.put(1), Some(Reader::Awake));
        let is_asleep = mailbox.attend();
        assert_eq!(mailbox.put(2), None, "somebody is at it");
        assert_eq!(take(&mailbox), (vec![1, 2], true));
        mailbox.leave(is_asleep, false);
        assert_eq!(mailbox.put(3), Some(Reader::Awake));
        mailbox.close();
        assert_eq!(mailbox.put(4), None);
        assert_eq!(take(&mailbox), (vec![3], true));
    }

    #[test]
    fn who_is_preempted_is_so_until_it_heeds_it() {
        let mailbox = Mailbox::new(1);
        mailbox.preempt();
        mailbox.push(1);
        assert_eq!(take(&mailbox), (vec![1], true));
        assert!(mailbox.is_preempted());
        mailbox.heed();
        assert!(!mailbox.is_preempted());
    }

    #[test]
    fn a_sleeper_is_woken() {
        let mailbox = std::sync::Arc::new(Mailbox::new(1));
        let sleeper = std::thread::spawn({
            let mailbox = mailbox.clone();
            move || {
                let mut batch = VecDeque::new();
                mailbox.wait(Duration::from_secs(60));
                mailbox.take(&mut batch, 0);
                batch.pop_front()
            }
        });
        mailbox.push(7);
        assert_eq!(sleeper.join().expect("joined"), Some(7));
    }

    #[test]
    fn who_is_left_asleep_is_woken_for_what_is_left() {
        let mailbox = std::sync::Arc::new(Mailbox::new(1));
        for (left, at_once) in [(Some(1), false), (None, true)] {
            let sleeper = std::thread::spawn({
                let mailbox = mailbox.clone();
                move || mailbox.wait(Duration::from_secs(3600))
            });
            while !mailbox.is_awaited() {
                std::thread::yield_now();
            }
            let is_asleep = mailbox.attend();
            assert!(is_asleep && mailbox.put(7).is_none());
            assert_eq!(take(&mailbox), (vec![7], true));
            mailbox.leave(is_asleep, false);
            assert!(mailbox.is_awaited(), "it sleeps on");
            assert_eq!(mailbox.put(8), Some(Reader::Asleep));
            assert_eq!(take(&mailbox), (vec![8], true));
            let is_asleep = mailbox.attend();
            left.into_iter().for_each(|item| mailbox.push(item));
            mailbox.leave(is_asleep, at_once);
            sleeper.join().expect("woken");
            assert_eq!(take(&mailbox), (left.into_iter().collect(), true));
        }
    }

    #[test]
    fn who_is_awake_looks_before_it_sleeps() {
        let mailbox = Mailbox::<u32>::new(1);
        let is_asleep = mailbox.attend();
        mailbox.leave(is_asleep, true);
        mailbox.wait(Duration::from_secs(3600));
        assert!(!mailbox.is_awaited());
    }
}
