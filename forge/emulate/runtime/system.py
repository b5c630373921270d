"""Darwin's own libraries: what an import of libSystem and its kin binds to on Linux.

``bindings/*.toml`` lists every symbol, one by one, with the library of this machine that provides it and the reason
why it may; nothing binds because a name happens to match. Most functions are glibc's own, where types, structures,
constants and flags are the same on both systems; the others are adapters in forge's shim (``native/darwin_*.c``).
A symbol in no table is not provided: the loader leaves a trap there. Accelerate's have a rule instead
(`forge.emulate.runtime.accelerate`).

The format of a table: ``[[group]]`` with ``provider``, ``reason`` and ``symbols`` (separated by white space, each with
its leading underscore; ``symbol=entry`` where the provider calls it otherwise). ``arch`` restricts a group to one CPU;
``outside_ios`` says why symbols are in it that iOS's libraries do not export. ``libraries.toml`` says which install
names are which tables.
"""

from __future__ import annotations

import ctypes
import functools
import platform
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge.emulate.runtime import accelerate

if TYPE_CHECKING:
    from collections.abc import Mapping

BINDINGS = Path(__file__).parent / "bindings"
NONE = "none"
"""The provider of what stays a trap although a rule would bind it."""
# Linux's names for what a group calls its provider.
PROVIDERS = {
    "glibc": "libc.so.6",
    "libm": "libm.so.6",
    "libgcc": "libgcc_s.so.1",
    "libz": "libz.so.1",
    "libbz2": "libbz2.so.1.0",
    "libresolv": "libresolv.so.2",
    "libsqlite3": "libsqlite3.so.0",
    "libffi": "libffi.so.8",
}
SHIM_PREFIX = "forge_darwin_"


@dataclass(frozen=True)
class Binding:
    """What one import gets.

    Args:
        address: The function's or variable's address in this process.
        source: Where it comes from: ``shim``, ``python``, a key of `PROVIDERS`, or ``openblas32`` and ``openblas64``,
            which are no libraries of Darwin's but stand in for one.
        entry: Its name there.
    """

    address: int
    source: str
    entry: str


@dataclass(frozen=True)
class Entry:
    """One reviewed line of a table.

    Args:
        symbol: As in the Mach-O file, with its leading underscore.
        provider: ``shim``, ``loader`` (its C half is in the same shared object), ``python``, or a key of `PROVIDERS`.
        entry: The provider's name for it.
        reason: Why the provider's is the same thing, or what the adapter translates.
        arch: The CPU it holds for (``x86_64`` or ``arm64``); None: both.
        outside_ios: Why it is listed though iOS's libraries do not export it, or None.
    """

    symbol: str
    provider: str
    entry: str
    reason: str
    arch: str | None
    outside_ios: str | None


@dataclass(frozen=True)
class LibraryTables:
    """One entry of ``libraries.toml``.

    Args:
        name: What forge calls the library.
        install_names: Patterns (`fnmatch`) of the install names that are this library.
        tables: The tables that list its symbols, without ``.toml``.
        prefixes: Symbols with one of these that no table lists are the interpreter's own.
        reason: Why those may bind by name.
        rule: ``accelerate`` where `forge.emulate.runtime.accelerate` says what its symbols are; else None.
    """

    name: str
    install_names: tuple[str, ...]
    tables: tuple[str, ...]
    prefixes: tuple[str, ...]
    reason: str
    rule: str | None = None


def host_arch() -> str:
    """This machine's CPU by Apple's name: ``x86_64`` or ``arm64``."""
    machine = platform.machine()
    return {"aarch64": "arm64", "AMD64": "x86_64"}.get(machine, machine)


def read_table(name: str) -> tuple[Entry, ...]:
    """Every entry of one table, in its order.

    Args:
        name: The file below ``bindings``, without ``.toml``.
    """
    with (BINDINGS / f"{name}.toml").open("rb") as file:
        document = tomllib.load(file)
    entries: list[Entry] = []
    for group in document["group"]:
        provider, reason = group["provider"], group["reason"]
        arch, outside_ios = group.get("arch"), group.get("outside_ios")
        prefix = SHIM_PREFIX if provider == "shim" else ""
        for token in group["symbols"].split():
            symbol, _, named = token.partition("=")
            entries.append(Entry(symbol, provider, prefix + (named or symbol[1:]), reason, arch, outside_ios))
    return tuple(entries)


def read_libraries() -> tuple[LibraryTables, ...]:
    """The libraries that are known, in the order in which install names are compared with them."""
    with (BINDINGS / "libraries.toml").open("rb") as file:
        document = tomllib.load(file)
    return tuple(
        LibraryTables(
            entry["name"],
            tuple(entry["install_names"]),
            tuple(entry.get("tables", ())),
            tuple(entry.get("prefixes", ())),
            entry["reason"],
            entry.get("rule"),
        )
        for entry in document["library"]
    )


