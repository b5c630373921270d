"""How much memory the programs take that a thread runs: what a plan needs to know of a build the next time."""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Peak:
    """The most memory that programs took at the same time, as far as it was looked at: once a second.

    Args:
        bytes: Their resident memory, in bytes.
    """

    bytes: int = 0
    _sessions: dict[int, int] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def look(self, session: int) -> None:
        """Look at the processes of a session."""
        taken = _resident(session)
        with self._guard:
            self._sessions[session] = taken
            self.bytes = max(self.bytes, sum(self._sessions.values()))

    def end(self, session: int) -> None:
        """Forget a session that has ended."""
        with self._guard:
            self._sessions.pop(session, None)


class _Current(threading.local):
    peak: Peak | None = None


_current = _Current()


def current_peak() -> Peak | None:
    """What the programs that this thread runs are counted in; None if nobody asked."""
    return _current.peak


@contextlib.contextmanager
def measured(peak: Peak | None = None) -> Iterator[Peak]:
    """Count the memory of programs that the body runs in this thread.

    Args:
        peak: What they are counted in; None for a new one.
    """
    before, _current.peak = _current.peak, peak or Peak()
    try:
        yield _current.peak
    finally:
        _current.peak = before


def available_memory() -> int:
    """How much memory new programs can take without swapping, in bytes."""
    import psutil  # noqa: PLC0415 - not every command needs it

    return int(psutil.virtual_memory().available)


def _resident(session: int) -> int:
    import psutil  # noqa: PLC0415 - as above

    taken = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # it has ended meanwhile, or is another user's
            if os.getsid(process.pid) == session:
                taken += process.memory_info().rss
    return taken
