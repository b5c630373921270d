"""A Mach-O file read for loading: header and load commands, every range checked before anything is mapped.

The other tables have modules of their own: `trie`, `opcodes`, `chained`. Layouts are ``mach-o/loader.h``'s; what is
refused, and in which words, follows what dyld's ``MachOAnalyzer`` refuses.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from forge.emulate.runtime import constants
from forge.emulate.runtime.chained import ChainedReader
from forge.emulate.runtime.constants import c_string
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.model import (
    Dependency,
    Export,
    ExportKind,
    Fixups,
    Link,
    MachImage,
    Section,
    Segment,
    SymbolTable,
    no_binds,
)
from forge.emulate.runtime.opcodes import BindReader, read_rebases
from forge.emulate.runtime.places import Imports, Places
from forge.emulate.runtime.slices import find_slice
from forge.emulate.runtime.thread_locals import read_thread_locals
from forge.emulate.runtime.trie import read_trie

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER: Final = 32
_MAX_SPAN: Final = 1 << 32
"""Bytes of address space of one image: code reaches its data with 32-bit offsets."""

_LINKS: Final = {
    constants.LC_LOAD_DYLIB: Link.LOAD,
    constants.LC_LOAD_WEAK_DYLIB: Link.WEAK,
    constants.LC_REEXPORT_DYLIB: Link.REEXPORT,
    constants.LC_LOAD_UPWARD_DYLIB: Link.UPWARD,
    constants.LC_LAZY_LOAD_DYLIB: Link.LAZY,
}
_PLATFORM_MACOS, _PLATFORM_IOS, _PLATFORM_IOS_SIMULATOR = 1, 2, 7
_N_STAB, _N_TYPE, _N_SECT, _N_ABS, _N_EXT, _N_PEXT = 0xE0, 0x0E, 0x0E, 0x02, 0x01, 0x10
_N_WEAK_DEF: Final = 0x80


@dataclass(slots=True)
class _Draft:
    """What the load commands have said so far."""

    header: tuple[int, ...]
    raw_segments: list[tuple[str, int, int, int, int, int, int]] = field(default_factory=list)
    raw_sections: list[tuple[str, str, int, int, int, int]] = field(default_factory=list)
    dependencies: list[Dependency] = field(default_factory=list)
    rpaths: list[str] = field(default_factory=list)
    install_name: str | None = None
    platform: int | None = None
    minimum_os: str | None = None
    dyld_info: tuple[int, ...] = (0,) * 10
    chained: tuple[int, int] | None = None
    trie: tuple[int, int] = (0, 0)
    symbols: tuple[int, int, int, int] | None = None
    routine: int | None = None


def read_image(data: bytes, cpu_type: int) -> MachImage:
    """Read the slice of a file that is for a CPU.

    Args:
        data: The file, thin or fat.
        cpu_type: ``CPU_*``.

    Returns:
        What it asks of a dynamic linker.

    Raises:
        MachOImportError: It is damaged, contradicts itself, or is not a dylib or bundle for that CPU.
    """
    return _Reader(find_slice(data, cpu_type)).read(cpu_type)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, cpu_type: int) -> MachImage:
        if len(self.data) < _HEADER:
            raise MachOImportError("file too short for a mach header")
        header = struct.unpack_from("<8I", self.data)
        if header[0] != constants.MH_MAGIC_64:
            raise MachOImportError("not a 64-bit Mach-O file")
        if header[1] != cpu_type:
            raise MachOImportError(f"incompatible architecture (CPU type {header[1]:#x}, need {cpu_type:#x})")
        if cpu_type == constants.CPU_ARM64 and header[2] & 0xFFFFFF == constants.CPU_SUBTYPE_ARM64E:
            raise MachOImportError("incompatible architecture (arm64e, need arm64)")
        if header[3] not in (constants.MH_DYLIB, constants.MH_BUNDLE):
            raise MachOImportError(f"of file type {header[3]}, not a dylib or bundle")
        draft = _Draft(header)
        for command, at, size in self._commands(header):
            self._command(draft, command, at, size)
        return self._finish(draft)

    def _commands(self, header: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
        count, total = header[4], header[5]
        if _HEADER + total > len(self.data):
            raise MachOImportError("malformed mach-o: load commands extend past the end of the file")
        at, end = _HEADER, _HEADER + total
        for index in range(count):
            if at + 8 > end:
                raise MachOImportError(f"malformed mach-o: load command #{index} is past sizeofcmds")
            command, size = struct.unpack_from("<II", self.data, at)
            if size < 8 or size % 4 or at + size > end:
                raise MachOImportError(f"malformed mach-o: load command #{index} has size {size}")
            yield command, at, size
            at += size

    def _command(self, draft: _Draft, command: int, at: int, size: int) -> None:  # noqa: PLR0912 - one branch a command
        if command == constants.LC_SEGMENT_64:
            self._segment(draft, at, size)
        elif command in _LINKS:
            draft.dependencies.append(Dependency(self._string(at, size, 24), _LINKS[command]))
        elif command == constants.LC_ID_DYLIB:
            draft.install_name = self._string(at, size, 24)
        elif command == constants.LC_RPATH:
            draft.rpaths.append(self._string(at, size, 12))
        elif command in (constants.LC_DYLD_INFO, constants.LC_DYLD_INFO_ONLY):
            draft.dyld_info = self._fields("<10I", at, size)
        elif command == constants.LC_DYLD_CHAINED_FIXUPS:
            draft.chained = self._pair(at, size)
        elif command == constants.LC_DYLD_EXPORTS_TRIE:
            draft.trie = self._pair(at, size)
        elif command == constants.LC_SYMTAB:
            first, count, strings, strings_size = self._fields("<4I", at, size)
            draft.symbols = first, count, strings, strings_size
        elif command == constants.LC_ROUTINES_64:
            draft.routine = self._fields("<Q", at, size)[0]
        elif command == constants.LC_BUILD_VERSION:
            draft.platform, version = self._fields("<II", at, size)
            draft.minimum_os = f"{version >> 16}.{version >> 8 & 0xFF}"
        elif command in (constants.LC_VERSION_MIN_IPHONEOS, constants.LC_VERSION_MIN_MACOSX):
            self._version_min(draft, command, self._fields("<I", at, size)[0])
        elif command == constants.LC_ENCRYPTION_INFO_64:
            if self._fields("<III", at, size)[2]:
                raise MachOImportError("the file is encrypted")
        elif command & constants.LC_REQ_DYLD:
            raise MachOImportError(f"malformed mach-o: unknown required load command {command:#x}")

    @staticmethod
    def _version_min(draft: _Draft, command: int, version: int) -> None:
        # Before LC_BUILD_VERSION a simulator's files said iOS too, and differed by CPU.
        ios = _PLATFORM_IOS if draft.header[1] == constants.CPU_ARM64 else _PLATFORM_IOS_SIMULATOR
        draft.platform = ios if command == constants.LC_VERSION_MIN_IPHONEOS else _PLATFORM_MACOS
        draft.minimum_os = f"{version >> 16}.{version >> 8 & 0xFF}"

    def _fields(self, layout: str, at: int, size: int) -> tuple[int, ...]:
        """The numbers behind a command's head."""
        if 8 + struct.calcsize(layout) > size:
            raise MachOImportError(f"malformed mach-o: a load command of {size} bytes is too short")
        return struct.unpack_from(layout, self.data, at + 8)

    def _pair(self, at: int, size: int) -> tuple[int, int]:
        offset, length = self._fields("<II", at, size)
        return offset, length

    def _string(self, at: int, size: int, least: int) -> str:
        start = self._fields("<I", at, size)[0]
        if not least <= start < size:
            raise MachOImportError("malformed mach-o: a load command's string is outside it")
        return c_string(self.data[at : at + size], start, "a load command")[0]

    def _table(self, offset: int, size: int, what: str) -> bytes:
        if offset + size > len(self.data):
            raise MachOImportError(f"malformed mach-o: {what} extends past the end of the file")
        return self.data[offset : offset + size]

    def _part(self, info: tuple[int, ...], field_index: int, what: str) -> bytes:
        return self._table(info[field_index], info[field_index + 1], what)

    def _segment(self, draft: _Draft, at: int, size: int) -> None:
        name, address, memory, offset, length, _, protection, count, flags = _unpack_segment(self.data, at, size)
        if 72 + 80 * count > size:
            raise MachOImportError(f"malformed mach-o: sections of {name} extend past its load command")
        if offset + length > len(self.data):
            raise MachOImportError(f"malformed mach-o: segment {name} extends past the end of the file")
        if name == "__PAGEZERO" and not length:
            draft.raw_segments.append((name, address, 0, 0, 0, 0, 0))
            return
        if length > memory:
            raise MachOImportError(f"malformed mach-o: segment {name} has a file size larger than its vm size")
        if address % constants.PAGE or address + memory > constants.ADDRESS_MASK:
            raise MachOImportError(f"malformed mach-o: segment {name} is at address {address:#x}")
        draft.raw_segments.append((name, address, memory, offset, length, protection, flags))
        for index in range(count):
            raw = struct.unpack_from("<16s16sQQIIIII", self.data, at + 72 + 80 * index)
            section, start, span, align, kind = _name(raw[0]), raw[2], raw[3], raw[5], raw[8] & 0xFF
            if span and not address <= start <= start + span <= address + memory:
                raise MachOImportError(f"malformed mach-o: section {name},{section} is outside its segment")
            if align > 15:
                raise MachOImportError(f"malformed mach-o: section {name},{section} has alignment 2^{align}")
            draft.raw_sections.append((name, section, start, span, kind, 1 << align))

    def _finish(self, draft: _Draft) -> MachImage:
        preferred, size, by_index = _lay_out(draft)
        segments = tuple(segment for segment in by_index if segment is not None)
        sections = tuple(
            Section(segment, name, address - preferred, span, kind, align)
            for segment, name, address, span, kind, align in draft.raw_sections
            if span
        )
        weak = bool(draft.header[6] & constants.MH_WEAK_DEFINES)
        symbols = _mapped_symbols(self.data, draft.symbols, segments)
        routine = None if draft.routine is None else draft.routine - preferred
        return MachImage(
            cpu_type=draft.header[1],
            file_type=draft.header[3],
            platform=draft.platform,
            minimum_os=draft.minimum_os,
            install_name=draft.install_name,
            preferred=preferred,
            size=size,
            segments=segments,
            sections=sections,
            dependencies=tuple(draft.dependencies),
            rpaths=tuple(draft.rpaths),
            exports=self._exports(draft, preferred, size),
            weak_definitions=weak,
            fixups=self._fixups(draft, by_index, preferred, size),
            thread_locals=read_thread_locals(self.data, segments, sections),
            symbols=symbols,
            routine=routine,
        )

    def _exports(self, draft: _Draft, preferred: int, size: int) -> dict[str, Export]:
        offset, length = draft.dyld_info[8:10] if draft.dyld_info[9] else draft.trie
        if length:
            return read_trie(self._table(offset, length, "export trie"), size, len(draft.dependencies))
        return self._symbol_exports(draft, preferred, size) if draft.symbols and not draft.chained else {}

    def _symbol_exports(self, draft: _Draft, preferred: int, size: int) -> dict[str, Export]:
        """What a file without a trie exports: the external symbols of its symbol table."""
        assert draft.symbols is not None  # noqa: S101 - the caller has looked
        first, count, strings_at, strings_size = draft.symbols
        table = self._table(first, count * 16, "symbol table")
        strings = self._table(strings_at, strings_size, "string table")
        found: dict[str, Export] = {}
        for name_at, kind, _, description, value in struct.iter_unpack("<IBBHQ", table):
            if kind & (_N_STAB | _N_PEXT) or not kind & _N_EXT or kind & _N_TYPE not in (_N_SECT, _N_ABS):
                continue
            absolute = kind & _N_TYPE == _N_ABS
            if not absolute and not 0 <= value - preferred < size:
                raise MachOImportError(f"malformed mach-o: symbol value {value:#x} is outside the image")
            name, _ = c_string(strings, name_at, "string table")
            export = Export(
                ExportKind.ABSOLUTE if absolute else ExportKind.REGULAR,
                value if absolute else value - preferred,
                weak=bool(description & _N_WEAK_DEF),
            )
            found[name] = export
        return found

    def _fixups(self, draft: _Draft, segments: list[Segment | None], preferred: int, size: int) -> Fixups:
        length = len(self.data)
        imports = Imports(len(draft.dependencies))
        if draft.chained:
            places = Places(segments, length, "chained fixups")
            table = self._table(*draft.chained, "chained fixups")
            return ChainedReader(self.data, places, imports, preferred, size).read(table) if table else _no_fixups()
        info = draft.dyld_info
        slides = read_rebases(self._part(info, 0, "rebase info"), Places(segments, length, "rebase info"))
        binds = BindReader(Places(segments, length, "bind info"), imports).read(self._part(info, 2, "bind info"))
        lazy = BindReader(Places(segments, length, "lazy bind info"), imports, lazy=True).read(
            self._part(info, 6, "lazy bind info")
        )
        for column, more in ((binds.at, lazy.at), (binds.imports, lazy.imports), (binds.addends, lazy.addends)):
            column.extend(more)
        weak = BindReader(Places(segments, length, "weak bind info"), imports, weak=True)
        weak_binds = weak.read(self._part(info, 4, "weak bind info"))
        return Fixups(slides, array("Q"), array("Q"), imports.all(), binds, weak_binds)


