"""The same tests with the Mach-O wheel and with the Linux wheel of the same version, in the same Python.

What fails with both is the suite's or this machine's; what differs is the wheel's, or the emulation's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set

    from forge.emulate.session import Case


@dataclass(frozen=True)
class Difference:
    """A test with another outcome.

    Args:
        id: pytest's node id.
        emulated: The outcome with the Mach-O wheel, or ``absent``.
        host: The outcome with the Linux wheel, or ``absent``.
        message: What the run that is worse says.
    """

    id: str
    emulated: str
    host: str
    message: str = ""

    @property
    def is_worse(self) -> bool:
        """Whether it passes with the Linux wheel and does not here, for another reason than that it is skipped."""
        return self.host == "passed" and self.emulated != "skipped"


@dataclass(frozen=True)
class Comparison:
    """Two runs of the same tests.

    Args:
        host_wheels: The wheels of the Linux run.
        host_passed: How many tests pass with them.
        both_passed: How many of these pass with the Mach-O wheel too.
        skipped_here: How many of these are skipped with it: what the one wheel was built with, and the other not.
        differences: Every test with another outcome, the worse ones first, else in the order of the ids.
        host_seconds: How long the Linux run took.
    """

    host_wheels: tuple[str, ...]
    host_passed: int
    both_passed: int
    skipped_here: int
    differences: tuple[Difference, ...]
    host_seconds: float

    @property
    def ratio(self) -> float:
        """The part of what passes with the Linux wheel, and is not skipped here, that passes here; 1.0 of nothing."""
        asked = self.host_passed - self.skipped_here
        return self.both_passed / asked if asked else 1.0


def compare(
    emulated: Sequence[Case], host: Sequence[Case], host_wheels: Sequence[str], host_seconds: float
) -> Comparison:
    """Hold two runs against each other, test by test.

    A test's id has its parameters in it, and some parameters print otherwise in each process: addresses, sets, random
    values. Where as many tests of one function are in one run only as are in the other only, they are taken in order.

    Args:
        emulated: The tests with the Mach-O wheel.
        host: The tests with the Linux wheel.
        host_wheels: The files of the Linux run.
        host_seconds: How long it took.
    """
    here = {case.id: case for case in emulated}
    there = _with_ids_of(here, {case.id: case for case in host})
    passed = {name for name, case in there.items() if case.outcome == "passed"}
    both = sum(name in here and here[name].outcome == "passed" for name in passed)
    differences: list[Difference] = []
    for name in sorted(here.keys() | there.keys()):
        one, other = here.get(name), there.get(name)
        outcomes = one.outcome if one else "absent", other.outcome if other else "absent"
        if outcomes[0] != outcomes[1]:
            said = (one or other) if outcomes[0] != "passed" else other
            differences.append(Difference(name, *outcomes, message=said.message if said else ""))
    differences.sort(key=lambda one: not one.is_worse)
    skipped = sum(name in here and here[name].outcome == "skipped" for name in passed)
    return Comparison(tuple(host_wheels), len(passed), both, skipped, tuple(differences), host_seconds)


def _with_ids_of(here: Mapping[str, Case], there: Mapping[str, Case]) -> dict[str, Case]:
    """The tests of one run by the ids that they have in the other."""
    unpaired = _by_function(here.keys() - there.keys(), here)
    ids = {id_: id_ for id_ in there}
    for function, others in _by_function(there.keys() - here.keys(), there).items():
        if len(unpaired.get(function, ())) == len(others):
            ids.update(zip(others, unpaired[function], strict=True))
    return {ids[id_]: case for id_, case in there.items()}


def _by_function(ids: Set[str], order: Iterable[str]) -> dict[str, list[str]]:
    """Node ids in the order in which the tests ran, by what stands before their parameters."""
    found: dict[str, list[str]] = {}
    for id_ in order:
        if id_ in ids and "[" in id_:
            found.setdefault(id_.partition("[")[0], []).append(id_)
    return found
