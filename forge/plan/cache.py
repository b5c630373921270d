"""Built wheels by fingerprint: ``wheels/<first two digits>/<fingerprint>/{<wheel>, build.json, build.log}``."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forge.base.atomic import atomic_directory
from forge.base.hashing import file_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from forge.base.paths import ForgeHome


@dataclass(frozen=True)
class CachedWheel:
    """A wheel in the cache.

    Args:
        path: The file.
        sha256: Its hash when it was stored.
    """

    path: Path
    sha256: str


def entry_directory(home: ForgeHome, fingerprint: str) -> Path:
    """Where the entry of a fingerprint is."""
    return home.wheels / fingerprint[:2] / fingerprint


def find_wheel(home: ForgeHome, fingerprint: str) -> CachedWheel | None:
    """The wheel of a fingerprint, if it is there and its bytes are those that were stored."""
    directory = entry_directory(home, fingerprint)
    try:
        record: dict[str, Any] = json.loads((directory / "build.json").read_text(encoding="utf-8"))
        wheel = directory / record["wheel"]
        if file_sha256(wheel) == record["sha256"]:
            return CachedWheel(wheel, record["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    # A damaged entry is worth nothing, and would be in the way of the one that replaces it.
    shutil.rmtree(directory, ignore_errors=True)
    return None


@contextlib.contextmanager
def new_entry(home: ForgeHome, fingerprint: str, inputs: Mapping[str, object]) -> Iterator[Path]:
    """Store an entry: the body puts one wheel (and a log) into the directory that it is given.

    The entry is there whole or not at all; ``build.json`` tells what it was made from.

    Args:
        home: The cache.
        fingerprint: The key.
        inputs: What the fingerprint covers.
    """
    with atomic_directory(entry_directory(home, fingerprint)) as directory:
        yield directory
        (wheel,) = directory.glob("*.whl")
        record = {"wheel": wheel.name, "sha256": file_sha256(wheel), "inputs": inputs}
        (directory / "build.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
