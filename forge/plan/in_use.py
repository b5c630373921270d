"""Whether anybody uses the cache: a lock that runs share, and that pruning takes alone.

The locks of `forge.base.atomic.locked` are held while something is made. What is there is used without one, for hours
even, e.g. the library that another build links; so each run says that it is there.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from forge.base.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.base.paths import ForgeHome

_FILE = "in-use"


@contextlib.contextmanager
def in_use(home: ForgeHome) -> Iterator[None]:
    """While the body runs, nothing is pruned; waits for pruning that is under way.

    A cache that cannot be written to is not pruned by this user either: it is used without the lock.
    """
    with _opened(home) as descriptor:
        if descriptor is not None:
            with contextlib.suppress(OSError):  # file systems without locks
                fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def alone(home: ForgeHome) -> Iterator[None]:
    """While the body runs, no run uses the cache.

    Raises:
        StorageError: Another forge process is using it.
    """
    with _opened(home) as descriptor:
        try:
            if descriptor is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError("another forge process is using the cache", hint="wait until it has finished") from error
        yield


@contextlib.contextmanager
def _opened(home: ForgeHome) -> Iterator[int | None]:
    try:
        home.locks.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(home.locks / _FILE, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError:
        try:
            descriptor = os.open(home.locks / _FILE, os.O_RDONLY)
        except OSError:
            yield None
            return
    try:
        yield descriptor
    finally:
        os.close(descriptor)  # releases the lock
