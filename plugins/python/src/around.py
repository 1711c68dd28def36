# What is around a script: evaluated before it, with what it is given as `_stdin`, `_arguments` and `_environment`,
# and the host's clocks. What it writes is kept in memory, in `_stdout` and `_stderr`, and taken out at its end.
import errno
import io
import os
import sys
import time

_stdout, _stderr = io.BytesIO(), io.BytesIO()
sys.stdin = io.TextIOWrapper(io.BytesIO(_stdin.encode()), encoding="utf-8")
sys.stdout = io.TextIOWrapper(_stdout, encoding="utf-8", write_through=True)
sys.stderr = io.TextIOWrapper(_stderr, encoding="utf-8", errors="backslashreplace", write_through=True)
sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
sys.argv = ["script", *_arguments]
os.environ.update(_environment)


# What reads a clock of the machine, or its network, in the interpreter's own code: there is none. For the first
# two, the library has others in Python, which come to the clocks below.
for _name in ("_datetime", "_uuid", "_socket", "select"):
    sys.modules[_name] = None

# The interpreter knows no numbers of errors for a system without a name.
for _number, _name in enumerate(("EPERM", "ENOENT", "ESRCH", "EINTR", "EIO"), 1):
    setattr(errno, _name, _number)
errno.EACCES, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL = 13, 17, 20, 21, 22


class _Function:
    """Calls a function, and does not become a method where it is an attribute of a class: as what is built in."""

    def __init__(self, function):
        self._function = function

    def __call__(self, *arguments):
        return self._function(*arguments)


def _surround(since_epoch, elapsed, wait):
    def sleep(seconds):
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        wait(int(seconds * 1e9))

    gmtime, strftime, asctime = time.gmtime, time.strftime, time.asctime

    def now(seconds=None):
        return gmtime(since_epoch() / 1e9 if seconds is None else seconds)

    time.time_ns = since_epoch
    time.time = _Function(lambda: since_epoch() / 1e9)
    time.sleep = _Function(sleep)
    # The time of the script's own instance is all that there is to measure by.
    for name in ("monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(time, name, _Function(lambda: elapsed() / 1e9))
        setattr(time, name + "_ns", elapsed)
    # A host has no time zone of its own.
    time.gmtime = time.localtime = _Function(now)
    time.strftime = _Function(lambda format, moment=None: strftime(format, now() if moment is None else moment))
    time.asctime = _Function(lambda moment=None: asctime(now() if moment is None else moment))
    time.ctime = _Function(lambda seconds=None: asctime(now(seconds)))
    time.timezone, time.altzone, time.daylight, time.tzname = 0, 0, 0, ("UTC", "UTC")


_surround(_since_epoch, _elapsed, _wait)
