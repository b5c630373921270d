"""C++ classes that several binaries of a wheel have for themselves."""

from __future__ import annotations

import itertools
import re
import struct
from collections import defaultdict
from typing import TYPE_CHECKING

from forge.audit.rules import rule
from forge.audit.symbol_checks import few
from forge.macho.model import Cpu

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.audit.finding import Finding
    from forge.audit.subject import Promise, Subject
    from forge.macho.model import MachOSlice

_TYPE_NAME = re.compile(rb"\0N(\d+)([A-Za-z_]\w*E)(?=\0)")
"""The name in a ``std::type_info`` of a class in a namespace: ``N4geos4geom5PointE`` (Itanium C++ ABI, 2.9.4, 5.1)."""
_UNNAMED = "_GLOBAL__N_"
"""How a namespace without a name is called, which is a different one in each file that is compiled."""
_TOLD_BY_NAME = frozenset({"nanobind", "pybind11"})
"""Libraries that modules bring each for themselves, and that know each other's types by name."""
_HIGHEST = 1 << 63
_CHAINED_HIGH = 36
_CHAINED_HIGHEST = 0x80
_CHAINED_TARGET = (1 << _CHAINED_HIGH) - 1
"""A pointer's top byte and the rest, as chained fixups keep them (``mach-o/fixup-chains.h``)."""
_LIBRARY = 10
"""From so many classes on it is a library. Fewer may be a header's exceptions, which a module catches itself."""


def own_classes(body: bytes, one: MachOSlice) -> frozenset[str]:
    """The classes in namespaces that a binary tells from another binary's copies of them.

    Only polymorphic classes, and what is thrown, have type information; it stays in what is stripped. What is exported
    is left out, for dyld takes one copy of it for all files. So is what arm64 code compares by name: classes of default
    visibility that every file which uses them has, for they have no function that is in one place.

    Args:
        body: The slice's bytes.
        one: The slice.

    Returns:
        Mangled names, e.g. ``N4geos4geom5PointE``.
    """
    exports = {export.name for export in one.exports}
    found = {}
    for match in _TYPE_NAME.finditer(body):
        name = match[0][1:].decode("ascii")
        if len(_namespace(name)) == int(match[1]) and _UNNAMED not in name and f"__ZTI{name}" not in exports:
            found[name] = _address(match.start() + 1, one)
    if not found or one.cpu is not Cpu.ARM64:
        return frozenset(found)
    by_name = frozenset(_marked(body, one))
    return frozenset(name for name, address in found.items() if address not in by_name)


def check_classes(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """A C++ library is in one of a wheel's binaries."""
    owners: defaultdict[str, list[str]] = defaultdict(list)
    for member, classes in sorted(subject.classes.items()):
        for name in classes:
            owners[name].append(member)
    shared: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(owners):
        if len(owners[name]) > 1:
            shared[_namespace(name)].append(name)
    for namespace, names in sorted(shared.items()):
        if len(names) < _LIBRARY or namespace in _TOLD_BY_NAME:
            continue
        members = sorted({member for name in names for member in owners[name]})
        yield rule("duplicate-classes").finding(
            f"{len(names)} classes of the C++ namespace {namespace} are in each of several files: {few(members)}",
            symbols=[f"__ZTI{name}" for name in names],
        )


def _namespace(name: str) -> str:
    length = "".join(itertools.takewhile(str.isdigit, name[1:]))
    return name[1 + len(length) :][: int(length)]


def _address(offset: int, one: MachOSlice) -> int | None:
    """Where a byte of a slice is in memory."""
    for segment in one.segments:
        if 0 <= offset - segment.file_offset < segment.file_size:
            return segment.address + offset - segment.file_offset
    return None


def _marked(body: bytes, one: MachOSlice) -> Iterator[int]:
    """Addresses that data refers to by pointers with the highest bit set.

    In a ``type_info`` it says that names are compared (libc++'s ``typeinfo``, ``__non_unique_arm_rtti_bit_impl``).
    """
    for segment in one.segments:
        if not segment.name.startswith("__DATA"):
            continue
        data = body[segment.file_offset : segment.file_offset + segment.file_size]
        for (word,) in struct.iter_unpack("<Q", data[: len(data) // 8 * 8]):
            if word >> 63:
                yield word & ~_HIGHEST
            if word >> _CHAINED_HIGH & 0xFF == _CHAINED_HIGHEST:
                yield word & _CHAINED_TARGET
