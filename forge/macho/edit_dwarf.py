"""The segment ``__DWARF`` taken out of a library.

Apple's linkers leave DWARF in the object files; Go's copies it into the library, into a segment of its own between
the data and ``__LINKEDIT`` (``cmd/link``, ``macho_combine_dwarf.go``).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from forge.macho import layout
from forge.macho.edit_commands import open_library, page_size, write_commands
from forge.macho.edit_linkedit import CHAINED_FIXUPS, find_linkedit, find_tables, lay_out, resized, segment_name
from forge.macho.errors import MachOError

if TYPE_CHECKING:
    from forge.macho.layout import SliceLayout

_SEGMENT = "__DWARF"


def has_dwarf_segment(frame: SliceLayout) -> bool:
    """Whether there is a segment ``__DWARF``."""
    return any(segment_name(command) == _SEGMENT for command in frame.commands)


def strip_dwarf(data: bytes) -> bytes:
    """Take ``__DWARF`` out; ``__LINKEDIT`` moves to its place, in the file and in memory.

    Args:
        data: A thin dylib or bundle without a code signature.

    Raises:
        MachOError: The segment is not where a linker puts it, right before ``__LINKEDIT``: others would change
            their number, which dyld's bindings name.
    """
    frame = open_library(data)
    linkedit = find_linkedit(data, frame)
    segments = [i for i, command in enumerate(frame.commands) if command.number == layout.LC_SEGMENT_64]
    found = [i for i in segments if segment_name(frame.commands[i]) == _SEGMENT]
    if [*found, linkedit.command] != segments[-2:]:
        raise MachOError("its segment __DWARF is not right before __LINKEDIT")
    address, _, offset, size = struct.unpack_from("<QQQQ", frame.commands[found[0]].data, 24)
    linkedit_address = struct.unpack_from("<Q", frame.commands[linkedit.command].data, 24)[0]
    start, place = (offset, address) if size else (linkedit.offset, linkedit_address)
    if start > linkedit.offset or place > linkedit_address or start % page_size(frame) or place % page_size(frame):
        raise MachOError(f"its segment __DWARF is at byte {offset}, where __LINKEDIT cannot be")
    if any(_file_end(frame, i) > start for i in segments[:-2]):
        raise MachOError("its segment __DWARF overlaps another")
    tables = find_tables(data, frame)
    contents = {
        table: _without_segment(data[table.offset : table.offset + table.size], len(segments) - 2)
        for table in tables
        if table.what == CHAINED_FIXUPS
    }
    commands, body = lay_out(data, frame, tables, contents, start=start)
    commands[linkedit.command] = resized(frame, commands[linkedit.command], len(body), offset=start, address=place)
    del commands[found[0]]
    return write_commands(data[:start] + body, frame, commands)


def _file_end(frame: SliceLayout, index: int) -> int:
    offset, size = struct.unpack_from("<QQ", frame.commands[index].data, 40)
    end: int = offset + size
    return end


def _without_segment(fixups: bytes, number: int) -> bytes:
    """``LC_DYLD_CHAINED_FIXUPS``' data with one segment less (``mach-o/fixup-chains.h``).

    Args:
        fixups: The data.
        number: Which segment goes, from 0.

    Raises:
        MachOError: The list of segments does not lie within the data, or that one has fixups.
    """
    if len(fixups) < 28:
        raise MachOError("its chained fixups are cut off")
    starts: int = struct.unpack_from("<I", fixups, 4)[0]
    if starts + 4 > len(fixups):
        raise MachOError("its chained fixups are cut off")
    count: int = struct.unpack_from("<I", fixups, starts)[0]
    if starts + 4 + count * 4 > len(fixups):
        raise MachOError("its chained fixups are cut off")
    if count <= number:
        return fixups
    offsets = list(struct.unpack_from(f"<{count}I", fixups, starts + 4))
    if offsets.pop(number):
        raise MachOError("its segment __DWARF has fixups")
    changed = bytearray(fixups)
    struct.pack_into(f"<{count}I", changed, starts, count - 1, *offsets)
    return bytes(changed)
