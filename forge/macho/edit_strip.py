"""Debug information taken out of a library: the debug map (stabs), DWARF; local symbols if asked.

The debug map is what a linker leaves for debuggers and ``dsymutil``: the paths of the build machine's sources and
object files, in the symbol table. Nothing that dyld or a linker reads is lost.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forge.macho import layout
from forge.macho.checkout import keep_layout
from forge.macho.edit_commands import only, open_library, with_u32, write_commands
from forge.macho.edit_dwarf import has_dwarf_segment, strip_dwarf
from forge.macho.edit_linkedit import INDIRECT, STRINGS, SYMBOLS, find_linkedit, find_tables, lay_out, resized
from forge.macho.errors import MachOError
from forge.macho.sign import remove_signature

if TYPE_CHECKING:
    from forge.macho.layout import Command, SliceLayout

# mach-o/nlist.h
_NLIST = struct.Struct("<IBBHQ")
_N_STAB = 0xE0
_N_EXT = 0x01
_N_TYPE = 0x0E
_N_INDR = 0x0A
_N_OPT = 0x3C
"""What ``strip`` leaves to say that it ran (``radr://5614542``); it names no file."""
_NO_SYMBOL = 0xC0000000
"""``INDIRECT_SYMBOL_LOCAL`` and ``INDIRECT_SYMBOL_ABS``: an entry that names no symbol."""

_RANGES = (8, 16, 24)
"""Where ``LC_DYSYMTAB`` gives first index and number of local, defined and undefined symbols."""


@dataclass(frozen=True)
class _Symbol:
    """An ``nlist_64``: *name* is its place in the string table."""

    name: int
    kind: int
    section: int
    description: int
    value: int


def strip_debug(data: bytes, *, local_symbols: bool = False) -> bytes:
    """Take debug information out of a thin dylib or bundle.

    Exports, imports, function starts and fixups stay; the UUID too, by which debuggers find the symbols of what
    was linked. A code signature is taken out, since it would not hold any more: `forge.macho.sign.sign_ad_hoc`
    makes another.

    Args:
        data: The file.
        local_symbols: Take out symbols of static functions and the like as well (``strip -x``).

    Returns:
        The file; *data* itself where there is nothing to take out.

    Raises:
        MachOError: It is no such file, or contradicts itself, or is laid out in a way that forge does not know.
    """
    frame = open_library(data)
    made = data
    if any(_is_droppable(symbol, local_symbols) for symbol in _read_symbols(data, frame)):
        made = _strip_symbols(data, local_symbols)
    if has_dwarf_segment(frame):
        made = strip_dwarf(remove_signature(made))
    return data if made is data else keep_layout(data, made)


def _strip_symbols(whole: bytes, local_symbols: bool) -> bytes:
    data = remove_signature(whole)
    frame = open_library(data)
    tables = find_tables(data, frame)
    parts = {table.what: table for table in tables if table.what in (SYMBOLS, STRINGS, INDIRECT)}
    symbols = _read_symbols(data, frame)
    indirect: list[int] = []
    if INDIRECT in parts:
        table = parts[INDIRECT]
        indirect = [n for (n,) in struct.iter_unpack("<I", data[table.offset : table.offset + table.size])]
    needed = {index for index in indirect if not index & _NO_SYMBOL}
    kept = [i for i, symbol in enumerate(symbols) if i in needed or not _is_droppable(symbol, local_symbols)]
    if len(kept) == len(symbols):
        return whole  # local symbols, all of them named by the indirect table
    places = {old: new for new, old in enumerate(kept)}
    if not needed <= places.keys():
        raise MachOError(f"its indirect symbols name symbol {max(needed)} of {len(symbols)}")
    if STRINGS not in parts:
        raise MachOError("it has symbols and no string table")
    strings = _Strings(data[parts[STRINGS].offset : parts[STRINGS].offset + parts[STRINGS].size])
    contents = {parts[SYMBOLS]: b"".join(strings.move(symbols[index]) for index in kept)}
    contents[parts[STRINGS]] = bytes(strings.made)
    if INDIRECT in parts:
        moved = (index if index & _NO_SYMBOL else places[index] for index in indirect)
        contents[parts[INDIRECT]] = struct.pack(f"<{len(indirect)}I", *moved)
    linkedit = find_linkedit(data, frame)
    commands, body = lay_out(data, frame, tables, contents, start=linkedit.offset)
    commands[linkedit.command] = resized(frame, commands[linkedit.command], len(body))
    commands = [_ranges(c, kept) if c.number == layout.LC_DYSYMTAB else c for c in commands]
    return write_commands(data[: linkedit.offset] + body, frame, commands)


def _read_symbols(data: bytes, frame: SliceLayout) -> list[_Symbol]:
    index = only(frame, layout.LC_SYMTAB)
    only(frame, layout.LC_DYSYMTAB)
    if index is None:
        return []
    offset, count = struct.unpack_from("<II", frame.commands[index].data, 8)
    return [_Symbol(*row) for row in _NLIST.iter_unpack(data[offset : offset + count * _NLIST.size])]


def _is_droppable(symbol: _Symbol, local_symbols: bool) -> bool:
    return (bool(symbol.kind & _N_STAB) and symbol.kind != _N_OPT) or (local_symbols and not symbol.kind & _N_EXT)


def _ranges(command: Command, kept: list[int]) -> Command:
    """``LC_DYSYMTAB`` with its ranges of symbols as they are when only those of indexes *kept* (sorted) are left."""
    for at in _RANGES:
        first, count = command.u32(at), command.u32(at + 4)
        before = sum(index < first for index in kept)
        within = sum(first <= index < first + count for index in kept)
        command = with_u32(command, at, before, within)
    return command


class _Strings:
    """A string table made anew, of the strings that are still named."""

    def __init__(self, old: bytes) -> None:
        self._old = old
        # As linkers start one, so that index 0 can mean no name and index 1 an empty one.
        self.made = bytearray(b" \0")
        self._places: dict[bytes, int] = {b"": 1}

    def move(self, symbol: _Symbol) -> bytes:
        """The symbol's entry, its strings copied over."""
        symbol = replace(symbol, name=self._place(symbol.name))
        if symbol.kind & _N_TYPE == _N_INDR and not symbol.kind & _N_STAB:
            # The value of an alias is the place of another name.
            symbol = replace(symbol, value=self._place(symbol.value))
        return _NLIST.pack(symbol.name, symbol.kind, symbol.section, symbol.description, symbol.value)

    def _place(self, at: int) -> int:
        if at == 0:
            return 0
        end = self._old.find(b"\0", at)
        if end < 0:
            raise MachOError("a symbol's name does not lie in its string table")
        name = self._old[at:end]
        if name not in self._places:
            self._places[name] = len(self.made)
            self.made += name + b"\0"
        return self._places[name]
