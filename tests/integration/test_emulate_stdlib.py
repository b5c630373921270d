"""CPython's own extension modules, as forge builds them for the simulator, under CPython's own tests."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING

import capstone
import lief
import pytest

from forge.base.paths import ForgeHome
from forge.base.process import output
from forge.base.progress import SilentProgress
from forge.base.target import Arch
from forge.emulate.darwin_python import apply_edits, undefine
from forge.ios_python.model import Provider
from forge.ios_python.releases import find_release
from forge.plan.provision import ensure_context
from forge.source.fetch import fetch, prepare
from forge.toolchain.environment import cross_environment
from forge.toolchain.llvm import LLVMToolchain
from forge.trial.stdlib import GroupResult, try_standard_library
from tests.integration.budget import need_python
from tests.integration.targets import SIMULATOR

if TYPE_CHECKING:
    from pathlib import Path

    from forge.crossbuild.context import BuildContext

pytestmark = pytest.mark.toolchain

TARGET = SIMULATOR
PROBE = """
#define Py_BUILD_CORE 1
#include <Python.h>
#include "internal/pycore_runtime.h"
#include "internal/pycore_interp.h"
int probe = sizeof(struct pyruntimestate) + sizeof(struct _is);
"""
# Members that are the C library's own, or that stand in for them: their place counts, which that of the next one shows.
OF_LIBC = re.compile(
    r"pthread_|__|darwin_|_opaque_|st_dev|stack_t|ss_size|ss_flags|\[\d+\] __|unsigned int|short|_key$"
)


@pytest.fixture(scope="module")
def context() -> BuildContext:
    home = ForgeHome.from_environment()
    need_python(home, [TARGET])
    return ensure_context(home, "3.13", [TARGET], SilentProgress(), Provider.BUILT)


@pytest.fixture(scope="module")
def source(context: BuildContext, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CPython's source, of the iOS Python's release."""
    archive = fetch(find_release("3.13").cpython.source, context.home, SilentProgress())
    tree = tmp_path_factory.mktemp("source") / "Python"
    prepare(archive, (), tree, SilentProgress())
    return tree


def layout(dump: str) -> dict[str, list[tuple[int, int, str]]]:
    """Each structure's members as (offset, depth, declaration), and its size, from clang's dump."""
    found: dict[str, list[tuple[int, int, str]]] = {}
    for part in dump.split("*** Dumping AST Record Layout\n"):
        rows = [line.split("|", 1) for line in part.splitlines() if "|" in line]
        if rows and rows[0][1].strip() in ("struct pyruntimestate", "struct _is"):
            # Unnamed structures are told by their place in a header, whose lines the edits move.
            named = ((at, text, re.sub(r"\([\w ]+ at [^)]*\)", "", text).strip()) for at, text in rows)
            found[rows[0][1].strip()] = [
                (int(at.strip().partition(":")[0] or -1), len(text) - len(text.lstrip()), name)
                for at, text, name in named
                if name.startswith("[sizeof") or not OF_LIBC.search(name)
            ]
    return found


def test_the_layout_is_darwins(context: BuildContext, source: Path, tmp_path: Path) -> None:
    """Every member of the interpreter's and the runtime's state lies where Darwin's headers have it."""
    probe = tmp_path / "probe.c"
    probe.write_text(PROBE)
    dump = ["-w", "-fsyntax-only", "-Xclang", "-fdump-record-layouts", str(probe)]
    toolchain = context.toolchain
    assert isinstance(toolchain, LLVMToolchain)
    darwin = output(
        ["xcrun", "--sdk", TARGET.abi, "clang", "-target", TARGET.clang_triple,
         f"-I{context.python.headers(TARGET)}", *dump],
        env=cross_environment(toolchain, TARGET, tmp_path),
    )  # fmt: skip
    include = tmp_path / "Include"
    shutil.copytree(source / "Include", include)
    asked = "import sysconfig; print(sysconfig.get_config_h_filename())"
    shutil.copy(output([context.build_python.executable, "-c", asked]).strip(), include)

    def linux() -> dict[str, list[tuple[int, int, str]]]:
        return layout(output([toolchain.llvm.bin / "clang", f"-I{include}", *dump]))

    wanted = layout(darwin)
    assert {name: len(rows) > 300 for name, rows in wanted.items()} == {
        "struct pyruntimestate": True,
        "struct _is": True,
    }
    assert linux() != wanted  # or this would show nothing
    apply_edits(include)
    undefine(include / "pyconfig.h")
    edited = linux()
    for name, rows in wanted.items():
        assert [pair for pair in zip(edited[name], rows, strict=True) if pair[0] != pair[1]] == []


