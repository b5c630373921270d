"""What an index holds, as data: files, projects, and the failures of working on it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from packaging.utils import canonicalize_name

from forge.base.errors import ForgeError
from forge.wheel.name import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.version import Version

    from forge.wheel.name import WheelName


class PackageIndexError(ForgeError):
    """An index is not one, cannot be written, or would hold two files of one name."""

    exit_code: ClassVar[int] = 16
    title: ClassVar[str] = "index"


@dataclass(frozen=True)
class HeldFile:
    """A wheel that an index holds.

    Args:
        filename: Its name.
        size: In bytes.
        sha256: Its hash.
        uploaded: When it was added, UTC (``2026-11-29T12:00:00Z``; PEP 700's upload-time).
        metadata_sha256: Of its METADATA, which lies beside it (PEP 658).
        requires_python: What its metadata says, or None.
        requires_dist: What it requires, as its metadata says (PEP 508).
        summary: What its metadata says, or an empty string.
        license: Its licence expression, or an empty string.
        contains: The libraries that are linked in, by name and version, as its bills of materials say (PEP 770).
        findings: What ``forge check`` found when it was added, a line each; None if nobody looked.
        suite: How many tests of the project's own suite passed with this file, in words; empty if nobody ran it.
        provenance_sha256: Of the signed statements about it, which lie beside it (PEP 740); None if there are none.
        yanked: Why it is to be avoided; an empty string is yanked without a reason, None is not yanked (PEP 592).
    """

    filename: str
    size: int
    sha256: str
    uploaded: str
    metadata_sha256: str
    requires_python: str | None = None
    requires_dist: tuple[str, ...] = ()
    summary: str = ""
    license: str = ""
    contains: tuple[str, ...] = ()
    findings: tuple[str, ...] | None = None
    suite: str = ""
    provenance_sha256: str | None = None
    yanked: str | None = None

    # What is read of the name is kept: with thousands of wheels, reading it takes longer than all else.

    @functools.cached_property
    def name(self) -> WheelName:
        """What its name says."""
        return parse_wheel_name(self.filename)

    @functools.cached_property
    def project(self) -> str:
        """The project's name, normalised (PEP 503)."""
        return canonicalize_name(self.filename.partition("-")[0])

    @functools.cached_property
    def pythons(self) -> tuple[str, ...]:
        """The Python tags of its name."""
        return self.name.pythons

    @property
    def version(self) -> Version:
        """Its version."""
        return self.name.version

    @property
    def path(self) -> str:
        """Where it lies in the index."""
        return f"files/{self.project}/{self.filename}"


@dataclass(frozen=True)
class IndexState:
    """Everything that an index holds: what its pages are made from.

    Args:
        files: The files, by name.
        name: What it is called, for people.
        url: The address of ``simple/`` as users see it, or an empty string where nobody said.
    """

    files: Mapping[str, HeldFile] = field(default_factory=dict)
    name: str = "iOS wheels"
    url: str = ""

    @functools.cached_property
    def projects(self) -> Mapping[str, tuple[HeldFile, ...]]:
        """The files of each project, in the order of versions and names, by the project's name, sorted.

        Worked out once: with thousands of wheels it takes longer than the page, or the answer, that asks for one of it.
        """
        found: dict[str, list[HeldFile]] = {}
        for file in self.files.values():
            found.setdefault(file.project, []).append(file)
        return {name: ordered(found[name]) for name in sorted(found)}


def ordered(files: Iterable[HeldFile]) -> tuple[HeldFile, ...]:
    """Files in the order of versions and names: oldest first, as index pages have them."""
    return tuple(sorted(files, key=lambda file: (file.version, file.filename)))
