"""Putting directories in the place of others: each is wholly the old or wholly the new one, whatever happens."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2) on Linux, RENAME_SWAP of renamex_np(2) on macOS
_HERE = -100  # AT_FDCWD of <fcntl.h> on Linux


def swap_in(directory: Path, prepared: Mapping[Path, Path]) -> None:
    """Put directories in the place of others.

    They are copied beside those first, so that what is left to do is renaming. Signals wait until all are in place.

    Args:
        directory: Where the old ones are.
        prepared: The new ones by the old ones that they replace.

    Raises:
        OSError: They cannot be written; those that were not replaced yet are as they were.
    """
    area = Path(tempfile.mkdtemp(prefix=".update-", suffix=".part", dir=directory))
    try:
        new = {}
        for number, (old, source) in enumerate(prepared.items()):
            new[old.resolve()] = area / str(number) / old.name
            shutil.copytree(source, area / str(number) / old.name, symlinks=True)
        with _signals_later():
            for old, made in new.items():
                exchange(made, old)
    finally:
        shutil.rmtree(area, ignore_errors=True)


def exchange(one: Path, other: Path) -> None:
    """Exchange two directories of one file system in one step, where the system can; else in two renames.

    Raises:
        OSError: It cannot be done.
    """
    number = _exchanged(one, other)
    if number == 0:
        return
    if number not in _UNSUPPORTED:
        raise OSError(number, os.strerror(number), str(other))
    aside = one.with_name(f"{one.name}.old")
    other.rename(aside)
    try:
        one.rename(other)
    except OSError:
        aside.rename(other)
        raise
    aside.rename(one)


def _exchanged(one: Path, other: Path) -> int:
    """The number of the error, or 0."""
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    try:
        if sys.platform == "darwin":
            code = library.renamex_np(*names, _EXCHANGE)
        else:
            code = library.renameat2(_HERE, names[0], _HERE, names[1], _EXCHANGE)
    except AttributeError:  # a C library without it
        return errno.ENOSYS
    return ctypes.get_errno() if code else 0


@contextlib.contextmanager
def _signals_later() -> Iterator[None]:
    """Ctrl-C and requests to end wait for the body."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
