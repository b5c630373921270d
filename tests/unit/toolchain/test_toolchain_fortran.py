from __future__ import annotations

import io
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import SourceError, ToolchainError
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.base.target import Target, parse_multiarch, select_targets
from forge.toolchain.fortran import Flang, ensure_runtime, find_flang, unpack_runtime, wrapper_text
from tests.unit.ios_python.fakes import make_toolchain
from tests.unit.toolchain.fakes import write_llvm, write_program

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

SAYS = "echo 'Debian flang-new version 19.1.7 (3~deb12u1)'; echo 'Target: x86_64-pc-linux-gnu'"
DEVICE = parse_multiarch("arm64-iphoneos")
RUNTIME = {
    "flang/runtime/io-api.cpp": b"// io",
    "flang/runtime/complex-reduction.c": b"// c",
    "flang/runtime/execute.cpp": b"// system(3)",
    "flang/lib/Decimal/binary-to-decimal.cpp": b"// decimal",
    "flang/include/flang/Runtime/main.h": b"// main",
    "clang/lib/big.cpp": b"// not needed",
}


@pytest.fixture(autouse=True)
def no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORGE_FLANG", raising=False)


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:xz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"llvm-project-19.1.7.src/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_flang_is_that_of_the_llvm_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_llvm(tmp_path / "llvm-19")
    monkeypatch.setenv("FORGE_LLVM", str(root))
    write_program(root / "bin" / "flang-new", SAYS)
    found = find_flang()
    assert (found.program, found.version) == (root / "bin" / "flang-new", "19.1.7")
    # From LLVM 20 on it has a shorter name.
    write_program(root / "bin" / "flang", "echo 'flang version 20.1.8'")
    assert find_flang().version == "20.1.8"
    assert find_flang().id != found.id


def test_flang_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = write_program(tmp_path / "my-flang", SAYS)
    monkeypatch.setenv("FORGE_FLANG", str(program))
    assert find_flang().program == program


