"""What became of projects' own test suites, as data beside each recipe (``suite-results.yaml``).

A result is of one Python and target: how many of the tests that pass with the Linux wheel pass with forge's, and which
do not. ``forge test --record`` writes it. Why a test differs is written by hand, and kept as long as the test differs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import yaml

from forge.base.atomic import atomic_file, locked
from forge.base.errors import RecipeError, TrialError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from forge.trial.report import Trial

FILE = "suite-results.yaml"

_HEAD = """\
# Written by 'forge test NAME --suite --against-host --record'. Only 'why' is written by hand; it is kept as long as the
# test differs.
"""


@dataclass(frozen=True)
class Named:
    """A test that passes with the Linux wheel and does not pass with forge's.

    Args:
        test: pytest's node id.
        here: Its outcome with forge's wheel, e.g. ``failed``, ``skipped`` or ``absent``.
        why: Why, in a sentence; empty where nobody has said it yet.
    """

    test: str
    here: str
    why: str = ""


@dataclass(frozen=True)
class SuiteResult:
    """A suite's run with forge's wheel, beside one with the Linux wheel of the same release.

    Args:
        python: The Python's minor version, e.g. ``3.13``.
        target: The multiarch name, e.g. ``x86_64-iphonesimulator``.
        version: The package's version.
        wheel: The sha256 of forge's wheel.
        date: The day, as ISO 8601 has it.
        as_host: Whether Python answered as Linux.
        host_passed: How many tests pass with the Linux wheel.
        passed: How many of these pass with forge's.
        differences: The others, by their ids.
    """

    python: str
    target: str
    version: str
    wheel: str
    date: str
    as_host: bool
    host_passed: int
    passed: int
    differences: tuple[Named, ...] = ()

    @property
    def skipped(self) -> int:
        """How many of those that pass with the Linux wheel are skipped with forge's."""
        return sum(one.here == "skipped" for one in self.differences)

    @property
    def ratio(self) -> float:
        """The part of what passes with the Linux wheel, and is not skipped, that passes; 1.0 of nothing."""
        asked = self.host_passed - self.skipped
        return self.passed / asked if asked else 1.0


def result_of(trial: Trial, version: str, target: str, date: str, *, as_host: bool) -> SuiteResult:
    """The result of a trial that was compared with the Linux wheel.

    Args:
        trial: The trial.
        version: The package's version.
        target: The multiarch name.
        date: The day.
        as_host: Whether Python answered as Linux.

    Raises:
        ValueError: It was not compared.
        TrialError: No test passes with the Linux wheel: that is no result.
    """
    compared = trial.comparison
    if compared is None:
        raise ValueError(f"{trial.subject} was not compared with the Linux wheel")
    if not compared.host_passed:
        raise TrialError(
            f"{trial.subject}: no test of the suite passes with the Linux wheel, so that nothing is recorded",
            hint="see test.suite in docs/recipes.md for what a suite can require",
        )
    named = [Named(one.id, one.emulated) for one in compared.differences if one.host == "passed"]
    return SuiteResult(
        trial.python,
        target,
        version,
        trial.sha256,
        date,
        as_host,
        compared.host_passed,
        compared.both_passed,
        tuple(sorted(named, key=lambda one: one.test)),
    )


def read_results(recipe: Path) -> tuple[SuiteResult, ...]:
    """The results that are kept beside a recipe, by Python and target; empty if there are none.

    Args:
        recipe: The recipe's directory.

    Raises:
        RecipeError: The file is not one that `record` wrote.
    """
    file = recipe / FILE
    try:
        rows = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _damaged(file, str(error).replace("\n", " ")) from error
    if not isinstance(rows, list):
        raise _damaged(file, "it must be a list of results")
    try:
        return tuple(sorted(map(_result, rows), key=_key))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(file, f"a result lacks a field, or has one of another type ({error})") from error


def explained(recipe: Path) -> frozenset[str]:
    """The tests of which the results beside a recipe say why they do not pass, with whatever Python.

    Args:
        recipe: The recipe's directory.

    Raises:
        RecipeError: The file is not one that `record` wrote.
    """
    return frozenset(_whys(read_results(recipe)))


def record(recipe: Path, result: SuiteResult, locks: Path) -> None:
    """Keep a result beside its recipe, in place of an earlier one for the same Python and target.

    What the earlier results say of why a test differs is kept; another Python's result says it as well.

    Args:
        recipe: The recipe's directory.
        result: The result.
        locks: The directory of locks: other processes may record other results of the recipe.

    Raises:
        RecipeError: The file that is there is not one that `record` wrote.
    """
    with locked(locks, f"suite-results-{recipe.name}"):
        _record(recipe, result)


def _record(recipe: Path, result: SuiteResult) -> None:
    kept = read_results(recipe)
    same = [one for one in kept if _key(one) == _key(result)]
    others = [one for one in kept if _key(one) != _key(result)]
    whys = _whys((*others, *same))
    told = tuple(replace(one, why=whys.get(one.test, one.why)) for one in result.differences)
    rows = sorted([*others, replace(result, differences=told)], key=_key)
    text = yaml.safe_dump([_row(one) for one in rows], sort_keys=False, allow_unicode=True, width=1000)
    with atomic_file(recipe / FILE, "w") as out:
        out.write(_HEAD + text)


def _whys(results: Iterable[SuiteResult]) -> dict[str, str]:
    """Why tests differ, as far as it is said; of several results' words the last one's."""
    return {named.test: named.why for one in results for named in one.differences if named.why}


def _key(result: SuiteResult) -> tuple[tuple[int, ...], str]:
    return tuple(int(part) for part in result.python.split(".")), result.target


def _row(result: SuiteResult) -> Mapping[str, object]:
    row: dict[str, Any] = {name: value for name, value in vars(result).items() if name != "differences"}
    if result.differences:
        row["differences"] = [{name: value for name, value in vars(one).items() if value} for one in result.differences]
    return row


def _result(row: Any) -> SuiteResult:
    differences = tuple(Named(**one) for one in row.get("differences", ()))
    result = SuiteResult(**{**row, "date": str(row["date"]), "differences": differences})
    texts: Iterable[object] = (result.python, result.target, result.version, result.wheel)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("python, target, version and wheel are strings, in quotes where they look like numbers")
    said = [text for one in differences for text in (one.test, one.here, one.why)]
    if not all(isinstance(text, str) for text in said):
        raise TypeError("test, here and why are strings, in quotes where they look like numbers")
    if not all(isinstance(number, int) for number in (result.host_passed, result.passed)):
        raise TypeError("host_passed and passed are numbers")
    return result


def _damaged(file: Path, why: str) -> RecipeError:
    return RecipeError(
        f"{file} cannot be read: {why}",
        hint="restore it from version control, or delete it and run 'forge test --record' again",
    )
