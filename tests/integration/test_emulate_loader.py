"""Mach-O code loaded and run: what forge's toolchain compiles, with both kinds of fixups."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forge.base.paths import ForgeHome
from forge.base.process import output
from forge.base.progress import SilentProgress
from forge.base.target import Abi, Arch, Target, select_targets
from forge.emulate.guest import find_qemu
from forge.emulate.libcxx import ensure_libcxx
from forge.emulate.runtime.main import VARIABLE
from forge.frameworks.make import make_frameworks
from forge.frameworks.options import Options
from forge.plan.builds import build_one
from forge.plan.provision import ensure_context
from forge.recipe.store import find_recipes
from forge.toolchain.environment import cross_environment
from forge.trial.emulator import ensure_linux

if TYPE_CHECKING:
    from forge.crossbuild.context import BuildContext

pytestmark = pytest.mark.toolchain

ROOT = Path(__file__).parents[2]
SOURCES = Path(__file__).parent / "emulate" / "loader"
RPATH = "-Wl,-rpath,@loader_path"

START = """
import ctypes, json, os, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from forge.emulate.runtime import LoaderConfig, install
loader = install(LoaderConfig.from_json({config!r}))
HERE = {here!r}
def library(name, kind=ctypes.CDLL):
    return kind(f"{{HERE}}/lib{{name}}.dylib")
"""


@dataclass(frozen=True)
class Emulator:
    """Runs a script in the Linux Python that takes Mach-O files.

    Args:
        target: What the code is for.
        command: What starts that Python.
        shim: The shim.
        libcxx: The Mach-O libc++.
        here: Where the libraries under test are.
        executable: The app's executable, or None.
    """

    target: Target
    command: tuple[str, ...]
    shim: Path
    libcxx: Path
    here: Path
    executable: Path | None = None

    def run(self, script: str, report: Path | None = None) -> subprocess.CompletedProcess[str]:
        config = json.dumps(
            {
                "shim": str(self.shim),
                "libcxx": str(self.libcxx),
                "report": report and str(report),
                "executable_path": self.executable and str(self.executable),
            }
        )
        start = START.format(root=str(ROOT), config=config, here=str(self.here))
        return subprocess.run(
            [*self.command, "-I", "-X", "faulthandler", "-c", start + script],
            check=False, capture_output=True, text=True, timeout=120, cwd=self.here,
        )  # fmt: skip

    def value(self, script: str) -> Any:
        """What a script assigns to ``result``."""
        done = self.run(script + "\nprint('\\nresult', json.dumps(result), flush=True)")
        assert done.returncode == 0, done.stderr
        rows = [line for line in done.stdout.splitlines() if line.startswith("result ")]
        return json.loads(rows[0].removeprefix("result "))


@pytest.fixture(scope="session")
def context() -> BuildContext:
    return ensure_context(ForgeHome.from_environment(), "3.13", select_targets(), SilentProgress())


def host_target() -> Target:
    arch = Arch.X86_64 if os.uname().machine == "x86_64" else Arch.ARM64
    return Target(Abi.IPHONESIMULATOR, arch, select_targets()[0].ios_version)


DEVICE = Target(Abi.IPHONEOS, Arch.ARM64, select_targets()[0].ios_version)
KINDS = {
    "opcodes": (host_target(), "-no_fixup_chains"),
    "chained": (host_target(), "-fixup_chains"),
    "device": (DEVICE, "-fixup_chains"),
}


@pytest.fixture(scope="session", params=KINDS)
def emulator(
    request: pytest.FixtureRequest, context: BuildContext, tmp_path_factory: pytest.TempPathFactory
) -> Emulator:
    target, fixups = KINDS[request.param]
    if target.arch != host_target().arch and find_qemu() is None:
        pytest.skip("there is no qemu-aarch64")
    here = tmp_path_factory.mktemp("libraries")
    env = cross_environment(context.toolchain, target, here)
    headers = context.python.headers(target)

    def link(compiler: str, made: str, source: str, *flags: str) -> None:
        output(
            ["xcrun", "--sdk", target.abi.value, compiler, "-target", target.clang_triple, "-O1",
             "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls", f"-Wl,{fixups}",
             str(SOURCES / source), "-o", str(here / made), *flags],
            env=env,
        )  # fmt: skip

    def dylib(name: str, source: str, *flags: str, prefix: str = "@rpath") -> None:
        compiler = "clang++" if source.endswith("cpp") else "clang"
        standard = ("-std=c++17",) if source.endswith("cpp") else ()
        shared = ("-dynamiclib", "-install_name", f"{prefix}/lib{name}.dylib", RPATH)
        link(compiler, f"lib{name}.dylib", source, *standard, *shared, *flags)

    dylib("provider", "provider.cpp")
    dylib("user", "user.cpp", str(here / "libprovider.dylib"))
    dylib("plain", "plain.c", "-Wl,-U,_not_there", prefix="@loader_path")
    dylib("stacked", "stacked.c", f"-Wl,-reexport_library,{here / 'libplain.dylib'}")
    dylib("above", "above.c", str(here / "libstacked.dylib"))
    dylib("trouble", "trouble.c", "-Wl,-undefined,dynamic_lookup")
    for module in ("multi", "single"):
        flags = ("-bundle", f"-I{headers}", "-Wl,-undefined,dynamic_lookup")
        link("clang", f"{module}.cpython-313-iphonesimulator.so", f"{module}.c", *flags)
    (here / "mülti.cpython-313-iphonesimulator.so").symlink_to("multi.cpython-313-iphonesimulator.so")
    (here / "package").mkdir()
    (here / "package" / "__init__.py").touch()
    (here / "package" / "single.abi3.so").write_bytes((here / "single.cpython-313-iphonesimulator.so").read_bytes())
    libcxx = ensure_libcxx(context.home, context.toolchain, target, SilentProgress(), jobs=1)
    linux = ensure_linux(context, target.arch, SilentProgress())
    return Emulator(target, linux.command, linux.shim, libcxx, here)


def test_every_kind_of_fixup_and_initialisers(emulator: Emulator) -> None:
    """And terminators: the library writes a line when the process ends."""
    done = emulator.run("print(library('plain').check_fixups())")
    assert (done.stdout.split(), done.returncode) == (["0", "finished"], 0), done.stderr


def test_reexported_symbols_and_thread_locals_by_name(emulator: Emulator) -> None:
    script = """
