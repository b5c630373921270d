"""The CPython releases and libraries that forge builds, pinned in ``data/releases.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from forge.base.errors import IOSPythonError
from forge.base.hashing import file_sha256
from forge.source.model import UrlSource

DATA = Path(str(resources.files("forge.ios_python") / "data"))


@dataclass(frozen=True)
class PinnedSource:
    """An archive of one release.

    Args:
        name: E.g. ``openssl``.
        version: Its release.
        source: Where it is to be had, and its sha256.
        patches: Unified diffs that are applied to it.
    """

    name: str
    version: str
    source: UrlSource
    patches: tuple[Path, ...] = ()

    @property
    def identity(self) -> dict[str, object]:
        """What enters fingerprints: contents, not places."""
        return {
            "name": self.name,
            "version": self.version,
            "sha256": self.source.sha256,
            "patches": [file_sha256(patch) for patch in self.patches],
        }


@dataclass(frozen=True)
class Release:
    """A CPython release and the libraries for its extension modules."""

    minor: str
    cpython: PinnedSource
    libraries: tuple[PinnedSource, ...]

    @property
    def version(self) -> str:
        """The full version, e.g. ``3.13.5``."""
        return self.cpython.version


def _pinned(name: str, data: dict[str, Any]) -> PinnedSource:
    return PinnedSource(
        name,
        data["version"],
        UrlSource(tuple(data["urls"]), data["sha256"]),
        tuple(DATA / "patches" / patch for patch in data.get("patches", ())),
    )


def known_releases() -> tuple[Release, ...]:
    """Every release that forge can build; of each minor version the one to build comes first."""
    data = yaml.safe_load((DATA / "releases.yaml").read_text(encoding="utf-8"))
    libraries = tuple(_pinned(name, entry) for name, entry in data["libraries"].items())
    return tuple(
        Release(minor, _pinned("cpython", entry), libraries)
        for minor, entries in data["cpython"].items()
        for entry in entries
    )


def find_release(version: str) -> Release:
    """The release for a minor version (``3.13``) or a full one (``3.13.5``).

    Raises:
        IOSPythonError: forge does not build that version.
    """
    releases = known_releases()
    for release in releases:
        if version in (release.minor, release.version):
            return release
    known = ", ".join(release.version for release in releases)
    raise IOSPythonError(f"forge cannot build Python {version}", hint=f"supported versions: {known}")
