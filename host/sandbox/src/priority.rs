//! The priority of the host's threads where several want the same processor: their niceness (`sched(7)`), and how long one
//! that has it keeps it from others. Both are a matter of Linux; elsewhere processes have a niceness, not threads.

use std::io::{ErrorKind, Result};
use std::time::Duration;

/// How long a thread has a processor that is to have one at once when it has something to do: the least that the system
/// takes (Linux 6.12 and later). It does not wait then until others have had theirs for so long as is usual.
const BRIEF: Duration = Duration::from_micros(100);

/// Gives the thread at hand the priority that the process has.
///
/// A thread begins with that of the one that starts it, which may be one that goes before others, or gives way to them.
pub fn reset() {
    be_nice(0);
    keep_for(Duration::ZERO);
}

/// Has the thread at hand go at once when it has something to do, for good. It is for threads that do little.
pub fn go_at_once() {
    be_nice(0);
    keep_for(BRIEF);
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

/// A higher priority of the thread at hand, while it is on: it goes at once when it has something to do, and before others.
///
/// A system does not let everybody do that: it takes `CAP_SYS_NICE`, which root mostly has, or an `RLIMIT_NICE` of 30.
pub struct Boost {
    /// How much less the niceness is while it is on.
    less: i32,
    /// The niceness of the thread when it is off, while it is on.
    otherwise: Option<i32>,
    is_refused: bool,
}

impl Boost {
    /// For a thread that mostly waits: it goes before all others. Where one of them wants a processor as well, it has nine tenths.
    pub const fn before_all() -> Self {
        Self::by(10)
    }

    /// For a thread that somebody waits for: it goes before those that compute. Where one of them wants a processor as well, it
    /// has three quarters.
    pub const fn before_computing() -> Self {
        Self::by(5)
    }

    const fn by(less: i32) -> Self {
        Self {
            less,
            otherwise: None,
            is_refused: false,
        }
    }

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
            keep_for(Duration::ZERO);
            return set_niceness(niceness);
        }
        let niceness = niceness_of_process()?;
        set_niceness(niceness - self.less)?;
        keep_for(BRIEF);
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

/// Sets for how long the thread at hand keeps a processor; zero is as long as is usual. A system that can't do that does
/// nothing.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "neither the standard library nor rustix has this system call"
)]
fn keep_for(time: Duration) {
    let Ok(niceness) = rustix::process::getpriority_process(None) else {
        return;
    };
    let attributes = libc::sched_attr {
        size: u32::try_from(size_of::<libc::sched_attr>()).unwrap_or(0),
        sched_policy: 0,
        sched_flags: u64::from(libc::SCHED_FLAG_KEEP_POLICY.unsigned_abs()),
        // It is set as well, to what it is.
        sched_nice: niceness,
        sched_priority: 0,
        sched_runtime: u64::try_from(time.as_nanos()).unwrap_or(0),
        sched_deadline: 0,
        sched_period: 0,
    };
    let (this_thread, no_flags): (libc::pid_t, libc::c_uint) = (0, 0);
    // SAFETY: the system reads what the pointer leads to, of the size that it says, and keeps nothing of it (sched_setattr(2)).
    let _ = unsafe {
        libc::syscall(
            libc::SYS_sched_setattr,
            this_thread,
            &raw const attributes,
            no_flags,
        )
    };
}

#[cfg(not(target_os = "linux"))]
fn keep_for(_time: Duration) {}

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
            let (mut boost, before) = (Boost::before_all(), niceness());
            boost.set(false).expect("that changes nothing");
            assert_eq!(niceness(), before);
            for _ in 0..2 {
                let refused = boost.set(true).is_err();
                assert_eq!(refused, boost.is_refused, "it is said once");
                boost.set(true).expect("that changes nothing");
                let less = if boost.is_refused { 0 } else { 10 };
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

    /// For how long the thread at hand keeps a processor, if that is not as long as is usual, in nanoseconds.
    #[expect(unsafe_code, reason = "as where it is set")]
    fn kept_for() -> u64 {
        let size = u32::try_from(size_of::<libc::sched_attr>()).expect("it is small");
        // SAFETY: all of it are numbers.
        let mut attributes: libc::sched_attr = unsafe { std::mem::zeroed() };
        let (this_thread, no_flags): (libc::pid_t, libc::c_uint) = (0, 0);
        let pointer = &raw mut attributes;
        // SAFETY: the system writes to where the pointer leads, as much as is there (sched_getattr(2)).
        let failed = unsafe {
            libc::syscall(
                libc::SYS_sched_getattr,
                this_thread,
                pointer,
                size,
                no_flags,
            )
        };
        assert_eq!(failed, 0);
        attributes.sched_runtime
    }

    /// Whether the system is one on which that can be set.
    fn can_be_kept() -> bool {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease");
        let release = release.expect("the system's release");
        let mut numbers = release.split('.').map_while(|it| it.parse::<u32>().ok());
        (numbers.next(), numbers.next()) >= (Some(6), Some(12))
    }

    #[test]
    fn a_thread_that_goes_at_once_has_the_processor_for_a_moment_and_begins_no_others_that_do() {
        on_a_thread(|| {
            let (usual, niceness_before) = (kept_for(), niceness());
            let brief = match can_be_kept() {
                true => u64::try_from(BRIEF.as_nanos()).expect("it is brief"),
                false => usual,
            };
            go_at_once();
            assert_eq!((kept_for(), niceness()), (brief, niceness_before));
            on_a_thread(move || {
                reset();
                assert_eq!(kept_for(), usual);
            });
            reset();
            assert_eq!(kept_for(), usual);
            let mut boost = Boost::before_computing();
            let is_refused = boost.set(true).is_err();
            assert_eq!(kept_for(), if is_refused { usual } else { brief });
            boost.set(false).expect("that it always may");
            assert_eq!(kept_for(), usual);
        });
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
            let _ = Boost::before_all().set(true);
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
