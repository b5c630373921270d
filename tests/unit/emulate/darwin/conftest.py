"""The shim, compiled once a session with the build machine's compiler, warnings as errors.

Where pytest-xdist runs several processes, the first that needs it compiles it for all.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import filelock
import pytest

from forge.emulate import shim_compile

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def shim_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not sys.platform.startswith("linux") or shim_compile.host_arch() not in {"x86_64", "arm64"}:
        pytest.skip("the shim is for Linux")
    compiler = shim_compile.compiler()
    if shutil.which(compiler[0]) is None:
        pytest.skip("there is no C compiler")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = shared / "shim.so"
    with filelock.FileLock(f"{made}.lock"):
        if not made.exists():
            done = subprocess.run(
                [*shim_compile.command(compiler, made), "-Werror"], check=False, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="session")
def shim(shim_file: Path) -> ctypes.CDLL:
    return ctypes.CDLL(str(shim_file))
