//! The priority of the host's threads where several want the same processor: their niceness (`sched(7)`). That is a matter of
//! Linux; elsewhere processes have one, not threads.

use std::io::{ErrorKind, Result};

/// Gives the thread at hand the priority that the process has.
///
/// A thread begins with that of the one that starts it, which may be one that goes before others, or gives way to them.
pub fn reset() {
    be_nice(0);
}

/// Has the thread at hand give way to the host's other threads, for good.
pub fn lower() {
    /// A quarter of a processor, where one other thread wants it as well.
    const NICENESS: i32 = 5;
    be_nice(NICENESS);
}

/// Sets the niceness of the thread at hand: that of the process, and so much more.
fn be_nice(more: i32) {
    let changed = niceness_of_process().and_then(|usual| set_niceness(usual + more));
    if let Err(error) = changed
        && error.kind() != ErrorKind::Unsupported
    {
        tracing::warn!(%error, "a thread has another priority than it should have");
    }
}

/// A higher priority of the thread at hand, while it is on.
///
/// A system does not let everybody do that: it takes `CAP_SYS_NICE`, which root mostly has, or an `RLIMIT_NICE` of 30.
#[derive(Default)]
pub struct Boost {
    /// The niceness of the thread when it is off, while it is on.
    otherwise: Option<i32>,
    is_refused: bool,
}

impl Boost {
    /// How much less the niceness is: the thread has nine tenths of a processor where one other thread wants it as well.
    const LESS: i32 = 10;

    /// Turns it on or off. It asks the system only where that changes.
    ///
    /// # Errors
    ///
    /// Where the system refuses: once, since it is not asked again, and nothing changes from then on.
    pub fn set(&mut self, is_on: bool) -> Result<()> {
        if self.otherwise.is_some() == is_on || self.is_refused {
            return Ok(());
        }
        let changed = self.change();
        self.is_refused = changed.is_err();
        changed
    }

    fn change(&mut self) -> Result<()> {
        if let Some(niceness) = self.otherwise.take() {
            return set_niceness(niceness);
        }
        let niceness = niceness_of_process()?;
        set_niceness(niceness - Self::LESS)?;
        self.otherwise = Some(niceness);
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn niceness_of_process() -> Result<i32> {
    // The thread that a process begins with has its number.
    Ok(rustix::process::getpriority_process(Some(
        rustix::process::getpid(),
    ))?)
}

#[cfg(target_os = "linux")]
fn set_niceness(niceness: i32) -> Result<()> {
    use rustix::process::{getpriority_process, setpriority_process};

    // Some sandboxes refuse also what changes nothing.
    if getpriority_process(None)? == niceness {
        return Ok(());
    }
    Ok(setpriority_process(None, niceness)?)
}

#[cfg(not(target_os = "linux"))]
fn niceness_of_process() -> Result<i32> {
    Err(ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn set_niceness(_niceness: i32) -> Result<()> {
    Err(ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    /// On a thread of its own, which ends with it.
    fn on_a_thread(work: impl FnOnce() + Send + 'static) {
        std::thread::spawn(work).join().expect("nothing failed");
    }

    fn niceness() -> i32 {
        getpriority_process(None).expect("a niceness")
    }

    #[test]
    fn a_thread_is_on_where_it_may_and_is_as_before_afterwards() {
        let here = niceness();
        on_a_thread(|| {
            let (mut boost, before) = (Boost::default(), niceness());
            boost.set(false).expect("that changes nothing");
            assert_eq!(niceness(), before);
            for _ in 0..2 {
                let refused = boost.set(true).is_err();
                assert_eq!(refused, boost.is_refused, "it is said once");
                boost.set(true).expect("that changes nothing");
                let less = if boost.is_refused { 0 } else { Boost::LESS };
                assert_eq!(niceness(), before - less);
                boost.set(false).expect("that it always may");
                assert_eq!(niceness(), before);
                if refused {
                    break;
                }
            }
        });
        assert_eq!(niceness(), here);
    }

    #[test]
    fn a_priority_is_that_of_the_process_whoever_starts_the_thread() {
        let here = niceness();
        on_a_thread(move || {
            rustix::process::nice(1).expect("that everybody may");
            on_a_thread(move || {
                lower();
                assert_eq!(niceness(), here + 5);
            });
            // Only where a thread may be boosted is there something to reset in one that it starts.
            let _ = Boost::default().set(true);
            if niceness() < here {
                on_a_thread(move || {
                    reset();
                    assert_eq!(niceness(), here);
                });
            }
        });
        assert_eq!(niceness(), here);
    }
}
