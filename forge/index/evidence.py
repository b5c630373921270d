"""What is known of wheels besides what is in them: what ``forge check`` finds, and how their own tests went.

It is noted when a wheel goes into an index, for the pages that people read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.errors import ForgeError
from forge.trial.suite_results import read_results

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forge.audit.finding import Finding
    from forge.index.add import NewFile
    from forge.recipe.store import RecipeStore


@dataclass(frozen=True)
class Evidence:
    """What is known of a wheel.

    Args:
        findings: What ``forge check`` finds, a line each; None if nobody looked.
        suite: How many tests of the project's own suite pass, in words; empty if nobody ran it with this very file.
    """

    findings: tuple[str, ...] | None = None
    suite: str = ""


@dataclass(frozen=True)
class Witness:
    """Finds out what is known of wheels.

    Args:
        store: The recipes, beside which the results of suites are kept; None for none.
        found: What ``forge check`` found already, by file name.
        checks: Whether to check those of which nothing was found out yet.
    """

    store: RecipeStore | None
    found: Mapping[str, Sequence[Finding]]
    checks: bool = False

    def of(self, files: Sequence[NewFile]) -> dict[str, Evidence]:
        """What is known of files, by name.

        Args:
            files: The files. Those of which nothing is known are left out.

        Raises:
            WheelError: One cannot be read.
        """
        findings = dict(self.found)
        if self.checks:
            findings |= check_findings(file for file in files if file.held.filename not in self.found)
        suites = self._suites(files)
        return {
            name: Evidence(_lines(findings[name]) if name in findings else None, suites.get(name, ""))
            for name in (file.held.filename for file in files)
            if name in findings or name in suites
        }

    def _suites(self, files: Sequence[NewFile]) -> dict[str, str]:
        """How the suites of those went whose very bytes were tried."""
        if self.store is None:
            return {}
        tried: dict[str, str] = {}
        for project in {file.held.project for file in files}.intersection(self.store.names()):
            try:
                results = read_results(self.store.load(project).directory)
            except ForgeError:  # 'forge lint' says what is wrong with a recipe
                continue
            tried |= {
                one.wheel: f"{one.passed:,} of the {one.host_passed:,} that pass with the Linux wheel"
                f" (Python {one.python}, {one.date})"
                for one in results
            }
        return {file.held.filename: tried[file.held.sha256] for file in files if file.held.sha256 in tried}


def check_findings(files: Iterable[NewFile]) -> dict[str, tuple[Finding, ...]]:
    """What ``forge check`` finds in wheels that are published together, by name.

    Args:
        files: The files.

    Raises:
        WheelError: One cannot be read.
    """
    from forge.audit.check import check_wheel, frameworks_beside  # noqa: PLC0415 - with all rules of the check

    files = list(files)
    beside = frameworks_beside(file.path for file in files)
    return {
        file.held.filename: tuple(check_wheel(file.path, beside.get(file.path, frozenset())).findings) for file in files
    }


def _lines(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(f"{one.severity} {one.id}: {one.located}" for one in findings)
