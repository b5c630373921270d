"""What is in the cache of this machine: its wheels, and how large its rooms are."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from packaging.utils import canonicalize_name

from forge.base.attempts import remove_tree
from forge.base.errors import StorageError, WheelError
from forge.base.hashing import file_sha256
from forge.plan.cache import read_latest
from forge.plan.shared.cache import TAKEN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from forge.base.paths import ForgeHome

ANY = "any"


@dataclass(frozen=True)
class StoredWheel:
    """A wheel in the cache.

    Args:
        directory: Its entry.
        fingerprint: What it was made from.
        filename: The wheel's name.
        sha256: Its hash when it was stored.
        size: Bytes of the entry: the wheel, and the log of its build.
        built: When it was stored, in seconds since the epoch.
        used: When it was used last.
        inputs: What the fingerprint covers.
        place: The shared cache that it was taken from; empty for one that was built here.
        signer: The key that had signed it there.
    """

    directory: Path
    fingerprint: str
    filename: str
    sha256: str
    size: int
    built: float
    used: float
    inputs: dict[str, Any]
    place: str = ""
    signer: str = ""

    @property
    def recipe(self) -> dict[str, Any]:
        """What its inputs say about the recipe (`forge.recipe.digest.digest_input`)."""
        found = self.inputs.get("recipe")
        return found if isinstance(found, dict) else {}

    @property
    def name(self) -> str:
        """The recipe's name; of an entry without inputs the distribution's."""
        return str(self.recipe.get("name") or self.filename.partition("-")[0])

    @property
    def version(self) -> str:
        """The version."""
        return str(self.recipe.get("version") or self.filename.removesuffix(".whl").split("-")[1])

    @property
    def target(self) -> str:
        """What it is for, e.g. ``arm64-iphoneos``; ``any`` for a pure wheel."""
        target = self.recipe.get("target")
        return f"{target[1]}-{target[0]}" if isinstance(target, list) and len(target) == 3 else ANY

    @property
    def python(self) -> str:
        """The version of Python that it was built for; ``any`` for a native library."""
        return str(self.recipe.get("python") or ANY)

    def latest(self, home: ForgeHome) -> str | None:
        """The fingerprint of the latest build of the same name (`forge.plan.run.build_name`), if that is known."""
        for name in (f"{self.name}-{self.target}-{self.python}", f"{self.name}-{self.target}"):
            if (found := read_latest(home, name)) is not None:
                return found.fingerprint
        return None


def stored_wheels(home: ForgeHome, names: Collection[str] = ()) -> tuple[StoredWheel, ...]:
    """Wheels by name, version, target and Python; damaged entries are left out.

    Args:
        home: The cache.
        names: Recipes; none for all wheels.
    """
    asked = set(map(canonicalize_name, names))
    found = [wheel for directory in entries(home) if (wheel := _read(directory)) is not None]
    return tuple(
        sorted(
            (wheel for wheel in found if not asked or canonicalize_name(wheel.name) in asked),
            key=lambda wheel: (wheel.name, wheel.version, wheel.target, wheel.python, wheel.built),
        )
    )


def find_stored(home: ForgeHome, which: str) -> StoredWheel:
    """The one wheel that is meant.

    Args:
        home: The cache.
        which: The first digits of its fingerprint, the path of a copy of it, or its file name.

    Raises:
        WheelError: There is none, or several.
    """
    every = stored_wheels(home)
    if which.endswith(".whl"):
        found = [wheel for wheel in every if wheel.filename == Path(which).name]
        if Path(which).is_file():
            digest = file_sha256(Path(which))
            found = [wheel for wheel in found if wheel.sha256 == digest]
    else:
        found = [wheel for wheel in every if which and wheel.fingerprint.startswith(which.lower())]
    if not found:
        raise WheelError(f"the cache has no wheel {which}", hint="'forge cache list' prints what is there")
    if len(found) > 1:
        listed = "".join(f"\n  {wheel.fingerprint[:16]}  {wheel.filename}" for wheel in found)
        raise WheelError(f"the cache has several wheels {which}:{listed}", hint="give the fingerprint of one of them")
    return found[0]


def entries(home: ForgeHome) -> Iterator[Path]:
    """The directories of all entries, whole or damaged."""
    yield from sorted(path for path in home.wheels.glob("[0-9a-f][0-9a-f]/*") if not path.name.startswith("."))


def room_sizes(home: ForgeHome) -> dict[str, int]:
    """Bytes of each directory of the cache, by its name."""
    if not home.root.is_dir():
        return {}
    return {path.name: tree_size(path) for path in sorted(home.root.iterdir()) if path.is_dir()}


def tree_size(path: Path) -> int:
    """Bytes of all files below a directory; one with several names counts once."""
    total = 0
    seen: set[tuple[int, int]] = set()
    for directory, _, files in os.walk(path):
        for name in files:
            try:
                status = os.lstat(os.path.join(directory, name))  # noqa: PTH118 - trees are large
            except OSError:  # removed meanwhile
                continue
            if status.st_nlink > 1:
                if (status.st_dev, status.st_ino) in seen:
                    continue
                seen.add((status.st_dev, status.st_ino))
            total += status.st_size
    return total


@dataclass(frozen=True)
class Verified:
    """What a look at all wheels has found.

    Args:
        whole: How many are what was stored.
        damaged: The damaged entries; they were removed.
        busy: How many were passed over, since another process makes or checks them.
    """

    whole: int
    damaged: tuple[Path, ...]
    busy: int


def verify_wheels(home: ForgeHome) -> Verified:
    """Hash every wheel, and remove the entries that are not what was stored: they are built again when needed.

    Raises:
        StorageError: A damaged entry cannot be removed.
    """
    whole, busy = 0, 0
    damaged: list[Path] = []
    for directory in entries(home):
        with entry_lock(home, directory.name) as held:
            if not held:
                busy += 1
            elif _is_whole(directory):
                whole += 1
            elif directory.exists():
                remove_entry(directory)
                damaged.append(directory)
    return Verified(whole, tuple(damaged), busy)


@contextlib.contextmanager
def entry_lock(home: ForgeHome, fingerprint: str) -> Iterator[bool]:
    """Hold the lock of whoever makes an entry (`forge.plan.run`), unless somebody has it; yields whether it is held."""
    home.locks.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home.locks / f"wheel-{fingerprint[:32]}.lock", timeout=0):
            yield True
    except Timeout:
        yield False


def remove_entry(directory: Path) -> None:
    """Remove a directory in one step, as others see it.

    Raises:
        StorageError: It cannot be removed.
    """
    aside = directory.with_name(f".{directory.name}.{os.getpid()}.old")  # `forge cache clean` knows such names
    try:
        directory.rename(aside)
    except OSError as error:
        raise StorageError(f"cannot remove {directory}: {error.strerror}", hint="check its permissions") from error
    remove_tree(aside)
    with contextlib.suppress(OSError):
        directory.parent.rmdir()  # the last one of its first two digits


def _is_whole(directory: Path) -> bool:
    try:
        record = json.loads((directory / "build.json").read_text(encoding="utf-8"))
        return bool(file_sha256(directory / record["wheel"]) == record["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _read(directory: Path) -> StoredWheel | None:
    try:
        record = json.loads((directory / "build.json").read_text(encoding="utf-8"))
        wheel = directory / record["wheel"]
        return StoredWheel(
            directory, directory.name, str(record["wheel"]), str(record["sha256"]), tree_size(directory),
            wheel.stat().st_mtime, (directory / "build.json").stat().st_mtime, dict(record["inputs"]),
            *_taken(directory),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _taken(directory: Path) -> tuple[str, str]:
    try:
        data = json.loads((directory / TAKEN).read_text(encoding="utf-8"))
        return str(data["place"]), str(data["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""
