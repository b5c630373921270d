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
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

_UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2) on Linux, RENAME_SWAP of renamex_np(2) on macOS
_HERE = -100  # AT_FDCWD of <fcntl.h> on Linux


def swap_in(directory: Path, prepared: Mapping[Path, Path]) -> None:
    """Put directories in the place of others.

    They are copied beside those first, so that what is left to do is renaming. Ctrl-C waits until all are in place.

    Args:
        directory: Where the old ones are.
        prepared: The new ones by the old ones that they replace.

    Raises:
        OSError: They cannot be written; those that were not replaced yet are as they were.
    """
    with _signals_later():
        for leftover in directory.glob(".update-*.part"):
            if not psutil.pid_exists(int(leftover.name.split("-")[1])):  # that was killed
                shutil.rmtree(leftover, ignore_errors=True)
        area = Path(tempfile.mkdtemp(prefix=f".update-{os.getpid()}-", suffix=".part", dir=directory))
        try:
            new = {}
            for number, (old, source) in enumerate(prepared.items()):
                new[old.resolve()] = area / str(number) / old.name
                shutil.copytree(source, area / str(number) / old.name, symlinks=True)
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
    """Ctrl-C and requests to end wait for the body.

    A mask would be one of this thread alone, and Python handles what any thread gets; so a handler only keeps it.
    """
    if threading.current_thread() is not threading.main_thread():  # which is the one that is interrupted
        yield
        return
    came: list[int] = []

    def keep(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, keep) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
