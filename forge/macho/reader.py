"""Reading Mach-O files: checks of the frame first, then what load commands and symbol table say.

Files come from anywhere, so that what is read is bounded: a table that names the same megabytes a million times is an
error rather than a wait.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

from forge.macho import layout
from forge.macho.errors import MachOError
from forge.macho.exports import read_export_trie
from forge.macho.model import (
    Binding,
    BuildInfo,
    Cpu,
    Dylib,
    Encryption,
    Export,
    FileType,
    HeaderFlag,
    Import,
    LoadKind,
    MachOFile,
    MachOSlice,
    Platform,
    Section,
    Segment,
    SignatureKind,
    Version,
)
from forge.macho.signature import signature_kind

if TYPE_CHECKING:
    from collections.abc import Iterator

_CPU_ARM64 = 0x0100000C
_CPU_X86_64 = 0x01000007
_ARM64E = 2
_CAPABILITY_BITS = 0xFF000000

# mach-o/nlist.h
_N_STAB = 0xE0
_N_OPT = 0x3C
_N_PEXT = 0x10
_N_TYPE = 0x0E
_N_EXT = 0x01
_N_UNDF = 0x0
_N_WEAK_REF = 0x40
_N_WEAK_DEF = 0x80
_ORDINALS = {0: Binding.SELF, 0xFE: Binding.DYNAMIC_LOOKUP, 0xFF: Binding.EXECUTABLE}

_NLIST = struct.Struct("<IBBHQ")
_MAX_SYMBOLS = 1 << 20
_MAX_NAME = 1 << 16
_MAX_TOTAL_NAMES = 1 << 26
"""Bytes of all symbols' names together: entries may overlap, so that the string table's size bounds nothing."""

_LOAD_KINDS = {
    layout.LC_LOAD_DYLIB: LoadKind.NORMAL,
    layout.LC_LOAD_WEAK_DYLIB: LoadKind.WEAK,
    layout.LC_REEXPORT_DYLIB: LoadKind.REEXPORT,
    layout.LC_LAZY_LOAD_DYLIB: LoadKind.LAZY,
    layout.LC_LOAD_UPWARD_DYLIB: LoadKind.UPWARD,
}


def read_macho(source: bytes | Path, *, name: str | None = None) -> MachOFile:
    """Read a Mach-O file, thin or fat.

    Args:
        source: The file's bytes, or its path.
        name: What errors call it; a path's own name by default.

    Raises:
        MachOError: It cannot be read, is no Mach-O file (a 64-bit one in each slice), or contradicts itself.
    """
    if isinstance(source, Path):
        name = name or str(source)
        try:
            data = source.read_bytes()
        except OSError as error:
            raise MachOError(f"cannot be read: {error.strerror}", file=name) from error
    else:
        data = source
    try:
        is_fat, slices = layout.read_layout(data)
        return MachOFile(is_fat, tuple(_read_slice(data, one) for one in slices))
    except MachOError as error:
        if name is None:
            raise
        raise MachOError(error.problem, file=name, hint=error.hint) from error


def _read_slice(data: bytes, frame: layout.SliceLayout) -> MachOSlice:
    whole = data if frame.size == len(data) else data[frame.offset : frame.offset + frame.size]
    try:
        file_type = FileType(frame.file_type)
    except ValueError:
        raise MachOError(f"unknown file type {frame.file_type}") from None
    cpu, cpu_subtype = _cpu(frame)
    flags = HeaderFlag(frame.flags)
    dylibs = tuple(_dylib(c, _LOAD_KINDS[c.number]) for c in frame.commands if c.number in _LOAD_KINDS)
    symtab = [c for c in frame.commands if c.number == layout.LC_SYMTAB]
    if len(symtab) > 1:
        raise MachOError("it has more than one symbol table")
    kinds = whole[symtab[0].u32(8) + 4 : symtab[0].u32(8) + 16 * symtab[0].u32(12) : 16] if symtab else b""
    symbols = list(_external_symbols(whole, symtab[0])) if symtab else []
    return MachOSlice(
        offset=frame.offset,
        size=frame.size,
        commands_end=frame.commands_end,
        cpu=cpu,
        cpu_type=frame.cpu_type,
        cpu_subtype=cpu_subtype,
        file_type=file_type,
        flags=flags,
        builds=_builds(frame, cpu),
        install_name=next((_dylib(c, LoadKind.NORMAL) for c in frame.commands if c.number == layout.LC_ID_DYLIB), None),
        dylibs=dylibs,
        rpaths=tuple(_string_at(c, c.u32(8)) for c in frame.commands if c.number == layout.LC_RPATH),
        exports=_exports(frame, whole, symbols),
        imports=_imports(symbols, dylibs, two_level=HeaderFlag.TWOLEVEL in flags),
        uuid=next((c.data[8:24].hex() for c in frame.commands if c.number == layout.LC_UUID), None),
        signature=_signature(frame, whole),
        encryption=_encryption(frame),
        segments=tuple(_segment(c) for c in frame.commands if c.number == layout.LC_SEGMENT_64),
        has_debug_map=any(kind & _N_STAB and kind != _N_OPT for kind in set(kinds)),
        has_chained_fixups=any(c.number == layout.LC_DYLD_CHAINED_FIXUPS for c in frame.commands),
    )


def _external_symbols(whole: bytes, symtab: layout.Command) -> Iterator[tuple[str, int, int]]:
    """Name, type and description of the symbols that other files can see (``mach-o/nlist.h``).

    Raises:
        MachOError: A name does not lie in the string table, or there is more than any linker writes.
    """
    offset, count, strings, strings_size = struct.unpack_from("<4I", symtab.data, 8)
    if count > _MAX_SYMBOLS:
        raise MachOError(f"it has {count} symbols; more than {_MAX_SYMBOLS} are not read")
    end, total = strings + strings_size, 0
    for at, kind, _, description, _ in _NLIST.iter_unpack(whole[offset : offset + count * _NLIST.size]):
        if kind & _N_STAB or not kind & _N_EXT:
            continue
        start = strings + at
        stop = whole.find(b"\0", start, min(end, start + _MAX_NAME))
        if at >= strings_size or stop < 0:
            raise MachOError("a symbol's name does not lie in its string table")
        total += stop - start
        if total > _MAX_TOTAL_NAMES:
            raise MachOError(f"the names of its symbols take more than {_MAX_TOTAL_NAMES} bytes")
        yield _text(whole[start:stop]), kind, description


def _cpu(frame: layout.SliceLayout) -> tuple[Cpu, int]:
    subtype = frame.cpu_subtype & ~_CAPABILITY_BITS
    if frame.cpu_type == _CPU_ARM64:
        return (Cpu.ARM64E if subtype == _ARM64E else Cpu.ARM64), subtype
    return (Cpu.X86_64 if frame.cpu_type == _CPU_X86_64 else Cpu.OTHER), subtype


def _builds(frame: layout.SliceLayout, cpu: Cpu) -> tuple[BuildInfo, ...]:
    builds: list[BuildInfo] = []
    for command in frame.commands:
        if command.number == layout.LC_BUILD_VERSION:
            number, minos, sdk = command.u32(8), command.u32(12), command.u32(16)
            platform, name = Platform(number), "LC_BUILD_VERSION"
        elif command.number in layout.VERSION_MINS:
            minos, sdk = command.u32(8), command.u32(12)
            family = layout.VERSION_MINS[command.number]
            simulator = "_SIMULATOR" if cpu is Cpu.X86_64 and family != "MACOSX" else ""
            platform = Platform[{"MACOSX": "MACOS", "IPHONEOS": "IOS"}.get(family, family) + simulator]
            number, name = platform.value, f"LC_VERSION_MIN_{family}"
        else:
            continue
        builds.append(BuildInfo(platform, number, Version.unpack(minos), Version.unpack(sdk), name))
    return tuple(builds)


def _dylib(command: layout.Command, kind: LoadKind) -> Dylib:
    current, compatibility = Version.unpack(command.u32(16)), Version.unpack(command.u32(20))
    return Dylib(_string_at(command, command.u32(8)), kind, compatibility, current)


def _string_at(command: layout.Command, start: int) -> str:
    return command.data[start : command.data.index(b"\0", start)].decode("utf-8", errors="backslashreplace")


def _exports(frame: layout.SliceLayout, whole: bytes, symbols: list[tuple[str, int, int]]) -> tuple[Export, ...]:
    for command in frame.commands:
        if command.number in (layout.LC_DYLD_INFO, layout.LC_DYLD_INFO_ONLY):
            offset, size = struct.unpack_from("<II", command.data, 40)
        elif command.number == layout.LC_DYLD_EXPORTS_TRIE:
            offset, size = command.u32(8), command.u32(12)
        else:
            continue
        return read_export_trie(whole[offset : offset + size])
    defined = {
        Export(name, weak=bool(description & _N_WEAK_DEF))
        for name, kind, description in symbols
        if not kind & (_N_STAB | _N_PEXT) and kind & _N_EXT and kind & _N_TYPE != _N_UNDF
    }
    return tuple(sorted(defined, key=lambda export: (export.name, export.weak)))


def _imports(symbols: list[tuple[str, int, int]], dylibs: tuple[Dylib, ...], *, two_level: bool) -> tuple[Import, ...]:
    imports: set[Import] = set()
    for name, kind, description in symbols:
        if kind & _N_STAB or not kind & _N_EXT or kind & _N_TYPE != _N_UNDF:
            continue
        ordinal = description >> 8
        library = None
        binding = _ORDINALS.get(ordinal, Binding.LIBRARY) if two_level else Binding.FLAT
        if binding is Binding.LIBRARY:
            if ordinal > len(dylibs):
                raise MachOError(f"symbol {name} is bound to library {ordinal} of {len(dylibs)}")
            library = dylibs[ordinal - 1].name
        imports.add(Import(name, binding, library, bool(description & _N_WEAK_REF), ordinal))
    return tuple(sorted(imports, key=lambda one: (one.name, one.ordinal, one.weak)))


def _signature(frame: layout.SliceLayout, whole: bytes) -> SignatureKind:
    for command in frame.commands:
        if command.number == layout.LC_CODE_SIGNATURE:
            return signature_kind(whole[command.u32(8) : command.u32(8) + command.u32(12)])
    return SignatureKind.NONE


def _encryption(frame: layout.SliceLayout) -> Encryption | None:
    for command in frame.commands:
        if command.number == layout.LC_ENCRYPTION_INFO_64:
            return Encryption(command.u32(8), command.u32(12), command.u32(16))
    return None


def _segment(command: layout.Command) -> Segment:
    name, *numbers = struct.unpack_from("<16sQQQQiiII", command.data, 8)
    return Segment(
        name=_fixed_text(name),
        address=numbers[0],
        virtual_size=numbers[1],
        file_offset=numbers[2],
        file_size=numbers[3],
        protection=numbers[5],
        sections=tuple(_section(command.data, at) for at in layout.section_offsets(command)),
    )


def _section(data: bytes, at: int) -> Section:
    name, _, address, size, offset, _, _, _, flags = struct.unpack_from("<16s16sQQIIIII", data, at)
    return Section(_fixed_text(name), address, size, offset, flags & 0xFF, flags)


def _fixed_text(name: bytes) -> str:
    return _text(name.partition(b"\0")[0])


def _text(name: bytes) -> str:
    return name.decode("utf-8", errors="backslashreplace")
