"""The export trie: the list of a library's symbols that dyld reads.

A broken trie is an error: a check for a missing ``PyInit_`` would blame the wrong thing if it went by what came before
the break.
"""

from __future__ import annotations

from forge.macho.errors import MachOError
from forge.macho.leb import read_uleb
from forge.macho.model import Export

_WHAT = "the export trie"
_WEAK = 0x04
_REEXPORT = 0x08
_MAX_NAME = 1 << 16
_MAX_TOTAL_NAMES = 1 << 26
"""Bytes of all names together: prefixes multiply, so the trie's size alone bounds nothing."""
_MAX_NODES = 1_000_000


def read_export_trie(trie: bytes) -> tuple[Export, ...]:
    """Read an export trie (``mach-o/loader.h``: "exported symbols … encoded in a trie").

    Args:
        trie: The bytes that ``LC_DYLD_INFO`` or ``LC_DYLD_EXPORTS_TRIE`` points to.

    Returns:
        The symbols, sorted by name.

    Raises:
        MachOError: A node lies outside the trie, is reached twice, or is cut off.
    """
    exports: list[Export] = []
    seen = {0}
    pending = [(0, b"")]
    total = 0
    while pending and trie:
        at, prefix = pending.pop()
        terminal_size, at = read_uleb(trie, at, _WHAT)
        children = at + terminal_size
        if children >= len(trie):
            raise MachOError("the export trie is cut off")
        if terminal_size:
            flags, _ = read_uleb(trie, at, _WHAT)
            name = prefix.decode("utf-8", errors="backslashreplace")
            exports.append(Export(name, weak=bool(flags & _WEAK), reexport=bool(flags & _REEXPORT)))
        at = children + 1
        for _ in range(trie[children]):
            end = trie.find(b"\0", at)
            if end < 0:
                raise MachOError("the export trie is cut off")
            edge = prefix + trie[at:end]
            child, at = read_uleb(trie, end + 1, _WHAT)
            total += len(edge)
            if child in seen or child >= len(trie) or len(edge) > _MAX_NAME or total > _MAX_TOTAL_NAMES:
                raise MachOError(f"the export trie is malformed at node {child}")
            seen.add(child)
            if len(seen) > _MAX_NODES:
                raise MachOError(f"the export trie has more than {_MAX_NODES} nodes")
            pending.append((child, edge))
    return tuple(sorted(exports, key=lambda export: export.name))
