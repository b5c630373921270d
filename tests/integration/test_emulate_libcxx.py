"""libc++ as a Mach-O image: made once, with every symbol of Apple's; and the shim as forge's wheel carries it."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.base.target import Target, select_targets
from forge.emulate import shim_compile
from forge.emulate.libcxx import INSTALL_NAME, ensure_libcxx
from forge.macho.model import Binding
from forge.macho.reader import read_macho
from forge.toolchain.symbols import libraries

if TYPE_CHECKING:
    from forge.toolchain.llvm import LLVMToolchain

pytestmark = pytest.mark.toolchain

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("target", select_targets(), ids=str)
def test_it_exports_every_symbol_of_apples(toolchain: LLVMToolchain, target: Target) -> None:
    home = ForgeHome.from_environment()
    path = ensure_libcxx(home, toolchain, target, SilentProgress(), jobs=1)
    (image,) = read_macho(path).slices
    assert image.install_name is not None
    assert image.install_name.name == INSTALL_NAME
    exported = {export.name for export in image.exports}
    listed = {
        s.name for library in libraries() if "libc++" in library.install_name for s in library.symbols
        if not s.only or target.multiarch in s.only
    }  # fmt: skip
    assert sorted(listed - exported) == []
    # All that it needs is libSystem's, by name, so that the binding tables can be held against it.
    assert {d.name for d in image.dylibs} == {"/usr/lib/libSystem.B.dylib"}
    assert {i.binding for i in image.imports} == {Binding.LIBRARY}
    # Made once.
    before = path.stat().st_mtime_ns
    assert ensure_libcxx(home, toolchain, target, SilentProgress(), jobs=1) == path
    assert path.stat().st_mtime_ns == before


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout's files in a place of their own: a build writes beside the sources."""
    root = tmp_path_factory.mktemp("copy") / "forge"
    root.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes((ROOT / name).read_bytes())
    return root


def build_wheel(copy: Path, out: Path, **environment: str) -> Path:
    command = [sys.executable, "-m", "build", "--wheel", "-o", str(out), "."]
    subprocess.run(command, cwd=copy, check=True, capture_output=True, env={**os.environ, **environment})
    (wheel,) = out.glob("*.whl")
    return wheel


def found_shim(python: Path) -> str:
    """What the installed forge has beside its sources."""
    code = (
        "from forge.emulate import shim_compile as s; p = s.NATIVE / s.file_name(s.host_arch());"
        "print(p if p.is_file() else '')"
    )
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, cwd="/").stdout.strip()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the hook compiles on Linux alone")
def test_a_wheel_made_on_linux_carries_the_shim(copy: Path, tmp_path: Path) -> None:
    wheel = build_wheel(copy, tmp_path / "out")
    assert wheel.name.endswith(f"-py3-none-linux_{os.uname().machine}.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", wheel], check=True)
    shim = found_shim(python)
    assert shim.startswith(str(tmp_path / "venv"))
    load = f"import ctypes; ctypes.CDLL({shim!r}).forge_darwin_arc4random()"
    subprocess.run([python, "-c", load], check=True)
    # The checkout is as it was: what is compiled for a wheel is compiled elsewhere.
    assert list((copy / "forge" / "emulate" / "native").glob("*.so")) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the hook compiles on Linux alone")
def test_without_a_compiler_the_wheel_is_pure(copy: Path, tmp_path: Path) -> None:
    wheel = build_wheel(copy, tmp_path / "out", CC="/no/such/compiler")
    assert wheel.name.endswith("-py3-none-any.whl")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the hook compiles on Linux alone")
def test_an_editable_install_has_the_shim_beside_its_sources(copy: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    stale = copy / "forge" / "emulate" / "native" / "forge-shim-x86_64-0000000000000000.so"
    stale.write_bytes(b"")
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "-e", copy], check=True)
    native = copy / "forge" / "emulate" / "native"
    assert [path.name for path in native.glob("*.so")] == [shim_compile.file_name(shim_compile.host_arch(), native)]
    assert found_shim(python).startswith(str(native))
