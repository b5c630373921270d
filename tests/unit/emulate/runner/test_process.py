from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import ToolchainError
from forge.emulate.process import run_limited

if TYPE_CHECKING:
    from pathlib import Path

    from forge.emulate.process import Ended

ENV = {"PATH": "/usr/bin:/bin"}


def run(tmp_path: Path, script: str, timeout: float = 30) -> Ended:
    return run_limited([sys.executable, "-c", script], env=ENV, cwd=tmp_path, output=tmp_path / "log", timeout=timeout)


def test_a_process_that_ends(tmp_path: Path) -> None:
    ended = run(tmp_path, "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(7)")
    assert (ended.code, ended.signal, ended.timed_out, ended.normally) == (7, None, False, True)
    assert 0 < ended.seconds < 30
    assert ended.peak_bytes > 2**20
    assert (tmp_path / "log").read_text().split() == ["out", "err"]


def test_both_runs_are_in_the_log(tmp_path: Path) -> None:
    run(tmp_path, "print('one')")
    run(tmp_path, "print('two')")
    assert (tmp_path / "log").read_text().split() == ["one", "two"]


def test_a_signal_is_named(tmp_path: Path) -> None:
    ended = run(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert (ended.code, ended.signal, ended.normally) == (0, "SIGSEGV", False)


def test_time_is_limited(tmp_path: Path) -> None:
    start = time.monotonic()
    ended = run(tmp_path, "import time; time.sleep(60)", timeout=0.3)
    assert (ended.timed_out, ended.normally) == (True, False)
    assert time.monotonic() - start < 20


def test_children_that_were_left_behind_are_ended(tmp_path: Path) -> None:
    """One that would write a file in a moment does not."""
    child = "import time; time.sleep(1); open('written', 'w')"
    script = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}])"
    assert run(tmp_path, script).normally
    time.sleep(1.5)
    assert not (tmp_path / "written").exists()


def test_the_environment_is_the_one_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_USER", "1")
    run(tmp_path, "import os; print('OF_THE_USER' in os.environ)")
    assert (tmp_path / "log").read_text() == "False\n"


def test_no_such_program(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="cannot run /no/such/python: No such file or directory"):
        run_limited(["/no/such/python"], env=ENV, cwd=tmp_path, output=tmp_path / "log", timeout=1)
