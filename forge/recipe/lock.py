"""The lock of a recipe's build requirements: pip's requirements format with hashes, beside the recipe.

The header records which requirements it was made for, so that a lock that is out of date shows. Resolving
(which needs pip and an index) is done elsewhere; this module makes and reads the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from forge.base.errors import RecipeError
from forge.recipe.diagnostics import Diagnostic, InvalidRecipeError, Location, shown_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

_HEADER = "# The build requirements of this recipe, pinned by 'forge lock'. Do not edit: make it again.\n"
_REQUIRES = "# requires: "
_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>[^;]+?))?(?P<rest>(?:\s+--\S+)*)"
)
_HASH = re.compile(r"--hash=sha256:(?P<digest>[0-9a-f]{64})")
_NAMED = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Pin:
    """One build requirement.

    Args:
        name: Normalised (PEP 503).
        version: PEP 440.
        hashes: sha256 of each file of that version that may be installed, 64 hex digits each, sorted.
        marker: The Pythons that it is for (PEP 508), e.g. ``python_version >= "3.14"``; empty for all.
    """

    name: NormalizedName
    version: str
    hashes: tuple[str, ...]
    marker: str = ""

    @property
    def label(self) -> str:
        """Name and version for people, with the Pythons that it is for."""
        return f"{self.name} {self.version}" + (f" ({self.marker})" if self.marker else "")


@dataclass(frozen=True)
class BuildLock:
    """Build requirements, resolved.

    Args:
        requires: What it was made for (PEP 508, normalised, sorted).
        pins: Sorted by name and marker. Where Pythons need different versions, there are several of a name.
    """

    requires: tuple[str, ...]
    pins: tuple[Pin, ...]

    def for_python(self, minor: str) -> dict[NormalizedName, Pin]:
        """The pins for a version of Python, by name.

        Args:
            minor: Python's major.minor.
        """
        return {pin.name: pin for pin in self.pins if _applies(pin.marker, minor)}

    def text(self) -> str:
        """The lock's file, which ``pip install --require-hashes -r`` reads."""
        lines = [_HEADER, *(f"{_REQUIRES}{requirement}\n" for requirement in self.requires)]
        for pin in self.pins:
            hashes = "".join(f" \\\n    --hash=sha256:{digest}" for digest in pin.hashes)
            marker = f" ; {pin.marker}" if pin.marker else ""
            lines.append(f"{pin.name}=={pin.version}{marker}{hashes}\n")
        return "".join(lines)


def make_lock(pins: Iterable[tuple[str, str, Collection[str]]], requires: Iterable[str]) -> BuildLock:
    """The lock of resolved build requirements.

    Args:
        pins: Name, version and the sha256 of each file, of every requirement and what these need in turn.
        requires: What was resolved (PEP 508).

    Raises:
        RecipeError: A name, version, hash or requirement is malformed; a name stands twice; a pin has no
            hash.
    """
    made: dict[NormalizedName, Pin] = {}
    for name, version, hashes in pins:
        key = canonicalize_name(name)
        if key in made:
            raise RecipeError(f"cannot lock: {key} is pinned twice, to {made[key].version} and {version}")
        bad = [digest for digest in hashes if not re.fullmatch(r"[0-9a-f]{64}", digest)]
        if bad or not hashes:
            what = f"{bad[0]!r} is not a sha256" if bad else "it has no hash"
            raise RecipeError(f"cannot lock {key} {version}: {what}")
        if not _is_version(version) or not _PIN.fullmatch(f"{name}=={version}"):
            raise RecipeError(f"cannot lock {name!r} {version!r}: not a name and a version")
        made[key] = Pin(key, version, tuple(sorted(set(hashes))))
    return BuildLock(normalized_requires(requires), tuple(made[key] for key in sorted(made)))


def lock_covers(lock: BuildLock, requires: Iterable[str]) -> bool:
    """Whether the lock was made for these requirements, or for more: one lock holds those of every target.

    Order, spacing and spelling of names do not matter.

    Raises:
        RecipeError: A requirement is malformed.
    """
    return set(normalized_requires(requires)) <= set(lock.requires)


def merged_lock(locks: Mapping[str, BuildLock], requires: Iterable[str], minors: Iterable[str]) -> BuildLock:
    """One lock of several that hold for different Pythons.

    Args:
        locks: Each version of Python (major.minor), oldest first, with its lock.
        requires: What was resolved (PEP 508).
        minors: All versions of Python, oldest first: for one without a lock nothing is pinned.

    Raises:
        RecipeError: A requirement is malformed.
    """
    every = list(minors)
    users: dict[Pin, list[str]] = {}
    for minor, lock in locks.items():
        for pin in lock.pins:
            users.setdefault(pin, []).append(minor)
    pins = [Pin(pin.name, pin.version, pin.hashes, _marker(minors, every)) for pin, minors in users.items()]
    return BuildLock(normalized_requires(requires), tuple(sorted(pins, key=lambda pin: (pin.name, pin.marker))))


def unmet(lock: BuildLock, requires: Iterable[str], minor: str) -> tuple[str, ...]:
    """The requirements that a lock does not meet for a version of Python, as messages.

    Args:
        lock: The lock.
        requires: PEP 508 requirements.
        minor: Python's major.minor.

    Raises:
        RecipeError: A requirement is malformed.
    """
    pins = lock.for_python(minor)
    wrong = []
    for requirement in map(Requirement, applicable(requires, minor)):
        pin = pins.get(canonicalize_name(requirement.name))
        if pin is None:
            wrong.append(f"{requirement} is required, and not pinned")
        elif not requirement.specifier.contains(pin.version, prereleases=True):
            wrong.append(f"{requirement} is required, and {pin.version} is pinned")
    return tuple(wrong)


