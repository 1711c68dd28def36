"""What of `os` there is for a script: its environment, paths as texts, and random bytes. There are no files
and no other processes."""

import abc
import sys
import posixpath as path
import _random
from _collections_abc import _check_methods
from collections import namedtuple
from types import GenericAlias as _GenericAlias

sys.modules["os.path"] = path

name = "posix"
linesep = "\n"
error = OSError
curdir, pardir, sep, pathsep, altsep, extsep = ".", "..", "/", ":", None, "."
defpath, devnull = "/bin:/usr/bin", "/dev/null"
O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND = 0, 1, 2, 64, 128, 512, 1024
F_OK, X_OK, W_OK, R_OK = 0, 1, 2, 4

environ = {}


def getenv(key, default=None):
    return environ.get(key, default)


def putenv(key, value):
    environ[key] = value


def unsetenv(key):
    environ.pop(key, None)


def getcwd():
    return "/"


def getpid():
    return 1


def cpu_count():
    return 1


def urandom(size):
    return _random.Random().getrandbits(8 * size).to_bytes(size, "big") if size else b""


def fspath(path):
    if isinstance(path, (str, bytes)):
        return path
    try:
        found = type(path).__fspath__(path)
    except AttributeError:
        raise TypeError(f"expected str, bytes or os.PathLike object, not {type(path).__name__}") from None
    if isinstance(found, (str, bytes)):
        return found
    raise TypeError(f"expected {type(path).__name__}.__fspath__() to return str or bytes, not {type(found).__name__}")


def fsencode(filename):
    filename = fspath(filename)
    return filename.encode("utf-8", "surrogateescape") if isinstance(filename, str) else filename


def fsdecode(filename):
    filename = fspath(filename)
    return filename.decode("utf-8", "surrogateescape") if isinstance(filename, bytes) else filename


class PathLike(abc.ABC):
    """Abstract base class for implementing the file system path protocol."""

    @abc.abstractmethod
    def __fspath__(self):
        raise NotImplementedError

    @classmethod
    def __subclasshook__(cls, subclass):
        return _check_methods(subclass, "__fspath__") if cls is PathLike else NotImplemented

    __class_getitem__ = classmethod(_GenericAlias)


def stat(path, *_, **__):
    raise FileNotFoundError(2, "No such file or directory (a script has no files)", fspath(path))


lstat = open = readlink = stat


def listdir(path="."):
    stat(path)


scandir = listdir


def isatty(descriptor):
    return False


terminal_size = namedtuple("terminal_size", "columns lines")


def __getattr__(name):
    raise AttributeError(f"module 'os' has no attribute '{name}' here: a script has no files and no other processes")
