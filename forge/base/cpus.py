"""How many processes are worth running at once."""

from __future__ import annotations

import itertools
import math
import os
from pathlib import Path


def cpu_count() -> int:
    """How many CPUs this process may use: fewer than there are, where it is bound to some or a container is limited.

    The affinity mask is the scheduler's (sched_getaffinity(2)), the limit that of control groups of version 2
    (``cpu.max`` in the kernel's documentation).
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([count, *cgroup_limits()]))


def cgroup_limits(proc: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """How many CPUs a process's control group and those around it allow, rounded up; empty without a limit.

    Args:
        proc: Says which group the process is in.
        root: Where groups are mounted.
    """
    try:
        own = next((line[3:] for line in proc.read_text("ascii").splitlines() if line.startswith("0::/")), "/")
    except (OSError, ValueError):
        return []
    limits = []
    for directory in (root, *(root / part for part in itertools.accumulate(Path(own.strip("/")).parts, os.path.join))):
        try:
            quota, period = (directory / "cpu.max").read_text("ascii").split()
            limits.append(math.ceil(int(quota) / int(period)))
        except (OSError, ValueError, ZeroDivisionError):  # no limit ('max'), no such file, another system
            continue
    return limits
