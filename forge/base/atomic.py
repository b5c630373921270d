"""Files and directories that are there whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from forge.base.errors import StorageError
from forge.base.paths import ForgeHome

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGGER = logging.getLogger("forge.waiting")
"""Reports that forge is waiting for another process; progress displays can listen."""

_UNTOLD_SECONDS = 0.5
"""How long a wait is not worth a line."""

_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextlib.contextmanager
def _named(destination: Path) -> Iterator[None]:
    """Give an error of the body that the disk is full the name of the file: a write to an open one tells none."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in _FULL:
            error.filename = str(destination)
        raise


def storage_error(error: OSError) -> StorageError | None:
    """The error to report for an OSError about storage, or None if it is about something else."""
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes | os.PathLike) else ""
    where = f": {name}" if name else ""
    number = error.errno
    if isinstance(error, shutil.Error) and (found := re.search(r"\[Errno (\d+)\]", str(error))):
        number = int(found[1])  # copytree collects errors, as text
    if number in _FULL:
        return StorageError(
            f"no space left on the disk{where}",
            hint=f"free some space, or {_elsewhere(name, 'on a larger disk')}; no partial files were kept",
        )
    if number == errno.EROFS:
        return StorageError(f"the file system is read-only{where}", hint=_elsewhere(name, "that is writable"))
    if number in {errno.EACCES, errno.EPERM}:
        if name and os.path.exists(name) and not os.access(name, os.R_OK):  # noqa: PTH110 - never raises
            return StorageError(f"no permission to read{where}", hint="check the permissions")
        return StorageError(
            f"no permission to write{where}", hint=f"check the permissions, or {_elsewhere(name, 'that you own')}"
        )
    if number == errno.ENOTDIR:
        return StorageError(f"part of the path is not a directory{where}", hint=_elsewhere(name, "that exists"))
    return None


def _elsewhere(name: str, which: str) -> str:
    """What to do about a place that is no good: which setting says where it is."""
    try:
        in_cache = bool(name) and Path(os.path.abspath(name)).is_relative_to(ForgeHome.from_environment().root)  # noqa: PTH100
    except (StorageError, OSError):
        in_cache = True
    if in_cache:
        return f"set FORGE_HOME to a directory {which}"
    if name:
        return f"choose a location {which}"
    return f"set FORGE_HOME, TMPDIR and the output directory to a location {which}"


@contextlib.contextmanager
def atomic_directory(destination: Path) -> Iterator[Path]:
    """Make a directory in one step: the body fills a temporary one, which is renamed if it ends well.

    An existing *destination* is replaced. If the body raises, nothing of it stays.

    Args:
        destination: Where the directory is to be; its parent is made.

    Yields:
        The temporary directory, on the same file system.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{destination.name}.", suffix=".part", dir=destination.parent))
    temporary.chmod(0o755)
    try:
        yield temporary
        replace_directory(temporary, destination)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def replace_directory(source: Path, destination: Path) -> None:
    """Rename *source* to *destination*, putting aside and then removing what was there."""
    if destination.exists():
        aside = Path(tempfile.mkdtemp(prefix=f".{destination.name}.", suffix=".old", dir=destination.parent))
        try:
            destination.rename(aside / "old")
            try:
                source.rename(destination)
            except OSError:
                (aside / "old").rename(destination)
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    else:
        source.rename(destination)


@contextlib.contextmanager
def atomic_file(destination: Path, mode: str = "wb", permissions: int = 0o644) -> Iterator[Any]:
    """Write a file in one step: the body writes a temporary one, which is renamed if it ends well.

    Args:
        destination: Where the file is to be; its parent is made.
        mode: ``open``'s mode, ``wb`` or ``w``; text is UTF-8.
        permissions: The file's mode bits.

    Yields:
        The open temporary file.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{destination.name}.", suffix=".part", dir=destination.parent)
    temporary = Path(name)
    try:
        # The outer one, since closing a file writes the rest of it.
        with _named(destination), os.fdopen(descriptor, mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
        temporary.chmod(permissions)
        temporary.replace(destination)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(locks: Path, name: str) -> Iterator[None]:
    """Hold the lock *name* (of other processes too) while the body runs.

    Waiting for another process is logged (`LOGGER`), and which one it is: it may be an hour. Where this process cannot
    write, in a cache that several users read, there is nothing to lock: what is there is complete, and it can make
    nothing.
    """
    if not _writable(locks):
        yield
        return
    locks.mkdir(parents=True, exist_ok=True)
    holder = locks / f"{name}.pid"  # beside the lock, which is emptied by whoever tries to take it
    lock = FileLock(locks / f"{name}.lock")
    try:
        lock.acquire(timeout=_UNTOLD_SECONDS, poll_interval=0.01)
    except Timeout:
        # What another build of this very process is at shows on the screen already.
        if (pid := _holder(holder)) != os.getpid():
            LOGGER.warning(
                "waiting for another forge process (pid %s), which holds the lock %s", pid or "unknown", name
            )
        lock.acquire()
    try:
        with contextlib.suppress(OSError):  # it is for people only
            holder.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _writable(directory: Path) -> bool:
    """Whether files can be made in a directory that may not exist yet."""
    while not os.path.lexists(directory) and directory != directory.parent:
        directory = directory.parent
    return os.access(directory, os.W_OK | os.X_OK) or not directory.is_dir()


def _holder(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
