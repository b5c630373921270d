"""Built wheels by fingerprint: ``wheels/<first two digits>/<fingerprint>/{<wheel>, build.json, build.log}``.

``checked.json`` says what the check of the wheel found that is no error, and which release's checks they were. What was
built last of a recipe and how long that took is kept apart, in ``latest/<build>.json``: it tells what has changed
since, and what a changed build will take.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from forge.audit.finding import Finding
from forge.base.atomic import atomic_directory, atomic_file, storage_error
from forge.base.errors import StorageError
from forge.base.hashing import file_sha256
from forge.base.severity import Severity

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from forge.base.paths import ForgeHome


_CHECKED = "checked.json"

UNKNOWN_SECONDS = 60.0
"""What a build that was never run is taken to need."""


@dataclass(frozen=True)
class CachedWheel:
    """A wheel in the cache.

    Args:
        path: The file.
        sha256: Its hash when it was stored.
        warnings: What its last check found that is no error.
        checks: What tells those checks from others (`forge.plan.verify.checks_digest`); empty if that is not known.
    """

    path: Path
    sha256: str
    warnings: tuple[Finding, ...] = ()
    checks: str = ""


def entry_directory(home: ForgeHome, fingerprint: str) -> Path:
    """Where the entry of a fingerprint is."""
    return home.wheels / fingerprint[:2] / fingerprint


def find_wheel(home: ForgeHome, fingerprint: str) -> CachedWheel | None:
    """The wheel of a fingerprint, if it is there and its bytes are those that were stored.

    A damaged entry counts as missing; `new_entry` replaces it.

    Raises:
        StorageError: The entry cannot be read, for a reason that may pass (a network file system that does not answer,
            permissions): it may be intact and have taken hours to build.
    """
    directory = entry_directory(home, fingerprint)
    try:
        record: dict[str, Any] = json.loads((directory / "build.json").read_text(encoding="utf-8"))
        wheel = directory / record["wheel"]
        if file_sha256(wheel) == record["sha256"]:
            return CachedWheel(wheel, record["sha256"], *_read_checked(directory))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, KeyError, TypeError, AttributeError):
        return None
    except OSError as error:
        raise storage_error(error) or StorageError(
            f"cannot read the cached wheel in {directory}: {error.strerror}",
            hint="check the disk, or remove that directory to build the wheel again",
        ) from error
    return None


def mark_used(cached: CachedWheel) -> None:
    """Keep that a wheel was used now, which is how `forge.plan.prune` knows what nobody needs.

    That is the time stamp of ``build.json``. In a cache that is only read, nothing is kept.
    """
    with contextlib.suppress(OSError):
        os.utime(cached.path.parent / "build.json")


@contextlib.contextmanager
def new_entry(home: ForgeHome, fingerprint: str, inputs: Mapping[str, object]) -> Iterator[Path]:
    """Store an entry: the body puts one wheel (and a log and `write_checked`) into the directory that it is given.

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


def write_checked(directory: Path, warnings: Iterable[Finding], checks: str) -> None:
    """Keep what the check found in an entry, so that it is told again whenever the wheel is taken from the cache.

    Args:
        directory: What `new_entry` gave.
        warnings: The findings.
        checks: What tells the checks from others.
    """
    data = {"checks": checks, "warnings": [asdict(finding) for finding in warnings]}
    with atomic_file(directory / _CHECKED) as file:
        file.write((json.dumps(data, indent=2) + "\n").encode())


def store_checked(cached: CachedWheel, warnings: Iterable[Finding], checks: str) -> CachedWheel:
    """Keep what another check of a wheel in the cache found.

    Args:
        cached: The wheel.
        warnings: The findings.
        checks: What tells the checks from others.
    """
    found = tuple(warnings)
    write_checked(cached.path.parent, found, checks)
    return replace(cached, warnings=found, checks=checks)


def is_cached(home: ForgeHome, fingerprint: str) -> bool:
    """Whether there is an entry of a fingerprint, be it damaged: quick, for estimates."""
    return (entry_directory(home, fingerprint) / "build.json").is_file()


@dataclass(frozen=True)
class LatestBuild:
    """What was built last under a name.

    Args:
        fingerprint: Its fingerprint.
        seconds: How long it took, by the clock.
        memory: The most that its programs took at the same time, in bytes; 0 if that is not known.
    """

    fingerprint: str
    seconds: float
    memory: int = 0


def write_latest(home: ForgeHome, name: str, latest: LatestBuild) -> None:
    """Keep what was built last.

    Args:
        home: The cache.
        name: What was built: a recipe for a target and a Python.
        latest: The build.
    """
    with atomic_file(_latest(home, name)) as file:
        file.write((json.dumps(asdict(latest)) + "\n").encode())


def read_latest(home: ForgeHome, name: str) -> LatestBuild | None:
    """What was built last under a name; None if that is not known."""
    return _read_latest(_latest(home, name))


def read_newest(home: ForgeHome, name: re.Pattern[str]) -> LatestBuild | None:
    """What was built last under any of the names that a pattern matches; None if that is not known."""
    found = [path for path in _latest(home, "").parent.glob("*.json") if name.fullmatch(path.stem)]
    builds = ((path.stat().st_mtime, _read_latest(path)) for path in found)
    known = [(when, build) for when, build in builds if build is not None]
    return max(known, key=lambda one: one[0])[1] if known else None


def read_inputs(home: ForgeHome, fingerprint: str) -> dict[str, Any] | None:
    """What an entry was made from (`new_entry`); None if it is not there any more."""
    try:
        data: dict[str, Any] = json.loads((entry_directory(home, fingerprint) / "build.json").read_text("utf-8"))
        return dict(data["inputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read_latest(path: Path) -> LatestBuild | None:
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return LatestBuild(str(data["fingerprint"]), float(data["seconds"]), int(data.get("memory", 0)))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _latest(home: ForgeHome, name: str) -> Path:
    return home.root / "latest" / f"{name}.json"


def _read_checked(directory: Path) -> tuple[tuple[Finding, ...], str]:
    try:
        data: dict[str, Any] = json.loads((directory / _CHECKED).read_text(encoding="utf-8"))
        warnings: list[dict[str, Any]] = data["warnings"]
        for each in warnings:
            each.update(severity=Severity(each["severity"]), symbols=tuple(each["symbols"]))
        return tuple(Finding(**each) for each in warnings), str(data["checks"])
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return (), ""  # the wheel is checked again
