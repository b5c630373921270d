"""What runs of ``forge build --json`` and ``forge test --json`` left behind, read back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from forge.base.errors import ForgeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_BYTES = 64 * 1024 * 1024
"""The largest file of results that is read; a run of a hundred recipes leaves a few MB."""


class ReportError(ForgeError):
    """A file is not what ``forge build --json`` or ``forge test --json`` prints."""

    exit_code: ClassVar[int] = 15
    title: ClassVar[str] = "report"


@dataclass(frozen=True)
class BuiltWheel:
    """A wheel that a run gave out.

    Args:
        filename: Its name.
        path: Where it was, on the machine of the run.
        subject: What was built, e.g. ``numpy 2.5.5 arm64-iphoneos``.
        built: Whether it was built rather than taken from a cache.
        seconds: How long that took, if it is known.
    """

    filename: str
    path: str
    subject: str
    built: bool
    seconds: float | None = None


@dataclass(frozen=True)
class TestResult:
    """What became of a wheel's tests.

    Args:
        subject: As `BuiltWheel` has it, or the wheel's file name.
        python: The version of Python, or an empty string.
        passed: How many tests passed.
        total: How many there were.
        is_good: Whether there were some and none failed.
    """

    __test__: ClassVar[bool] = False  # pytest takes it for tests

    subject: str
    python: str
    passed: int
    total: int
    is_good: bool


@dataclass(frozen=True)
class FailedNode:
    """Something that failed, or was skipped because of that.

    Args:
        subject: What was to be done.
        message: What went wrong; for what was skipped, because of what.
        hint: What to do next, or an empty string.
        first_error: The first line of the log that reports an error, or an empty string.
        is_skipped: Whether it was skipped.
    """

    subject: str
    message: str
    hint: str = ""
    first_error: str = ""
    is_skipped: bool = False


@dataclass(frozen=True)
class Results:
    """What several runs did.

    Args:
        wheels: The wheels.
        tests: The tests.
        failures: What failed or was skipped.
    """

    wheels: tuple[BuiltWheel, ...] = ()
    tests: tuple[TestResult, ...] = ()
    failures: tuple[FailedNode, ...] = ()


def read_results(files: Iterable[Path]) -> Results:
    """Read the results of several runs.

    A run that was cut off leaves a line that is not complete: the last one of a file may be.

    Args:
        files: What ``forge build --json`` or ``forge test --json`` printed.

    Raises:
        ReportError: A file cannot be read, or is something else.
    """
    wheels: dict[str, BuiltWheel] = {}
    tests: list[TestResult] = []
    failures: dict[str, FailedNode] = {}
    for file in files:
        reader = _Reader(file)
        reader.read()
        for wheel in reader.wheels:
            known = wheels.get(wheel.filename)
            if known is None or (wheel.built and not known.built):
                wheels[wheel.filename] = wheel
        tests += reader.tests
        for failure in reader.failures:
            if failure.subject not in failures or failures[failure.subject].is_skipped:
                failures[failure.subject] = failure
    return Results(tuple(wheels.values()), tuple(tests), tuple(failures.values()))


class _Reader:
    """Reads one file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.wheels: list[BuiltWheel] = []
        self.tests: list[TestResult] = []
        self.failures: list[FailedNode] = []
        self.seconds: dict[str, float] = {}

    def read(self) -> None:
        """Read all of it.

        Raises:
            ReportError: It cannot be read, or is something else.
        """
        text = self._text()
        try:
            whole = json.loads(text)
        except (ValueError, RecursionError):
            whole = None
        if isinstance(whole, dict) and "trials" in whole:
            for trial in self._items(whole, "trials"):
                self._trial(trial)
            return
        for event in self._events(text):
            self._event(event)

    def _text(self) -> str:
        try:
            with self.file.open("rb") as opened:
                content = opened.read(MAX_BYTES + 1)
        except OSError as error:
            raise ReportError(f"cannot read {self.file}: {error.strerror}", hint="name files of results") from error
        if len(content) > MAX_BYTES:
            raise ReportError(f"{self.file} is larger than {MAX_BYTES:,} bytes", hint="name files of results")
        return content.decode("utf-8", errors="replace")

    def _events(self, text: str) -> Iterator[dict[str, Any]]:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        for place, (number, line) in enumerate(lines):
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                event = None
            if isinstance(event, dict) and isinstance(event.get("event"), str):
                yield event
            elif place == 0 or place + 1 < len(lines):
                raise self._wrong(f"line {number} is not an event")

    def _event(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "ended":
                seconds = event.get("seconds")
                if isinstance(seconds, int | float) and event.get("state") == "built":
                    self.seconds[self._string(event, "name")] = float(seconds)
                if event.get("state") == "skipped":
                    because = self._string(event, "because", "")
                    message = f"not built, since {because} failed" if because else "not built"
                    self.failures.append(FailedNode(self._string(event, "name"), message, is_skipped=True))
            case "wheel":
                path, subject = self._string(event, "path"), self._string(event, "subject")
                name = path.replace("\\", "/").rpartition("/")[2]
                built = event.get("built") is True
                self.wheels.append(BuiltWheel(name, path, subject, built, self.seconds.get(subject)))
            case "test":
                self.tests.append(
                    TestResult(
                        self._string(event, "subject"), self._string(event, "python", ""),
                        self._number(event, "tests_passed"), self._number(event, "tests"), event.get("passed") is True,
                    )
                )  # fmt: skip
            case "error":
                self.failures.append(
                    FailedNode(
                        self._string(event, "subject"), self._string(event, "message"),
                        self._string(event, "hint", ""), self._string(event, "first_error", ""),
                    )
                )  # fmt: skip
            case _:  # what happened meanwhile
                pass

    def _trial(self, trial: dict[str, Any]) -> None:
        counts = trial.get("counts")
        numbers = [each for each in counts.values() if isinstance(each, int)] if isinstance(counts, dict) else []
        passed = self._number(counts, "passed") if isinstance(counts, dict) else 0
        self.tests.append(
            TestResult(
                self._string(trial, "subject"), self._string(trial, "python", ""), passed, sum(numbers),
                trial.get("good") is True,
            )
        )  # fmt: skip

    def _items(self, data: dict[str, Any], key: str) -> list[dict[str, Any]]:
        items = data[key]
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self._wrong(f"{key!r} is not a list of objects")
        return items

    def _string(self, data: dict[str, Any], key: str, default: str | None = None) -> str:
        value = data.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self._wrong(f"{key!r} is not a string")
        return value

    def _number(self, data: dict[str, Any], key: str) -> int:
        value = data.get(key, 0)
        if not isinstance(value, int) or value < 0:
            raise self._wrong(f"{key!r} is not a number")
        return value

    def _wrong(self, why: str) -> ReportError:
        return ReportError(
            f"{self.file} is not what 'forge build --json' or 'forge test --json' prints: {why}",
            hint="redirect the command's standard output to a file, and name that",
        )
