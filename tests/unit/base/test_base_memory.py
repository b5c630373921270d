from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from forge.base.memory import available_memory, current_peak, measured
from forge.base.process import run, run_each

if TYPE_CHECKING:
    from pathlib import Path

MEGABYTES = 150


def hungry(megabytes: int) -> list[str]:
    """A program whose child takes memory for two seconds."""
    child = f"import time; taken = b'x' * ({megabytes} << 20); time.sleep(2.5)"
    return [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"]


def test_what_programs_and_their_children_take(tmp_path: Path) -> None:
    with measured() as peak:
        run(hungry(MEGABYTES), log=tmp_path / "log", env=os.environ, cwd=tmp_path, what="eat")
    assert MEGABYTES < peak.bytes >> 20 < 3 * MEGABYTES
    assert current_peak() is None


def test_programs_that_run_at_once_count_together(tmp_path: Path) -> None:
    commands = [("eat", hungry(MEGABYTES))] * 2
    with measured() as peak:
        run_each(commands, log=tmp_path / "log", env=os.environ, cwd=tmp_path, jobs=2)
    assert 2 * MEGABYTES < peak.bytes >> 20 < 5 * MEGABYTES


def test_there_is_memory() -> None:
    assert available_memory() > 1 << 20
