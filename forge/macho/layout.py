"""Whether a file's headers hold together, before anything reads further.

Every offset and size that a header or load command gives lies within the file (``mach-o/loader.h``,
``mach-o/fat.h``).
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass

from forge.macho.errors import MachOError
from forge.macho.formats import FAT_MAGIC, FAT_MAGIC_64, MAGIC_64, describe_format, looks_like_macho

HEADER_SIZE = 32
_SEGMENT_SIZE = 72
_SECTION_SIZE = 80
_NLIST_SIZE = 16
_MAX_SLICES = 44
_ZEROFILL_KINDS = frozenset({0x1, 0xC, 0x12})
"""``S_ZEROFILL``, ``S_GB_ZEROFILL``, ``S_THREAD_LOCAL_ZEROFILL``: sections without bytes in the file."""

_REQ_DYLD = 0x80000000
LC_SYMTAB = 0x2
LC_DYSYMTAB = 0xB
LC_LOAD_DYLIB = 0xC
LC_ID_DYLIB = 0xD
LC_LOAD_WEAK_DYLIB = 0x18 | _REQ_DYLD
LC_SEGMENT_64 = 0x19
LC_UUID = 0x1B
LC_RPATH = 0x1C | _REQ_DYLD
LC_CODE_SIGNATURE = 0x1D
LC_REEXPORT_DYLIB = 0x1F | _REQ_DYLD
LC_LAZY_LOAD_DYLIB = 0x20
LC_DYLD_INFO = 0x22
LC_DYLD_INFO_ONLY = 0x22 | _REQ_DYLD
LC_LOAD_UPWARD_DYLIB = 0x23 | _REQ_DYLD
LC_FUNCTION_STARTS = 0x26
LC_DATA_IN_CODE = 0x29
LC_SOURCE_VERSION = 0x2A
LC_ENCRYPTION_INFO_64 = 0x2C
LC_LINKER_OPTIMIZATION_HINT = 0x2E
LC_BUILD_VERSION = 0x32
LC_DYLD_EXPORTS_TRIE = 0x33 | _REQ_DYLD
LC_DYLD_CHAINED_FIXUPS = 0x34 | _REQ_DYLD
VERSION_MINS = {0x24: "MACOSX", 0x25: "IPHONEOS", 0x2F: "TVOS", 0x30: "WATCHOS"}
"""The ``LC_VERSION_MIN_*`` commands."""

LOAD_DYLIBS = frozenset(
    {LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB, LC_LAZY_LOAD_DYLIB, LC_LOAD_UPWARD_DYLIB}
)

_LINKEDIT_DATA = {
    LC_CODE_SIGNATURE: "LC_CODE_SIGNATURE",
    0x1E: "LC_SEGMENT_SPLIT_INFO",
    LC_FUNCTION_STARTS: "LC_FUNCTION_STARTS",
    LC_DATA_IN_CODE: "LC_DATA_IN_CODE",
    0x2B: "LC_DYLIB_CODE_SIGN_DRS",
    LC_LINKER_OPTIMIZATION_HINT: "LC_LINKER_OPTIMIZATION_HINT",
    LC_DYLD_EXPORTS_TRIE: "LC_DYLD_EXPORTS_TRIE",
    LC_DYLD_CHAINED_FIXUPS: "LC_DYLD_CHAINED_FIXUPS",
    0x36: "LC_ATOM_INFO",
}

_MINIMUM_SIZES = {
    LC_SYMTAB: 24,
    LC_DYSYMTAB: 80,
    LC_UUID: 24,
    LC_DYLD_INFO: 48,
    LC_DYLD_INFO_ONLY: 48,
    LC_ENCRYPTION_INFO_64: 24,
    LC_BUILD_VERSION: 24,
    LC_RPATH: 12,
    LC_ID_DYLIB: 24,
    0xE: 12,  # LC_LOAD_DYLINKER
    0xF: 12,  # LC_ID_DYLINKER
    0x27: 12,  # LC_DYLD_ENVIRONMENT
    0x28 | _REQ_DYLD: 24,  # LC_MAIN
    LC_SOURCE_VERSION: 16,
    0x2D: 12,  # LC_LINKER_OPTION
    0x31: 40,  # LC_NOTE
    **dict.fromkeys(VERSION_MINS, 16),
    **dict.fromkeys(_LINKEDIT_DATA, 16),
    **dict.fromkeys(LOAD_DYLIBS, 24),
}

_STRING_AT_8 = frozenset({LC_RPATH, LC_ID_DYLIB, 0xE, 0xF, 0x27}) | LOAD_DYLIBS
"""Commands whose ``lc_str`` (offset of a zero-ended string within the command) stands at byte 8."""


@dataclass(frozen=True)
class Command:
    """One load command: its number and its bytes, the 8 of its own header included."""

    number: int
    data: bytes

    def u32(self, at: int) -> int:
        """The 32-bit number at byte *at*."""
        value: int = struct.unpack_from("<I", self.data, at)[0]
        return value


@dataclass(frozen=True)
class SliceLayout:
    """Where a slice lies in its file, its header's numbers, and its load commands; all checked."""

    offset: int
    size: int
    cpu_type: int
    cpu_subtype: int
    file_type: int
    flags: int
    commands: tuple[Command, ...]
    commands_end: int