def applicable(requires: Iterable[str], minor: str) -> tuple[str, ...]:
    """The requirements that hold for a version of Python on the build machine, without markers, normalised, sorted.

    Args:
        requires: PEP 508 requirements.
        minor: Python's major.minor.

    Raises:
        RecipeError: One is malformed.
    """
    found = []
    for requirement in map(Requirement, normalized_requires(requires)):
        if requirement.marker is None or _applies(str(requirement.marker), minor):
            requirement.marker = None
            found.append(str(requirement))
    return tuple(sorted(set(found)))


def _applies(marker: str, minor: str) -> bool:
    """Whether a marker is true for a version of Python on this machine."""
    environment = {"python_version": minor, "python_full_version": f"{minor}.0", "extra": ""}
    return not marker or Marker(marker).evaluate(environment)


def _marker(minors: Sequence[str], every: Sequence[str]) -> str:
    """The marker that is true for some of all versions of Python, which are sorted."""
    if len(minors) == len(every):
        return ""
    if minors == every[-len(minors) :]:
        return f'python_version >= "{minors[0]}"'
    if minors == every[: len(minors)]:
        return f'python_version < "{every[len(minors)]}"'
    return " or ".join(f'python_version == "{minor}"' for minor in minors)


def normalized_requires(requires: Iterable[str]) -> tuple[str, ...]:
    """Requirements in one spelling (PEP 503 names, sorted specifiers), each once, sorted.

    Raises:
        RecipeError: One is not a PEP 508 requirement.
    """
    found = set()
    for text in requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise RecipeError(f"{text!r} is not a valid requirement: {str(error).splitlines()[0]}") from error
        found.add(_NAMED.sub(canonicalize_name(requirement.name), str(requirement), count=1))
    return tuple(sorted(found))


def merge_requires(declared: Iterable[str], recipe: Iterable[str]) -> tuple[str, ...]:
    """The build requirements of a build: ``build-system.requires`` with the recipe's in front of it.

    Each requirement of the recipe replaces all declared ones of the same name; the others are added.

    Args:
        declared: ``build-system.requires`` of the package (PEP 518).
        recipe: ``build.requires`` of the recipe.

    Raises:
        RecipeError: One is not a PEP 508 requirement.
    """
    own = normalized_requires(recipe)
    replaced = {Requirement(text).name for text in own}
    kept = [text for text in normalized_requires(declared) if Requirement(text).name not in replaced]
    return tuple(sorted([*kept, *own]))


def read_lock(file: Path) -> BuildLock:
    """Read a lock.

    Raises:
        RecipeError: There is none, or it cannot be read.
        InvalidRecipeError: It is malformed; says everything that is wrong, by line.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise RecipeError(f"there is no lock {shown_path(file)}", hint="make it with 'forge lock'") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"cannot read the lock {shown_path(file)}: {error}") from error
    return parse_lock(text, shown_path(file))


def parse_lock(text: str, file: str) -> BuildLock:
    """Read a lock's text.

    Args:
        text: The text.
        file: The file's name, for messages.

    Raises:
        InvalidRecipeError: It is malformed; says everything that is wrong, by line.
    """
    requires: list[str] = []
    pins: dict[tuple[NormalizedName, str], Pin] = {}
    problems: list[Diagnostic] = []
    for where, line in _logical_lines(text, file):
        try:
            if line.startswith(_REQUIRES):
                requires.append(line.removeprefix(_REQUIRES))
                normalized_requires(requires[-1:])
            elif not line.startswith("#"):
                pin = _parse_pin(line)
                others = [marker for name, marker in pins if name == pin.name]
                if others and ("" in (pin.marker, *others) or pin.marker in others):
                    problems.append(Diagnostic(where, f"{pin.name} is pinned twice"))
                pins[pin.name, pin.marker] = pin
        except RecipeError as error:
            problems.append(Diagnostic(where, error.message, "make the lock again with 'forge lock'"))
    if problems:
        raise InvalidRecipeError(problems)
    return BuildLock(normalized_requires(requires), tuple(pins[key] for key in sorted(pins)))


def _logical_lines(text: str, file: str) -> list[tuple[Location, str]]:
    """Lines that are not empty, joined where one ends in a backslash (pip's rule), and where each starts."""
    found: list[tuple[Location, str]] = []
    joined = False
    for number, line in enumerate(text.split("\n"), start=1):
        bare = line.strip()
        if joined:
            where, before = found.pop()
            found.append((where, f"{before} {bare.removesuffix(chr(92)).strip()}".strip()))
        elif bare:
            start = len(line) - len(line.lstrip()) + 1
            where = Location(file, number, start, max(1, len(bare)), line)
            found.append((where, bare.removesuffix("\\").strip()))
        joined = bare.endswith("\\") and not (found and found[-1][1].startswith("#"))
    return found


def _parse_pin(line: str) -> Pin:
    found = _PIN.fullmatch(line)
    if found is None or not _is_version(found["version"]):
        raise RecipeError(f"{line[:60]!r} is not 'name==version --hash=sha256:…'")
    hashes = []
    for option in found["rest"].split():
        digest = _HASH.fullmatch(option)
        if digest is None:
            raise RecipeError(f"{option[:80]!r} is not '--hash=sha256:' with 64 lower-case hex digits")
        hashes.append(digest["digest"])
    if not hashes:
        raise RecipeError(f"{found['name']} has no hash")
    try:
        marker = str(Marker(found["marker"])) if found["marker"] else ""
    except InvalidMarker as error:
        raise RecipeError(f"{found['marker'][:80]!r} is not a valid marker") from error
    return Pin(canonicalize_name(found["name"]), found["version"], tuple(sorted(set(hashes))), marker)


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