def inverted(path: Path) -> bytes:
    """The module with the branch inverted that ``_siftdown`` takes by the result of a comparison."""
    data = bytearray(path.read_bytes())
    binary = lief.parse(path)
    assert isinstance(binary, lief.MachO.Binary)
    start = next(symbol.value for symbol in binary.symbols if symbol.name == "_siftdown")
    end = min(symbol.value for symbol in binary.symbols if symbol.value > start)
    text = next(section for section in binary.sections if section.name == "__text")
    at = start - text.virtual_address + text.offset
    code = list(capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64).disasm(bytes(data[at : at + end - start]), at))
    (branch,) = [
        two
        for one, two in pairwise(code)
        if one.mnemonic == "test" and two.mnemonic in ("je", "jne") and "eax" not in one.op_str
    ]
    # je and jne differ in the last bit of their opcode, the first byte or the second after 0F (Intel's manual, Jcc).
    opcode = branch.address + (branch.bytes[0] == 0x0F)
    assert struct.pack("B", data[opcode]) in (b"\x74", b"\x75", b"\x84", b"\x85")
    data[opcode] ^= 1
    return bytes(data)


@pytest.fixture(scope="module")
def tests(
    context: BuildContext, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path | None:
    """None where the build Python has CPython's package of tests, which is of its own release; else a copy."""
    code = "import test.libregrtest, test.test_ctypes, test.test_heapq"
    asked: list[str | Path] = [context.build_python.executable, "-c", code]
    if subprocess.run(asked, check=False, capture_output=True).returncode == 0:
        return None
    source: Path = request.getfixturevalue("source")
    directory = tmp_path_factory.mktemp("tests")
    shutil.copytree(source / "Lib" / "test", directory / "test")
    return directory


@pytest.mark.skipif(TARGET.arch != Arch.X86_64, reason="inverts an x86-64 branch")
def test_heapq_passes_and_fails_with_one_branch_inverted(
    context: BuildContext, tests: Path | None, tmp_path: Path
) -> None:
    """The control of it all: what is under test is the Mach-O file's machine code.

    ``_heapq`` knows CPython's public structures only, so the build Python will do.
    """
    (module,) = (context.python.require_product().platform_lib(TARGET) / "lib-dynload").glob("_heapq.*.so")

    def run(name: str, data: bytes) -> GroupResult:
        directory = tmp_path / name
        directory.mkdir()
        (directory / module.name).write_bytes(data)
        python = context.build_python.executable
        (result,) = try_standard_library(
            python, directory, TARGET, context, ["heapq"], SilentProgress(), tests=tests, seconds=120
        )
        assert result.modules == ("_heapq",)
        return result

    whole = run("whole", module.read_bytes())
    assert (whole.comparison.ratio, whole.comparison.differences, whole.notes) == (1.0, (), ())
    assert whole.comparison.host_passed > 40
    broken = run("broken", inverted(module)).comparison
    worse = {one.id.rpartition(".")[2] for one in broken.differences if one.is_worse}
    assert {"test_push_pop", "test_heappushpop"} & worse
    assert [one.id for one in broken.differences if "Python" in one.id] == []  # heapq's Python code is as it was


def test_ctypes_calls_the_mach_o_functions_of_its_tests(
    context: BuildContext, tests: Path | None, tmp_path: Path
) -> None:
    """The Linux ``_ctypes``, for which the build Python will do, calls ``_ctypes_test``, and is called back by it.

    The run's list of modules shows that they are of the Mach-O file, whether or not that Python has one of its own.
    """
    (result,) = try_standard_library(
        context.build_python.executable, tmp_path, TARGET, context, ["ctypes"], SilentProgress(), tests=tests
    )
    assert (result.modules, result.notes) == (("_ctypes_test",), ())
    assert result.comparison.ratio == 1.0
    added = [one for one in result.comparison.differences if one.host in ("absent", "skipped")]
    # Where the build Python has a _ctypes_test, these tests pass with that as well.
    assert result.comparison.both_passed + sum(one.emulated == "passed" for one in added) > 200
    bad = [one for one in added if one.emulated in ("failed", "error", "crashed")]
    assert [one.id for one in bad if "No module named '_testcapi'" not in one.message] == []
