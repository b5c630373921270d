"""What a change made of the wheels: built or cached, checked, tested, and how they differ from what is published."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.audit.check import check_paths
from forge.audit.compare import DifferenceKind, compare_wheels
from forge.base.errors import ForgeError, NetworkError, WheelError
from forge.base.severity import Severity
from forge.base.target import select_targets
from forge.wheel.name import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from forge.audit.compare import Difference
    from forge.audit.finding import Finding
    from forge.pipeline.published import Published
    from forge.pipeline.results import BuiltWheel, FailedNode, Results, TestResult
    from forge.wheel.name import WheelName

_TOLD = (
    DifferenceKind.LIBRARIES, DifferenceKind.EXPORTS, DifferenceKind.FILES, DifferenceKind.FORMAT,
    DifferenceKind.PLATFORM,
)  # fmt: skip
"""The differences that matter to who reviews a change; imports follow from the code."""

_MULTIARCHES = frozenset(target.multiarch for target in select_targets())


class State(enum.StrEnum):
    """What became of a wheel."""

    BUILT = "built"
    CACHED = "cached"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Before:
    """The published wheel that one takes the place of.

    Args:
        version: Its version.
        size: In bytes.
        is_same: Whether both are equal, byte for byte.
        differences: Libraries loaded, symbols exported, files and minimum iOS in which they differ.
    """

    version: str
    size: int
    is_same: bool
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class Row:
    """One wheel, or what would have been one.

    Args:
        package: Name and version.
        target: The target's multiarch, or ``any``.
        python: Which Pythons it is for, e.g. ``3.13``, ``3.11+`` or ``any``.
        state: What became of it.
        seconds: How long the build took, if it is known.
        size: In bytes, if the file is here.
        findings: What its check found that matters; None if the file is not here.
        tests: What became of its tests.
        before: What is published of it; None if nothing is, or nobody looked.
        filename: The wheel's name, or an empty string.
        problem: Why nothing could be said of what is published, or an empty string.
    """

    package: str
    target: str
    python: str
    state: State
    seconds: float | None = None
    size: int | None = None
    findings: tuple[Finding, ...] | None = None
    tests: tuple[TestResult, ...] = ()
    before: Before | None = None
    filename: str = ""
    problem: str = ""


@dataclass(frozen=True)
class ChangeReport:
    """All of it.

    Args:
        rows: Wheels, then what failed.
        failures: What failed or was skipped.
        compared: Whether published wheels were looked at.
    """

    rows: tuple[Row, ...]
    failures: tuple[FailedNode, ...]
    compared: bool = False


def make_report(results: Results, wheels: Iterable[Path], published: Published | None = None) -> ChangeReport:
    """Put together what is known of each wheel.

    Args:
        results: What runs said.
        wheels: The wheels that are here.
        published: Where earlier ones are.

    Raises:
        WheelError: A name in the results is not a wheel's.
    """
    here = {wheel.name: wheel for wheel in wheels}
    rows = [_row(wheel, results.tests, here, published) for wheel in results.wheels]
    rows += [_failed(failure) for failure in results.failures]
    ordered = sorted(rows, key=lambda row: (row.package.lower(), row.target, row.python))
    return ChangeReport(tuple(ordered), results.failures, published is not None)


def _row(wheel: BuiltWheel, tests: Sequence[TestResult], here: Mapping[str, Path], published: Published | None) -> Row:
    name = parse_wheel_name(wheel.filename)
    python = _pythons(name)
    file = here.get(wheel.filename)
    before, problem = None, ""
    if file is not None and published is not None:
        try:
            before = _before(file, published)
        except (NetworkError, WheelError) as error:  # the comment is of use without it
            problem = error.message.splitlines()[0].removesuffix("; tried:")
        except ForgeError as error:
            problem = f"{error.title}: {error.message.splitlines()[0]}"
    return Row(
        package=f"{name.canonical_distribution} {name.version}",
        target=_target(name),
        python=python,
        state=State.BUILT if wheel.built else State.CACHED,
        seconds=wheel.seconds,
        size=None if file is None else file.stat().st_size,
        findings=None if file is None else _findings(file),
        tests=tuple(test for test in tests if _is_of(test, wheel, python)),
        before=before,
        filename=wheel.filename,
        problem=problem,
    )


def _is_of(test: TestResult, wheel: BuiltWheel, python: str) -> bool:
    """Whether a test ran a wheel: one for several Pythons may have been run in each."""
    if test.subject == wheel.filename:
        return True
    return test.subject == wheel.subject and (not test.python or test.python == python or not python[-1].isdecimal())


def _failed(failure: FailedNode) -> Row:
    words = failure.subject.split()
    target = next((word.rstrip(",") for word in words if word.rstrip(",") in _MULTIARCHES), "")
    package = failure.subject.partition(f" {target}")[0] if target else failure.subject
    state = State.SKIPPED if failure.is_skipped else State.FAILED
    return Row(package, target, "", state)


def _findings(wheel: Path) -> tuple[Finding, ...]:
    found = check_paths([wheel]).findings
    return tuple(finding for finding in found if finding.severity in (Severity.ERROR, Severity.WARNING))


def _before(wheel: Path, published: Published) -> Before | None:
    other = published.counterpart(wheel.name)
    if other is None:
        return None
    size, version = other.stat().st_size, str(parse_wheel_name(other.name).version)
    if other.name == wheel.name and other.read_bytes() == wheel.read_bytes():
        return Before(version, size, is_same=True)
    found = compare_wheels(other, wheel).differences
    told = tuple(each for each in found if each.kind in _TOLD)
    return Before(version, size, is_same=False, differences=told)


def _target(name: WheelName) -> str:
    """A wheel's target as its platform tags have it, without the version of iOS."""
    found = {tag.split("_", 3)[-1] for tag in name.platforms}
    known = sorted(multiarch for multiarch in _MULTIARCHES if multiarch.replace("-", "_") in found)
    return ", ".join(known) or "any"


def _pythons(name: WheelName) -> str:
    """Which Pythons a wheel is for."""
    if any(tag.startswith("py") for tag in name.pythons):
        return "any"
    versions = [f"{tag[2]}.{tag[3:]}" for tag in name.pythons]
    later = "+" if any(abi.startswith("abi3") for abi in name.abis) else ""
    return ", ".join(f"{version}{later}" for version in versions)
