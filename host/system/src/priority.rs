//! The priority of the host's threads where several want the same processor: their niceness, how long one that has it keeps
//! it from others, and whether one goes before all the others (`sched(7)`). All that is a matter of Linux; elsewhere processes
//! have a niceness, not threads.

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
/// A system does not let everybody do that: it takes `CAP_SYS_NICE`, which root mostly has, or limits that allow it:
/// an `RLIMIT_NICE` of 30, and for the most of it an `RLIMIT_RTPRIO` of 1.
pub struct Boost {
    most: Priority,
    state: State,
}

/// How a thread goes before others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Priority {
    /// It has a processor as soon as it wants one, until it waits: a policy of its own (`SCHED_FIFO`, `sched(7)`). With a
    /// niceness alone the system counts what it has had, and may well let another thread go on to its next tick, which
    /// takes some milliseconds.
    First,
    /// Its niceness is so much less.
    Nicer(i32),
}

/// Whether it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Off,
    On {
        priority: Priority,
        /// The niceness of the thread when it is off.
        niceness: i32,
    },
    Refused,
}

impl Boost {
    /// For a thread that mostly waits, and that many wait for: it goes before all others. Where the system allows only that,
    /// it has nine tenths of a processor that one of them wants as well.
    pub const fn before_all() -> Self {
        Self::to(Priority::First)
    }

    /// For a thread that somebody waits for: it goes before those that compute. Where one of them wants a processor as well, it
    /// has three quarters.
    pub const fn before_computing() -> Self {
        Self::to(Priority::Nicer(5))
    }

    const fn to(most: Priority) -> Self {
        Self {
            most,
            state: State::Off,
        }
    }

    /// Turns it on or off. It asks the system only where that changes.
    ///
    /// # Errors
    ///
    /// Where the system refuses: once, since it is not asked again, and nothing changes from then on.
    pub fn set(&mut self, is_on: bool) -> Result<()> {
        let changed = match self.state {
            State::Off if is_on => self.turn_on(),
            State::On { priority, niceness } if !is_on => turn_off(priority, niceness),
            same => Ok(same),
        };
        self.state = *changed.as_ref().unwrap_or(&State::Refused);
        changed.map(drop)
    }

    fn turn_on(&self) -> Result<State> {
        let niceness = niceness_of_process()?;
        let priority = match self.most {
            // With one processor, what ends a call that computes for long would have to wait for it.
            Priority::First if has_several_processors() && go_first().is_ok() => Priority::First,
            Priority::First => be_nicer(niceness, 10)?,
            Priority::Nicer(less) => be_nicer(niceness, less)?,
        };
        Ok(State::On { priority, niceness })
    }
}

fn has_several_processors() -> bool {
    std::thread::available_parallelism().is_ok_and(|it| it.get() > 1)
}

fn be_nicer(niceness: i32, less: i32) -> Result<Priority> {
    set_niceness(niceness - less)?;
    keep_for(BRIEF);
    Ok(Priority::Nicer(less))
}

fn turn_off(priority: Priority, niceness: i32) -> Result<State> {
    match priority {
        Priority::First => go_as_others(niceness)?,
        Priority::Nicer(_) => {
            keep_for(Duration::ZERO);
            set_niceness(niceness)?;
        }
    }
    Ok(State::Off)
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

/// Has the thread at hand go before all others, but for those that do so too.
#[cfg(target_os = "linux")]
fn go_first() -> Result<()> {
    /// The least of those that go before all.
    const PRIORITY: u32 = 1;
    read_and_write_as_others();
    schedule(&libc::sched_attr {
        sched_policy: libc::SCHED_FIFO.unsigned_abs(),
        sched_priority: PRIORITY,
        sched_flags: INHERITED_BY_NONE,
        ..USUAL
    })
}

/// Has what the thread at hand reads and writes go with that of others. Linux takes it for real-time of a thread that goes
/// first, and one scheduler of disks (`mq-deadline`) puts off all that others write until that is done, and by some
/// milliseconds more where nothing follows (`ioprio_set(2)`).
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "as where the thread is scheduled")]
fn read_and_write_as_others() {
    const OF_A_PROCESS: libc::c_int = 1;
    /// Best effort, and of that the priority that threads have (`linux/ioprio.h`).
    const USUAL: libc::c_int = 2 << 13 | 4;
    let this_thread: libc::c_int = 0;
    // SAFETY: it has three numbers. That everybody may, who may go first too.
    unsafe { libc::syscall(libc::SYS_ioprio_set, OF_A_PROCESS, this_thread, USUAL) };
}

