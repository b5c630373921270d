"""Which targets the tests compile the large things for: one in each run, all three where FORGE_LONG_TESTS is set.

Large are CPython with its libraries and numpy with OpenBLAS, LAPACK and Fortran's runtime: on two slow cores each takes
up to half an hour for each target. The one is a simulator that this machine runs. Small packages, in all languages but
Fortran, are built for all three in every run.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from forge.base.target import Abi, Arch, Target, select_targets
from forge.trial.emulator import host_arch

if TYPE_CHECKING:
    from collections.abc import Collection

LONG = "FORGE_LONG_TESTS" in os.environ
DEVICE = Target(Abi.IPHONEOS, Arch.ARM64)
SIMULATOR = Target(Abi.IPHONESIMULATOR, host_arch() or Arch.X86_64)
COMPILED = select_targets() if LONG else (SIMULATOR,)
runs_here = pytest.mark.skipif(host_arch() is None, reason="this machine's CPU is none of iOS's")
long = pytest.mark.skipif(not LONG, reason="takes minutes to an hour: set FORGE_LONG_TESTS")

LARGE: Collection[str] = ("fortran", "lapack", "numpy", "openblas", "scikit-learn", "scipy")


def skip_if_large(name: str, target: Target) -> None:
    """Skip a test that builds a large recipe for a target that is not compiled for in this run."""
    if name in LARGE and target.multiarch not in {each.multiarch for each in COMPILED}:
        pytest.skip(f"{name} takes minutes: set FORGE_LONG_TESTS to build it for {target.multiarch}")
