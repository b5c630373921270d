"""Which segments dyld has to write to when it loads a file: the places of its rebases and binds.

Formats: the opcodes of ``LC_DYLD_INFO`` (``mach-o/loader.h``, ``REBASE_OPCODE_*`` and ``BIND_OPCODE_*``) and the page
starts of ``LC_DYLD_CHAINED_FIXUPS`` (``mach-o/fixup-chains.h``).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from forge.macho import layout
from forge.macho.errors import MachOError
from forge.macho.leb import read_uleb, skip_sleb

if TYPE_CHECKING:
    from collections.abc import Iterator

_IMMEDIATE = 0x0F
_OPCODE = 0xF0

# REBASE_OPCODE_* and BIND_OPCODE_*: what each does, as far as the place is concerned
_DONE = 0x00
_REBASE_SET_SEGMENT = 0x20
_REBASE_DO = frozenset({0x50, 0x60, 0x70, 0x80})
_REBASE_ULEBS = {0x20: 1, 0x30: 1, 0x60: 1, 0x70: 1, 0x80: 2}
_BIND_SET_SYMBOL = 0x40
_BIND_SET_ADDEND = 0x60
_BIND_SET_SEGMENT = 0x70
_BIND_DO = frozenset({0x90, 0xA0, 0xB0, 0xC0})
_BIND_ULEBS = {0x20: 1, 0x70: 1, 0x80: 1, 0xA0: 1, 0xC0: 2}
_BIND_THREADED = 0xD0

_NO_FIXUPS_IN_PAGE = 0xFFFF
_MAX_OPCODES = 1_000_000
"""Of one list; above that it is no linker's work, and would take seconds to read."""


def fixed_up_segments(data: bytes, frame: layout.SliceLayout) -> frozenset[int]:
    """The segments that dyld writes to, by their number among the load commands.

    Args:
        data: The slice's bytes.
        frame: What `forge.macho.layout.read_layout` says of it.

    Raises:
        MachOError: dyld's information ends within an opcode, or names a segment that does not exist.
    """
    count = sum(command.number == layout.LC_SEGMENT_64 for command in frame.commands)
    found: set[int] = set()
    for command in frame.commands:
        if command.number in (layout.LC_DYLD_INFO, layout.LC_DYLD_INFO_ONLY):
            numbers = struct.unpack_from("<10I", command.data, 8)
            parts = [data[offset : offset + size] for offset, size in zip(numbers[:8:2], numbers[1:8:2], strict=True)]
            rebases, binds, weak_binds, lazy_binds = parts
            found.update(_rebased(rebases))
            found.update(_bound(binds, stop=True))
            found.update(_bound(weak_binds, stop=True))
            found.update(_bound(lazy_binds, stop=False))  # each lazy bind ends in a DONE of its own
        elif command.number == layout.LC_DYLD_CHAINED_FIXUPS:
            offset, size = command.u32(8), command.u32(12)
            found.update(_chained(data[offset : offset + size]))
    if any(index >= count for index in found):
        raise MachOError(f"dyld's information names segment {max(found)}, there are {count}")
    return frozenset(found)


def bound_names(data: bytes, frame: layout.SliceLayout) -> frozenset[str]:
    """The symbols that dyld looks up when it loads the file, lazily or for C++'s weak definitions.

    They come from the opcodes of ``LC_DYLD_INFO`` and from the imports of ``LC_DYLD_CHAINED_FIXUPS``. Weak binds name a
    library's own symbols too, which other libraries may have instead; those it exports.

    Args:
        data: The slice's bytes.
        frame: What `forge.macho.layout.read_layout` says of it.

    Raises:
        MachOError: As `fixed_up_segments` does.
    """
    names: set[bytes] = set()
    for command in frame.commands:
        if command.number in (layout.LC_DYLD_INFO, layout.LC_DYLD_INFO_ONLY):
            numbers = struct.unpack_from("<10I", command.data, 8)
            for (offset, size), stop in ((numbers[2:4], True), (numbers[4:6], True), (numbers[6:8], False)):
                for _ in _bound(data[offset : offset + size], stop=stop, names=names):
                    pass
        elif command.number == layout.LC_DYLD_CHAINED_FIXUPS:
            offset, size = command.u32(8), command.u32(12)
            names.update(_chained_imports(data[offset : offset + size]))
    return frozenset(name.decode("utf-8", errors="backslashreplace") for name in names)


