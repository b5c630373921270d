from __future__ import annotations

import shutil
import stat
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import ToolchainError
from forge.base.paths import ForgeHome
from forge.base.target import Arch
from forge.emulate import shim_compile
from forge.emulate.shim import shim_path

if TYPE_CHECKING:
    from pathlib import Path

HERE = pytest.mark.skipif(
    shim_compile.host_arch() not in set(Arch) or shutil.which("cc") is None, reason="needs a C compiler on Linux"
)
# A compiler that tells its version, and otherwise writes its arguments where its output is wanted.
COMPILER = """\
#!/bin/sh
if [ "$1" = --version ]; then echo "@VERSION@"; exit 0; fi
echo run >> "@LOG@"
while [ $# -gt 0 ]; do
    if [ "$1" = -o ]; then echo compiled > "$2"; fi
    shift
done
"""


@pytest.fixture
def native(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "native"
    directory.mkdir()
    (directory / "one.c").write_text("int one;\n")
    monkeypatch.setattr(shim_compile, "NATIVE", directory)
    for function in (shim_compile.sources, shim_compile.sources_sha256):
        monkeypatch.setattr(function, "__defaults__", (directory,))
    monkeypatch.setattr(shim_compile.file_name, "__defaults__", (directory,))
    monkeypatch.setattr(shim_compile.command, "__defaults__", (directory,))
    return directory


def write_compiler(tmp_path: Path, version: str) -> Path:
    path = tmp_path / "fake-cc"
    path.write_text(COMPILER.replace("@VERSION@", version).replace("@LOG@", str(tmp_path / "log")))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def runs(tmp_path: Path) -> int:
    log = tmp_path / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


@HERE
def test_the_shim_is_compiled_once_for_each_compiler_and_source(
    tmp_path: Path, native: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = ForgeHome(tmp_path / "home")
    arch = Arch(shim_compile.host_arch())
    monkeypatch.setenv("CC", str(write_compiler(tmp_path, "cc 1")))
    first = shim_path(home, arch)
    assert first.read_text() == "compiled\n"
    assert shim_path(home, arch) == first
    assert runs(tmp_path) == 1
    write_compiler(tmp_path, "cc 2")
    assert shim_path(home, arch) != first
    assert runs(tmp_path) == 2
    (native / "one.h").write_text("#define ONE 1\n")
    assert shim_path(home, arch).name != first.name
    assert runs(tmp_path) == 3


@HERE
def test_what_came_with_the_wheel_is_taken_if_it_is_of_these_sources(
    tmp_path: Path, native: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = ForgeHome(tmp_path / "home")
    arch = Arch(shim_compile.host_arch())
    monkeypatch.setenv("CC", str(write_compiler(tmp_path, "cc 1")))
    built = native / shim_compile.file_name(arch)
    built.write_text("built with the wheel")
    assert shim_path(home, arch) == built
    assert runs(tmp_path) == 0
    (native / "one.c").write_text("int other;\n")
    assert shim_path(home, arch) != built
    assert runs(tmp_path) == 1


@HERE
def test_without_a_compiler(tmp_path: Path, native: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "/no/such/compiler")
    with pytest.raises(ToolchainError, match="/no/such/compiler"):
        shim_path(ForgeHome(tmp_path / "home"), Arch(shim_compile.host_arch()))
    assert not list((tmp_path / "home").glob("emulate/shim/*"))


def test_another_machine_needs_a_sysroot(tmp_path: Path) -> None:
    other = Arch.ARM64 if shim_compile.host_arch() == "x86_64" else Arch.X86_64
    with pytest.raises(ToolchainError, match="cannot be compiled here"):
        shim_path(ForgeHome(tmp_path / "home"), other)


def test_cc_may_carry_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "ccache gcc -m64")
    assert shim_compile.compiler() == ["ccache", "gcc", "-m64"]
    monkeypatch.setenv("CC", "")
    assert shim_compile.compiler() == ["cc"]
