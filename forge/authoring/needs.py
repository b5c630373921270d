"""What a project requires to run: which of it has a recipe, and which of it installs without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from forge.audit.wheel_checks import is_ios_tag
from forge.base.errors import WheelError
from forge.base.target import Abi, Arch, Target
from forge.plan.applying import applying
from forge.wheel.name import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.requirements import Requirement

    from forge.lint.upstream import Upstream
    from forge.recipe.store import RecipeStore
    from forge.source.index import IndexFile

_TARGET = Target(Abi.IPHONEOS, Arch.ARM64)


@dataclass(frozen=True)
class Needs:
    """Run requirements.

    Args:
        with_recipe: Those that forge has a recipe for, as the project writes them (PEP 508).
        without: The names of compiled projects that have neither a recipe nor iOS wheels.
    """

    with_recipe: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def run_needs(requires_dist: Iterable[str], minor: str, store: RecipeStore, upstream: Upstream) -> Needs:
    """Look at run requirements, their markers asked of an iPhone.

    Args:
        requires_dist: The project's requirements (PEP 508); extras do not count.
        minor: Python's major.minor.
        store: The recipes.
        upstream: Asks the indexes about what has no recipe.

    Raises:
        NetworkError: An index did not answer.
    """
    known = set(store.names())
    with_recipe, without = [], []
    for requirement in applying(requires_dist, _TARGET, minor):
        name = canonicalize_name(requirement.name)
        if name in known:
            with_recipe.append(str(requirement))
        elif not _installs(requirement, upstream.files(name)):
            without.append(name)
    return Needs(tuple(dict.fromkeys(with_recipe)), tuple(dict.fromkeys(without)))


def _installs(requirement: Requirement, files: Sequence[IndexFile]) -> bool:
    """Whether the newest version that fits has a pure wheel or iOS wheels, or nothing compiled at all."""
    by_version: dict[Version, list[str]] = {}
    for file in files:
        try:
            version = Version(file.version)
        except InvalidVersion:
            continue
        if not file.is_yanked and requirement.specifier.contains(version, prereleases=False):
            by_version.setdefault(version, []).append(file.filename)
    if not by_version:
        return True  # that nothing fits is the installer's to say
    platforms: set[str] = set()
    for filename in by_version[max(by_version)]:
        try:
            platforms.update(parse_wheel_name(filename).platforms)
        except WheelError:  # an sdist
            continue
    return not platforms or "any" in platforms or any(map(is_ios_tag, platforms))
