"""``_multiprocessing`` for iOS: what works in one process.

Importing it makes `multiprocessing` what an app can use: its locks and queues work between threads, and an attempt to
start a process says that iOS does not allow it.
"""

import errno
import os
from multiprocessing import context

from . import _joblib, _native

__all__ = ["SemLock", "flags", "sem_unlink"]

flags = {"HAVE_SEM_OPEN": 1, "HAVE_SEM_TIMEDWAIT": 1}

_OWN_NAMES = "/mp"
"""How the names of `multiprocessing.synchronize`'s semaphores start: they are never opened by name."""


class SemLock(_native.SemLock):
    """A semaphore for the names that `multiprocessing` itself gives, and joblib.

    Raises:
        OSError: ``ENOSYS`` for any other name: it is meant for another process, and there is none.
    """

    def __new__(cls, kind, value, maxvalue, name, unlink):
        if name.startswith(_joblib.NAMES):
            _joblib.give_threads()
        elif not name.startswith(_OWN_NAMES):
            raise _no_sharing(name)
        return super().__new__(cls, kind, value, maxvalue, name, unlink)

    @staticmethod
    def _rebuild(*state):
        """In another process, what was pickled in this one (its handle, kind, maxvalue and name)."""
        raise _no_sharing(state[-1])


def sem_unlink(name):
    """Remove a semaphore's name: none has one.

    Raises:
        FileNotFoundError: Always.
    """
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)


def _no_sharing(name):
    return OSError(errno.ENOSYS, "iOS apps have one process, so semaphores cannot be shared", name)


def _no_processes(process):
    """In place of ``Process._Popen``, which starts one."""
    raise OSError(
        errno.ENOTSUP,
        f"{os.strerror(errno.ENOTSUP)}: iOS apps cannot start processes; use threads "
        f"(concurrent.futures.ThreadPoolExecutor, multiprocessing.pool.ThreadPool) in place of {process!r}",
    )


for _name in ("ForkProcess", "SpawnProcess", "ForkServerProcess"):
    if hasattr(context, _name):
        getattr(context, _name)._Popen = staticmethod(_no_processes)
