"""Chained fixups (``mach-o/fixup-chains.h``): each place to change holds what to put there and how far on the next is.

``DYLD_CHAINED_PTR_64`` and ``_64_OFFSET`` are what linkers write for x86_64 and arm64; the rest is for arm64e,
32-bit code and kernels.
"""

from __future__ import annotations

import struct
from array import array
from typing import TYPE_CHECKING, Final

from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.model import Fixups, no_binds
from forge.emulate.runtime.places import POINTER

if TYPE_CHECKING:
    from forge.emulate.runtime.model import Segment
    from forge.emulate.runtime.places import Imports, Places

_WHAT: Final = "chained fixups"
_PTR_64, _PTR_64_OFFSET = 2, 6
_NO_FIXUPS_IN_PAGE: Final = 0xFFFF
_MULTIPLE_STARTS: Final = 0x8000
_IMPORT, _IMPORT_ADDEND, _IMPORT_ADDEND64 = 1, 2, 3
_ENTRY: Final = {
    _IMPORT: struct.Struct("<I"),
    _IMPORT_ADDEND: struct.Struct("<Ii"),
    _IMPORT_ADDEND64: struct.Struct("<QQ"),
}
"""Layout of an import, by ``DYLD_CHAINED_IMPORT*`` format."""


class ChainedReader:
    """Walks the chains of one image.

    Args:
        data: The slice.
        places: What checks them; it knows the segments by index.
        imports: Where imports are numbered.
        preferred: The address that the image was linked for.
        size: Bytes of address space.
    """

    def __init__(self, data: bytes, places: Places, imports: Imports, preferred: int, size: int) -> None:
        self._data = data
        self._places = places
        self._imports = imports
        self._preferred = preferred
        self._size = size
        self._numbers: list[tuple[int, int]] = []  # by ordinal in a chain: index of the import, addend
        self._pointer_at = array("Q")
        self._pointers = array("Q")
        self._binds = no_binds()

    def read(self, table: bytes) -> Fixups:
        """Read what ``LC_DYLD_CHAINED_FIXUPS`` points to.

        Raises:
            MachOImportError: A table is cut off, a chain leaves its page or segment, a target is outside the image, or
                the format is one that other machines have.
        """
        _, starts, imports, symbols, count, form, symbols_form = _unpack("<7I", table, 0)
        if symbols_form != 0:
            raise MachOImportError("malformed chained fixups, compressed symbol names are not supported")
        self._read_imports(table, imports, symbols, count, form)
        (segments,) = _unpack("<I", table, starts)
        if segments > len(self._places.segments):
            raise MachOImportError(f"malformed chained fixups, {segments} segments are named")
        offsets = _unpack(f"<{segments}I", table, starts + 4)
        for index, offset in enumerate(offsets):
            if offset:
                self._walk_segment(table, starts + offset, index)
        return Fixups(array("Q"), self._pointer_at, self._pointers, self._imports.all(), self._binds, no_binds())

    def _read_imports(self, table: bytes, start: int, symbols: int, count: int, form: int) -> None:
        entry = _ENTRY.get(form)
        if entry is None:
            raise MachOImportError(f"malformed chained fixups, unknown imports format {form}")
        if start + count * entry.size > len(table) or symbols > len(table):
            raise MachOImportError("malformed chained fixups, imports are cut off")
        names = table[symbols:]
        for row in entry.iter_unpack(table[start : start + count * entry.size]):
            word, addend = row[0], row[1] if len(row) > 1 else 0
            if form == _IMPORT_ADDEND64:
                ordinal, weak, at = word & 0xFFFF, word >> 16 & 1, word >> 32
                ordinal = ordinal - 0x10000 if ordinal > 0xFFF0 else ordinal
                addend = addend - (1 << 64) if addend >> 63 else addend
            else:
                ordinal, weak, at = word & 0xFF, word >> 8 & 1, word >> 9
                ordinal = ordinal - 0x100 if ordinal > 0xF0 else ordinal
            name, _ = self._imports.name(names, at, _WHAT)
            self._numbers.append((self._imports.number(name, ordinal, bool(weak)), addend))

    def _walk_segment(self, table: bytes, start: int, index: int) -> None:
        _, page_size, form, _, _, pages = _unpack("<IHHQIH", table, start)
        if form not in (_PTR_64, _PTR_64_OFFSET):
            raise MachOImportError(f"chained fixups of pointer format {form}, which is not for x86_64 or arm64")
        if page_size not in (0x1000, 0x4000):
            raise MachOImportError(f"malformed chained fixups, page size {page_size:#x}")
        starts = _unpack(f"<{pages}H", table, start + 22)
        self._places.writable(index)
        segment = self._places.segments[index]
        assert segment is not None  # noqa: S101 - `writable` has refused a missing one
        base = self._preferred if form == _PTR_64 else 0
        for page, first in enumerate(starts):
            if first == _NO_FIXUPS_IN_PAGE:
                continue
            if first & _MULTIPLE_STARTS or first >= page_size:
                raise MachOImportError(f"malformed chained fixups, page start {first:#x}")
            self._walk(segment, page * page_size + first, (page + 1) * page_size, base)

    def _walk(self, segment: Segment, at: int, page_end: int, base: int) -> None:
        """Follow one page's chain.

        Args:
            segment: The segment.
            at: Bytes into it where the chain starts.
            page_end: Where its page ends: each page has a chain of its own.
            base: What targets count from.
        """
        unpack, data, shift = struct.Struct("<Q").unpack_from, self._data, segment.file_offset
        last = min(segment.file_size - POINTER, page_end - 1)
        pointer_at, pointers, numbers = self._pointer_at, self._pointers, self._numbers
        binds_at, binds_import, binds_addend = self._binds.at, self._binds.imports, self._binds.addends
        count = len(pointers) + len(binds_at)
        first = at
        while True:
            if at > last:
                raise MachOImportError("malformed chained fixups, a chain leaves its page")
            (value,) = unpack(data, shift + at)
            if value >> 63:
                ordinal = value & 0xFFFFFF
                if ordinal >= len(numbers):
                    raise MachOImportError(f"malformed chained fixups, import {ordinal} out of range")
                number, addend = numbers[ordinal]
                binds_at.append(segment.at + at)
                binds_import.append(number)
                addend += value >> 24 & 0xFF
                if addend >> 63 not in (0, -1):
                    raise MachOImportError("malformed chained fixups, an addend is above 64 bits")
                binds_addend.append(addend)
            else:
                target = (value & 0xFFFFFFFFF) - base
                if not 0 <= target <= self._size:
                    raise MachOImportError(f"malformed chained fixups, target {target:#x} is outside the image")
                pointer_at.append(segment.at + at)
                pointers.append(target | (value >> 36 & 0xFF) << 56)
            step = value >> 51 & 0xFFF
            if not step:
                break
            at += step * 4
        made = len(pointers) + len(binds_at) - count
        # The loop has checked each place; this counts them against what the file can hold.
        self._places.check((segment.at, segment.at + segment.size), segment.at + first, made, 0)


def _unpack(layout: str, table: bytes, at: int) -> tuple[int, ...]:
    if at + struct.calcsize(layout) > len(table):
        raise MachOImportError("malformed chained fixups, a table is cut off")
    return struct.unpack_from(layout, table, at)
