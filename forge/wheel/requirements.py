"""What wheels require of each other on a target: ``Requires-Dist``, its markers asked of the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from forge.base.markers import target_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from forge.base.target import Target
    from forge.wheel.contents import WheelContents


@dataclass(frozen=True)
class Unmet:
    """A requirement that no wheel given meets.

    Args:
        wheel: The file name of the wheel that has it.
        text: What is wrong, e.g. ``requires pydantic-core==2.33.2, and the wheel given is 0.0.1``.
    """

    wheel: str
    text: str


def unmet_requirements(wheels: Sequence[WheelContents], target: Target, python: str) -> tuple[Unmet, ...]:
    """Look for every wheel's requirements among the wheels; extras count where a requirement asks for them.

    Args:
        wheels: Those that are installed together.
        target: What they are for.
        python: The version of Python, e.g. ``3.13``.
    """
    there: dict[str, set[Version]] = {}
    for one in wheels:
        there.setdefault(one.name.canonical_distribution, set()).add(one.name.version)
    environment = target_environment(target, python)
    rows = [(one, requirement) for one in wheels for requirement in valid_requirements(one.metadata.requires_dist)]
    extras: dict[str, set[str]] = {}
    before = -1
    while before != (before := sum(map(len, extras.values()))):  # an extra may ask for another
        for one, requirement in rows:
            if applies(requirement, environment, extras.get(one.name.canonical_distribution, set())):
                extras.setdefault(canonicalize_name(requirement.name), set()).update(requirement.extras)
    found: dict[Unmet, None] = {}
    for one, requirement in rows:
        if not applies(requirement, environment, extras.get(one.name.canonical_distribution, set())):
            continue
        versions = there.get(canonicalize_name(requirement.name), set())
        wanted = f"requires {requirement.name}{requirement.specifier}"
        if not versions:
            found[Unmet(one.name.filename, f"{wanted}, which no given wheel is")] = None
        elif not any(requirement.specifier.contains(version, prereleases=True) for version in versions):
            said = ", ".join(map(str, sorted(versions)))
            found[Unmet(one.name.filename, f"{wanted}, and the wheel given is {said}")] = None
    return tuple(found)


def valid_requirements(texts: Iterable[str]) -> Iterator[Requirement]:
    """Requirements as metadata has them (PEP 508), without those that are not valid: the wheel's check says so."""
    for text in texts:
        try:
            yield Requirement(text)
        except InvalidRequirement:
            continue


def applies(requirement: Requirement, environment: Mapping[str, str], extras: Iterable[str] = ()) -> bool:
    """Whether a requirement holds, without an extra or with one of some.

    A marker that cannot be evaluated, such as ``os_name ~= "posix"``, is valid in form; it never holds.

    Args:
        requirement: The requirement.
        environment: From `forge.base.markers.target_environment`.
        extras: The extras that are asked for.
    """
    marker = requirement.marker
    try:
        return marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in ("", *extras))
    except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion):
        return False
