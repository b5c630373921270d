from __future__ import annotations

import collections
import ctypes
import re
import subprocess

import pytest

from forge.emulate.runtime import accelerate, system
from forge.emulate.runtime.system import System
from forge.emulate.shim_compile import NATIVE
from forge.toolchain.symbols import libraries

TABLES = sorted({table for known in system.read_libraries() for table in known.tables})
ENTRIES = [(table, entry) for table in TABLES for entry in system.read_table(table)]
# The interpreter is no library of forge's list of iOS's symbols.
NOT_LISTED = {"python"}


@pytest.fixture(scope="session")
def darwin(shim: ctypes.CDLL) -> System:
    return System(shim)


def test_every_file_is_a_table_of_some_library() -> None:
    assert {path.stem for path in system.BINDINGS.glob("*.toml")} == {*TABLES, "libraries"}


def test_every_reason_says_something() -> None:
    assert [
        e.symbol for _, e in ENTRIES if len(e.reason) < 8 or (e.outside_ios is not None and len(e.outside_ios) < 8)
    ] == []


def test_every_symbol_begins_as_darwins_do() -> None:
    # The stub binder is the one symbol of dyld's that has no underscore.
    assert [e.symbol for _, e in ENTRIES if not e.symbol.startswith("_")] == ["dyld_stub_binder"]


@pytest.mark.parametrize("arch", ["x86_64", "arm64"])
def test_no_symbol_is_listed_twice_in_a_library(arch: str) -> None:
    for known in system.read_libraries():
        symbols = [e.symbol for t in known.tables for e in system.read_table(t) if e.arch in {None, arch}]
        assert [s for s, count in collections.Counter(symbols).items() if count > 1] == []


def test_arch_is_one_that_wheels_have() -> None:
    assert {e.arch for _, e in ENTRIES} == {None, "x86_64", "arm64"}


def test_symbols_are_ios_own_or_say_why_not() -> None:
    ios = {symbol.name for library in libraries() for symbol in library.symbols}
    listed = [(table, e) for table, e in ENTRIES if table not in NOT_LISTED]
    assert [e.symbol for _, e in listed if e.symbol not in ios and e.outside_ios is None] == []
    assert [e.symbol for _, e in listed if e.symbol in ios and e.outside_ios is not None] == []


def test_every_entry_resolves_on_this_machine(darwin: System) -> None:
    here = [e for _, e in ENTRIES if e.arch in {None, system.host_arch()}]
    missing = [f"{e.provider}:{e.entry}" for e in here if darwin.resolve(e.provider, e.entry) is None]
    # Libraries that a machine may be without; what is there must be complete.
    optional = {
        name
        for name in ("libbz2", "libffi", "libsqlite3", "libz")
        if all(f"{name}:{e.entry}" in missing for e in here if e.provider == name)
    }
    assert [m for m in missing if m.partition(":")[0] not in optional] == []


def test_every_shim_entry_is_defined_in_a_source_for_its_arch() -> None:
    # arm64's cannot be resolved on x86_64, so the sources are looked at: each name stands there at least once.
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(NATIVE.glob("*.c")))
    names = set(re.findall(r"forge_darwin_(\w+)", text))
    names |= set(re.findall(r"^(?:VARIADIC|LISTED|DIRECT|WITH|AROUND)\((?:[\w ]+ ?\*?, )?(\w+)", text, re.MULTILINE))
    names |= {f"{name}_l" for name in re.findall(r"^AROUND\([\w ]+, (\w+)", text, re.MULTILINE)}
    names |= set(re.findall(r"^(?:CLASS|JUMP|ENTRY)\((\w+)", text, re.MULTILINE))
    names |= {f"pthread_rwlock_{name}" for name in re.findall(r"^RWLOCK\((\w+)\)", text, re.MULTILINE)}
    names |= {f"pthread_attr_{name}" for name in re.findall(r"^ATTR\((\w+)", text, re.MULTILINE)}
    wanted = {e.entry.removeprefix(system.SHIM_PREFIX) for _, e in ENTRIES if e.provider == "shim"}
    assert sorted(wanted - names) == []


def test_what_the_shim_exports_is_in_a_table(shim_file: object) -> None:
    exported = subprocess.run(
        ["nm", "-D", "--defined-only", str(shim_file)], check=True, capture_output=True, text=True
    ).stdout
    names = {line.split()[-1] for line in exported.splitlines()}
    ours = {name for name in names if name.startswith(system.SHIM_PREFIX)}
    # For the loader and `System`, not for Mach-O code.
    for_python = {"forge_darwin_errno_publish", "forge_darwin_set_arguments", "forge_darwin_set_lookup"}
    for_python.add("forge_darwin_accelerate_functions")
    # Accelerate has a rule in place of a table.
    found = [
        accelerate.counterpart(f"_{name}$NEWLAPACK{wide}") for name in accelerate.ADAPTED for wide in ("", "$ILP64")
    ]
    adapters = {one.adapter for one in found if one is not None}
    assert ours - {e.entry for _, e in ENTRIES} == for_python | adapters
    # Under their own names for ctypes.util, which asks the process for them.
    own = {"_dyld_image_count", "_dyld_get_image_name"}
    assert {name for name in names if not name.startswith(("forge_darwin_", "forge_loader_"))} == own