def read_layout(data: bytes) -> tuple[bool, tuple[SliceLayout, ...]]:
    """Check a file's frame.

    Args:
        data: The whole file.

    Returns:
        Whether it is fat, and its slices.

    Raises:
        MachOError: It is no 64-bit little-endian Mach-O file, or an offset or size in it cannot be.
    """
    if not looks_like_macho(data):
        raise MachOError(f"not a Mach-O file but {describe_format(data)}")
    if data[:4] not in (FAT_MAGIC, FAT_MAGIC_64):
        return False, (_read_slice(data, 0, len(data)),)
    return True, tuple(_read_slice(data, offset, size) for offset, size in _fat_ranges(data))


def section_offsets(segment: Command) -> range:
    """Where the sections stand in an ``LC_SEGMENT_64``."""
    return range(_SEGMENT_SIZE, _SEGMENT_SIZE + segment.u32(64) * _SECTION_SIZE, _SECTION_SIZE)


def _fat_ranges(data: bytes) -> list[tuple[int, int]]:
    count: int = struct.unpack_from(">I", data, 4)[0]
    if not 1 <= count <= _MAX_SLICES:
        raise MachOError(f"the fat header counts {count} slices")
    entry = struct.Struct(">IIIII") if data[:4] == FAT_MAGIC else struct.Struct(">IIQQII")
    table_end = 8 + count * entry.size
    if table_end > len(data):
        raise MachOError(f"the fat header counts {count} slices, but the file ends in their table")
    ranges: list[tuple[int, int]] = []
    for index in range(count):
        offset, size = entry.unpack_from(data, 8 + index * entry.size)[2:4]
        if offset < table_end or offset + size > len(data):
            raise MachOError(
                f"slice {index} (offset {offset}, {size} bytes) does not lie in the file's {len(data)} bytes"
            )
        ranges.append((offset, size))
    in_order = sorted(ranges)
    if any(first[0] + first[1] > second[0] for first, second in itertools.pairwise(in_order)):
        raise MachOError("two slices of the fat file overlap")
    return ranges


def _read_slice(data: bytes, offset: int, size: int) -> SliceLayout:
    if size < HEADER_SIZE:
        raise MachOError(f"cut off: {size} bytes cannot hold a Mach-O header")
    magic, cpu_type, cpu_subtype, file_type, count, commands_size, flags = struct.unpack_from("<4s6I", data, offset)
    if magic != MAGIC_64:
        raise MachOError(
            "not a 64-bit little-endian Mach-O file (iOS runs nothing else since iOS 11)"
            if looks_like_macho(magic)
            else f"a slice of the fat file is not Mach-O but {describe_format(magic)}"
        )
    commands_end = HEADER_SIZE + commands_size
    if commands_end > size:
        raise MachOError(f"cut off: the load commands end at byte {commands_end}, the file at byte {size}")
    if count * 8 > commands_size:
        raise MachOError(f"the header counts {count} load commands in {commands_size} bytes")
    commands = _read_commands(data[offset + HEADER_SIZE : offset + commands_end], count)
    for command in commands:
        _check_command(command, size)
    return SliceLayout(offset, size, cpu_type, cpu_subtype, file_type, flags, commands, commands_end)


