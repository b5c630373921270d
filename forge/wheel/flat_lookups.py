"""Symbols that a binary looks up in no library in particular, and who has them.

``-undefined dynamic_lookup`` and flat namespaces leave them: at run time every library of the process is searched,
and one that none has fails the load.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.macho.model import Binding
from forge.toolchain.symbols import libraries

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from forge.base.target import Target
    from forge.macho.model import MachOSlice
    from forge.toolchain.symbols import Library, Symbol

PYTHON_API = re.compile(r"__?Py(?:[A-Z]|_)\w*", flags=re.ASCII)
"""The linker's names of CPython's C API: ``PyX…``, ``Py_…`` and ``_Py…``, not Cython's own ``__pyx_…``."""

_ALWAYS = ("/usr/lib/libSystem.B.dylib",)
"""What is in every process."""
_PYTHON = "/Python.framework/Python"


class KnownLibrary:
    """A library of `forge.toolchain.symbols`, for look-ups."""

    def __init__(self, library: Library) -> None:
        self.name = library.install_name.rpartition("/")[2]
        self.symbols: dict[str, Symbol] = {symbol.name: symbol for symbol in library.symbols}
        self.unavailable = library.unavailable
        self.elsewhere = library.elsewhere
        self.is_framework = library.is_framework
        self.is_whole = library.is_whole
        # A framework's list has what declarations are known of; a symbol that it lacks may exist.
        self.is_complete = library.is_whole and not library.is_framework


@functools.cache
def known_libraries() -> Mapping[str, KnownLibrary]:
    """By install name, and by the names of the stubs that stand for the same library."""
    found: dict[str, KnownLibrary] = {}
    for library in libraries():
        known = KnownLibrary(library)
        for name in library.reexports:
            known.symbols = {**found[name].symbols, **known.symbols}
        found[library.install_name] = known
        found.update({f"/usr/lib/{alias}.dylib": known for alias in library.aliases})
    return found


@functools.cache
def public_symbols() -> frozenset[str]:
    """Every symbol that any library of iOS is known to export."""
    return frozenset(symbol.name for library in libraries() for symbol in library.symbols)


@dataclass(frozen=True)
class FlatLookups:
    """The symbols that a binary looks up flat, but for weak ones; each tuple sorted.

    Args:
        found: Python, a library that it loads, or another binary has them.
        missing: None of them has them.
        unavailable: macOS has them and iOS has not.
        newer: iOS has them later than the target's version: name and version.
        open: Not known: it loads a library whose symbols are not known.
    """

    found: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()
    newer: tuple[tuple[str, str], ...] = ()
    open: tuple[str, ...] = ()


def flat_lookups(one: MachOSlice, exported: Collection[str], answered: Collection[str], target: Target) -> FlatLookups:
    """Sort a binary's flat look-ups.

    Args:
        one: The binary.
        exported: Symbols of the other binaries that are in the process.
        answered: Names of libraries that these binaries stand for, so that their symbols are in *exported*.
        target: What is promised.
    """
    loads = dict.fromkeys([*_ALWAYS, *(dylib.name for dylib in one.dylibs)])
    known = [known_libraries()[name] for name in loads if name in known_libraries()]
    others = [name for name in loads if name not in known_libraries() and name not in answered]
    blind = any(not name.endswith(_PYTHON) for name in others) or any(not library.is_complete for library in known)
    rows: dict[str, list[str]] = {"found": [], "missing": [], "unavailable": [], "open": []}
    newer: list[tuple[str, str]] = []
    names = {i.name for i in one.imports if i.binding in (Binding.DYNAMIC_LOOKUP, Binding.FLAT) and not i.weak}
    own = {export.name for export in one.exports}
    for name in sorted(names):
        if name in own or name in exported or PYTHON_API.fullmatch(name) is not None:
            rows["found"].append(name)
            continue
        symbols = [symbol for library in known if (symbol := library.symbols.get(name)) is not None]
        here = [symbol for symbol in symbols if not symbol.only or target.multiarch in symbol.only]
        if any(symbol.since is None or symbol.since <= target.effective_ios_version for symbol in here):
            rows["found"].append(name)
        elif here:
            newer.append((name, str(min(symbol.since for symbol in here if symbol.since))))
        elif any(name in library.unavailable for library in known):
            rows["unavailable"].append(name)
        else:
            rows["open" if blind else "missing"].append(name)
    return FlatLookups(newer=tuple(newer), **{key: tuple(value) for key, value in rows.items()})
