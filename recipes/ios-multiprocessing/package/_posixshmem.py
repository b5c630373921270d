"""``_posixshmem`` for iOS: shared memory, which an app's threads may share.

`multiprocessing.shared_memory` has a process of its own look after memory that is left when a program ends. There is
none on iOS, so its names are kept here.
"""

import atexit
import os
import warnings
from _multiprocessing import _native

__all__ = ["shm_open", "shm_unlink"]

_tracked = set()
"""The names of what was made and not removed, with what each is (``shared_memory``)."""


def shm_open(path, flags, mode=0o777):
    """Open a shared memory object; its file descriptor."""
    _track_here()
    # Each by its name: numbers are the system's that `os` was compiled for.
    return _native.shm_open(
        path,
        write=flags & os.O_RDWR,
        create=flags & os.O_CREAT,
        exclusive=flags & os.O_EXCL,
        truncate=flags & os.O_TRUNC,
        mode=mode,
    )


def shm_unlink(path):
    """Remove the name of a shared memory object."""
    _native.shm_unlink(path)


def _track_here():
    """Have `multiprocessing.resource_tracker`, which has been imported by now, start no process."""
    from multiprocessing import resource_tracker

    resource_tracker.register = _register
    resource_tracker.unregister = _unregister
    resource_tracker.ensure_running = _do_nothing


def _register(name, rtype):
    _tracked.add((name, rtype))


def _unregister(name, rtype):
    _tracked.discard((name, rtype))


def _do_nothing():
    pass


@atexit.register
def _clean_up():
    left = [name for name, rtype in _tracked if rtype == "shared_memory"]
    if left:
        warnings.warn(f"{len(left)} shared memory objects were never unlinked; removing them", stacklevel=1)
    for name in left:
        try:
            _native.shm_unlink(name)
        except OSError:  # something else has removed it
            continue