/// Has the thread at hand go as others do again.
#[cfg(target_os = "linux")]
fn go_as_others(niceness: i32) -> Result<()> {
    schedule(&libc::sched_attr {
        sched_nice: niceness,
        // To take that back needs a privilege, which a limit is not.
        sched_flags: INHERITED_BY_NONE,
        ..USUAL
    })
}

/// Sets for how long the thread at hand keeps a processor; zero is as long as is usual. A system that can't do that does
/// nothing.
#[cfg(target_os = "linux")]
fn keep_for(time: Duration) {
    let Ok(niceness) = rustix::process::getpriority_process(None) else {
        return;
    };
    let _ = schedule(&libc::sched_attr {
        sched_flags: u64::from(libc::SCHED_FLAG_KEEP_POLICY.unsigned_abs()),
        // It is set as well, to what it is.
        sched_nice: niceness,
        sched_runtime: u64::try_from(time.as_nanos()).unwrap_or(0),
        ..USUAL
    });
}

/// Who is started by the thread goes as others do.
#[cfg(target_os = "linux")]
const INHERITED_BY_NONE: u64 = libc::SCHED_FLAG_RESET_ON_FORK.unsigned_abs() as u64;

/// What a thread is scheduled by that is like others.
#[cfg(target_os = "linux")]
const USUAL: libc::sched_attr = libc::sched_attr {
    size: size_of::<libc::sched_attr>() as u32,
    sched_policy: libc::SCHED_OTHER.unsigned_abs(),
    sched_flags: 0,
    sched_nice: 0,
    sched_priority: 0,
    sched_runtime: 0,
    sched_deadline: 0,
    sched_period: 0,
};

