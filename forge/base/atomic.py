"""Files and directories that are there whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from forge.base.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = {errno.ENOSPC, errno.EDQUOT}


def storage_error(error: OSError) -> StorageError | None:
    """What to tell the user of an operating system's error about storage, or None if it is about something else."""
    where = f": {error.filename}" if error.filename else ""
    number = error.errno
    if isinstance(error, shutil.Error) and (found := re.search(r"\[Errno (\d+)\]", str(error))):
        number = int(found[1])  # copytree collects errors, as text
    if number in _FULL:
        return StorageError(
            f"no space left on the disk{where}",
            hint="free some space, or set FORGE_HOME to a directory on a larger disk; nothing half-made was kept",
        )
    if number in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return StorageError(
            f"not allowed to write{where}", hint="check the permissions, or set FORGE_HOME to a directory of yours"
        )
    return None


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
        with os.fdopen(descriptor, mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
        temporary.chmod(permissions)
        temporary.replace(destination)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(locks: Path, name: str) -> Iterator[None]:
    """Hold the lock *name* (of other processes too) while the body runs."""
    locks.mkdir(parents=True, exist_ok=True)
    with FileLock(locks / f"{name}.lock"):
        yield
