"""What builds that failed or were killed left in the cache: work directories and half-made entries."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from forge.base.attempts import remove_tree
from forge.base.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.base.paths import ForgeHome

RESTING = 3600
"""Seconds for which nothing may have changed in a leftover: some work directories are used without a lock."""

_HALF_MADE = (".part", ".old")
_DEPTH = 3
"""How many directories below the cache entries are made in (``emulate/libcxx/<entry>``)."""


def remove_leftovers(home: ForgeHome) -> tuple[Path, ...]:
    """Remove what failed and killed builds left in the cache, and that nothing has written to for an hour.

    Returns:
        What was removed, sorted. What cannot be removed stays and is not in it.

    Raises:
        StorageError: Another forge process is working in the cache.
    """
    for lock in sorted(home.locks.glob("*.lock")):
        try:
            with FileLock(lock, timeout=0):
                pass
        except Timeout:
            raise StorageError(
                f"another forge process is using the cache: it holds the lock {lock.stem}",
                hint="wait until it has finished",
            ) from None
    now = time.time()
    return tuple(path for path in sorted(_leftovers(home)) if now - _changed(path) > RESTING and _remove(path))


def _leftovers(home: ForgeHome) -> Iterator[Path]:
    if home.work.is_dir():
        yield from home.work.iterdir()
    for directory, subdirectories, files in os.walk(home.root):
        here = Path(directory)
        for name in (*subdirectories, *files):
            if name.startswith(".") and name.endswith(_HALF_MADE):
                yield here / name
        depth = len(here.relative_to(home.root).parts)
        keep = [] if depth >= _DEPTH - 1 or here == home.work else subdirectories
        subdirectories[:] = [name for name in keep if not name.endswith(_HALF_MADE)]


def _changed(path: Path) -> float:
    """When anything in a directory was changed last."""
    newest = path.lstat().st_mtime
    for directory, subdirectories, files in os.walk(path):
        for name in (*subdirectories, *files):
            try:
                newest = max(newest, os.lstat(os.path.join(directory, name)).st_mtime)  # noqa: PTH118 - many
            except FileNotFoundError:  # removed meanwhile
                continue
    return newest


def _remove(path: Path) -> bool:
    if path.is_dir() and not path.is_symlink():
        return remove_tree(path)
    path.unlink(missing_ok=True)
    return True
