"""The export trie (``mach-o/loader.h``: "the symbols exported by a dylib are encoded in a trie")."""

from __future__ import annotations

from typing import Final

from forge.emulate.runtime.constants import c_string, uleb
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.model import Export, ExportKind

_WHAT: Final = "export trie"
_KIND_MASK, _THREAD_LOCAL, _ABSOLUTE = 0x3, 0x1, 0x2
_WEAK, _REEXPORT, _RESOLVER = 0x4, 0x8, 0x10
_KNOWN_FLAGS: Final = 0x1F | 0x20  # the last, EXPORT_SYMBOL_FLAGS_STATIC_RESOLVER, is for static linkers
_MAX_NAMES: Final = 1 << 26
"""Bytes of all names together: prefixes multiply, so the trie's size alone bounds nothing."""


def read_trie(trie: bytes, image_size: int, dependency_count: int) -> dict[str, Export]:
    """Read an export trie.

    Args:
        trie: Its bytes.
        image_size: Bytes of address space; addresses lie within.
        dependency_count: How many libraries there are to re-export from.

    Returns:
        The exports by name.

    Raises:
        MachOImportError: A node lies outside, is reached twice or cut off; an address or ordinal is out of range.
    """
    exports: dict[str, Export] = {}
    seen = {0}
    pending = [(0, b"")]
    total = 0
    while pending and trie:
        at, name = pending.pop()
        terminal_size, at = uleb(trie, at, _WHAT)
        children = at + terminal_size
        if children >= len(trie):
            raise MachOImportError("malformed export trie, a node is cut off")
        if terminal_size:
            export = _terminal(trie[at:children], image_size, dependency_count)
            exports[name.decode("utf-8", "surrogateescape")] = export
        at = children + 1
        for _ in range(trie[children]):
            end = trie.find(b"\0", at)
            if end < 0:
                raise MachOImportError("malformed export trie, an edge is cut off")
            child_name = name + trie[at:end]
            child, at = uleb(trie, end + 1, _WHAT)
            total += len(child_name)
            if child in seen or child >= len(trie):
                raise MachOImportError(f"malformed export trie, node {child:#x} is outside or reached twice")
            if total > _MAX_NAMES:
                raise MachOImportError("malformed export trie, its names are too long")
            seen.add(child)
            pending.append((child, child_name))
    return exports


def _terminal(data: bytes, image_size: int, dependency_count: int) -> Export:
    flags, at = uleb(data, 0, _WHAT)
    weak = bool(flags & _WEAK)
    if flags & ~_KNOWN_FLAGS or flags & _KIND_MASK == _KIND_MASK:
        raise MachOImportError(f"malformed export trie, unknown export flags {flags:#x}")
    value, at = uleb(data, at, _WHAT)
    if flags & _REEXPORT:
        if not 1 <= value <= dependency_count:
            raise MachOImportError(f"malformed export trie, re-export ordinal {value} out of range")
        return Export(ExportKind.REEXPORT, value, c_string(data, at, _WHAT)[0], weak)
    if flags & _KIND_MASK == _ABSOLUTE:
        return Export(ExportKind.ABSOLUTE, value, weak=weak)
    if flags & _RESOLVER:
        # The address first given is that of a stub for static binding; dyld calls the resolver.
        value, _ = uleb(data, at, _WHAT)
    if value >= image_size:
        raise MachOImportError(f"malformed export trie, address {value:#x} is outside the image")
    if flags & _RESOLVER:
        return Export(ExportKind.RESOLVER, value, weak=weak)
    thread_local = flags & _KIND_MASK == _THREAD_LOCAL
    return Export(ExportKind.THREAD_LOCAL if thread_local else ExportKind.REGULAR, value, weak=weak)
