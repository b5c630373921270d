"""The version of a project that a recipe is updated to: what an index offers, and why newer ones are passed over."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from forge.authoring.errors import UpdateError
from forge.base.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from forge.source.index import IndexFile

_AGE = re.compile(r"(\d{1,5})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Wish:
    """Which versions are taken.

    Args:
        version: This one and no other; None for the newest.
        pre: Whether pre-releases count.
        min_age: How long ago a version must have been published, at the least.
        now: The time that ages are told from.
    """

    version: Version | None = None
    pre: bool = False
    min_age: timedelta = timedelta()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Choice:
    """What an index offers.

    Args:
        file: The source of the version to update to; None if that is the one that the recipe has.
        passed_over: Newer versions that are not taken, and why not.
    """

    file: IndexFile | None
    passed_over: tuple[str, ...] = ()


def parse_age(text: str) -> timedelta:
    """Read an age, e.g. ``3d``.

    Raises:
        ValueError: It is none.
    """
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not an age: write e.g. 3d; the units are m, h, d and w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def choose(
    name: str, current: Version, files: Sequence[IndexFile], wish: Wish, minors: Sequence[str],
    is_source: Callable[[IndexFile], bool],
) -> Choice:  # fmt: skip
    """The version to take of those that an index has.

    Args:
        name: The project.
        current: The version that the recipe has.
        files: What the index offers of the project.
        wish: Which versions are taken.
        minors: The versions of Python that the recipe is for.
        is_source: Which files a recipe can have as its source.

    Raises:
        SourceError: The index does not have the project, or not the version that was named.
        UpdateError: The index does not say when files were uploaded, but an age was asked for.
    """
    if not files:
        raise SourceError(f"no package index has the project {name!r}", hint="check the indexes in 'pip config list'")
    sources = _by_version(filter(is_source, files))
    if wish.version is not None:
        if wish.version not in sources:
            known = ", ".join(str(each) for each in sorted(sources, reverse=True)[:6])
            raise SourceError(f"{name} has no sdist of version {wish.version}", hint=f"the index has {known}")
        return Choice(sources[wish.version] if wish.version != current else None)
    served = _served(sources.get(current), minors)
    passed_over: list[str] = []
    newer = {version for version in (*sources, *_by_version(files)) if version > current}
    for version in sorted(newer, reverse=True):
        if version.is_prerelease and not wish.pre:
            continue
        why = _why_not(sources.get(version), wish, served)
        if not why:
            return Choice(sources[version], tuple(passed_over))
        passed_over.append(f"{version} is not taken: {why}")
    return Choice(None, tuple(passed_over))


def _why_not(file: IndexFile | None, wish: Wish, minors: Sequence[str]) -> str:
    """Why a version is not taken; empty if it is."""
    if file is None:
        return "it has no sdist"
    if file.is_yanked:
        return "it was yanked"
    if left_out := [minor for minor in minors if not _admits(file, minor)]:
        return f"it is for Python {file.requires_python}, but the recipe is for {', '.join(left_out)} as well"
    if wish.min_age:
        if file.uploaded is None:
            raise UpdateError(
                f"{file.source or 'the index'} does not say when {file.filename} was uploaded",
                hint="leave --min-age out, or use an index that does (PEP 700)",
            )
        age = wish.now - file.uploaded
        if age < wish.min_age:
            return f"it was uploaded {_ago(age)} ago"
    return ""


def _served(file: IndexFile | None, minors: Sequence[str]) -> tuple[str, ...]:
    """The versions of Python that the release at hand is for: no newer one has to be for more."""
    return tuple(minors) if file is None else tuple(minor for minor in minors if _admits(file, minor))


def _admits(file: IndexFile, minor: str) -> bool:
    try:
        specifiers = SpecifierSet(file.requires_python)
    except InvalidSpecifier:  # pip takes such files, too
        return True
    # Of a minor version, some release: '>=3.13.1' is for 3.13, too.
    return specifiers.contains(f"{minor}.99", prereleases=True) or specifiers.contains(f"{minor}.0", prereleases=True)


def _by_version(files: Iterable[IndexFile]) -> dict[Version, IndexFile]:
    """The first file of each version that is not yanked, else the first."""
    found: dict[Version, IndexFile] = {}
    for file in files:
        try:
            version = Version(file.version)
        except InvalidVersion:  # of before PEP 440
            continue
        if version not in found or (found[version].is_yanked and not file.is_yanked):
            found[version] = file
    return found


def _ago(age: timedelta) -> str:
    if age < timedelta(hours=1):
        return f"{max(age.total_seconds(), 0) // 60:.0f} minutes"
    return f"{age.total_seconds() // 3600:.0f} hours" if age < timedelta(days=2) else f"{age.days} days"
