"""``forge fetch``: everything that builds download, put into a directory that FORGE_MIRROR and pip can read.

What is pinned by its sha256 is taken through the cache, as builds take it: sources, the SDK's headers, an iOS Python's
headers. Locked build requirements are downloaded by pip, as wheels where there are any.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_file
from forge.base.attempts import new_log
from forge.base.hashing import file_sha256
from forge.crossbuild.sources import source_of
from forge.crossbuild.tools import TOOLS_LOCK, download_locked, ensure_tools
from forge.ios_python.headers import fetch_first, header_archives
from forge.source.fetch import fetch
from forge.source.mirror import SUMS
from forge.source.model import PathSource, SdistSource
from forge.toolchain.data import load_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.ios_python.build_python import BuildPython
    from forge.plan.closure import Step
    from forge.source.model import Source


@dataclass(frozen=True)
class Added:
    """What `fill` did.

    Args:
        new: Files that it put there.
        present: Files that were there already.
        size: Bytes of all of them.
    """

    new: tuple[Path, ...]
    present: tuple[Path, ...]
    size: int


def pinned_sources(steps: Iterable[Step]) -> tuple[Source, ...]:
    """What builds take by sha256 or commit, each once: the sources of recipes, and the SDK's and libc++'s headers.

    Args:
        steps: The builds of all targets and Pythons.
    """
    pin = load_yaml("sdk.yaml")["ziglang"]
    sdk = SdistSource(pin["name"], pin["version"], pin["sha256"], pin["filename"])
    sources = (source_of(step.recipe) for step in steps)
    return tuple(dict.fromkeys((sdk, *(source for source in sources if not isinstance(source, PathSource)))))


def fill(
    into: Path,
    steps: Sequence[Step],
    pythons: Sequence[BuildPython],
    home: ForgeHome,
    progress: Progress,
) -> Added:
    """Put everything that builds download into a directory.

    Args:
        into: The directory; made if it is not there. What is in it stays.
        steps: The builds of all targets and Pythons.
        pythons: A build Python of each version that wheels are built for: pip downloads for these.
        home: The cache.
        progress: Receives progress updates.

    Raises:
        SourceError, NetworkError: Something cannot be had.
        BuildError: pip cannot download what a lock pins; its log says why.
        StorageError: The directory cannot be written.
    """
    into.mkdir(parents=True, exist_ok=True)
    known = {file_sha256(path): path for path in sorted(into.iterdir()) if path.is_file() and path.name != SUMS}
    before = set(known.values())
    new: list[Path] = []
    used: list[Path] = []
    for file in _pinned_files(steps, pythons, home, progress):
        sha256 = file_sha256(file)
        if sha256 not in known:
            known[sha256] = _copy(file, into, sha256)
            new.append(known[sha256])
        used.append(known[sha256])
    for python in pythons:
        tools = ensure_tools(home, python)
        for lock in dict.fromkeys((TOOLS_LOCK, *(step.recipe.lock_file for step in steps))):
            if lock.is_file():
                progress.phase(f"Python {python.minor}", f"download what {lock.parent.name}/{lock.name} pins")
                log = new_log(home.logs, f"fetch-{lock.parent.name}")
                used += download_locked(tools, python.executable, lock, into, log=log)
    new += [path for path in dict.fromkeys(used) if path not in before and path not in new]
    _write_sums(into)
    return Added(
        tuple(new),
        tuple(path for path in dict.fromkeys(used) if path in before),
        sum(path.stat().st_size for path in set(used)),
    )


def _pinned_files(
    steps: Iterable[Step], pythons: Iterable[BuildPython], home: ForgeHome, progress: Progress
) -> Iterator[Path]:
    for source in pinned_sources(steps):
        yield fetch(source, home, progress)
    for python in pythons:
        _, file = fetch_first(header_archives(python.minor), python.minor, home, progress)
        yield file


def _copy(file: Path, into: Path, sha256: str) -> Path:
    """A file under its own name; under its sha256 where another file has that name."""
    destination = into / file.name
    if destination.exists():
        destination = into / sha256
    with file.open("rb") as source, atomic_file(destination) as target:
        shutil.copyfileobj(source, target)
    return destination


def _write_sums(into: Path) -> None:
    """The list of hashes by which files are found under whatever name (``sha256sum``'s format)."""
    files = sorted(path for path in into.iterdir() if path.is_file() and path.name != SUMS)
    with atomic_file(into / SUMS) as sums:
        sums.write("".join(f"{file_sha256(path)}  {path.name}\n" for path in files).encode())