/// Sets by what the thread at hand is scheduled.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "neither the standard library nor rustix has this system call"
)]
fn schedule(attributes: &libc::sched_attr) -> Result<()> {
    let (this_thread, no_flags): (libc::pid_t, libc::c_uint) = (0, 0);
    let pointer = std::ptr::from_ref(attributes);
    // SAFETY: the system reads what the pointer leads to, of the size that it says, and keeps nothing of it (sched_setattr(2)).
    let done = unsafe { libc::syscall(libc::SYS_sched_setattr, this_thread, pointer, no_flags) };
    match done {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

#[cfg(not(target_os = "linux"))]
fn go_first() -> Result<()> {
    Err(ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn go_as_others(_niceness: i32) -> Result<()> {
    Err(ErrorKind::Unsupported.into())
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
    use rustix::process::{Resource, Rlimit, getpriority_process, getrlimit, setrlimit};
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

    use super::*;

    /// On a thread of its own, which ends with it.
    fn on_a_thread(work: impl FnOnce() + Send + 'static) {
        std::thread::spawn(work).join().expect("nothing failed");
    }

    fn niceness() -> i32 {
        getpriority_process(None).expect("a niceness")
    }

    /// By what the thread at hand is scheduled.
    #[expect(unsafe_code, reason = "as where it is set")]
    fn scheduled_by() -> libc::sched_attr {
        let mut attributes = USUAL;
        let (this_thread, no_flags): (libc::pid_t, libc::c_uint) = (0, 0);
        let pointer = &raw mut attributes;
        // SAFETY: the system writes to where the pointer leads, as much as is there (sched_getattr(2)).
        let failed = unsafe {
            libc::syscall(
                libc::SYS_sched_getattr,
                this_thread,
                pointer,
                USUAL.size,
                no_flags,
            )
        };
        assert_eq!(failed, 0);
        attributes
    }

    /// For how long the thread at hand keeps a processor, if that is not as long as is usual, in nanoseconds.
    fn kept_for() -> u64 {
        scheduled_by().sched_runtime
    }

    fn goes_first() -> bool {
        let attributes = scheduled_by();
        let first = (libc::SCHED_FIFO.unsigned_abs(), 1);
        (attributes.sched_policy, attributes.sched_priority) == first
    }

    /// Whether what the thread at hand reads and writes goes with that of others.
    #[expect(unsafe_code, reason = "as where it is set")]
    fn reads_and_writes_as_others() -> bool {
        let (of_a_process, this_thread): (libc::c_int, libc::c_int) = (1, 0);
        // SAFETY: it has two numbers (ioprio_get(2)).
        let priority = unsafe { libc::syscall(libc::SYS_ioprio_get, of_a_process, this_thread) };
        let best_effort = 2;
        priority >> 13 == best_effort
    }

    /// What a thread is that goes before all.
    #[derive(Debug, PartialEq, Eq)]
    enum Is {
        First,
        Nicer,
        AsOthers,
    }

    /// Turns it on and off twice, and says what the thread was when it was on.
    fn on_and_off(mut boost: Boost) -> Is {
        let before = niceness();
        let is_as_before = move || (niceness(), goes_first()) == (before, false);
        let mut was = Is::AsOthers;
        boost.set(false).expect("that changes nothing");
        assert!(is_as_before());
        for _ in 0..2 {
            let refused = boost.set(true).is_err();
            boost.set(true).expect("it is said once");
            was = match (goes_first(), before - niceness()) {
                (true, 0) => Is::First,
                (false, 10) => Is::Nicer,
                (false, 0) => Is::AsOthers,
                other => panic!("{other:?}"),
            };
            assert!(reads_and_writes_as_others());
            match was {
                Is::First => on_a_thread(move || assert!(is_as_before(), "it is not inherited")),
                Is::Nicer => {}
                Is::AsOthers => assert_eq!(boost.state, State::Refused),
            }
            assert!(!refused || was == Is::AsOthers);
            boost.set(false).expect("that it always may");
            assert!(is_as_before());
        }
        was
    }

    /// Has the thread at hand be one that may not do what it takes a privilege for.
    fn give_up_the_privilege() {
        let mut sets = capabilities(None).expect("its own");
        sets.effective.remove(CapabilitySet::SYS_NICE);
        set_capabilities(None, sets).expect("it may have fewer");
    }

    /// What a thread without the privilege may be that goes first with it, if it does: what the limits allow.
    fn allowed_by_limits(with_the_privilege: Is) -> Is {
        let may = |limit, value| {
            let limits = getrlimit(limit);
            limits.current.is_none_or(|it| it >= value)
        };
        match (may(Resource::Rtprio, 1), may(Resource::Nice, 30)) {
            (true, _) => with_the_privilege,
            (false, true) => Is::Nicer,
            (false, false) => Is::AsOthers,
        }
    }

    fn goes_as_far_as_it_may() {
        let here = niceness();
        on_a_thread(move || {
            let was = on_and_off(Boost::before_all());
            let own = capabilities(None).expect("its own").effective;
            // Some systems allow everything but to go first.
            assert!(was != Is::AsOthers || !own.contains(CapabilitySet::SYS_NICE));
            give_up_the_privilege();
            assert_eq!(on_and_off(Boost::before_all()), allowed_by_limits(was));
        });
        assert_eq!(niceness(), here);
    }

    #[test]
    fn a_thread_goes_before_all_as_far_as_it_may_and_is_as_before_afterwards() {
        goes_as_far_as_it_may();
    }

    #[test]
    fn a_limit_that_allows_a_niceness_is_enough_for_that() {
        let raised = Rlimit {
            current: Some(30),
            maximum: getrlimit(Resource::Nice).maximum.map(|it| it.max(30)),
        };
        // Only some may. For others it is what it is.
        let _ = setrlimit(Resource::Nice, raised);
        goes_as_far_as_it_may();
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
            let (is_refused, before) = (boost.set(true).is_err(), niceness_before);
            let (kept, nice) = match is_refused {
                true => (usual, before),
                false => (brief, before - 5),
            };
            assert_eq!((kept_for(), niceness()), (kept, nice));
            boost.set(false).expect("that it always may");
            assert_eq!((kept_for(), niceness()), (usual, before));
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
            let _ = Boost::before_computing().set(true);
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
