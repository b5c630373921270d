"""An image's entry in the table that C reads: for dlsym, dladdr, the fault handler and Darwin's own functions."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from forge.emulate.runtime.constants import PROT_EXECUTE
from forge.emulate.runtime.image import Image
from forge.emulate.runtime.model import ExportKind
from forge.emulate.runtime.native import ExportEntry, ImageEntry, Native, encode

if TYPE_CHECKING:
    from forge.emulate.runtime.binder import Binder


def image_entry(native: Native, binder: Binder, image: Image) -> tuple[ImageEntry, list[object]]:
    """The entry of an image that is bound and protected, whose dependencies have theirs if they are not a cycle.

    Args:
        native: The shim.
        binder: What finds re-exported symbols.
        image: The image.

    Returns:
        The entry, and what has to live as long as it does.
    """
    names: list[tuple[bytes, int, int]] = []
    for name, export in image.mach.exports.items():
        found = binder.find(image, name) if export.kind is ExportKind.REEXPORT else None
        if export.kind is not ExportKind.REEXPORT:
            address = image.export_address(native, export)
            names.append((encode(name), address, int(export.kind is ExportKind.THREAD_LOCAL)))
        elif found is not None:
            names.append((encode(name), found.address, 0))
    names.sort()
    exports = (ExportEntry * len(names))(*(ExportEntry(*row) for row in names))
    handles = [library.handle for library in image.dependencies if isinstance(library, Image) and library.handle]
    dependencies = (ctypes.c_void_p * len(handles))(*handles)
    entry = ImageEntry(
        path=encode(image.path),
        install_name=None if image.mach.install_name is None else encode(image.mach.install_name),
        base=image.base,
        size=image.mach.size,
        slide=image.slide,
        exports=exports,
        export_count=len(names),
        dependencies=dependencies,
        dependency_count=len(handles),
    )
    for segment in image.mach.segments:
        if segment.protection & PROT_EXECUTE:
            entry.code_at, entry.code_size = segment.at, segment.size
    symbols = image.mach.symbols
    if symbols is not None:
        entry.symbols = image.base + symbols.at
        entry.symbol_count = symbols.count
        entry.strings = image.base + symbols.strings_at
        entry.strings_size = symbols.strings_size
    return entry, [exports, dependencies]
