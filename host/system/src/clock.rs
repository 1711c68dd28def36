//! How long the thread at hand has had a processor.

use std::time::Duration;

/// For how long the calling thread has computed since it began, in the system's kernel too. Not counted is when it waited,
/// or was ready and others had the processor: so what a guest is told to have taken does not depend on how busy the
/// host is. Only differences on one thread mean something. (POSIX, `CLOCK_THREAD_CPUTIME_ID`; where there is none, the time
/// that has passed.) On Linux a call into the kernel, of a third of a microsecond.
#[must_use]
pub fn thread_time() -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).unwrap_or_default()
    }
    #[cfg(not(unix))]
    {
        static BEGAN: std::sync::LazyLock<std::time::Instant> =
            std::sync::LazyLock::new(std::time::Instant::now);
        BEGAN.elapsed()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const MUCH: Duration = Duration::from_millis(50);

    #[test]
    fn what_others_compute_does_not_count() {
        let began = thread_time();
        let computed = std::thread::spawn(|| {
            while thread_time() < MUCH {
                std::hint::spin_loop();
            }
            thread_time()
        });
        assert!(computed.join().expect("it computes") >= MUCH);
        assert!(thread_time() - began < MUCH, "it has waited meanwhile");
    }
}