@pytest.mark.parametrize("other", [None, "echo 'GNU Fortran 12.2.0'"], ids=["none", "gfortran"])
def test_no_flang(
    other: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    root = write_llvm(tmp_path / "llvm-19")
    monkeypatch.setenv("FORGE_LLVM", str(root))
    if other:
        write_program(root / "bin" / "flang", other)
    with pytest.raises(ToolchainError) as caught:
        find_flang()
    assert f"{caught.value.message}\nhint: {caught.value.hint}" == snapshot


def test_only_the_runtime_is_unpacked(tmp_path: Path) -> None:
    unpack_runtime(archive(tmp_path / "llvm.tar.xz", RUNTIME), tmp_path / "out")
    files = {str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert files == {name for name in RUNTIME if name.startswith("flang/")}


def test_nothing_is_written_outside(tmp_path: Path) -> None:
    evil = {**RUNTIME, "flang/runtime/../../../../evil.cpp": b"x"}
    unpack_runtime(archive(tmp_path / "llvm.tar.xz", evil), tmp_path / "a" / "b" / "out")
    assert not list(tmp_path.rglob("evil.cpp"))


@pytest.mark.parametrize("content", [b"", b"no archive", b"\xfd7zXZ\x00\x00\x04"], ids=["empty", "text", "cut short"])
def test_what_is_no_archive(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "llvm.tar.xz").write_bytes(content)
    with pytest.raises(SourceError, match=r"^llvm\.tar\.xz"):
        unpack_runtime(tmp_path / "llvm.tar.xz", tmp_path / "out")


def test_another_source(tmp_path: Path) -> None:
    other = archive(tmp_path / "llvm.tar.xz", {"clang/lib/big.cpp": b""})
    with pytest.raises(SourceError, match=r"does not contain flang/runtime and flang/lib/Decimal"):
        unpack_runtime(other, tmp_path / "out")


RECORDS = """printf '%s\\n' "$IPHONEOS_DEPLOYMENT_TARGET $*" >>'@LOG@'
while [ $# -gt 1 ]; do [ "$1" != -o ] || : >"$2"; shift; done"""
"""A compiler that writes down what it was asked (in one write: several run at once) and makes an empty file."""

MAKES_ARCHIVE = """printf '%s\\n' "$*" >>'@LOG@'; : >"$2" """


def wrappers(tmp_path: Path, target: Target) -> tuple[Path, Path]:
    log = tmp_path / "asked"
    for tool, body in {"clang": RECORDS, "clang++": RECORDS, "ar": MAKES_ARCHIVE}.items():
        write_program(tmp_path / "wrappers" / f"{target.host_triple}-{tool}", body.replace("@LOG@", str(log)))
    return tmp_path / "wrappers", log


def test_the_runtime_is_made_once(tmp_path: Path) -> None:
    home = ForgeHome(tmp_path / "home")
    toolchain = make_toolchain(tmp_path / "toolchain")
    flang = Flang(tmp_path / "flang-new", "19.1.7", "flang-new version 19.1.7")
    asked_for: list[Path] = []

    def source() -> Path:
        asked_for.append(archive(tmp_path / "llvm.tar.xz", RUNTIME))
        return asked_for[-1]

    directory, log = wrappers(tmp_path, DEVICE)
    made = ensure_runtime(home, flang, source, toolchain, DEVICE, directory, SilentProgress())
    assert (made.lib / "libFortranRuntime.a").is_file()
    assert os.access(made.bin / "arm64-apple-ios-flang", os.X_OK)
    asked = log.read_text().splitlines()
    assert len(asked) == 4  # three files and the archive: what iOS cannot do is left out
    assert all(line.startswith("12.0 -c -O2 -fPIC -fvisibility=hidden") for line in asked[:3])
    assert sum("-std=c++17" in line for line in asked) == 2
    again = ensure_runtime(home, flang, source, toolchain, DEVICE, directory, SilentProgress())
    assert again == made
    assert len(asked_for) == 1, "what is cached asks for no source"
    assert len(log.read_text().splitlines()) == 4
    simulator = parse_multiarch("arm64-iphonesimulator")
    wrappers(tmp_path, simulator)
    other = ensure_runtime(home, flang, source, toolchain, simulator, directory, SilentProgress())
    assert other.root != made.root


@pytest.fixture
def compiler(tmp_path: Path) -> Path:
    """``<triple>-flang`` beside a flang and a clang that say how they were called."""
    echo = r"""printf '%s' "${0##*/}"; for a; do printf ' %s' "$a"; done; echo"""
    flang = Flang(write_program(tmp_path / "bin" / "flang-new", echo), "19.1.7", "")
    target = parse_multiarch("x86_64-iphonesimulator")
    write_program(tmp_path / "bin" / f"{target.host_triple}-clang", echo)
    program = tmp_path / "bin" / f"{target.host_triple}-flang"
    program.write_text(wrapper_text(flang, target, tmp_path / "lib"))
    program.chmod(0o755)
    return program


def ask(compiler: Path, *arguments: str, **variables: str) -> str:
    env = {"PATH": f"{compiler.parent}:{os.defpath}", **variables}
    done = subprocess.run([compiler, *arguments], env=env, check=True, capture_output=True, text=True)
    return done.stdout.replace(str(compiler.parent.parent), "@")


def test_compiling_is_flangs(compiler: Path) -> None:
    said = ask(compiler, "-O2", "-c", "a.f", "-o", "a.o", IPHONEOS_DEPLOYMENT_TARGET="13.0")
    assert said == "flang-new -target x86_64-apple-ios13.0-simulator -fPIC -O2 -c a.f -o a.o\n"


@pytest.mark.parametrize("question", ["--version", "-E", "-fsyntax-only"])
def test_questions_are_flangs(compiler: Path, question: str) -> None:
    assert ask(compiler, question) == f"flang-new -target x86_64-apple-ios12.0-simulator {question}\n"


def test_linking_is_clangs_with_the_runtime(compiler: Path) -> None:
    said = ask(compiler, "a.o", "b.o", "-shared", "-module-dir", "mods", "-ffixed-form", "-o", "x.so")
    assert said == "x86_64-apple-ios-simulator-clang a.o b.o -shared -o x.so @/lib/libFortranRuntime.a\n"


def test_sources_are_compiled_before_they_are_linked(compiler: Path) -> None:
    first, second = ask(compiler, "p.f90", "-ffree-form", "-o", "p", "-O2").splitlines()
    assert first.startswith("flang-new -target x86_64-apple-ios12.0-simulator -fPIC -c -ffree-form -O2 p.f90 -o ")
    assert first.endswith("/p.f90.o")
    assert second.endswith("/p.f90.o -o p -O2 @/lib/libFortranRuntime.a")


FLANG = r"""
for a; do case $previous in -o) out=$a ;; esac; previous=$a; done
case " $* " in
    *" -emit-llvm "*) cat >"$out" <<END
@_QQclX2F = linkonce constant [15 x i8] c"/long/build/t.f\00", comdat
@_QQcl.0a1b = linkonce constant [4 x i8] c"none", comdat
call ptr @begin(i32 6, ptr nonnull @_QQclX2F, i32 3, ptr @_QQcl.0a1b)
END
    ;;
    *) echo "$TEXT" >"$out" ;;
esac
"""


@pytest.mark.parametrize("leaks", [True, False])
def test_names_of_the_build_machine_are_mapped(leaks: bool, compiler: Path) -> None:
    write_program(compiler.parent / "flang-new", FLANG)
    triple = "x86_64-apple-ios-simulator"
    write_program(compiler.parent / f"{triple}-clang", 'for a; do case $a in *.mapped) cat "$a" ;; esac; done')
    out = compiler.parent / "t.o"
    text = "code /long/build/t.f" if leaks else "code"
    said = ask(
        compiler, "-c", "t.f", "-g", "-o", str(out), FORGE_PREFIX_MAP="/other=/x:/long/build=/usr/src/p", TEXT=text
    )
    mapped = """\
@_QQforge1 = private constant [15 x i8] c"/usr/src/p/t.f\\00", comdat
@_QQcl.0a1b = linkonce constant [4 x i8] c"none", comdat
call ptr @begin(i32 6, ptr nonnull @_QQforge1, i32 3, ptr @_QQcl.0a1b)
"""
    assert said == (mapped if leaks else "")
    assert sorted(path.name for path in out.parent.iterdir() if path.name.startswith("t.o")) == ["t.o"]


@pytest.mark.parametrize("target", select_targets(), ids=str)
def test_the_compiler_command_is_posix_shell(target: Target, tmp_path: Path) -> None:
    text = wrapper_text(Flang(tmp_path / "flang", "19.1.7", ""), target, tmp_path)
    assert "@" not in text.replace('"$@"', "").replace("@_QQ", "")
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)
