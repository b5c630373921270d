"""Running a process with a limit on its time, and telling how it ended."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.errors import ToolchainError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Args:
        code: Its exit code; 0 where a signal ended it.
        signal: The signal's name, e.g. ``SIGSEGV``, or None.
        timed_out: Whether its time was over.
        seconds: How long it ran.
        peak_bytes: The most memory that it, or a child of this process before it, had in RAM.
    """

    code: int
    signal: str | None
    timed_out: bool
    seconds: float
    peak_bytes: int

    @property
    def normally(self) -> bool:
        """Whether it ended by itself, with any exit code."""
        return self.signal is None and not self.timed_out


def run_limited(
    command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, output: Path, timeout: float
) -> Ended:
    """Run a process in a group of its own, which is ended with it, when its time is over, or if this is interrupted.

    Args:
        command: The argument list.
        env: The whole environment.
        cwd: Its working directory.
        output: A file that both of its streams are appended to.
        timeout: Seconds.

    Raises:
        ToolchainError: The program cannot be run.
    """
    argv = [str(part) for part in command]
    start = time.monotonic()
    with output.open("ab") as out:
        try:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=dict(env), cwd=cwd,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise ToolchainError(f"cannot run {argv[0]}: {error.strerror}", hint="run 'forge doctor'") from error
    timed_out = False
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired:
        timed_out = True
        code = 0
    finally:
        _kill_group(process)
    seconds = time.monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    if code < 0:
        return Ended(0, signal.Signals(-code).name, timed_out, seconds, peak)
    return Ended(code, None, timed_out, seconds, peak)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the group: a test may leave children behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
