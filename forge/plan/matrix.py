"""Wheels for several versions of Python: which ones are meant, and which a wheel serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from forge.base.errors import IOSPythonError
from forge.ios_python.choose import minor_of
from forge.ios_python.interface import known_minors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.tags import Tag

    from forge.recipe.model import Recipe

ALL = "all"
"""Every version that forge builds wheels for."""


def parse_versions(text: str) -> tuple[str, ...]:
    """The versions of Python that ``--python`` names, oldest first, each once.

    Args:
        text: Versions separated by commas, or `ALL`.

    Raises:
        IOSPythonError: forge builds no wheels for one of them, or two are of one minor version.
    """
    named = known_minors() if text.strip() == ALL else tuple(part.strip() for part in text.split(","))
    by_minor: dict[str, str] = {}
    for version in named:
        other = by_minor.setdefault(minor_of(version), version)
        if other != version:
            raise IOSPythonError(
                f"Python {other} and {version} are the same minor version",
                hint="name one of them: wheels do not depend on the patch release",
            )
    return tuple(by_minor[minor] for minor in known_minors() if minor in by_minor)


def recipes_by_version(text: str, recipes: Sequence[Recipe]) -> dict[str, tuple[Recipe, ...]]:
    """The versions of Python that ``--python`` names, oldest first, each with the recipes to build for it.

    Under `ALL` a recipe is built for those versions that it supports (``package.python``). By name, a version is asked
    of every recipe, and one that does not support it is an error of the plan's (`forge.plan.closure`).

    Args:
        text: As for `parse_versions`.
        recipes: What was asked for.

    Raises:
        IOSPythonError: As `parse_versions` does.
    """
    every = {version: tuple(recipes) for version in parse_versions(text)}
    if text.strip() != ALL:
        return every
    supported = {version: tuple(r for r in recipes if r.supports(minor_of(version))) for version in every}
    if {r.normalized_name for r in recipes} != {r.normalized_name for each in supported.values() for r in each}:
        return every  # one supports no version that forge knows: the plan says so
    return {version: each for version, each in supported.items() if each}


def serves(wheel: str, minor: str) -> bool:
    """Whether a wheel's name says that it is for a version of Python."""
    return any(_admits(tag, minor) for tag in parse_wheel_filename(wheel)[3])


def wheel_versions(wheel: str, wanted: Sequence[str] | None, default: str) -> tuple[str, ...]:
    """The versions of Python to run a wheel in.

    Args:
        wheel: Its file name.
        wanted: What was asked for; None for the version that the wheel is for: of several *default*, else the oldest.
        default: The version that forge takes where none is named.

    Raises:
        IOSPythonError: The wheel is not for that version, or for none that forge knows.
    """
    known = known_minors()
    served = [minor for minor in known if serves(wheel, minor)]
    if not served:
        raise IOSPythonError(
            f"{wheel} is not for a version of Python that forge knows", hint=f"these are known: {', '.join(known)}"
        )
    if wanted is None:
        return (default if minor_of(default) in served else served[0],)
    for version in wanted:
        if minor_of(version) not in served:
            raise IOSPythonError(
                f"{wheel} is not for Python {minor_of(version)}", hint=f"run it in Python {' or '.join(served)}"
            )
    return tuple(wanted)


def _admits(tag: Tag, minor: str) -> bool:
    major, number = minor.split(".")
    if tag.interpreter in (f"py{major}", f"py{major}{number}", f"cp{major}{number}"):
        return True
    since = tag.interpreter.removeprefix(f"cp{major}")
    return tag.abi in ("abi3", "abi3t") and since.isdecimal() and int(since) <= int(number)