def _unpack_segment(data: bytes, at: int, size: int) -> tuple[str, int, int, int, int, int, int, int, int]:
    if size < 72:
        raise MachOImportError(f"malformed mach-o: a segment's load command has size {size}")
    name, *rest = struct.unpack_from("<16sQQQQIIII", data, at + 8)
    address, memory, offset, length, maximum, protection, count, flags = rest
    return _name(name), address, memory, offset, length, maximum, protection, count, flags


def _name(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _lay_out(draft: _Draft) -> tuple[int, int, list[Segment | None]]:
    """Preferred address, size, and the segments by index, ``__PAGEZERO`` as None."""
    used = sorted((s for s in draft.raw_segments if s[2]), key=lambda s: s[1])
    if not used:
        raise MachOImportError("malformed mach-o: no segments")
    preferred, end = used[0][1], 0
    for name, address, memory, *_ in used:
        if address < end:
            raise MachOImportError(f"malformed mach-o: segment {name} overlaps another")
        end = address + memory
    if used[0][3] or used[0][4] < _HEADER + draft.header[5]:
        raise MachOImportError(f"malformed mach-o: first segment {used[0][0]} does not hold the load commands")
    size = -(-(end - preferred) // constants.PAGE) * constants.PAGE
    if size > _MAX_SPAN:
        raise MachOImportError(f"malformed mach-o: segments span {size:#x} bytes")
    by_index: list[Segment | None] = []
    for name, address, memory, offset, length, protection, flags in draft.raw_segments:
        if protection & constants.PROT_WRITE and protection & constants.PROT_EXECUTE:
            raise MachOImportError(f"malformed mach-o: segment {name} is both writable and executable")
        read_only = bool(flags & constants.SG_READ_ONLY)
        by_index.append(
            Segment(name, address - preferred, memory, offset, length, protection, read_only) if memory else None
        )
    return preferred, size, by_index


def _mapped_symbols(
    data: bytes, symbols: tuple[int, int, int, int] | None, segments: tuple[Segment, ...]
) -> SymbolTable | None:
    if symbols is None or not symbols[1]:
        return None
    first, count, strings_at, strings_size = symbols
    table, strings = _mapped(segments, first, count * 16), _mapped(segments, strings_at, strings_size)
    usable = data.rfind(b"\0", strings_at, strings_at + strings_size) + 1 - strings_at
    if table is None or strings is None or usable <= 0 or table % 8:
        return None
    return SymbolTable(table, count, strings, usable)


def _mapped(segments: tuple[Segment, ...], offset: int, size: int) -> int | None:
    """Where a range of the file lies in the image; writable segments do not count, for their bytes may change."""
    for segment in segments:
        if segment.file_offset <= offset and offset + size <= segment.file_offset + segment.file_size:
            return None if segment.writable else offset - segment.file_offset + segment.at
    return None


def _no_fixups() -> Fixups:
    return Fixups(array("Q"), array("Q"), array("Q"), (), no_binds(), no_binds())
