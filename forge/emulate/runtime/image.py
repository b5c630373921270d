"""An image in memory: mapped, then changed by fixups, then protected."""

from __future__ import annotations

import ctypes
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forge.emulate.runtime import constants
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.model import ExportKind, Link

if TYPE_CHECKING:
    from forge.emulate.runtime.model import Export, MachImage
    from forge.emulate.runtime.native import Native
    from forge.emulate.runtime.system_interface import SystemLibrary

THUNK, STUB_BINDER = "forge_loader_tlv_get_addr", "forge_loader_stub_binder"


@dataclass(frozen=True, slots=True)
class Absent:
    """A library that is not there: a weak one's symbols are null, others' are traps.

    Args:
        name: Its install name.
        weak: Loaded by ``LC_LOAD_WEAK_DYLIB``.
    """

    name: str
    weak: bool


@dataclass(frozen=True, slots=True)
class BoundSymbol:
    """How an import was bound.

    Args:
        symbol: The name wanted.
        library: The install name it was wanted from; None for lookups over all images.
        source: ``image``, ``loader``, ``trap``, ``missing`` (weak), or what the system library says.
        entry: The symbol there, or the path of the image that has it.
    """

    symbol: str
    library: str | None
    source: str
    entry: str


@dataclass(eq=False, slots=True)
class Image:
    """A loaded image.

    Args:
        path: Its real path.
        mach: What its file says.
        base: Where it is in memory.
        dependencies: What its ordinals stand for.
        handle: Its handle for C, once it is in the table.
        bound: How its imports were bound.
        bound_and_protected: Its code may run.
        initialised: Its initialisers have run or are running.
    """

    path: str
    mach: MachImage
    base: int
    dependencies: list[Image | SystemLibrary | Absent] = field(default_factory=list)
    handle: int = 0
    bound: list[BoundSymbol] = field(default_factory=list)
    bound_and_protected: bool = False
    initialised: bool = False

    @property
    def slide(self) -> int:
        """What its addresses have moved by, bytes."""
        return self.base - self.mach.preferred

    def reexported(self) -> list[Image | SystemLibrary]:
        """Libraries whose symbols count as this image's own."""
        return [
            library
            for library, dependency in zip(self.dependencies, self.mach.dependencies, strict=True)
            if dependency.link is Link.REEXPORT and not isinstance(library, Absent)
        ]

    def read_pointer(self, at: int) -> int:
        """The 64-bit number at an offset, which the caller has checked."""
        return ctypes.c_uint64.from_address(self.base + at).value

    def addresses(self, kind: int) -> list[int]:
        """The functions that sections of initialisers or terminators list.

        Raises:
            MachOImportError: One is not in the image's code.
        """
        found: list[int] = []
        for section in self.mach.sections_of(kind):
            size = 4 if kind == constants.S_INIT_FUNC_OFFSETS else 8
            words = array(
                "I" if size == 4 else "Q", ctypes.string_at(self.base + section.at, section.size // size * size)
            )
            found.extend(word + self.base if size == 4 else word for word in words)
        for address in found:
            segment = self.mach.segment_at(address - self.base)
            if segment is None or not segment.protection & constants.PROT_EXECUTE:
                raise MachOImportError(f"initializer function {address:#x} not in the image's code", path=self.path)
        return found

    def export_address(self, native: Native, export: Export) -> int:
        """Where an export that is no re-export lies."""
        if export.kind is ExportKind.ABSOLUTE:
            return export.value
        if export.kind is ExportKind.RESOLVER:
            return native.call_resolver(self.base + export.value)
        return self.base + export.value


def map_image(native: Native, path: str, mach: MachImage, data: bytes) -> Image:
    """Copy an image's segments into fresh memory, all of it writable and none of it executable as yet.

    Args:
        native: The shim.
        path: Its real path.
        mach: What the file says.
        data: The slice.

    Raises:
        MachOImportError: There is no room.
    """
    base = native.reserve(mach.size)
    try:
        for segment in mach.segments:
            native.allow_writing(base + segment.at, _pages(segment.size))
            part = data[segment.file_offset : segment.file_offset + segment.file_size]
            ctypes.memmove(base + segment.at, part, len(part))
    except BaseException:
        native.release(base, mach.size)
        raise
    return Image(path, mach, base)


def connect_thread_locals(native: Native, image: Image) -> None:
    """Fill in the descriptors of an image's thread locals.

    Raises:
        MachOImportError: There is no room for another image's.
    """
    found = image.mach.thread_locals
    if found is None:
        return
    key = native.tlv_register(image.base + found.template_at, found.content_size, found.size, found.alignment)
    count = len(found.descriptors)
    native.store(image.base, array("Q", found.descriptors), array("Q", [native.address(THUNK)]) * count)
    native.store(image.base, array("Q", [at + 8 for at in found.descriptors]), array("Q", [key]) * count)


def protect(native: Native, image: Image) -> None:
    """Give each segment the protection it is to have while its code runs.

    Raises:
        MachOImportError: The kernel refuses.
    """
    for segment in image.mach.segments:
        protection = segment.protection & 7
        if segment.read_only_after:
            protection &= ~constants.PROT_WRITE
        native.protect(image.base + segment.at, _pages(segment.size), protection)
    image.bound_and_protected = True


def _pages(size: int) -> int:
    return -(-size // constants.PAGE) * constants.PAGE
