"""Showing progress: a live table on a terminal, groups of lines in GitHub's CI, JSON where asked for, else lines."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from forge.base.atomic import LOGGER
from forge.base.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.base.progress import Progress

FINAL = ("done", "taken from the cache", "up to date", "failed")
"""Phases that end a subject."""


class PlainProgress:
    """One line an event: seconds since the start, subject, phase. For CI and files."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._start = time.monotonic()

    def phase(self, subject: str, phase: str) -> None:
        """Print the phase."""
        self._line(f"{subject}: {phase}")

    def note(self, subject: str, text: str) -> None:
        """Print the note."""
        self._line(f"{subject}: {text}")

    def whole(self, done: int, total: int, seconds: float) -> None:
        """Ignore: the lines tell."""

    def _line(self, text: str) -> None:
        # Not through rich, which takes a third of a millisecond to lay a line out.
        self._console.file.write(self._stamped(text) + "\n")
        self._console.file.flush()

    def _stamped(self, text: str) -> str:
        return printable(f"[{time.monotonic() - self._start:7.1f} s] {text}")


class GroupedProgress(PlainProgress):
    """Lines in groups that GitHub's CI folds: what a build said stands together, and is printed when it has ended.

    (GitHub's documentation of workflow commands: ``::group::``.)
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._guard = threading.Lock()
        self._groups: dict[int, tuple[str, list[str]]] = {}
        """Of each thread that is at something, what it is at, and what was said of it."""

    def phase(self, subject: str, phase: str) -> None:
        """Keep the phase for the group, or print the group if it has ended."""
        with self._guard:
            thread = threading.get_ident()
            name, lines = self._groups.setdefault(thread, (subject, []))
            lines.append(self._stamped(f"{subject}: {phase}"))
            if name == subject and phase in FINAL:
                del self._groups[thread]
                self._print(name, phase, lines)

    def close(self) -> None:
        """Print what has not ended, as after an error."""
        with self._guard:
            for name, lines in self._groups.values():
                self._print(name, "not finished", lines)
            self._groups.clear()

    def _print(self, name: str, phase: str, lines: list[str]) -> None:
        text = "\n".join([f"::group::{printable(name)}: {phase}", *lines, "::endgroup::"])
        self._console.file.write(text + "\n")
        self._console.file.flush()


class JSONProgress:
    """A line of JSON an event, on standard output."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._guard = threading.Lock()

    def phase(self, subject: str, phase: str) -> None:
        """Print the phase."""
        self.event("phase", subject=subject, phase=phase)

    def note(self, subject: str, text: str) -> None:
        """Print the note."""
        self.event("note", subject=subject, text=text)

    def whole(self, done: int, total: int, seconds: float) -> None:
        """Print how much is done."""
        self.event("whole", done=done, total=total, seconds_left=round(seconds, 1))

    def event(self, kind: str, **values: object) -> None:
        """Print an event with values of its own."""
        with self._guard:
            data = {"event": kind, "time": round(time.monotonic() - self._start, 3), **values}
            click.echo(json.dumps(data, ensure_ascii=True))


@dataclass
class _Row:
    phase: str
    began: float
    seconds: dict[str, float] = field(default_factory=dict)
    ended: float | None = None


class LiveProgress:
    """A table with a row for each subject, redrawn as time goes by."""

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}
        self._current: dict[int, str] = {}
        self._notes: list[str] = []
        self._guard = threading.Lock()
        self._spinner = Spinner("dots")
        self._whole: tuple[int, int, float] | None = None

    def phase(self, subject: str, phase: str) -> None:
        """Enter the phase in the subject's row."""
        now = time.monotonic()
        with self._guard:
            row = self._rows.setdefault(subject, _Row(phase, now))
            self._current[threading.get_ident()] = subject
            row.phase = phase
            row.ended = now if phase in FINAL else None

    def note(self, subject: str, text: str) -> None:
        """Keep the note below the table."""
        with self._guard:
            self._notes.append(f"{subject}: {text}")

    def whole(self, done: int, total: int, seconds: float) -> None:
        """Show a bar, and when the whole is expected to end."""
        with self._guard:
            self._whole = (done, total, time.monotonic() + seconds)

    def __rich__(self) -> RenderableType:
        now = time.monotonic()
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        with self._guard:
            running = set(self._current.values())  # of each thread the last
            ended = [subject for subject, row in self._rows.items() if row.ended is not None]
            hidden = set(ended[:-_ROWS])
            for subject, row in self._rows.items():
                if subject in hidden:
                    continue
                over = row.ended is not None or subject not in running
                mark: RenderableType = Text("✓", style="green") if over else self._spinner
                elapsed = Text(f"{(row.ended or now) - row.began:.0f} s" if not over or row.ended else "", style="dim")
                table.add_row(mark, Text(subject), Text(row.phase, style="dim" if over else "cyan"), elapsed)
            notes = [Text(note, style="yellow") for note in self._notes[-5:]]
            whole = self._whole
        return Group(table, *notes, *(() if whole is None else (_bar(*whole, now),)))


_ROWS = 12
"""How many builds that have ended a table shows; the others are counted by the bar."""


def _bar(done: int, total: int, end: float, now: float) -> RenderableType:
    left = max(0.0, end - now)
    time_left = f"about {left:.0f} s left" if left < 100 else f"about {left / 60:.0f} min left"
    line = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    line.add_row(
        ProgressBar(total=total, completed=done, width=30), Text(f"{done} of {total}"),
        Text(time_left if done < total else "", style="dim"),
    )  # fmt: skip
    return line


@contextlib.contextmanager
def progress_display(console: Console, events: JSONProgress | None = None) -> Iterator[Progress]:
    """A live table while the body runs if *console* is a terminal, else lines; or *events*, if they are given."""
    if events is not None:
        with _announced(events):
            yield events
        return
    if os.environ.get("GITHUB_ACTIONS") == "true":
        grouped = GroupedProgress(console)
        with _announced(grouped):
            try:
                yield grouped
            finally:
                grouped.close()
        return
    if not console.is_terminal:
        plain = PlainProgress(console)
        with _announced(plain):
            yield plain
        return
    live = LiveProgress()
    with Live(live, console=console, refresh_per_second=8), _announced(live):
        yield live


@contextlib.contextmanager
def _announced(progress: Progress) -> Iterator[None]:
    """Note in the display that another process is waited for."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            progress.note("forge", record.getMessage())

    handler = Handler()
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
