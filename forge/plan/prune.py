"""Making the cache smaller: what is least likely to be needed goes first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.leftovers import remove_leftovers
from forge.plan.in_use import alone
from forge.plan.inventory import remove_entry, stored_wheels, tree_size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forge.base.paths import ForgeHome


@dataclass(frozen=True)
class Pruned:
    """What pruning has done.

    Args:
        removed: What was removed, and its bytes, in this order.
        before: Bytes of the cache before.
        after: Bytes of the cache now.
    """

    removed: tuple[tuple[Path, int], ...]
    before: int
    after: int


def prune(home: ForgeHome, max_bytes: int) -> Pruned:
    """Remove from the cache until it is no larger than asked, or nothing is left that may go.

    First what failed builds have left (`forge.base.leftovers`); then wheels of which there is a later build, then
    downloads, cross environments and toolchains, which are made again in minutes, the oldest first; then all other
    wheels, the least recently used first. iOS Pythons and build Pythons stay: some were added by hand.

    Args:
        home: The cache.
        max_bytes: How large it may be.

    Raises:
        StorageError: Another forge process is using the cache, or something cannot be removed.
    """
    with alone(home):
        size = before = tree_size(home.root)
        removed: list[tuple[Path, int]] = []
        if size > max_bytes:
            removed += [(path, 0) for path in remove_leftovers(home)]  # raises if anybody holds a lock
            size = tree_size(home.root)
        for path in _candidates(home):
            if size <= max_bytes:
                break
            freed = tree_size(path)
            remove_entry(path)
            removed.append((path, freed))
            size -= freed
    return Pruned(tuple(removed), before, size)


def _candidates(home: ForgeHome) -> Iterator[Path]:
    """What may be removed, the first first."""
    latest = _latest(home)
    wheels = sorted(stored_wheels(home), key=lambda wheel: wheel.used)
    yield from (wheel.directory for wheel in wheels if wheel.fingerprint not in latest)
    others = [
        *home.sources.glob("[0-9a-f][0-9a-f]/[!.]*"),
        *home.build_pythons.glob("cross-*"),
        *home.toolchains.glob("[!.]*"),
    ]
    yield from (path for path in sorted(others, key=lambda path: path.lstat().st_mtime) if path.is_dir())
    yield from (wheel.directory for wheel in wheels if wheel.fingerprint in latest)


def _latest(home: ForgeHome) -> set[str]:
    found: set[str] = set()
    for file in (home.root / "latest").glob("*.json"):
        try:
            found.add(json.loads(file.read_text(encoding="utf-8"))["fingerprint"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found