plain, above = library("plain"), library("above")
local = ctypes.c_long.in_dll(plain, "exported_local").value
result = [above.call_through(10), local, len(loader.report()["images"])]
"""
    assert emulator.value(script) == [11, 11, 3]


def test_an_image_is_loaded_once_whatever_its_path(emulator: Emulator) -> None:
    script = """
import pathlib
pathlib.Path("again.dylib").unlink(missing_ok=True)
os.symlink("libplain.dylib", "again.dylib")
data = [ctypes.addressof(ctypes.c_int.in_dll(ctypes.CDLL(name), "exported_data"))
        for name in ("./libplain.dylib", "again.dylib", HERE + "/../" + os.path.basename(HERE) + "/libplain.dylib")]
result = len(set(data))
"""
    assert emulator.value(script) == 1


def test_exceptions_and_rtti(emulator: Emulator) -> None:
    script = "user = library('user'); result = [user.within(), user.over_libraries(13), user.rtti()]"
    assert emulator.value(script) == [42, 13, 5]


def test_an_exception_through_pythons_frames(emulator: Emulator) -> None:
    script = """
user, provider = library("user", ctypes.PyDLL), library("provider", ctypes.PyDLL)
callback = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_int)
user.reached.argtypes = user.through.argtypes = [callback, ctypes.c_int]
assert user.reached(callback(user.over_libraries), 20) == 21
user.through(callback(lambda code: provider.refuse(code)), 55)
"""
    done = emulator.run(script)
    assert done.returncode == 55, done.stderr


def test_weak_definitions_are_one_over_images(emulator: Emulator) -> None:
    script = """
user, provider = library("user"), library("provider")
result = [provider.count_in_provider(), user.count_in_user(), provider.count_in_provider()]
"""
    assert emulator.value(script) == [1, 2, 3]


def test_thread_locals_of_a_thousand_threads(emulator: Emulator) -> None:
    script = """
import threading
user = library("user")
seen = []
def use():
    seen.append((user.use_locals(), user.use_locals()))
