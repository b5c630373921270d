"""What the emulating process is told; what Linux provides is made up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.progress import SilentProgress
from forge.base.target import Arch
from forge.emulate.openblas import OpenBLAS
from forge.trial import emulator
from tests.unit.crossbuild.fakes import make_context
from tests.unit.frameworks.modules import INTEL, module
from tests.unit.macho import builder

if TYPE_CHECKING:
    from forge.emulate.runtime.config import LoaderConfig

ACCELERATE = "/System/Library/Frameworks/Accelerate.framework/Accelerate"
MADE = OpenBLAS(Path("/cache/32.so"), Path("/cache/64.so"))


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[Arch]:
    """For which CPUs OpenBLAS was asked for."""
    asked: list[Arch] = []

    def ensure_openblas(context: object, arch: Arch, progress: object) -> OpenBLAS:
        asked.append(arch)
        return MADE

    monkeypatch.setattr(emulator, "check_runs_here", lambda target, cpu: None)
    monkeypatch.setattr(emulator, "ensure_linux", lambda *_: emulator.Linux(("python3",), Path("/cache/shim.so")))
    monkeypatch.setattr(emulator, "ensure_libcxx", lambda *_: Path("/cache/libc++.1.dylib"))
    monkeypatch.setattr(emulator, "ensure_openblas", ensure_openblas)
    return asked


def told(tmp_path: Path, image: bytes) -> LoaderConfig:
    app, work = tmp_path / "app", tmp_path / "work"
    framework = app / "Frameworks" / "pkg._x.framework"
    for directory in (framework, work):
        directory.mkdir(parents=True)
    (framework / "pkg._x").write_bytes(image)
    loader = emulator.ensure_emulator(make_context(tmp_path), INTEL, app, work, SilentProgress(), as_host=True).loader
    assert loader is not None
    return loader


def test_nothing_is_fetched_for_wheels_without_accelerate(tmp_path: Path, fetched: list[Arch]) -> None:
    loader = told(tmp_path, module(INTEL))
    assert fetched == []
    assert (loader.openblas32, loader.openblas64) == (None, None)


def test_accelerate_has_a_stand_in(tmp_path: Path, fetched: list[Arch]) -> None:
    loader = told(tmp_path, module(INTEL, loads=((builder.SYSTEM, builder.LOAD), (ACCELERATE, builder.LOAD))))
    assert fetched == [Arch.X86_64]
    assert (loader.openblas32, loader.openblas64) == (MADE.openblas32, MADE.openblas64)


@pytest.mark.parametrize("name", ["/usr/lib/libc++.1.dylib", "/usr/lib/libc++abi.dylib"])
def test_libcxx_is_made_for_who_loads_it(name: str, tmp_path: Path, fetched: list[Arch]) -> None:
    """It takes a minute to compile."""
    assert told(tmp_path / "c", module(INTEL)).libcxx is None
    loads = ((builder.SYSTEM, builder.LOAD), (name, builder.LOAD))
    assert told(tmp_path / "c++", module(INTEL, loads=loads)).libcxx == Path("/cache/libc++.1.dylib")


@pytest.mark.skipif(
    sys.platform != "linux", reason="nothing is emulated elsewhere, and an old bash drops variables too"
)
def test_the_python_in_the_bundle_gets_the_whole_environment(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    python = emulator.write_python(tmp_path / "a b" / "python", (sys.executable, "-I"))
    environment = {"PATH": "/nowhere", "IN_SUBPROCESS_test-1:x": "1 2", "PLAIN": ""}
    script = "import json, os, sys; print(json.dumps([dict(os.environ), sys.argv[1:]]))"
    said = subprocess.run([python, "-c", script, "a b", ""], env=environment, check=True, capture_output=True)
    found, arguments = json.loads(said.stdout)
    assert found.items() >= environment.items()
    assert arguments == ["a b", ""]
