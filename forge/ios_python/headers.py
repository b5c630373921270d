"""CPython's headers: from the first pinned archive that can be had (``data/headers.yaml``).

pythons/headers/<minor>-<sha256 of the archive>/     the contents of include/python3.X
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from forge.base.atomic import atomic_directory, locked
from forge.base.errors import IOSPythonError, NetworkError, SourceError
from forge.ios_python.releases import DATA
from forge.source.archive import Limits, unpack
from forge.source.deb import unpack_deb
from forge.source.download import cached
from forge.source.fetch import fetch
from forge.source.model import UrlSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress


@dataclass(frozen=True)
class HeaderArchive:
    """An archive that has a release's headers in it.

    Args:
        release: The release, e.g. ``3.14.3``.
        source: Where it is to be had, and its sha256.
        inside: The headers' directory in it; an archive's single top directory does not count.
        build_python: The prefix of a Linux Python in it, and the machine that it runs on; None if there is none.
    """

    release: str
    source: UrlSource
    inside: str
    build_python: tuple[str, str] | None = None


@dataclass(frozen=True)
class Headers:
    """Headers on disk.

    Args:
        directory: What ``include/python3.X`` has in it.
        release: The release that they are of.
        identity: The archive's sha256.
    """

    directory: Path
    release: str
    identity: str


def header_archives(minor: str) -> tuple[HeaderArchive, ...]:
    """The archives with headers of a minor version, in the order to try them; empty if there are none."""
    data: dict[str, list[dict[str, Any]]] = yaml.safe_load((DATA / "headers.yaml").read_text(encoding="utf-8"))
    return tuple(
        HeaderArchive(
            entry["release"],
            UrlSource(tuple(entry["urls"]), entry["sha256"]),
            entry["inside"],
            (entry["build_python"]["prefix"], entry["build_python"]["machine"]) if "build_python" in entry else None,
        )
        for entry in data.get(minor, ())
    )


def ensure_headers(home: ForgeHome, minor: str, progress: Progress) -> Headers:
    """A release's headers: those that are unpacked, else of an archive in the cache, else of the first to be had.

    Args:
        home: The cache.
        minor: The minor version, e.g. ``3.14``.
        progress: Receives progress updates.

    Raises:
        IOSPythonError: There are no pinned archives, or one is not as expected.
        NetworkError: None can be had; says what was tried for each.
    """
    archives = header_archives(minor)
    for archive in archives:
        if _place(home, minor, archive).is_dir():
            return Headers(_place(home, minor, archive), archive.release, archive.source.sha256)
    in_cache = [each for each in archives if cached(each.source.sha256, home, progress) is not None]
    archive, file = fetch_first([*in_cache, *archives], minor, home, progress)
    place = _place(home, minor, archive)
    with locked(home.locks, f"headers-{place.name}"):
        if not place.is_dir():
            progress.phase(f"Python {archive.release}", "unpack the headers")
            with tempfile.TemporaryDirectory() as scratch, atomic_directory(place) as temporary:
                tree = Path(scratch) / "tree"
                unpack_any(file, tree, archive.inside)
                inside = find_inside(tree, archive.inside)
                shutil.copytree(inside, temporary, dirs_exist_ok=True)
    return Headers(place, archive.release, archive.source.sha256)


def fetch_first(
    archives: Sequence[HeaderArchive], minor: str, home: ForgeHome, progress: Progress
) -> tuple[HeaderArchive, Path]:
    """The first archive that can be had, and its file.

    Raises:
        IOSPythonError: There are none.
        NetworkError: None can be had.
    """
    if not archives:
        raise IOSPythonError(
            f"forge knows no archive with the headers of Python {minor}",
            hint=f"add an official iOS Python with 'forge python add', or build one with 'forge python build {minor}'",
        )
    failures: list[str] = []
    for archive in archives:
        try:
            return archive, fetch(archive.source, home, progress)
        except (NetworkError, SourceError) as error:
            failures += [line for line in error.message.splitlines() if line not in failures]
    raise NetworkError(
        f"cannot get the headers of Python {minor}\n" + "\n".join(failures),
        hint="check the network; name a directory or a server that has one of these files in FORGE_MIRROR; or add an "
        "official iOS Python with 'forge python add'",
    )


def unpack_any(file: Path, destination: Path, inside: str = "") -> None:
    """Unpack a source archive, a jar or a Debian package; of it *inside* alone, if that is given.

    Raises:
        SourceError: It is damaged.
    """
    (unpack_deb if file.suffix == ".deb" else unpack)(file, destination, Limits(inside=inside))


def find_inside(tree: Path, inside: str) -> Path:
    """A directory of an unpacked archive, whose single top directories are gone or not.

    Raises:
        IOSPythonError: It is not there.
    """
    parts = Path(inside).parts
    for start in range(len(parts)):
        if (found := tree.joinpath(*parts[start:])).is_dir():
            return found
    raise IOSPythonError(f"the archive does not contain {inside}", hint="report it: the pinned file is not as expected")


def _place(home: ForgeHome, minor: str, archive: HeaderArchive) -> Path:
    return home.pythons / "headers" / f"{minor}-{archive.source.sha256[:16]}"
