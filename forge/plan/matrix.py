"""Wheels for several versions of Python: what one build made for all of them is not built again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from forge.base.errors import IOSPythonError
from forge.ios_python.choose import minor_of
from forge.ios_python.interface import known_minors
from forge.plan.run import subject_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.tags import Tag

    from forge.plan.closure import Step
    from forge.plan.run import Result
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


def remaining(steps: Sequence[Step], results: Iterable[Result], minor: str) -> tuple[Step, ...]:
    """The steps of a version's closure, without those whose wheels are there already and serve this version too.

    A wheel for the stable ABI is built once, for the oldest version asked for, and a pure one too. What others are
    compiled against stays, since these may read what is particular to a version.

    Args:
        steps: The closure.
        results: What was built for older versions.
        minor: The version, e.g. ``3.14``.
    """
    served = {result.subject for result in results if serves(result.wheel.name, minor)}
    needed = {name for step in steps for name in step.host}
    return tuple(
        step
        for step in steps
        if step.recipe.normalized_name in needed or subject_of(step.recipe.recipe, step.recipe.target) not in served
    )


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
