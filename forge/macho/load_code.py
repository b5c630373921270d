"""What runs when a file is loaded, and which imported functions it can reach by direct calls.

dyld calls the functions of ``S_MOD_INIT_FUNC_POINTERS`` and ``S_INIT_FUNC_OFFSETS`` sections. Their code is
disassembled and followed through direct jumps and calls; calls to imports go through stubs, whose names the
indirect symbol table has (``mach-o/loader.h``). Calls through pointers are not followed, so that what is not found may
be there all the same. Code does not run from one function into the next: where the file has no ``LC_FUNCTION_STARTS``,
what lies behind a call that never returns cannot be told from the function's own code, and nothing is followed.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.macho import layout
from forge.macho.leb import read_uleb
from forge.macho.model import Cpu

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import capstone

    from forge.macho.model import MachOSlice, Section

INIT_POINTERS = 0x9
INIT_OFFSETS = 0x16
_LAZY_POINTERS = frozenset({0x6, 0x7})
"""``S_NON_LAZY_SYMBOL_POINTERS`` and ``S_LAZY_SYMBOL_POINTERS``."""
_STUBS = 0x8
_INDIRECT_SPECIAL = 0xC0000000
"""``INDIRECT_SYMBOL_LOCAL`` and ``INDIRECT_SYMBOL_ABS``: no symbol."""

_CHAINED_TARGET = (1 << 36) - 1

_MAX_INSTRUCTIONS = 200_000
"""Of one file; above that a look at the rest would cost more time than it is worth."""
_BLOCKS = (32, 256)
"""Bytes that are disassembled at a time: few at first, since most jumps lead to where a walk has been."""
_PER_JUMP = 8
"""Instructions that a jump costs: as many as are disassembled at its target at the least."""
_MAX_ENTRIES = 10_000
_MAX_STUBS = 200_000
_MAX_NAME = 4096

_RETURNS = frozenset({"ret", "retaa", "retab", "ud2", "hlt", "brk", "udf", "br", "braa", "brab"})
_JUMPS = frozenset({"jmp", "b"})
_CALLS = frozenset({"call", "bl"})
_TARGET = re.compile(r"(?:^|, )#?(0x[0-9a-f]+|\d+)$", flags=re.ASCII)
_SLOT = re.compile(r"^qword ptr \[rip ([+-]) (0x[0-9a-f]+|\d+)\]$", flags=re.ASCII)


@dataclass(frozen=True)
class LoadCode:
    """What a file does when it is loaded.

    Args:
        functions: How many functions dyld calls.
        reached: Imported symbols (as in the symbol table) that those reach by direct calls, sorted.
    """

    functions: int
    reached: tuple[str, ...] = ()


def read_load_code(data: bytes, frame: layout.SliceLayout, one: MachOSlice) -> LoadCode:
    """What runs at load, and what it reaches.

    Args:
        data: The slice's bytes.
        frame: Its load commands.
        one: What the reader says of it.

    Raises:
        MachOError: The table of function starts is cut off.
    """
    sections = [section for segment in one.segments for section in segment.sections]
    entries = list(itertools.islice(_entries(data, frame, one, sections), _MAX_ENTRIES))
    count = sum(s.size // (8 if s.kind == INIT_POINTERS else 4) for s in sections if _is_init(s))
    starts = _function_starts(data, frame, one)
    if not entries or not starts or one.cpu not in (Cpu.ARM64, Cpu.ARM64E, Cpu.X86_64):
        return LoadCode(count)
    walk = _Walk(data, one, _imports_by_address(data, frame), sections, starts)
    return LoadCode(count, walk.run(entries))


def _is_init(section: Section) -> bool:
    return section.kind in (INIT_POINTERS, INIT_OFFSETS)


def _entries(data: bytes, frame: layout.SliceLayout, one: MachOSlice, sections: list[Section]) -> Iterator[int]:
    """The addresses of the functions that dyld calls; those that lie outside of the file are left out."""
    base = next((segment.address for segment in one.segments if segment.name == "__TEXT"), 0)
    chained = any(command.number == layout.LC_DYLD_CHAINED_FIXUPS for command in frame.commands)
    for section in sections:
        raw = data[section.offset : section.offset + min(section.size, 8 * _MAX_ENTRIES)] if _is_init(section) else b""
        if section.kind == INIT_OFFSETS:
            yield from (base + offset for (offset,) in struct.iter_unpack("<I", raw[: len(raw) // 4 * 4]))
        elif section.kind == INIT_POINTERS:
            for (value,) in struct.iter_unpack("<Q", raw[: len(raw) // 8 * 8]):
                # A chained rebase (DYLD_CHAINED_PTR_64[_OFFSET]) has the target in its low 36 bits, as an address or
                # as an offset from the first segment; that is at 0 in a dylib, so the two are the same.
                yield value & _CHAINED_TARGET if chained else value


def _function_starts(data: bytes, frame: layout.SliceLayout, one: MachOSlice) -> frozenset[int]:
    """The addresses that functions start at: ULEB128 differences, the first from ``__TEXT``; a 0 ends them."""
    command = next((c for c in frame.commands if c.number == layout.LC_FUNCTION_STARTS), None)
    address = next((segment.address for segment in one.segments if segment.name == "__TEXT"), 0)
    if command is None:
        return frozenset()
    found: set[int] = set()
    table, at = data[command.u32(8) : command.u32(8) + command.u32(12)], 0
    while at < len(table):
        difference, at = read_uleb(table, at, "the table of function starts")
        if not difference:
            break
        address += difference
        found.add(address)
    return frozenset(found)


def _imports_by_address(data: bytes, frame: layout.SliceLayout) -> dict[int, str]:
    """Addresses of stubs and of pointers to imports, with the symbol of each."""
    symtab = next((c for c in frame.commands if c.number == layout.LC_SYMTAB), None)
    dysymtab = next((c for c in frame.commands if c.number == layout.LC_DYSYMTAB), None)
    if symtab is None or dysymtab is None:
        return {}
    symbols, symbol_count, strings, strings_size = struct.unpack_from("<4I", symtab.data, 8)
    indirect_at, indirect_count = dysymtab.u32(56), dysymtab.u32(60)
    names: dict[int, str] = {}
    left = _MAX_STUBS
    for address, kind, size, first, stub_size in _symbol_sections(frame):
        width = stub_size if kind == _STUBS else 8
        for index in range(size // width if width else 0):
            left -= 1
            if first + index >= indirect_count or left < 0:
                break
            (symbol,) = struct.unpack_from("<I", data, indirect_at + 4 * (first + index))
            if symbol & _INDIRECT_SPECIAL or symbol >= symbol_count:
                continue
            (name_at,) = struct.unpack_from("<I", data, symbols + 16 * symbol)
            end = data.find(b"\0", strings + name_at, min(strings + strings_size, strings + name_at + _MAX_NAME))
            if end >= 0:
                names[address + width * index] = data[strings + name_at : end].decode("utf-8", "backslashreplace")
    return names


def _symbol_sections(frame: layout.SliceLayout) -> Iterator[tuple[int, int, int, int, int]]:
    """Address, kind, size, first indirect symbol and stub size of the sections that stand for imports."""
    for command in frame.commands:
        if command.number != layout.LC_SEGMENT_64:
            continue
        for at in layout.section_offsets(command):
            address, size = struct.unpack_from("<QQ", command.data, at + 32)
            flags, first, stub_size = struct.unpack_from("<III", command.data, at + 64)
            if flags & 0xFF == _STUBS or flags & 0xFF in _LAZY_POINTERS:
                yield address, flags & 0xFF, size, first, stub_size


class _Walk:
    """Following code from some addresses through direct jumps and calls."""

    def __init__(
        self, data: bytes, one: MachOSlice, imports: Mapping[int, str], sections: list[Section], starts: frozenset[int]
    ) -> None:
        self.data = data
        self.starts = starts
        self.imports = imports
        code = [s for s in sections if s.flags & 0x80000400 and s.kind != _STUBS and s.offset]
        self.code = sorted(code, key=lambda section: section.address)
        self.addresses = [section.address for section in self.code]
        self.disassembler = _disassembler(one.cpu is Cpu.X86_64)

    def run(self, entries: list[int]) -> tuple[str, ...]:
        pending, seen, reached = list(entries), set[int](), set[str]()
        budget = _MAX_INSTRUCTIONS
        while pending and budget > 0:
            at = pending.pop()
            if at in self.imports:
                reached.add(self.imports[at])
                continue
            if at in seen:
                continue
            budget -= _PER_JUMP
            for address, size, mnemonic, operands in self._instructions(at):
                if address in seen or (address != at and address in self.starts):
                    break
                seen.add(address)
                budget -= 1
                base = mnemonic.removeprefix("notrack ")
                slot = _SLOT.match(operands) if base in _CALLS or base in _JUMPS else None
                if slot is not None:
                    offset = int(slot[2], 0) * (1 if slot[1] == "+" else -1)
                    if name := self.imports.get(address + size + offset):
                        reached.add(name)
                elif (target := _branch_target(base, operands)) is not None:
                    pending.append(target)
                if base in _RETURNS or base in _JUMPS:
                    break
        return tuple(sorted(reached))

    def _instructions(self, at: int) -> Iterator[tuple[int, int, str, str]]:
        """Instructions from an address on, to the end of its section."""
        index = bisect.bisect_right(self.addresses, at) - 1
        section = self.code[index] if index >= 0 else None
        for size in itertools.chain(_BLOCKS[:1], itertools.repeat(_BLOCKS[1])):
            if section is None or at >= section.address + section.size:
                return
            start = section.offset + at - section.address
            block = self.data[start : min(start + size, section.offset + section.size)]
            before = at
            for address, length, mnemonic, operands in self.disassembler.disasm_lite(block, at):
                yield address, length, mnemonic, operands
                at = address + length
            if at == before:  # no instruction, or the file ends
                return


def _branch_target(mnemonic: str, operands: str) -> int | None:
    """Where a direct branch goes, conditional or not; None for any other instruction."""
    is_branch = mnemonic in _CALLS or mnemonic in _JUMPS or mnemonic.startswith(("j", "b.", "cb", "tb", "loop"))
    found = _TARGET.search(operands) if is_branch else None
    return int(found[1], 0) if found else None


@functools.cache
def _disassembler(x86: bool) -> capstone.Cs:
    # Few wheels run code at load: what never looks into one should not wait for the disassembler.
    import capstone  # noqa: PLC0415 - see above

    if x86:
        return capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    return capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
