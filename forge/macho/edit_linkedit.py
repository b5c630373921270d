"""The ``__LINKEDIT`` segment: which tables are in it, and laying it out anew when one of them changes its size."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.macho import layout
from forge.macho.checkout import layout_problem
from forge.macho.edit_commands import open_library, page_size, with_u32, write_commands
from forge.macho.errors import MachOError
from forge.macho.layout import Command, SliceLayout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SYMBOLS, STRINGS, INDIRECT, CHAINED_FIXUPS = "symbols", "strings", "indirect symbols", "chained fixups"
"""Names of the tables that a change of the symbol table touches."""

_DYLD_INFO = tuple((8 + 8 * index, 1, "dyld information") for index in range(5))
_TABLES: dict[int, tuple[tuple[int, int, str], ...]] = {
    layout.LC_SYMTAB: ((8, 16, SYMBOLS), (16, 1, STRINGS)),
    layout.LC_DYSYMTAB: ((56, 4, INDIRECT),),
    layout.LC_DYLD_INFO: _DYLD_INFO,
    layout.LC_DYLD_INFO_ONLY: _DYLD_INFO,
    layout.LC_DYLD_CHAINED_FIXUPS: ((8, 1, CHAINED_FIXUPS),),
    **dict.fromkeys(
        (
            layout.LC_DYLD_EXPORTS_TRIE,
            0x1E,  # LC_SEGMENT_SPLIT_INFO
            layout.LC_FUNCTION_STARTS,
            layout.LC_DATA_IN_CODE,
            0x2B,  # LC_DYLIB_CODE_SIGN_DRS
            layout.LC_LINKER_OPTIMIZATION_HINT,
            0x36,  # LC_ATOM_INFO
        ),
        ((8, 1, "table"),),
    ),
}
"""Load commands that point into ``__LINKEDIT``: where the offset stands, bytes an entry, what it is."""

_POINT_NOWHERE = (
    frozenset({layout.LC_SEGMENT_64, layout.LC_ID_DYLIB, layout.LC_UUID, layout.LC_RPATH, layout.LC_BUILD_VERSION})
    | layout.LOAD_DYLIBS
    | layout.VERSION_MINS.keys()
    | {
        layout.LC_ENCRYPTION_INFO_64,  # into __TEXT
        layout.LC_SOURCE_VERSION,
        0x12,  # LC_SUB_FRAMEWORK
        0x13,  # LC_SUB_UMBRELLA
        0x14,  # LC_SUB_CLIENT
        0x15,  # LC_SUB_LIBRARY
    }
)
"""Load commands without an offset into ``__LINKEDIT``. Any other might have one that would be missed."""

_UNMOVABLE = (32, 40, 48, 64, 72)
"""Where ``LC_DYSYMTAB`` gives tables that no linker has written into libraries since Mac OS X 10.6."""

_ALIGNMENT = 8


@dataclass(frozen=True)
class Table:
    """A part of ``__LINKEDIT``.

    Args:
        command: The index of the load command that points to it.
        field: Where its offset stands in that command; the number of entries follows.
        entry: Bytes an entry.
        what: What it is.
        offset: Bytes from the file's start.
        size: Bytes.
    """

    command: int
    field: int
    entry: int
    what: str
    offset: int
    size: int


@dataclass(frozen=True)
class LinkEdit:
    """The segment.

    Args:
        command: The index of its ``LC_SEGMENT_64``.
        offset: Bytes from the file's start.
        size: Bytes in the file.
    """

    command: int
    offset: int
    size: int


def find_linkedit(data: bytes, frame: SliceLayout) -> LinkEdit:
    """The segment ``__LINKEDIT``, which ends the file.

    Raises:
        MachOError: There is none or more than one, or something follows it.
    """
    found = [i for i, c in enumerate(frame.commands) if segment_name(c) == "__LINKEDIT"]
    if len(found) != 1:
        raise MachOError(f"it has {len(found)} segments __LINKEDIT; there is always one")
    offset, size = struct.unpack_from("<QQ", frame.commands[found[0]].data, 40)
    if offset + size != len(data):
        raise MachOError(f"{len(data) - offset - size} bytes follow its segment __LINKEDIT, which ends a library")
    if offset < frame.commands_end:
        raise MachOError("its segment __LINKEDIT lies in its load commands")
    return LinkEdit(found[0], offset, size)


def segment_name(command: Command) -> str | None:
    """The name of an ``LC_SEGMENT_64``; None for other commands."""
    if command.number != layout.LC_SEGMENT_64:
        return None
    return command.data[8:24].partition(b"\0")[0].decode("ascii", errors="backslashreplace")


def resized(frame: SliceLayout, command: Command, size: int, **moved: int) -> Command:
    """An ``LC_SEGMENT_64`` of ``__LINKEDIT`` with another size.

    Args:
        frame: The library's frame.
        command: The command.
        size: Bytes in the file.
        **moved: ``offset`` and ``address``, where they change.
    """
    address, old_memory, offset, old_size = struct.unpack_from("<QQQQ", command.data, 24)
    page = page_size(frame)
    # lld leaves the size in memory as it is in the file, ld64 rounds it up; both load.
    memory = size if old_memory == old_size else -(-size // page) * page
    data = bytearray(command.data)
    struct.pack_into("<QQQQ", data, 24, moved.get("address", address), memory, moved.get("offset", offset), size)
    return Command(command.number, bytes(data))


def find_tables(data: bytes, frame: SliceLayout) -> tuple[Table, ...]:
    """Every table in ``__LINKEDIT``, in the file's order; the file must have no code signature.

    Raises:
        MachOError: One lies elsewhere, two overlap, or a load command might point to one that forge does not know.
    """
    linkedit = find_linkedit(data, frame)
    tables = sorted(_tables(frame), key=lambda table: (table.offset, table.size, table.command, table.field))
    for table in tables:
        if table.offset < linkedit.offset:
            raise MachOError(f"its {table.what} (at byte {table.offset}) lie outside __LINKEDIT")
    if any(one.offset + one.size > other.offset for one, other in itertools.pairwise(tables)):
        raise MachOError("two tables in its __LINKEDIT overlap")
    return tuple(tables)


def lay_out(
    data: bytes, frame: SliceLayout, tables: tuple[Table, ...], contents: Mapping[Table, bytes], *, start: int
) -> tuple[list[Command], bytes]:
    """Lay out ``__LINKEDIT`` anew.

    Apple's tools ask that tables follow each other without a gap (`forge.macho.checkout`), so that what aligns the
    next table is counted in the size of one that is measured in bytes: zeros at its end mean nothing in any of them.

    Args:
        data: The file.
        frame: Its frame.
        tables: Its tables, in order.
        contents: What some of them hold instead.
        start: Where the segment is to start, bytes from the file's start.

    Returns:
        The load commands with new offsets (the segment's own stays), and the segment's bytes.
    """
    commands = list(frame.commands)
    made = bytearray()
    for table in tables:
        made.extend(bytes(-len(made) % _ALIGNMENT))
        body = contents.get(table, data[table.offset : table.offset + table.size])
        if table.entry == 1:
            body = body.ljust(-(-len(body) // _ALIGNMENT) * _ALIGNMENT, b"\0")
        commands[table.command] = with_u32(
            commands[table.command], table.field, start + len(made), len(body) // table.entry
        )
        made += body
    made.extend(bytes(-len(made) % _ALIGNMENT))
    return commands, bytes(made)


def mend_layout(data: bytes) -> bytes:
    """Close the gaps between the tables of a thin dylib or bundle without a code signature, if there are any.

    Returns:
        The file; *data* itself where Apple's tools take it as it is, or where its tables are in another order than
        they ask for.

    Raises:
        MachOError: It is no such file, or its layout is one that forge does not know.
    """
    frame = open_library(data)
    if layout_problem(frame) is None:
        return data
    linkedit = find_linkedit(data, frame)
    commands, body = lay_out(data, frame, find_tables(data, frame), {}, start=linkedit.offset)
    commands[linkedit.command] = resized(frame, commands[linkedit.command], len(body))
    made = write_commands(data[: linkedit.offset] + body, frame, commands)
    return data if layout_problem(open_library(made)) is not None else made


def _tables(frame: SliceLayout) -> Iterator[Table]:
    for index, command in enumerate(frame.commands):
        if command.number == layout.LC_DYSYMTAB and any(command.u32(at + 4) for at in _UNMOVABLE):
            raise MachOError("its dynamic symbol table has relocations or tables of an obsolete kind")
        fields = _TABLES.get(command.number)
        if fields is None and command.number not in _POINT_NOWHERE:
            raise MachOError(f"load command 0x{command.number:x} may point to a table that forge does not know")
        for at, entry, what in fields or ():
            offset, count = command.u32(at), command.u32(at + 4)
            if offset:
                yield Table(index, at, entry, what, offset, count * entry)
            elif count:
                raise MachOError(f"its {what} start at the file's first byte")