def _read_commands(data: bytes, count: int) -> tuple[Command, ...]:
    commands: list[Command] = []
    at = 0
    for index in range(count):
        if at + 8 > len(data):
            raise MachOError(f"load command {index} of {count} starts beyond the space for load commands")
        number, size = struct.unpack_from("<II", data, at)
        if size < 8 or size % 8 or at + size > len(data):
            raise MachOError(f"load command {index} (0x{number:x}) has an impossible size of {size} bytes")
        commands.append(Command(number, data[at : at + size]))
        at += size
    return tuple(commands)


def _check_command(command: Command, size: int) -> None:
    """Check the command's own size and that every range it names lies within the slice's *size* bytes."""
    name = f"load command 0x{command.number:x}"
    if len(command.data) < _MINIMUM_SIZES.get(command.number, 8):
        raise MachOError(f"{name} is too short: {len(command.data)} bytes")
    if command.number in _STRING_AT_8:
        start = command.u32(8)
        if not 12 <= start < len(command.data) or b"\0" not in command.data[start:]:
            raise MachOError(f"{name}: its name does not lie within it")
    elif command.number == LC_SEGMENT_64:
        _check_segment(command, size)
    elif command.number == LC_SYMTAB:
        symbols, count, strings, strings_size = struct.unpack_from("<4I", command.data, 8)
        _check_range("the symbol table", symbols, count * _NLIST_SIZE, size)
        _check_range("the string table", strings, strings_size, size)
    elif command.number == LC_DYSYMTAB:
        _check_dynamic_symbols(command, size)
    elif command.number in (LC_DYLD_INFO, LC_DYLD_INFO_ONLY):
        numbers = struct.unpack_from("<10I", command.data, 8)
        for what, at in (("rebase", 0), ("bind", 2), ("weak bind", 4), ("lazy bind", 6), ("export", 8)):
            _check_range(f"dyld's {what} information", numbers[at], numbers[at + 1], size)
    elif command.number in _LINKEDIT_DATA:
        _check_range(f"what {_LINKEDIT_DATA[command.number]} points to", command.u32(8), command.u32(12), size)
    elif command.number == LC_ENCRYPTION_INFO_64:
        _check_range("the encrypted part", command.u32(8), command.u32(12), size)
    elif command.number == LC_BUILD_VERSION and 24 + command.u32(20) * 8 > len(command.data):
        raise MachOError(f"LC_BUILD_VERSION counts {command.u32(20)} tools in {len(command.data)} bytes")


def _check_segment(command: Command, size: int) -> None:
    if len(command.data) < _SEGMENT_SIZE:
        raise MachOError(f"LC_SEGMENT_64 is too short: {len(command.data)} bytes")
    count = command.u32(64)
    if _SEGMENT_SIZE + count * _SECTION_SIZE > len(command.data):
        raise MachOError(f"a segment counts {count} sections, which its load command has no space for")
    file_offset, file_size = struct.unpack_from("<QQ", command.data, 40)
    _check_range("a segment", file_offset, file_size, size)
    for at in section_offsets(command):
        length, offset, _align, relocations, relocation_count, flags = struct.unpack_from(
            "<QIIIII", command.data, at + 40
        )
        # A dSYM's and a zero-filled section have a length and no bytes in the file.
        if flags & 0xFF not in _ZEROFILL_KINDS and offset:
            _check_range("a section", offset, length, size)
        _check_range("a section's relocations", relocations, relocation_count * 8, size)


def _check_dynamic_symbols(command: Command, size: int) -> None:
    for what, at, width in (
        ("the table of contents", 32, 8),
        ("the module table", 40, 56),
        ("the external references", 48, 4),
        ("the indirect symbols", 56, 4),
        ("the external relocations", 64, 8),
        ("the local relocations", 72, 8),
    ):
        _check_range(what, command.u32(at), command.u32(at + 4) * width, size)


def _check_range(what: str, offset: int, length: int, size: int) -> None:
    if length and offset + length > size:
        raise MachOError(f"not within the file's {size} bytes: {what} (offset {offset}, {length} bytes)")
