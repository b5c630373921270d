from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forge.base.errors import BuildError, SourceError
from forge.base.paths import ForgeHome
from forge.crossbuild.context import BuildContext
from forge.emulate import ctypes_test
from forge.emulate.ctypes_test import ensure_ctypes_test
from forge.ios_python.build_python import BuildPython
from forge.ios_python.model import IOSPython
from forge.ios_python.releases import Release
from tests.unit.ios_python.fakes import DEVICE, VERSION, Recorder, make_toolchain, pinned, tarball
from tests.unit.toolchain.fakes import write_program

if TYPE_CHECKING:
    from pathlib import Path

# A compiler that writes its arguments to what it is to make.
COMPILER = """
said="$*"
while [ $# -gt 1 ]; do
    case $1 in *.c) test -f "$1" || exit 66 ;; esac
    shift
done
echo "$said" > "$1"
"""
SOURCES = {"Modules/_ctypes/_ctypes_test.c": "int answer;\n"}


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    toolchain = make_toolchain(tmp_path / "toolchain")
    write_program(tmp_path / "toolchain" / "bin" / "xcrun", COMPILER)
    python = IOSPython(tmp_path / "Python.xcframework", VERSION, (DEVICE,), ((DEVICE.multiarch, "abc"),))
    return BuildContext(ForgeHome(tmp_path / "home"), toolchain, python, BuildPython(tmp_path / "python3", VERSION))


def release_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> None:
    cpython = pinned("cpython", tarball(tmp_path / "Python.tar", files), VERSION)
    asked: list[str] = []

    def find_release(version: str) -> Release:
        asked.append(version)
        return Release("3.13", cpython, ())

    monkeypatch.setattr(ctypes_test, "find_release", find_release)


def test_it_is_compiled_once_as_cpython_links_modules(
    context: BuildContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_of(tmp_path, monkeypatch, SOURCES)
    directory = ensure_ctypes_test(context, DEVICE, Recorder())
    (module,) = directory.iterdir()
    assert module.name == "_ctypes_test.cpython-313-iphoneos.so"
    said = module.read_text().split()
    slice_ = str(context.python.slice(DEVICE))
    assert said[:5] == ["--sdk", "iphoneos", "clang", "-target", DEVICE.clang_triple]
    assert said[said.index("-F") :][:4] == ["-F", slice_, "-framework", "Python"]
    assert "-dynamiclib" in said
    # The second time from the cache, without a source or a compiler.
    (tmp_path / "Python.tar").unlink()
    progress = Recorder()
    assert ensure_ctypes_test(context, DEVICE, progress) == directory
    assert progress.said == []
    assert list(context.home.work.iterdir()) == []


def test_another_toolchain_makes_another(
    context: BuildContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_of(tmp_path, monkeypatch, SOURCES)
    first = ensure_ctypes_test(context, DEVICE, Recorder())
    other: Any = make_toolchain(tmp_path / "toolchain")
    write_program(tmp_path / "toolchain" / "bin" / "xcrun", COMPILER)
    object.__setattr__(other, "id", "toolchain 2")
    changed = BuildContext(context.home, other, context.python, context.build_python)
    assert ensure_ctypes_test(changed, DEVICE, Recorder()) != first


def test_a_failure_leaves_nothing(context: BuildContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release_of(tmp_path, monkeypatch, SOURCES)
    write_program(tmp_path / "toolchain" / "bin" / "xcrun", "echo 'error: no SDK'; exit 1")
    with pytest.raises(BuildError, match="compiling _ctypes_test") as raised:
        ensure_ctypes_test(context, DEVICE, Recorder())
    assert raised.value.tail[-1] == "error: no SDK"
    assert list((context.home.root / "emulate" / "ctypes-test").iterdir()) == []


def test_a_source_without_it(context: BuildContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release_of(tmp_path, monkeypatch, {"README": ""})
    with pytest.raises(
        SourceError, match=r"the source of CPython 3\.13 does not contain Modules/_ctypes/_ctypes_test\.c"
    ):
        ensure_ctypes_test(context, DEVICE, Recorder())
