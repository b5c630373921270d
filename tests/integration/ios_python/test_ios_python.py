"""The iOS Python that forge builds: complete, right in every slice, answering as PEP 730 says."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.crossbuild.cross_environment import EnvironmentRequest, ensure_cross_environment
from forge.ios_python.model import Provider
from forge.ios_python.product import XCFramework, read_xcframework
from forge.macho.reader import read_macho
from forge.plan.provision import ensure_context
from forge.toolchain.environment import TOOLS_DIRECTORY
from forge.toolchain.symbols import libraries
from tests.integration.budget import need_python
from tests.integration.targets import COMPILED

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.macho.model import MachOSlice

pytestmark = pytest.mark.toolchain

MODULES = {
    "_bz2", "_ctypes", "_decimal", "_hashlib", "_lzma", "_multiprocessing", "_posixshmem", "_sqlite3", "_ssl", "_uuid",
    "zlib", "math", "_datetime", "_socket", "select", "mmap", "unicodedata", "pyexpat", "_struct", "array",
}  # fmt: skip


@pytest.fixture(scope="module")
def context() -> BuildContext:
    home = ForgeHome.from_environment()
    need_python(home, COMPILED)
    return ensure_context(home, "3.13", COMPILED, SilentProgress(), Provider.BUILT)


@pytest.fixture(scope="module")
def product(context: BuildContext) -> XCFramework:
    return context.python.require_product()


@pytest.fixture(params=COMPILED, ids=str)
def target(request: pytest.FixtureRequest) -> Target:
    chosen: Target = request.param
    return chosen


def slices_of(product: XCFramework, target: Target) -> dict[str, MachOSlice]:
    """The extension modules' only slices, by module name."""
    directory = product.platform_lib(target) / "lib-dynload"
    found = {path.name.partition(".")[0]: read_macho(path).slices for path in directory.glob("*.so")}
    assert all(len(pieces) == 1 for pieces in found.values())
    return {name: pieces[0] for name, pieces in found.items()}


def test_has_every_extension_module(product: XCFramework, target: Target) -> None:
    assert set(product.extension_modules(target)) >= MODULES


def test_every_module_is_a_dylib_of_its_target(product: XCFramework, target: Target) -> None:
    minimum = (target.effective_ios_version.major, target.effective_ios_version.minor)
    for name, piece in slices_of(product, target).items():
        assert piece.file_type.name == "DYLIB", name
        assert str(piece.cpu) == str(target.arch), name
        assert piece.build is not None, name
        assert piece.build.platform.name == ("IOS_SIMULATOR" if target.is_simulator else "IOS"), name
        assert (piece.build.minos.major, piece.build.minos.minor) == minimum, name
        assert piece.exports_symbol(f"_PyInit_{name}"), name


def test_modules_load_only_what_ios_has(product: XCFramework, target: Target) -> None:
    for name, piece in slices_of(product, target).items():
        for dylib in piece.dylibs:
            assert dylib.name == "@rpath/Python.framework/Python" or dylib.name.startswith(
                ("/usr/lib/", "/System/Library/Frameworks/")
            ), f"{name} loads {dylib.name}"


def test_the_simulator_uses_the_plain_names_of_functions(product: XCFramework, target: Target) -> None:
    """macOS's x86_64 has stat$INODE64 beside stat; iOS's simulator never had."""
    binary = product.slice(target) / "Python.framework" / "Python"
    for piece in read_macho(binary).slices:
        names = {symbol.name for symbol in piece.imports}
        assert "_fstat" in names
        assert not {name for name in names if "$INODE64" in name or "$1050" in name}


def test_nothing_newer_than_the_minimum_is_bound_strongly(product: XCFramework, target: Target) -> None:
    newer = {s.name for library in libraries() for s in library.symbols if s.since is not None}
    binary = product.slice(target) / "Python.framework" / "Python"
    every = [*slices_of(product, target).values(), *read_macho(binary).slices]
    strong = {
        symbol.name
        for piece in every
        if piece.build is not None and piece.build.minos.major < 13
        for symbol in piece.imports
        if not symbol.weak and symbol.name in newer
    }
    assert strong <= {"___chkstk_darwin"}


def test_answers_as_pep_730_says(context: BuildContext, target: Target, tmp_path: Path) -> None:
    lock = tmp_path / "empty.lock"
    lock.write_text("", encoding="utf-8")
    wanted = EnvironmentRequest(context.python, target, context.build_python, context.toolchain, lock)
    environment = ensure_cross_environment(context.home, wanted)
    code = """
import json, os, platform, sys, sysconfig
print(json.dumps({
    "sys.platform": sys.platform, "multiarch": sys.implementation._multiarch,
    "platform": sysconfig.get_platform(), "suffix": sysconfig.get_config_var("EXT_SUFFIX"),
    "system": platform.system(), "machine": platform.machine(), "sysname": os.uname().sysname,
    "ios_ver": list(platform.ios_ver()),
}))
"""
    done = subprocess.run([environment.cross_python, "-c", code], check=True, capture_output=True, text=True)
    said = json.loads(done.stdout)
    assert said["sys.platform"] == "ios"
    assert said["multiarch"] == target.multiarch
    assert said["platform"] == f"ios-12.0-{target.multiarch}"
    assert said["suffix"] == f".cpython-313-{target.abi}.so"
    assert said["system"] == "iOS"
    assert said["machine"] == target.arch
    assert said["sysname"] == "Darwin"
    assert said["ios_ver"][0] == "iOS"
    assert said["ios_ver"][1] == "12.0"
    assert said["ios_ver"][3] is target.is_simulator


def test_names_no_place_of_this_machine_and_can_be_moved(
    context: BuildContext, product: XCFramework, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere" / "Python.xcframework"
    shutil.copytree(product.root, moved, symlinks=True)
    described = read_xcframework(moved)
    assert described.version == product.version
    assert {t.multiarch for t in described.targets} == {t.multiarch for t in product.targets}
    root = str(context.home.root).encode()
    for path in moved.rglob("*"):
        if path.is_symlink():
            assert not path.readlink().is_absolute(), path
            assert path.exists(), path
        elif path.is_file():
            content = path.read_bytes()
            assert root not in content, path
            assert f"/{TOOLS_DIRECTORY}/".encode() not in content, path


def test_the_objective_c_runtime_is_found_on_every_ios(context: BuildContext, product: XCFramework) -> None:
    """On iOS 12 and 13 find_library() finds nothing: the loader does not tell what its shared cache has."""
    code = """
import ctypes.util, runpy, sys, types
opened = []
def load(path):
    opened.append(path)
    return types.SimpleNamespace(objc_getClass=types.SimpleNamespace(), sel_registerName=types.SimpleNamespace())
ctypes.cdll.LoadLibrary = load
ctypes.util.find_library = lambda name: None
runpy.run_path(sys.argv[1])
print(*opened)
"""
    module = product.stdlib / "_ios_support.py"
    command = (context.build_python.executable, "-c", code, module)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "/usr/lib/libobjc.A.dylib\n"


def test_builds_are_there_once(context: BuildContext) -> None:
    again = ensure_context(context.home, "3.13", COMPILED, SilentProgress(), Provider.BUILT)
    assert again.python == context.python
