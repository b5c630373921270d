"""GNU make's job server: builds that run at the same time share the right to run processes.

A named pipe holds one token for each process that may run. Who starts a build takes a token for it; make, ninja and
cargo take further ones for what they run beside their first process, and put them back (GNU make's manual, "Sharing Job
Slots with GNU make"). So as many processes run as there are CPUs, however many builds there are, and what one build
leaves idle while it configures serves the others.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_TOKEN = b"+"


class JobServer:
    """The pipe, and how many tokens are in it.

    Args:
        jobs: How many processes may run at once.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        # Not in the cache: make's and ninja's variables hold the path, and cannot quote what a user's path has in it.
        self._directory = Path(tempfile.mkdtemp(prefix="forge-jobs-"))
        self.path = self._directory / "tokens"
        os.mkfifo(self.path, 0o600)
        # Open for both, so that neither end ever finds the other closed.
        self._pipe = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._guard = threading.Lock()
        self._taken = 0

    @property
    def makeflags(self) -> str:
        """The value of ``MAKEFLAGS`` by which programs find the pipe; make before 4.4 does not know this form."""
        return f"-j{self.jobs} --jobserver-auth=fifo:{self.path}"

    @contextlib.contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a token for the body: the right to run one process."""
        while not self._take():
            select.select([self._pipe], [], [], 1.0)
        try:
            yield
        finally:
            with self._guard:
                self._taken -= 1
                os.write(self._pipe, _TOKEN)

    def _take(self) -> bool:
        with self._guard:
            if not self._taken:
                self._refill()
            try:
                os.read(self._pipe, 1)
            except BlockingIOError:
                return False
            self._taken += 1
            return True

    def _refill(self) -> None:
        """Make it whole while nothing runs: a program that was killed did not put back what it had taken."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._pipe, 4096):
                pass
        os.write(self._pipe, _TOKEN * self.jobs)

    def close(self) -> None:
        """Remove the pipe; no build may be running."""
        os.close(self._pipe)
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
