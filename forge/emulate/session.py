"""A test session in the emulating Python: started anew after each crash, until every test has been run.

A crash, a trap or a test that takes too long costs the test that it happened in, not those after it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from forge.base.process import tail
from forge.emulate.process import Ended, run_limited

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from forge.emulate.runtime.config import LoaderConfig
    from forge.emulate.runtime.guise import Guise

MAX_CRASHES = 25
"""After so many a session is given up: something is wrong with all of it."""

_PYTEST_NOTHING_LEFT = 5
_PYTEST_ENDS = frozenset({0, 1, _PYTEST_NOTHING_LEFT})
"""pytest's exit codes after it ran what it was to run: passed, failed, nothing collected."""


@dataclass(frozen=True)
class Emulator:
    """The program that emulates, and what it is started with.

    Args:
        command: The Linux Python, behind qemu where it is for another CPU.
        env: Its whole environment.
        loader: How to load Mach-O files; None to run the tests without any, for comparison.
        guise: What to answer as; None for the Linux that it is.
        executable: What ``sys.executable`` is to be: in the app's bundle, it starts the same Python; None for its own.
    """

    command: tuple[str, ...]
    env: Mapping[str, str]
    loader: LoaderConfig | None
    guise: Guise | None
    executable: Path | None = None


@dataclass(frozen=True)
class Limits:
    """What a session may use.

    Args:
        seconds: For each process.
        memory: Bytes of address space for each process; 0 for no limit.
    """

    seconds: float = 3600
    memory: int = 0


@dataclass(frozen=True)
class Case:
    """A test that was run.

    Args:
        id: pytest's node id.
        outcome: ``passed``, ``failed``, ``error``, ``skipped``, ``xfailed``, ``xpassed``, or ``crashed``.
        seconds: How long it took.
        message: What pytest, or the crash's record, says.
    """

    id: str
    outcome: str
    seconds: float
    message: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether it counts against the wheel."""
        return self.outcome in ("failed", "error", "crashed")


@dataclass(frozen=True)
class Incident:
    """A process that did not end by itself, or ended in no way that pytest ends.

    Args:
        kind: ``trap`` (a function that nobody provides was called), ``fault``, ``timeout`` or ``exit``.
        test: The test that it happened in; None outside of any.
        text: What happened, in one line.
        record: What the process wrote down, as data.
    """

    kind: str
    test: str | None
    text: str
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a session.

    Args:
        cases: Every test, in the order they were run.
        incidents: What went wrong with the processes.
        reports: What the loader of each process that ended by itself tells: images, modules, bindings.
        seconds: Together.
        peak_bytes: The most memory that a process had in RAM; 0 where that is not known.
        output: The file with what the processes printed.
    """

    cases: tuple[Case, ...]
    incidents: tuple[Incident, ...]
    reports: tuple[Mapping[str, Any], ...]
    seconds: float
    peak_bytes: int
    output: Path

    @property
    def is_good(self) -> bool:
        """Whether tests were run and none counts against the wheel."""
        return bool(self.cases) and not self.incidents and not any(case.is_bad for case in self.cases)


def run_session(
    emulator: Emulator,
    *,
    paths: Sequence[Path],
    arguments: Sequence[str],
    cwd: Path,
    work: Path,
    limits: Limits | None = None,
) -> Outcome:
    """Run pytest in emulating processes until every test has been run.

    Args:
        emulator: What runs it.
        paths: What goes to the front of ``sys.path``; forge's runtime is there as well.
        arguments: pytest's.
        cwd: The working directory of the tests.
        work: An existing directory for the session's own files.
        limits: Time and memory.

    Raises:
        ToolchainError: The Python, or qemu, cannot be run.
    """
    limits = limits or Limits()
    output, results = work / "output.log", work / "results.jsonl"
    cases: dict[str, Case] = {}
    incidents: list[Incident] = []
    reports: list[Mapping[str, Any]] = []
    seconds, peak = 0.0, 0
    while True:
        report, records = work / "report.json", work / "records.jsonl"
        for file in (report, records, results):
            file.unlink(missing_ok=True)
        session = {
            "loader": _loader(emulator.loader, records),
            "guise": None if emulator.guise is None else asdict(emulator.guise),
            "executable": emulator.executable and str(emulator.executable),
            "paths": [str(path) for path in paths],
            "run": "pytest",
            "arguments": ["pytest", *arguments],
            "memory": limits.memory,
            "results": str(results),
            "report": str(report),
            "skip": list(cases),
        }
        (work / "session.json").write_text(json.dumps(session), encoding="utf-8")
        ended = run_limited(
            [*emulator.command, "-m", "forge.emulate.runtime.main", work / "session.json"],
            env=emulator.env, cwd=cwd, output=output, timeout=limits.seconds,
        )  # fmt: skip
        seconds += ended.seconds
        peak = max(peak, ended.peak_bytes)
        running = None
        finished = False
        for row in _rows(results):
            running = None
            if "ended" in row:
                finished = row["ended"] in _PYTEST_ENDS
            elif "outcome" in row:
                cases[row["test"]] = Case(row["test"], row["outcome"], row["seconds"], row["message"])
            else:
                running = row["test"]
        if report.is_file():
            reports.append(json.loads(report.read_text(encoding="utf-8")))
        if finished and ended.normally:
            break
        incident = _incident(ended, running, list(_rows(records)), output)
        incidents.append(incident)
        if running is None or len(incidents) >= MAX_CRASHES:
            break
        cases[running] = Case(running, "crashed", 0.0, incident.text)
    return Outcome(tuple(cases.values()), tuple(incidents), tuple(reports), seconds, peak, output)


def _loader(config: LoaderConfig | None, records: Path) -> dict[str, Any] | None:
    if config is None:
        return None
    return {**json.loads(config.to_json()), "report": str(records)}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file of lines; the last may be cut off by a crash."""
    if not path.is_file():
        return
    for line in path.read_bytes().splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def _incident(ended: Ended, running: str | None, records: Sequence[Mapping[str, Any]], output: Path) -> Incident:
    if ended.timed_out:
        return Incident("timeout", running, f"timed out after {ended.seconds:.0f} s")
    # A trap ends in abort(), which is recorded as a fault after it: the first tells.
    record = next((row for row in records if row.get("kind") in ("trap", "fault")), None)
    if record is not None:
        return Incident(str(record["kind"]), running, describe_record(record), record)
    if ended.signal is not None:
        return Incident("fault", running, f"was killed by {ended.signal}")
    last = tail(output, lines=1)
    return Incident("exit", running, f"exited with code {ended.code}: {last[0] if last else 'no output'}")


def describe_record(record: Mapping[str, Any]) -> str:
    """What a trap's or a fault's record says, in one line; ``forge/emulate/native/loader.h`` has their fields."""
    if record.get("kind") == "trap":
        caller = record.get("caller") or {}
        where = f"{caller['symbol']} of " if caller.get("symbol") else ""
        library = record.get("library") or "any library"
        importer = _file(record.get("importer"))
        return f"{where}{importer} called {record.get('symbol')} of {library}, which is not provided"
    frames = [frame for frame in record.get("frames") or [] if frame.get("image")]
    places = [f"{frame.get('symbol') or '?'} of {_file(frame['image'])}" for frame in frames[:3]]
    return f"{record.get('signal')} in {', called from '.join(places) or 'no code of a Mach-O file'}"


def _file(path: object) -> str:
    return str(path).rpartition("/")[2] if path else "an image"
