"""What the import system and others want of the system that they think they run on: that there are no files."""

from os import environ, fspath, getcwd, getpid, listdir, lstat, stat, urandom

error = OSError
