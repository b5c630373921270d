"""Yanking: files stay, but installers take them only where they are asked for by version (PEP 592)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from forge.index.model import IndexState, PackageIndexError

if TYPE_CHECKING:
    from forge.index.model import HeldFile


def yanked(state: IndexState, what: str, reason: str | None) -> IndexState:
    """An index in which files are yanked, or no longer.

    Args:
        state: What it holds.
        what: ``NAME==VERSION``, or the name of a file.
        reason: Why, for who asks; an empty string is no reason, None takes a yank back.

    Raises:
        PackageIndexError: It holds no such file, or *what* is neither.
    """
    chosen = chosen_files(state, what)
    return replace(state, files={**state.files, **{file.filename: replace(file, yanked=reason) for file in chosen}})


def chosen_files(state: IndexState, what: str, *, any_version: bool = False) -> list[HeldFile]:
    """The files that a text means.

    Args:
        state: What the index holds.
        what: ``NAME==VERSION``, or the name of a file.
        any_version: Whether it may be ``NAME``, too.

    Raises:
        PackageIndexError: It holds no such file, or *what* is none of these.
    """
    if what in state.files:
        return [state.files[what]]
    try:
        requirement = Requirement(what)
    except InvalidRequirement:
        requirement = None
    named = requirement is not None and any_version and what.strip() == requirement.name
    pinned = requirement is not None and len(requirement.specifier) == 1 and what.replace(" ", "").partition("==")[2]
    if requirement is None or not (named or pinned):
        forms = "none of NAME, NAME==VERSION and" if any_version else "neither NAME==VERSION nor"
        raise PackageIndexError(f"{what!r} is {forms} a file of the index", hint="e.g. numpy==2.5.5")
    name = canonicalize_name(requirement.name)
    found = [
        file
        for file in state.files.values()
        if file.project == name and requirement.specifier.contains(file.version, prereleases=True)
    ]
    if not found:
        versions = sorted({str(file.version) for file in state.files.values() if file.project == name})
        there = f"it has {', '.join(versions)}" if versions else "it has no version of that project"
        raise PackageIndexError(f"the index holds no {what}", hint=there)
    return found