for _ in range(20):
    threads = [threading.Thread(target=use) for _ in range(50)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
result = [len(seen), sorted(set(seen)), user.locals_made(), user.locals_alive()]
"""
    assert emulator.value(script) == [1000, [[8, 9]], 1000, 0]


def test_a_forked_child_goes_on(emulator: Emulator) -> None:
    script = """
user = library("user")
user.use_locals()
child = os.fork()
if child == 0:
    ok = user.within() == 42 and user.use_locals() == 9 and library("plain").check_fixups() == 0
    os._exit(0 if ok else 1)
result = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""
    assert emulator.value(script) == 0


def test_ctypes_tells_what_is_wrong(emulator: Emulator) -> None:
    (emulator.here / "cut.dylib").write_bytes((emulator.here / "libplain.dylib").read_bytes()[:5000])
    script = """
def error(kind, call):
    try: call()
    except kind as reason: return str(reason).replace(HERE, "HERE")
result = [
    error(AttributeError, lambda: library("plain").no_such_function),
    error(OSError, lambda: ctypes.CDLL(HERE + "/cut.dylib")),
    error(OSError, lambda: ctypes.CDLL(HERE + "/absent.dylib")),
]
"""
    missing, cut, absent = emulator.value(script)
    assert missing == "HERE/libplain.dylib: symbol not found: no_such_function"
    assert cut.startswith("HERE/cut.dylib: malformed mach-o: ")
    assert absent.startswith("HERE/absent.dylib: cannot open shared object file")  # glibc's own words


def test_errno_is_the_hosts_for_python(emulator: Emulator) -> None:
    """Both ways: what ctypes hands over and what it takes back; the numbers differ between the systems."""
    script = """
import errno
plain = ctypes.CDLL(HERE + "/libplain.dylib", use_errno=True)
ctypes.set_errno(errno.EAGAIN)
seen = plain.swap_errno(60)  # Darwin's ETIMEDOUT
result = [seen, ctypes.get_errno() == errno.ETIMEDOUT]
try: os.stat("/no/such/file")
except OSError as error: result.append(error.errno)
"""
    assert emulator.value(script) == [35, True, 2]  # Darwin's EAGAIN


def test_arguments_are_pythons(emulator: Emulator) -> None:
    script = """
plain = library("plain")
plain.first_argument.restype = ctypes.c_char_p
result = [plain.first_argument().decode() == sys.orig_argv[0], plain.argument_count() == len(sys.orig_argv)]
"""
    assert emulator.value(script) == [True, True]


def test_a_library_that_is_not_there(emulator: Emulator, tmp_path: Path) -> None:
    """A load that fails leaves nothing behind, and succeeds once what was missing has come."""
    lonely = tmp_path / "libuser.dylib"
    lonely.write_bytes((emulator.here / "libuser.dylib").read_bytes())
    script = f"""
import shutil
try: ctypes.CDLL({str(lonely)!r})
except OSError as error: said = str(error)
left = [image["path"] for image in loader.report()["images"]]
shutil.copy(HERE + "/libprovider.dylib", {str(tmp_path)!r})
result = [said, left, ctypes.CDLL({str(lonely)!r}).within()]
"""
    said, left, value = emulator.value(script)
    assert "Library not loaded: @rpath/libprovider.dylib" in said
    assert f"tried: '{tmp_path}/libprovider.dylib' (no such file)" in said
    assert (left, value) == ([], 42)


def test_extension_modules(emulator: Emulator) -> None:
    """Multi-phase, single-phase, imported again, below a package, and under a name that is not ASCII."""
    script = """
sys.path.insert(0, HERE)
import importlib, multi, single
try: multi.fail()
except KeyError as error: said = str(error)
first = single.times
del sys.modules["single"]
import single, package.single as below
special = importlib.import_module("mülti")
modules = loader.report()["modules"]
result = [multi.answer, said, first, single.times, below.__name__, below.__file__, below.times, special.__name__,
          multi.__spec__.origin, sorted(modules)]
"""
    here = emulator.here
    assert emulator.value(script) == [
        42, "'from multi'", 1, 1, "package.single", f"{here}/package/single.abi3.so", 1, "mülti",
        f"{here}/multi.cpython-313-iphonesimulator.so", ["multi", "mülti", "package.single", "single"],
    ]  # fmt: skip


def test_a_damaged_extension_module_is_an_import_error(emulator: Emulator) -> None:
    data = (emulator.here / "multi.cpython-313-iphonesimulator.so").read_bytes()
    (emulator.here / "damaged.cpython-313-iphonesimulator.so").write_bytes(data[:3000])
    (emulator.here / "other.cpython-313-iphonesimulator.so").write_bytes(data)
    script = """
sys.path.insert(0, HERE)
def error(name):
    try: __import__(name)
    except ImportError as reason: return [reason.name, str(reason).replace(HERE, "HERE"), os.path.basename(reason.path)]
result = [error("damaged"), error("other")]
"""
    damaged, other = emulator.value(script)
    file = "damaged.cpython-313-iphonesimulator.so"
    assert damaged[0] == "damaged"
    assert damaged[1].startswith(f"HERE/{file}: malformed mach-o: ")
    assert damaged[2] == file
    assert other[1] == "dynamic module does not define module export function (PyInit_other)"


@pytest.mark.parametrize("first", [True, False], ids=["main interpreter first", "other interpreter first"])
def test_two_interpreters(emulator: Emulator, first: bool, tmp_path: Path) -> None:
    loader = {"shim": str(emulator.shim), "libcxx": str(emulator.libcxx)}
    session = {"loader": loader, "guise": None, "executable": None, "paths": [str(emulator.here)]}
    (tmp_path / "session.json").write_text(json.dumps(session))
    script = f"""
import _interpreters, os
os.environ[{VARIABLE!r}] = {str(tmp_path / "session.json")!r}
sys.path.insert(0, HERE)
if {first}: import multi
other = _interpreters.create()  # with a GIL and an allocator of its own
said = _interpreters.exec(other, '''
import sys
sys.path.insert(0, {str(ROOT)!r})
from forge.emulate.runtime import child
child.join()  # as its sitecustomize does
import multi
assert multi.answer == 42
try: multi.fail()
except KeyError: pass
''')
refused = _interpreters.exec(other, "import single")
import multi
_interpreters.destroy(other)
library("trouble")  # the loader has outlived the other interpreter
result = [said and said.formatted, refused and refused.formatted, multi.answer]
"""
    refusal = "ImportError: module single does not support loading in subinterpreters"
    assert emulator.value(script) == [None, refusal, 42]


def test_a_trap_is_reported_when_it_is_called(emulator: Emulator, tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    done = emulator.run(
        "trouble = library('trouble')\nprint([b['symbol'] for b in loader.report()['traps']], flush=True)\n"
        "trouble.call_nobody(1)",
        report,
    )
    assert done.stdout.strip() == "['_nobody_has_this']"
    assert done.returncode == -6
    assert "forge: _nobody_has_this was called, which this emulation does not provide" in done.stderr
    trap, fault = map(json.loads, report.read_text().splitlines())
    assert (trap["kind"], trap["symbol"], trap["library"]) == ("trap", "_nobody_has_this", None)
    assert trap["importer"] == trap["caller"]["image"] == str(emulator.here / "libtrouble.dylib")
    assert trap["caller"]["symbol"] == "_call_nobody"
    assert (fault["kind"], fault["signal"]) == ("fault", "SIGABRT")
    assert "_call_nobody" in [frame.get("symbol") for frame in fault["frames"]]


def test_a_crash_is_reported_with_its_frames(emulator: Emulator, tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    done = emulator.run("library('trouble').crash()", report)
    assert done.returncode == -11
    (fault,) = map(json.loads, report.read_text().splitlines())
    assert (fault["signal"], fault["address"], fault["scanned"]) == ("SIGSEGV", "0x10", False)
    assert [frame.get("symbol") for frame in fault["frames"][:3]] == ["_innermost", "_middle", "_crash"]
    assert {frame.get("image") for frame in fault["frames"][:3]} == {str(emulator.here / "libtrouble.dylib")}
    assert "_innermost + " in done.stderr
    assert "Fatal Python error: Segmentation fault" in done.stderr  # faulthandler has its turn


def test_a_module_in_a_framework(emulator: Emulator, context: BuildContext, tmp_path: Path) -> None:
    """An app's tree as ``forge frameworks`` makes it from a wheel that forge builds."""
    store = find_recipes()
    for name in ("markupsafe", "multidict"):
        build_one(store.load(name), emulator.target, context, store, tmp_path / "wheels", SilentProgress())
    wheels = sorted((tmp_path / "wheels").glob("*.whl"))
    made = make_frameworks(wheels, tmp_path / "out", Options(bundle_id="com.example.app"))
    assert made.directory is not None, made.findings
    abi = emulator.target.abi
    root = made.directory / abi
    script = f"""
sys.path.insert(0, {str(root / "app_packages")!r})
import markupsafe, multidict
from markupsafe import _speedups
from multidict import MultiDict, _multidict
values = MultiDict([("a", 1), ("a", 2)])
result = [markupsafe.escape("<&>"), _speedups.__file__, _speedups.__spec__.origin, values.getall("a"),
          sorted(loader.report()["modules"])]
"""
    app = replace(emulator, executable=root / "program")
    assert app.value(script) == [
        "&lt;&amp;&gt;",
        f"{root}/app_packages/markupsafe/_speedups.cpython-313-{abi}.fwork",
        f"{root}/Frameworks/markupsafe._speedups.framework/markupsafe._speedups",
        [1, 2],
        ["markupsafe._speedups", "multidict._multidict"],
    ]
