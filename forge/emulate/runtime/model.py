"""What a Mach-O file asks of a dynamic linker, checked, as values. Nothing here is in memory to run yet.

Offsets named ``at`` are bytes from the image's start, which is its header (``mach_header_64``) and its lowest address.
Names are ``str`` with surrogates for bytes that are not UTF-8 (PEP 383).
"""

from __future__ import annotations

import enum
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.emulate.runtime import constants

if TYPE_CHECKING:
    from collections.abc import Mapping

SELF, MAIN_EXECUTABLE, FLAT_LOOKUP, WEAK_LOOKUP = 0, -1, -2, -3
"""Special library ordinals (``BIND_SPECIAL_DYLIB_*``)."""


class Link(enum.Enum):
    """How an image wants a library."""

    LOAD = "load"
    WEAK = "weak"
    REEXPORT = "reexport"
    UPWARD = "upward"
    LAZY = "lazy"


@dataclass(frozen=True, slots=True)
class Dependency:
    """A library that an image loads; its ordinal is its place in the list, from 1."""

    install_name: str
    link: Link


@dataclass(frozen=True, slots=True)
class Section:
    """A section.

    Args:
        segment: Its segment's name.
        name: Its name.
        at: Offset in the image.
        size: Bytes in memory.
        kind: ``S_*`` type.
        alignment: Bytes.
    """

    segment: str
    name: str
    at: int
    size: int
    kind: int
    alignment: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment.

    Args:
        name: Its name.
        at: Offset in the image.
        size: Bytes in memory.
        file_offset: Bytes into the slice.
        file_size: Bytes there, at most *size*; the rest is zeros.
        protection: ``PROT_*`` bits once it is loaded (``initprot``).
        read_only_after: Writable for fixups only (``SG_READ_ONLY``).
    """

    name: str
    at: int
    size: int
    file_offset: int
    file_size: int
    protection: int
    read_only_after: bool

    @property
    def writable(self) -> bool:
        """Whether fixups may be in it."""
        return bool(self.protection & constants.PROT_WRITE)


class ExportKind(enum.Enum):
    """What an exported name stands for."""

    REGULAR = "regular"
    THREAD_LOCAL = "thread-local"
    ABSOLUTE = "absolute"
    REEXPORT = "reexport"
    RESOLVER = "resolver"


@dataclass(frozen=True, slots=True)
class Export:
    """An exported symbol.

    Args:
        kind: What it is.
        value: Offset in the image; for `ABSOLUTE` the value itself, for `REEXPORT` the library's ordinal, for
            `RESOLVER` the offset of the function that returns the address.
        name: For `REEXPORT` the name there.
        weak: A weak definition, coalesced over images.
    """

    kind: ExportKind
    value: int
    name: str = ""
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Import:
    """A symbol that an image wants.

    Args:
        name: Its name as on disk.
        ordinal: Which library: from 1, or one of the special ordinals.
        weak: It may be missing, and is then null.
    """

    name: str
    ordinal: int
    weak: bool


@dataclass(frozen=True, slots=True)
class Binds:
    """Places that get an import's address, as three columns of equal length.

    Args:
        at: Offsets in the image.
        imports: Indexes into the image's imports.
        addends: What is added to the address.
    """

    at: array[int]
    imports: array[int]
    addends: array[int]


@dataclass(frozen=True, slots=True)
class Fixups:
    """Everything to change in an image's data before its code may run. Places are inside writable segments.

    Args:
        slides: Offsets of pointers that the image's slide is added to (classic rebases).
        pointer_at: Offsets that get a pointer into the image (chained rebases).
        pointers: What they get before the image's base is added to it.
        imports: What the image imports, each once.
        binds: Where it goes; lazy ones included, for they are bound at once.
        weak_binds: Places that get another image's definition if one comes first, and else stay as they are.
    """

    slides: array[int]
    pointer_at: array[int]
    pointers: array[int]
    imports: tuple[Import, ...]
    binds: Binds
    weak_binds: Binds


@dataclass(frozen=True, slots=True)
class ThreadLocals:
    """An image's thread locals.

    Args:
        descriptors: Offsets in the image of ``{thunk, key, offset}``, 24 bytes each.
        template_at: Where the initial contents start.
        content_size: Bytes of initial contents.
        size: Bytes a thread, with the zeros behind the contents.
        alignment: Bytes: the strictest of its sections.
    """

    descriptors: tuple[int, ...]
    template_at: int
    content_size: int
    size: int
    alignment: int


@dataclass(frozen=True, slots=True)
class SymbolTable:
    """Where ``LC_SYMTAB``'s tables lie once the image is mapped.

    Args:
        at: Offset of the first ``nlist_64``.
        count: How many.
        strings_at: Offset of the string table.
        strings_size: Bytes, up to and including its last NUL.
    """

    at: int
    count: int
    strings_at: int
    strings_size: int


@dataclass(frozen=True, slots=True)
class MachImage:
    """A dylib or bundle, read and checked.

    Args:
        cpu_type: ``CPU_*``.
        file_type: ``MH_DYLIB`` or ``MH_BUNDLE``.
        platform: ``PLATFORM_*`` of ``LC_BUILD_VERSION``; None where the file does not say.
        minimum_os: E.g. ``"13.0"``.
        install_name: ``LC_ID_DYLIB``'s.
        preferred: The address that it was linked for.
        size: Bytes of address space, a multiple of a page.
        segments: In file order, without ``__PAGEZERO``.
        sections: In file order.
        dependencies: By ordinal.
        rpaths: As written.
        exports: By name.
        weak_definitions: ``MH_WEAK_DEFINES``: takes part in coalescing.
        fixups: What to change.
        thread_locals: None where it has none.
        symbols: For names in reports; None where there are none in mapped memory.
        routine: ``LC_ROUTINES_64``'s initialiser, an offset.
    """

    cpu_type: int
    file_type: int
    platform: int | None
    minimum_os: str | None
    install_name: str | None
    preferred: int
    size: int
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]
    dependencies: tuple[Dependency, ...]
    rpaths: tuple[str, ...]
    exports: Mapping[str, Export]
    weak_definitions: bool
    fixups: Fixups
    thread_locals: ThreadLocals | None
    symbols: SymbolTable | None
    routine: int | None

    def segment_at(self, at: int) -> Segment | None:
        """The segment that an offset lies in."""
        for segment in self.segments:
            if segment.at <= at < segment.at + segment.size:
                return segment
        return None

    def sections_of(self, kind: int) -> tuple[Section, ...]:
        """Sections of an ``S_*`` type."""
        return tuple(section for section in self.sections if section.kind == kind)


def no_binds() -> Binds:
    """An empty table."""
    return Binds(array("Q"), array("I"), array("q"))
