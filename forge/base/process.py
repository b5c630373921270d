"""Running other programs: whole logs on disk, the last lines in the error, whole process groups ended."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from forge.base.errors import BuildError, ToolchainError
from forge.base.memory import current_peak, measured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

TAIL_LINES = 30
"""How many of a failed program's last lines an error carries."""

_running: set[subprocess.Popen[bytes]] = set()
_running_guard = threading.Lock()


def run(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path,
    what: str,
) -> None:
    """Run a program to its end; everything it prints goes to *log*, which is appended to.

    The program runs in a process group of its own, which is ended with it if the caller is interrupted.

    Args:
        command: The argument list.
        log: The log file; its parent is made.
        env: The whole environment of the program: nothing is inherited.
        cwd: Its working directory.
        what: What it does, for the error, e.g. ``configure of CPython``.

    Raises:
        ToolchainError: The program does not exist or may not be run.
        BuildError: It exited with another code than 0; carries the log's path and last lines.
    """
    argv = [str(part) for part in command]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        start = out.seek(0, os.SEEK_END)
        out.write(f"\n$ cd {shlex.quote(str(cwd))}\n$ {shlex.join(argv)}\n".encode(errors="surrogateescape"))
        out.flush()
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            raise ToolchainError(
                f"{what}: cannot run {argv[0]}: {error.strerror}", hint="run 'forge doctor'"
            ) from error
        with _until_end(process):
            code = _wait(process)
    if code != 0:
        ended = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        raise BuildError(f"{what}: {shlex.join(argv[:2])} {ended}", log=log, tail=tail(log, start))


def _wait(process: subprocess.Popen[bytes]) -> int:
    """A program's exit code; the memory of its session is looked at meanwhile if somebody wants to know."""
    peak = current_peak()
    if peak is None:
        return process.wait()
    try:
        while True:
            try:
                return process.wait(timeout=1.0)
            except subprocess.TimeoutExpired:
                peak.look(process.pid)
    finally:
        peak.end(process.pid)


def run_each(
    commands: Sequence[tuple[str, Sequence[str | Path]]], *, log: Path, env: Mapping[str, str], cwd: Path, jobs: int
) -> None:
    """Run programs that do not depend on each other, several at once; *log* has the output of one after the other.

    Args:
        commands: What each does, for the error, and its argument list.
        log: The log file, which is appended to.
        env: The whole environment of each program.
        cwd: Their working directory.
        jobs: How many run at once.

    Raises:
        ToolchainError, BuildError: As `run` does; programs that have not been started by then are not.
    """
    guard, peak = threading.Lock(), current_peak()

    def one(numbered: tuple[int, tuple[str, Sequence[str | Path]]]) -> None:
        number, (what, command) = numbered
        own = log.with_name(f".{log.name}.{number}")  # programs that write at the same time would mix their lines
        try:
            with contextlib.nullcontext() if peak is None else measured(peak):
                run(command, log=own, env=env, cwd=cwd, what=what)
        except BuildError as error:
            raise BuildError(error.message, hint=error.hint, log=log, tail=error.tail) from None
        finally:
            if own.is_file():
                with guard, log.open("ab") as whole, own.open("rb") as part:
                    shutil.copyfileobj(part, whole)
                own.unlink()

    with ThreadPoolExecutor(jobs) as pool:
        for _ in pool.map(one, enumerate(commands)):
            pass


def output(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, timeout: float = 300) -> str:
    """What a short program prints on standard output, decoded as UTF-8.

    Args:
        command: The argument list.
        env: The program's whole environment; None inherits this process's.
        timeout: Seconds after which it is ended. The default is for what answers at once on an idle machine: with many
            builds at a time it may take minutes.

    Raises:
        ToolchainError: It does not exist, failed, or took too long.
    """
    argv = [str(part) for part in command]
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=env,
            timeout=timeout,
            check=True,
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "").strip().splitlines()
        raise ToolchainError(
            f"{shlex.join(argv)} exited with code {error.returncode}" + "".join(f"\n  {line}" for line in said[-5:])
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ToolchainError(f"{shlex.join(argv)} timed out after {timeout:.0f} s") from error
    except OSError as error:
        raise ToolchainError(f"cannot run {argv[0]}: {error.strerror}") from error
    return done.stdout


def tail(log: Path, start: int = 0, lines: int = TAIL_LINES) -> tuple[str, ...]:
    """The last lines of a log after byte *start*, decoded leniently."""
    with log.open("rb") as file:
        file.seek(start)
        kept = deque(file, maxlen=lines)
    return tuple(line.decode("utf-8", errors="replace").rstrip() for line in kept)


def end_all() -> None:
    """End every process group that `run` started and that is still running (for a signal handler's use)."""
    with _running_guard:
        processes = list(_running)
    for process in processes:
        _end_group(process)


@contextlib.contextmanager
def _until_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    with _running_guard:
        _running.add(process)
    try:
        yield
    except BaseException:
        _end_group(process)
        raise
    finally:
        with _running_guard:
            _running.discard(process)


def _end_group(process: subprocess.Popen[bytes], patience: float = 3.0) -> None:
    """Ask the group to end, then insist. The group outlives its leader, so it is signalled either way."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            return
        deadline = time.monotonic() + patience
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
