"""A pytest plugin that writes each test's outcome down at once, so that a crash loses nothing but the test it was in.

The file has one JSON object a line: ``{"test": id}`` when a test starts, ``{"test": id, "outcome": …, "seconds": …,
"message": …}`` when it has ended, and ``{"ended": code}`` when pytest has. Outcomes are pytest's: ``passed``,
``failed``, ``skipped``, ``error`` (of a fixture, or of collecting a file), ``xfailed``, ``xpassed``.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_LONGEST_MESSAGE = 8000


class ResultWriter:
    """The plugin.

    Args:
        path: The file, appended to.
        skip: Ids of tests that are not to be run, since an earlier process ran them.
    """

    def __init__(self, path: Path, skip: Collection[str] = ()) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._skip = frozenset(skip)
        self._seconds: dict[str, float] = {}
        self._worst: dict[str, tuple[str, str]] = {}

    def _write(self, **row: Any) -> None:
        # One write a line, without a buffer of Python's that a crash would take along.
        os.write(self._file, json.dumps(row).encode() + b"\n")

    def end(self, code: int) -> None:
        """Pytest has ended with an exit code of its own."""
        self._write(ended=code)

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        """Leave out what was run before."""
        if gone := [item for item in items if item.nodeid in self._skip]:
            config.hook.pytest_deselected(items=gone)
            items[:] = [item for item in items if item.nodeid not in self._skip]

    def pytest_collectreport(self, report: Any) -> None:
        """A file that cannot be collected is an error; one that skips itself is skipped."""
        if report.failed or report.skipped:
            outcome = "error" if report.failed else "skipped"
            self._write(test=report.nodeid, outcome=outcome, seconds=0.0, message=_message(report))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test starts."""
        self._write(test=nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """A phase (setup, call, teardown) of a test has ended."""
        test = report.nodeid
        self._seconds[test] = self._seconds.get(test, 0.0) + report.duration
        outcome = _outcome(report)
        if outcome is not None and (test not in self._worst or self._worst[test][0] in ("passed", "skipped")):
            self._worst[test] = (outcome, "" if outcome == "passed" else _message(report))

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A test has ended."""
        outcome, message = self._worst.pop(nodeid, ("passed", ""))
        self._write(test=nodeid, outcome=outcome, seconds=round(self._seconds.pop(nodeid, 0.0), 6), message=message)


def _outcome(report: Any) -> str | None:
    expected = hasattr(report, "wasxfail")
    if report.passed:
        return ("xpassed" if expected else "passed") if report.when == "call" else None
    if report.skipped:
        return "xfailed" if expected else "skipped"
    return "failed" if report.when == "call" else "error"


def _message(report: Any) -> str:
    text = report.longreprtext or (str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else "")
    return text[-_LONGEST_MESSAGE:]
