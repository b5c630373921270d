"""How many CPUs this process may use."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from forge.base.cpus import cgroup_limits, cpu_count

if TYPE_CHECKING:
    from pathlib import Path


def test_at_least_one_and_no_more_than_there_are() -> None:
    assert 1 <= cpu_count() <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux binds processes to CPUs")
def test_a_process_that_is_bound_to_one_cpu_has_one() -> None:
    code = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]);"
    code += " from forge.base.cpus import cpu_count; print(cpu_count())"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said == "1\n"


@pytest.mark.parametrize(
    ("files", "limits"),
    [
        ({}, []),
        ({"cpu.max": "max 100000"}, []),
        ({"cpu.max": "150000 100000"}, [2]),
        ({"a/cpu.max": "400000 100000", "a/b/cpu.max": "50000 100000"}, [4, 1]),
        ({"a/other/cpu.max": "50000 100000"}, []),
        ({"a/cpu.max": "nonsense"}, []),
        ({"a/cpu.max": "1 0"}, []),
    ],
)
def test_a_containers_limit(tmp_path: Path, files: dict[str, str], limits: list[int]) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    proc = tmp_path / "cgroup"
    proc.write_text("1:name=systemd:/x\n0::/a/b\n")
    assert cgroup_limits(proc, tmp_path) == limits


def test_a_system_without_control_groups(tmp_path: Path) -> None:
    assert cgroup_limits(tmp_path / "nothing", tmp_path) == []