def test_install_names(darwin: System) -> None:
    def name(install_name: str) -> str | None:
        found = darwin.library(install_name)
        return None if found is None else found.name

    assert name("/usr/lib/libSystem.B.dylib") == "libSystem"
    assert name("/usr/lib/system/libsystem_kernel.dylib") == "libSystem"
    assert name("@rpath/Python.framework/Python") == "Python"
    assert name("/Library/Frameworks/Python.framework/Versions/3.13/Python") == "Python"
    assert name("@loader_path/../.dylibs/libgcc_s.1.1.dylib") == "libgcc_s"
    assert name("/System/Library/Frameworks/Accelerate.framework/Accelerate") == "Accelerate"
    assert name("/System/Library/Frameworks/UIKit.framework/UIKit") == "not provided"
    # Mach-O images, which the loader has.
    assert name("/usr/lib/libc++.1.dylib") is None
    assert name("/usr/lib/libc++abi.dylib") is None
    assert name("@rpath/libfoo.dylib") is None


def test_bindings_say_where_they_come_from(darwin: System) -> None:
    library = darwin.library("/usr/lib/libSystem.B.dylib")
    assert library is not None
    stat = library.find("_stat$INODE64")
    assert stat is not None
    assert (stat.source, stat.entry) == ("shim", "forge_darwin_stat")
    sine = library.find("_sin")
    assert sine is not None
    assert (sine.source, sine.entry) == ("libm", "sin")
    function = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(sine.address)
    assert function(0.5) == pytest.approx(0.479425538604203)


def test_a_symbol_that_glibc_has_but_no_table_is_not_bound(darwin: System) -> None:
    library = darwin.library("/usr/lib/libSystem.B.dylib")
    assert library is not None
    for symbol in ("_getcontext", "_ftw", "_statx", "_epoll_wait", "_glob", "_re_search", "_", "malloc"):
        assert library.find(symbol) is None


def test_the_interpreters_own_names_bind_by_prefix(darwin: System) -> None:
    python = darwin.library("@rpath/Python.framework/Python")
    assert python is not None
    function = python.find("_PyLong_FromLong")
    assert function is not None
    assert function.source == "python"
    errno = python.find("_PyErr_SetFromErrno")
    assert errno is not None
    assert errno.source == "shim"
    assert python.find("_malloc") is None
    assert python.find("_Py_NoSuchFunction") is None


def test_dlsym_and_dlopen_know_the_tables(shim: ctypes.CDLL, darwin: System) -> None:
    dlopen, dlsym, dlerror = shim.forge_darwin_dlopen, shim.forge_darwin_dlsym, shim.forge_darwin_dlerror
    dlopen.restype = dlsym.restype = ctypes.c_void_p
    dlerror.restype = ctypes.c_char_p
    handle = dlopen(b"/usr/lib/libSystem.B.dylib", 2)
    library = darwin.library("/usr/lib/libSystem.B.dylib")
    assert handle
    assert library is not None
    malloc = library.find("_malloc")
    assert malloc is not None
    assert dlsym(ctypes.c_void_p(handle), b"malloc") == malloc.address
    assert dlsym(ctypes.c_void_p(-2), b"malloc") == malloc.address
    assert dlerror() is None
    assert dlsym(ctypes.c_void_p(-2), b"epoll_wait") is None
    assert b"epoll_wait" in dlerror()
    assert dlerror() is None


def test_an_exception_that_is_set_is_neither_seen_nor_lost(
    shim: ctypes.CDLL, darwin: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As libc++abi opens a library at the end of a catch clause that has set a Python exception."""
    asked: list[bytes | None] = []

    def library(install_name: str) -> None:
        asked.append(install_name.encode("utf-8", "surrogateescape"))
        assert int("7") == 7  # needs the interpreter to be free of an exception

    monkeypatch.setattr(darwin, "library", library)
    # An argument of a call that fails is released while the exception is set; a capsule runs its destructor as it is.
    capsule = ctypes.pythonapi.PyCapsule_New
    capsule.restype = ctypes.py_object
    capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    opens = ctypes.cast(shim.forge_darwin_dlopen_preflight, ctypes.c_void_p)
    with pytest.raises(TypeError, match="PyCapsule"):
        int(capsule(1, None, opens))
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("path", "there"),
    [
        (b"/usr/lib/libc.dylib", True),
        (b"/usr/lib/libSystem.B.dylib", True),
        (b"/usr/lib/libno.dylib", False),
        # Images may name it; nothing of it can be called.
        (b"/System/Library/Frameworks/Metal.framework/Metal", False),
        (b"libc.dylib", False),
    ],
)
def test_libraries_are_in_the_shared_cache(shim: ctypes.CDLL, darwin: System, path: bytes, there: bool) -> None:
    assert shim.forge_darwin__dyld_shared_cache_contains_path(path) == there


def test_a_library_by_its_name_alone(shim: ctypes.CDLL, darwin: System) -> None:
    dlopen, dlerror = shim.forge_darwin_dlopen, shim.forge_darwin_dlerror
    dlopen.restype, dlerror.restype = ctypes.c_void_p, ctypes.c_char_p
    assert dlopen(b"libm.dylib", 2) == dlopen(b"/usr/lib/libm.dylib", 2) is not None
    assert dlopen(b"libm.so.6", 2) is None  # Linux's is not given out
    assert dlopen(b"x" * 300, 2) is None
    assert dlerror()
