"""Directories and logs of one attempt at making something: no two attempts share one, whatever became of the first.

A forge that is killed leaves processes behind, which go on writing where they were told to. A directory that the next
attempt takes over would have their files in it too, so each attempt gets one that was never used: ``<name>.1``,
``<name>.2`` and so on. What earlier attempts left is removed as far as it can be. Logs are numbered likewise; they stay
for a week.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

_LOGS_KEPT = 7 * 24 * 3600
"""Seconds after which logs are removed: by then nobody writes to them or looks for them."""

COMPLETE = ".forge-complete"
"""Marks a directory that had to be made in its own place (virtual environments record it) and is whole."""


def new_attempt(parent: Path, name: str, keep: Collection[Path] = ()) -> Path:
    """Make an empty directory for an attempt at *name*; what earlier attempts left is removed.

    The caller holds the lock of *name*, so that no other forge is at it.

    Args:
        parent: Where attempts are; made if it is not there.
        name: Of what is made.
        keep: Earlier attempts that stay.
    """
    earlier = dict(_attempts(parent, name))
    for path in earlier.values():
        if path not in keep:
            remove_tree(path)
    directory = parent / f"{name}.{max(earlier, default=0) + 1}"
    directory.mkdir(parents=True)
    return directory


def new_log(logs: Path, name: str) -> Path:
    """Make an empty log, ``<name>.<number>.log``, that no other attempt and no other process writes to.

    Logs of the same name that are older than a week are removed.

    Args:
        logs: The directory of logs; made if it is not there.
        name: Of what is made.
    """
    logs.mkdir(parents=True, exist_ok=True)
    now = time.time()
    number = 0
    for earlier, path in _attempts(logs, name, ".log"):
        number = max(number, earlier)
        try:
            if now - path.stat().st_mtime > _LOGS_KEPT:
                path.unlink()
        except OSError:  # another process removed it, or it is another user's
            continue
    while True:
        number += 1
        path = logs / f"{name}.{number}.log"
        try:
            path.touch(exist_ok=False)
        except FileExistsError:  # another process was faster
            continue
        return path


def complete_attempt(parent: Path, name: str) -> Path | None:
    """The attempt at *name* that was marked as complete, or None."""
    return next((path for _, path in sorted(_attempts(parent, name)) if (path / COMPLETE).is_file()), None)


def remove_tree(path: Path) -> bool:
    """Remove a directory, read-only ones in it too; whether it is gone.

    What belongs to another user, or is written to meanwhile, may stay: that is no error.
    """

    def retry(function: Callable[[str], object], name: str, _: Any) -> None:
        for each in (os.path.dirname(name), name):  # noqa: PTH120 - rmtree's strings
            try:
                os.chmod(each, os.stat(each, follow_symlinks=False).st_mode | stat.S_IRWXU)  # noqa: PTH101, PTH116
            except OSError:
                return
        try:
            if os.path.isdir(name) and not os.path.islink(name):  # noqa: PTH112, PTH114 - it could not be listed
                shutil.rmtree(name, ignore_errors=True)
            else:
                function(name)
        except OSError:
            return

    shutil.rmtree(path, onerror=retry)
    return not os.path.lexists(path)


def _attempts(parent: Path, name: str, suffix: str = "") -> Iterator[tuple[int, Path]]:
    """The attempts at *name* that are there, by number."""
    try:
        entries = list(os.scandir(parent))
    except FileNotFoundError:
        return
    for entry in entries:
        if not entry.name.endswith(suffix):
            continue
        stem, _, number = entry.name.removesuffix(suffix).rpartition(".")
        if stem == name and number.isdecimal():
            yield int(number), Path(entry.path)
