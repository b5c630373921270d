"""The iOS wheels that a project publishes itself: for which targets and Pythons, and whether they are good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from forge.audit.check import check_wheel, promised_target
from forge.audit.wheel_checks import is_ios_tag
from forge.authoring.needs import run_needs
from forge.base.errors import WheelError
from forge.base.severity import Severity
from forge.base.target import select_targets
from forge.ios_python.interface import known_minors
from forge.wheel.contents import read_metadata
from forge.wheel.name import parse_wheel_name
from forge.wheel.tags import installs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forge.audit.finding import Finding
    from forge.authoring.release import Release
    from forge.base.target import IOSVersion, Target
    from forge.lint.upstream import Upstream
    from forge.recipe.store import RecipeStore
    from forge.source.index import IndexFile

_TARGETS = tuple(target.multiarch for target in select_targets())


@dataclass(frozen=True)
class PublishedFinding:
    """What is wrong with a wheel that was looked at.

    Args:
        filename: The wheel.
        finding: An error of ``forge check``.
    """

    filename: str
    finding: Finding


@dataclass(frozen=True)
class PublishedWheels:
    """The iOS wheels of a release.

    Args:
        version: The release.
        missing: By version of Python that forge knows, the targets that no wheel is for; empty where there is all.
        ios_version: The lowest iOS that all of them install on, or None without wheels.
        checked: The wheels that ``forge check`` looked at.
        problems: The errors that it found.
    """

    version: str
    missing: dict[str, tuple[str, ...]]
    ios_version: IOSVersion | None = None
    checked: tuple[str, ...] = ()
    problems: tuple[PublishedFinding, ...] = ()

    @property
    def complete(self) -> tuple[str, ...]:
        """The Pythons that there are wheels for all targets for."""
        return tuple(minor for minor, missing in self.missing.items() if not missing)

    @property
    def partial(self) -> tuple[str, ...]:
        """The Pythons that there are wheels for some targets for."""
        return tuple(minor for minor, missing in self.missing.items() if missing and len(missing) < len(_TARGETS))

    def serves(self, minor: str) -> bool:
        """Whether a Python needs no wheels but these: they are there for every target, and without errors."""
        return minor in self.complete and not self.problems


def published_wheels(upstream: Upstream, release: Release, minor: str) -> PublishedWheels:
    """Look at a release's iOS wheels, and download those for one Python to check them.

    Args:
        upstream: Asks the indexes.
        release: The release.
        minor: The version of Python whose wheels are checked; of another one if there are none for it.

    Raises:
        ForgeError: A wheel cannot be downloaded.
    """
    by_minor = {each: _by_target(release.wheels, each) for each in known_minors()}
    missing = {each: tuple(t for t in _TARGETS if t not in found) for each, found in by_minor.items()}
    ios_wheels = {file for found in by_minor.values() for file in found.values()}
    if not ios_wheels:
        return PublishedWheels(release.version, missing)
    chosen = minor if by_minor.get(minor) else next(each for each, found in by_minor.items() if found)
    checked = [upstream.get(file) for file in by_minor[chosen].values()]
    problems = [
        PublishedFinding(path.name, finding)
        for path in checked
        for finding in check_wheel(path).findings
        if finding.severity is Severity.ERROR
    ]
    versions = [target.ios_version for file in ios_wheels if (target := _target(file)) is not None]
    return PublishedWheels(
        release.version, missing, max(versions), tuple(path.name for path in checked), tuple(problems)
    )  # fmt: skip


def last_with_wheels(release: Release) -> str | None:
    """The newest of a project's other versions that has iOS wheels, or None."""
    versions = []
    for file in release.others:
        try:
            if any(map(is_ios_tag, parse_wheel_name(file.filename).platforms)):
                versions.append(Version(file.version))
        except (WheelError, InvalidVersion):
            continue
    return str(max(versions)) if versions else None


def needless_because(release: Release, published: PublishedWheels, minor: str) -> str:
    """Why no recipe is needed, in one sentence without a full stop; empty if one is.

    Args:
        release: The release.
        published: Its iOS wheels.
        minor: Python's major.minor.
    """
    named = f"{release.name} {release.version}"
    if published.serves(minor):
        return f"{named} publishes iOS wheels"
    wheels, pure = _installable(release, minor)
    if not pure or len(wheels) > len(pure):
        return ""
    if len(wheels) == len(release.wheels):
        return f"{named} is pure Python, and its wheel installs on iOS"
    return f"{named} has compiled wheels for other Pythons only; for Python {minor} it is pure Python"


def lacking_requirements(release: Release, minor: str, store: RecipeStore, upstream: Upstream) -> tuple[str, ...]:
    """What the wheel that an iPhone takes requires and cannot get there: polars is pure, and polars-runtime-32 is not.

    Args:
        release: A release that needs no recipe.
        minor: Python's major.minor.
        store: The recipes.
        upstream: Asks the indexes.

    Returns:
        Names of projects with compiled code, and with neither recipe nor iOS wheels.

    Raises:
        ForgeError: The wheel cannot be downloaded or read.
    """
    wheels, pure = _installable(release, minor)
    chosen = [*_by_target(wheels, minor).values(), *pure]
    requires = read_metadata(upstream.get(chosen[0])).requires_dist if chosen else ()
    return run_needs(requires, minor, store, upstream).without


def _installable(release: Release, minor: str) -> tuple[list[IndexFile], list[IndexFile]]:
    """The wheels that a Python takes, on any platform, and those of them without compiled code."""
    python = f"cp{minor.replace('.', '')}"
    wheels = [file for file in release.wheels if _is_for(file, python)]
    return wheels, [file for file in wheels if file.filename.endswith("-any.whl")]


def _by_target(files: Iterable[IndexFile], minor: str) -> dict[str, IndexFile]:
    """A wheel for each target that a Python installs."""
    python = f"cp{minor.replace('.', '')}"
    found: dict[str, IndexFile] = {}
    for file in sorted(files, key=lambda each: each.filename):
        target = _target(file)
        if target is not None and _is_for(file, python):
            found.setdefault(target.multiarch, file)
    return {name: found[name] for name in _TARGETS if name in found}


def _is_for(file: IndexFile, python: str) -> bool:
    try:
        return any(installs(python, tag) for tag in parse_wheel_name(file.filename).tags)
    except WheelError:  # a name that no installer takes
        return False


def _target(file: IndexFile) -> Target | None:
    try:
        return promised_target(parse_wheel_name(file.filename).platforms)
    except WheelError:
        return None