def _rebased(opcodes: bytes) -> Iterator[int]:
    segment, at = 0, 0
    for _ in _budget():
        if at >= len(opcodes):
            return
        opcode, immediate = opcodes[at] & _OPCODE, opcodes[at] & _IMMEDIATE
        if opcode == _DONE:
            return
        if opcode > max(_REBASE_DO):
            raise MachOError(f"unknown rebase opcode 0x{opcode:x}")
        if opcode == _REBASE_SET_SEGMENT:
            segment = immediate
        at = _skip_ulebs(opcodes, at + 1, _REBASE_ULEBS.get(opcode, 0))
        if opcode in _REBASE_DO:
            yield segment


def _bound(opcodes: bytes, *, stop: bool, names: set[bytes] | None = None) -> Iterator[int]:
    segment, at = 0, 0
    opcodes = opcodes.rstrip(b"\0")
    for _ in _budget():
        if at >= len(opcodes):
            return
        opcode, immediate = opcodes[at] & _OPCODE, opcodes[at] & _IMMEDIATE
        if opcode == _DONE and stop:
            return
        if opcode > _BIND_THREADED:
            raise MachOError(f"unknown bind opcode 0x{opcode:x}")
        at += 1
        if opcode == _BIND_SET_SEGMENT:
            segment = immediate
        if opcode == _BIND_SET_SYMBOL:
            end = opcodes.find(b"\0", at)
            if end < 0:
                raise MachOError("dyld's bind information ends in a symbol's name")
            if names is not None:
                names.add(opcodes[at:end])
            at = end + 1
        elif opcode == _BIND_SET_ADDEND:
            at = skip_sleb(opcodes, at, "dyld's information")
        elif opcode == _BIND_THREADED:
            at = _skip_ulebs(opcodes, at, 0 if immediate else 1)
        else:
            at = _skip_ulebs(opcodes, at, _BIND_ULEBS.get(opcode, 0))
        if opcode in _BIND_DO:
            yield segment


def _budget() -> Iterator[int]:
    """As many turns as a list of opcodes may take.

    Raises:
        MachOError: They are used up.
    """
    yield from range(_MAX_OPCODES)
    raise MachOError(f"dyld's information has more than {_MAX_OPCODES} opcodes")


def _skip_ulebs(data: bytes, at: int, count: int) -> int:
    for _ in range(count):
        _, at = read_uleb(data, at, "dyld's information")
    return at


def _chained(blob: bytes) -> Iterator[int]:
    try:
        starts: int = struct.unpack_from("<I", blob, 4)[0]
        (count,) = struct.unpack_from("<I", blob, starts)
        if count > len(blob):
            raise MachOError(f"the chained fixups count {count} segments in {len(blob)} bytes")
        for index, offset in enumerate(struct.unpack_from(f"<{count}I", blob, starts + 4)):
            if not offset:
                continue
            # dyld_chained_starts_in_segment: size, page_size, format, segment_offset, max_pointer, page_count, starts
            (pages,) = struct.unpack_from("<H", blob, starts + offset + 20)
            page_starts = struct.unpack_from(f"<{pages}H", blob, starts + offset + 22)
            if any(start != _NO_FIXUPS_IN_PAGE for start in page_starts):
                yield index
    except struct.error as error:
        raise MachOError("the chained fixups are cut off") from error


_NAME_OFFSETS = {1: ("<I", 9), 2: ("<Ii", 9), 3: ("<QQ", 32)}
"""By ``DYLD_CHAINED_IMPORT*``: an import's layout, and the bits of its first number before the name's place."""


def _chained_imports(blob: bytes) -> Iterator[bytes]:
    """The names of a ``dyld_chained_fixups_header``'s imports."""
    try:
        _, _, imports, symbols, count, form, symbols_form = struct.unpack_from("<7I", blob)
    except struct.error as error:
        raise MachOError("the chained fixups are cut off") from error
    if not count:
        return
    if form not in _NAME_OFFSETS or symbols_form:
        raise MachOError(f"the chained fixups' imports are of format {form}, their names of {symbols_form}")
    entry, shift = struct.Struct(_NAME_OFFSETS[form][0]), _NAME_OFFSETS[form][1]
    if imports + count * entry.size > len(blob):
        raise MachOError("the chained fixups' imports are cut off")
    for first, *_ in entry.iter_unpack(blob[imports : imports + count * entry.size]):
        start = symbols + (first >> shift)
        end = blob.find(b"\0", start)
        if end < 0:
            raise MachOError("the name of a chained fixups' import is cut off")
        yield blob[start:end]
