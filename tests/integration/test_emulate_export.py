"""Python 3.15's way to make a module (PEP 793), of Mach-O code."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from forge.base.errors import NetworkError
from forge.base.paths import ForgeHome
from forge.base.process import output
from forge.base.progress import SilentProgress
from forge.emulate.runtime.config import LoaderConfig
from forge.ios_python.model import Provider
from forge.plan.provision import ensure_context
from forge.toolchain.environment import cross_environment
from forge.trial.emulator import ensure_linux
from tests.integration.pythons import linux_python
from tests.integration.targets import SIMULATOR, runs_here

pytestmark = [pytest.mark.toolchain, runs_here]

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).parent / "emulate" / "loader" / "exported.c"

SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
from forge.emulate.runtime import LoaderConfig, install
install(LoaderConfig.from_json({config!r}))
import exported
print(exported.answer(), exported.__file__)
"""


def test_a_module_made_of_slots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_BUILD_PYTHON", str(linux_python("3.15").executable))
    try:
        home = ForgeHome.from_environment()
        context = ensure_context(home, "3.15", [SIMULATOR], SilentProgress(), Provider.ASSEMBLED)
    except NetworkError as error:
        pytest.skip(f"the headers of Python 3.15 cannot be had: {error.message.splitlines()[0]}")
    module = tmp_path / f"exported.cpython-315-{SIMULATOR.abi}.so"
    output(
        ["xcrun", "--sdk", SIMULATOR.abi, "clang", "-target", SIMULATOR.clang_triple, "-O1", "-bundle",
         f"-I{context.python.headers(SIMULATOR)}", "-Wl,-undefined,dynamic_lookup", SOURCE, "-o", module],
        env=cross_environment(context.toolchain, SIMULATOR, tmp_path),
    )  # fmt: skip
    linux = ensure_linux(context, SIMULATOR.arch, SilentProgress())
    config = LoaderConfig(shim=linux.shim)
    script = SCRIPT.format(root=str(ROOT), here=str(tmp_path), config=config.to_json())
    done = subprocess.run([*linux.command, "-I", "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["42", str(module)]
