# What is around a script: evaluated before it, with what it is given as `_stdin`, `_arguments` and `_environment`,
# and the host's clocks. What it writes is kept in memory and taken out at its end.
import io
import os
import sys
import time

sys.stdin = io.StringIO(_stdin)
sys.stdout = io.StringIO()
sys.stderr = io.StringIO()
sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
sys.argv = ["script", *_arguments]
os.environ.update(_environment)


def _surround(since_epoch, elapsed, wait):
    def sleep(seconds):
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        wait(int(seconds * 1e9))

    gmtime, strftime, asctime = time.gmtime, time.strftime, time.asctime

    def now(seconds=None):
        return gmtime(since_epoch() / 1e9 if seconds is None else seconds)

    time.time_ns = since_epoch
    time.time = lambda: since_epoch() / 1e9
    time.sleep = sleep
    # The time of the script's own instance is all that there is to measure by.
    for name in ("monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(time, name, lambda: elapsed() / 1e9)
        setattr(time, name + "_ns", elapsed)
    # A host has no time zone of its own.
    time.gmtime = time.localtime = now
    time.strftime = lambda format, moment=None: strftime(format, now() if moment is None else moment)
    time.asctime = lambda moment=None: asctime(now() if moment is None else moment)
    time.ctime = lambda seconds=None: asctime(now(seconds))
    time.timezone, time.altzone, time.daylight, time.tzname = 0, 0, 0, ("UTC", "UTC")


_surround(_since_epoch, _elapsed, _wait)