class SystemLibrary:
    """One of Darwin's libraries, as the loader asks it. Made by `System`."""

    def __init__(self, tables: LibraryTables, system: System) -> None:
        self.name = tables.name
        self._tables = tables
        self._system = system
        self._found: dict[str, Binding | None] = {}

    @property
    def is_provided(self) -> bool:
        """Whether any of its symbols can be had; an image may name others, code cannot open them."""
        return bool(self._tables.tables) or (self._tables.rule is not None and self._system.has_openblas)

    def find(self, symbol: str) -> Binding | None:
        """What an import gets, or None where nothing provides it.

        Args:
            symbol: As in the Mach-O file, e.g. ``_malloc`` or ``_stat$INODE64``.
        """
        try:
            return self._found[symbol]
        except KeyError:
            found = self._found[symbol] = self._resolve(symbol)
            return found

    def _resolve(self, symbol: str) -> Binding | None:
        if self._tables.rule is not None:
            return self._system.resolve_accelerate(symbol)
        listed = self._listed.get(symbol)
        if listed is not None:
            return self._system.resolve(*listed)
        if symbol.startswith(self._tables.prefixes):
            return self._system.resolve("python", symbol[1:])
        return None

    @functools.cached_property
    def _listed(self) -> dict[str, tuple[str, str]]:
        """Symbols to (provider, entry) for this CPU; read when the library is asked for the first time."""
        arch = host_arch()
        return {
            entry.symbol: (entry.provider, entry.entry)
            for table in self._tables.tables
            for entry in read_table(table)
            if entry.arch in {None, arch}
        }


_Lookup = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p)
# C keeps these for the life of the process.
_callbacks: list[object] = []


class System:
    """All of Darwin's libraries on this machine.

    Darwin's ``dlsym`` and ``dlopen`` (in the shim) find them through this object too, so one is made a process.

    Args:
        shim: forge's shim, loaded.
        openblas: The files of ``openblas32`` and ``openblas64``, as far as they are there. They are loaded when the
            first symbol is asked for.
    """

    def __init__(self, shim: ctypes.CDLL, openblas: Mapping[str, Path] | None = None) -> None:
        self._shim = shim
        self._openblas = dict(openblas or {})
        self._dlsym = ctypes.CDLL(None).dlsym
        self._dlsym.restype = ctypes.c_void_p
        self._dlsym.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        self._handles: dict[str, int | None] = {}
        self._libraries: dict[str, SystemLibrary | None] = {}
        self._known = read_libraries()
        self._by_name: dict[str, SystemLibrary] = {}
        callback = _Lookup(self._look_up)
        _callbacks.append(callback)
        setter: Any = shim.forge_darwin_set_lookup
        setter(callback)

    def library(self, install_name: str) -> SystemLibrary | None:
        """The library of an install name, or None: it is not one of the system's.

        ``/usr/lib/libc++.1.dylib`` and ``libc++abi.dylib`` are None: they are Mach-O images of their own.
        """
        try:
            return self._libraries[install_name]
        except KeyError:
            found = self._libraries[install_name] = self._find(install_name)
            return found

    def _find(self, install_name: str) -> SystemLibrary | None:
        for tables in self._known:
            if any(fnmatchcase(install_name, pattern) for pattern in tables.install_names):
                return self._named(tables)
        return None

    def _named(self, tables: LibraryTables) -> SystemLibrary:
        return self._by_name.setdefault(tables.name, SystemLibrary(tables, self))

    def resolve(self, provider: str, entry: str) -> Binding | None:
        """The address of a provider's symbol, or None where this machine's has none of that name."""
        if provider == NONE:
            return None
        handle = self._handle(provider)
        address = None if handle is None else self._dlsym(handle or None, entry.encode("utf-8", "surrogateescape"))
        return Binding(address, "shim" if provider == "loader" else provider, entry) if address else None

    @property
    def has_openblas(self) -> bool:
        """Whether there is anything to stand in for Accelerate."""
        return bool(self._openblas)

    def resolve_accelerate(self, symbol: str) -> Binding | None:
        """What stands in for a symbol of Accelerate's (as in a Mach-O file), or None."""
        wanted = accelerate.counterpart(symbol)
        found = None if wanted is None else self.resolve(wanted.provider, wanted.entry)
        if wanted is None or found is None or wanted.adapter is None:
            return found
        functions = (ctypes.c_void_p * (2 * len(accelerate.ADAPTED))).in_dll(
            self._shim, "forge_darwin_accelerate_functions"
        )
        functions[wanted.slot] = found.address
        return self.resolve("shim", wanted.adapter)

    def _handle(self, provider: str) -> int | None:
        """A dlopen handle; 0 for the process itself (``RTLD_DEFAULT``), None where there is no such library."""
        if provider not in self._handles:
            if provider in {"shim", "loader"}:
                handle: int | None = self._shim._handle  # noqa: SLF001 - ctypes has no other way to a library's handle
            elif provider == "python":
                handle = 0
            elif provider in accelerate.OPENBLAS:
                file = self._openblas.get(provider)
                # That it is there and cannot be loaded is no trap but an error, which says why.
                handle = None if file is None else ctypes.CDLL(str(file))._handle  # noqa: SLF001 - as above
            else:
                try:
                    handle = ctypes.CDLL(PROVIDERS[provider])._handle  # noqa: SLF001 - as above
                except OSError:
                    handle = None
            self._handles[provider] = handle
        return self._handles[provider]

    def _look_up(self, install_name: bytes | None, symbol: bytes) -> int | None:
        """What the shim's dlopen and dlsym ask: a symbol's address, or for an empty one whether it has the library."""
        if install_name is not None:
            named = self.library(install_name.decode("utf-8", "surrogateescape"))
            if named is None or not symbol:
                return 1 if named is not None and named.is_provided else None
            libraries = [named]
        else:
            libraries = [self._named(tables) for tables in self._known]
        for library in libraries:
            found = library.find(symbol.decode("utf-8", "surrogateescape"))
            if found is not None:
                return found.address
        return None
