"""Showing progress: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from forge.base.atomic import LOGGER

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

    def _line(self, text: str) -> None:
        elapsed = time.monotonic() - self._start
        self._console.print(Text(f"[{elapsed:7.1f} s] {text}"), soft_wrap=True)


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

    def __rich__(self) -> RenderableType:
        now = time.monotonic()
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        with self._guard:
            running = set(self._current.values())  # of each thread the last
            for subject, row in self._rows.items():
                over = row.ended is not None or subject not in running
                mark: RenderableType = Text("✓", style="green") if over else self._spinner
                elapsed = Text(f"{(row.ended or now) - row.began:.0f} s" if not over or row.ended else "", style="dim")
                table.add_row(mark, Text(subject), Text(row.phase, style="dim" if over else "cyan"), elapsed)
            notes = [Text(note, style="yellow") for note in self._notes[-5:]]
        return Group(table, *notes)


@contextlib.contextmanager
def progress_display(console: Console) -> Iterator[Progress]:
    """A live table while the body runs if *console* is a terminal, else plain lines."""
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
