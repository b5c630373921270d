"""Closures of libffi, linked into Mach-O code: what ctypes' and cffi's callbacks are made of."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.base.process import output
from forge.base.progress import SilentProgress
from forge.emulate.guest import find_qemu
from forge.emulate.runtime.config import LoaderConfig
from forge.plan.builds import build_one
from forge.plan.provision import ensure_context
from forge.recipe.store import find_recipes
from forge.toolchain.environment import cross_environment
from forge.trial.emulator import ensure_linux, host_arch
from tests.integration.targets import DEVICE, SIMULATOR

if TYPE_CHECKING:
    from forge.base.target import Target

pytestmark = pytest.mark.toolchain

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).parent / "emulate" / "loader" / "closures.c"
TARGETS = (SIMULATOR, DEVICE)

SCRIPT = """
import ctypes, sys
sys.path.insert(0, {root!r})
from forge.emulate.runtime import LoaderConfig, install
install(LoaderConfig.from_json({config!r}))
print(ctypes.CDLL({library!r}).wrong_closures({count}))
"""


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_closures_answer(target: Target, tmp_path: Path) -> None:
    """3,000 at once: on arm64 three pages of 1,024 trampolines, each a copy of libffi's code with data before it."""
    if target.arch != host_arch() and find_qemu() is None:
        pytest.skip("there is no qemu-aarch64")
    context = ensure_context(ForgeHome.from_environment(), "3.13", [target], SilentProgress())
    store = find_recipes()
    built = build_one(store.load("libffi"), target, context, store, tmp_path / "wheels", SilentProgress())
    with zipfile.ZipFile(built.wheel) as archive:
        archive.extractall(tmp_path)
    library = tmp_path / "libclosures.dylib"
    output(
        ["xcrun", "--sdk", target.abi, "clang", "-target", target.clang_triple, "-O1", f"-I{tmp_path}/opt/include",
         "-dynamiclib", SOURCE, tmp_path / "opt" / "lib" / "libffi.a", "-o", library],
        env=cross_environment(context.toolchain, target, tmp_path),
    )  # fmt: skip
    linux = ensure_linux(context, target.arch, SilentProgress())
    config = LoaderConfig(shim=linux.shim).to_json()
    done = subprocess.run(
        [*linux.command, "-I", "-c", SCRIPT.format(root=str(ROOT), config=config, library=str(library), count=3000)],
        check=False, capture_output=True, text=True, timeout=120, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("0\n", 0), done.stderr
