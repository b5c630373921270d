"""Which wheels of a project an index has, for whom: targets and Pythons, and what is missing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.target import select_targets
from forge.wheel.tags import installs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forge.index.model import HeldFile

MULTIARCHES = tuple(target.multiarch for target in select_targets())
"""iOS's targets, as PEP 730 writes them."""

_CPYTHON = re.compile(r"cp3(\d+)", flags=re.ASCII)


@dataclass(frozen=True)
class Cell:
    """What one Python gets of a project's version.

    Args:
        python: Its version, e.g. ``3.13``.
        present: The targets that have a wheel, in the order of `MULTIARCHES`.
    """

    python: str
    present: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The targets that have none."""
        return tuple(target for target in MULTIARCHES if target not in self.present)


@dataclass(frozen=True)
class Line:
    """A project's newest version.

    Args:
        project: Its name.
        version: The version.
        cells: What each Python gets of it.
    """

    project: str
    version: str
    cells: tuple[Cell, ...]


def pythons_of(files: Iterable[HeldFile]) -> tuple[str, ...]:
    """The Pythons that any of some files is made for, e.g. ``3.13``, oldest first; those before iOS do not count."""
    found = set()
    for file in files:
        for tag in file.pythons:
            if (match := _CPYTHON.fullmatch(tag)) and int(match[1]) >= 13:
                found.add(int(match[1]))
    return tuple(f"3.{minor}" for minor in sorted(found))


def lines(projects: Mapping[str, tuple[HeldFile, ...]], pythons: Sequence[str]) -> tuple[Line, ...]:
    """A line for each project that has a file that is not yanked.

    Args:
        projects: The files of each, in order.
        pythons: The columns.
    """
    found = []
    for name, files in projects.items():
        kept = [file for file in files if file.yanked is None]
        if kept:
            newest = kept[-1].version
            cells = cells_of([file for file in kept if file.version == newest], pythons)
            found.append(Line(name, str(newest), cells))
    return tuple(found)


def cells_of(files: Sequence[HeldFile], pythons: Sequence[str]) -> tuple[Cell, ...]:
    """What each Python gets of one version's files."""
    return tuple(Cell(python, _present(files, f"cp{python.replace('.', '')}")) for python in pythons)


def _present(files: Sequence[HeldFile], python: str) -> tuple[str, ...]:
    platforms = {tag.platform for file in files for tag in file.name.tags if installs(python, tag)}
    there = {target for target in MULTIARCHES for platform in platforms if is_for(platform, target)}
    return tuple(target for target in MULTIARCHES if target in there)


def is_for(platform: str, target: str) -> bool:
    """Whether a platform tag is for a target, whatever its minimum iOS version.

    Args:
        platform: The tag.
        target: One of `MULTIARCHES`.
    """
    return platform == "any" or (platform.startswith("ios_") and platform.endswith(f"_{target.replace('-', '_')}"))
