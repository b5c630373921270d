"""Which definition each import gets: dyld's rules of lookup (``Loader::resolveSymbol``), and a trap where none is."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.emulate.runtime.constants import ADDRESS_MASK
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.image import STUB_BINDER, THUNK, Absent, BoundSymbol, Image
from forge.emulate.runtime.model import SELF, WEAK_LOOKUP, ExportKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.emulate.runtime.model import Import
    from forge.emulate.runtime.native import Native
    from forge.emulate.runtime.system_interface import SystemLibrary

_OWN = {
    "__tlv_bootstrap": THUNK,
    "__tlv_atexit": "forge_loader_tlv_atexit",
    "dyld_stub_binder": STUB_BINDER,
}
"""What dyld itself provides, through libSystem, and the shim's function for it."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A symbol found.

    Args:
        address: Where it is.
        source: As in `BoundSymbol`.
        entry: As in `BoundSymbol`.
        weak: Another image's definition may come before it.
    """

    address: int
    source: str
    entry: str
    weak: bool = False


class Binder:
    """Binds images.

    Args:
        native: The shim.
        images: Every image in load order; the loader appends to it.
        default: System libraries that flat lookups end in: Python's and libSystem.
    """

    def __init__(self, native: Native, images: Sequence[Image], default: Sequence[SystemLibrary]) -> None:
        self._native = native
        self._images = images
        self._default = default
        self._own = {name: Definition(native.address(function), "loader", function) for name, function in _OWN.items()}
        self._found: dict[tuple[int, str], Definition | None] = {}  # by library (its id) and symbol

    def apply(self, image: Image) -> None:
        """Do all of an image's fixups.

        Raises:
            MachOImportError: There is no memory for traps.
        """
        fixups, native, base = image.mach.fixups, self._native, image.base
        native.apply_slide(base, fixups.slides, image.slide)
        native.store(base, fixups.pointer_at, fixups.pointers)
        native.apply_slide(base, fixups.pointer_at, base)
        used = set(fixups.binds.imports)
        addresses = self._addresses(image, used)
        if fixups.binds.at:
            pairs = zip(fixups.binds.imports, fixups.binds.addends, strict=True)
            values = array("Q", [(addresses[index] + addend) & ADDRESS_MASK for index, addend in pairs])
            native.store(base, fixups.binds.at, values)
        self._coalesce(image)

    def _addresses(self, image: Image, used: set[int]) -> dict[int, int]:
        """The address of each import in *used*, by its index."""
        addresses: dict[int, int] = {}
        missing: list[tuple[int, Import]] = []
        imports = image.mach.fixups.imports
        for index in used:
            wanted = imports[index]
            found = self.resolve(image, wanted)
            library = _library_name(image, wanted.ordinal)
            if found is not None:
                addresses[index] = found.address
                image.bound.append(BoundSymbol(wanted.name, library, found.source, found.entry))
            elif wanted.weak or _is_weakly_linked(image, wanted.ordinal):
                addresses[index] = 0
                image.bound.append(BoundSymbol(wanted.name, library, "missing", ""))
            else:
                missing.append((index, wanted))
                image.bound.append(BoundSymbol(wanted.name, library, "trap", ""))
        if missing:
            requests = [(wanted.name, _library_name(image, wanted.ordinal)) for _, wanted in missing]
            stubs = self._native.make_traps(requests, image.path)
            addresses.update({index: stub for (index, _), stub in zip(missing, stubs, strict=True)})
        return addresses

    def _coalesce(self, image: Image) -> None:
        """Classic weak bindings: the first definition of all images, where there is one."""
        rows = image.mach.fixups.weak_binds
        if not rows.at:
            return
        imports = image.mach.fixups.imports
        found = {index: self.resolve(image, imports[index]) for index in set(rows.imports)}
        at, values = array("Q"), array("Q")
        for place, index, addend in zip(rows.at, rows.imports, rows.addends, strict=True):
            definition = found[index]
            if definition is not None:
                at.append(place)
                values.append((definition.address + addend) & ADDRESS_MASK)
        self._native.store(image.base, at, values)
        image.bound.extend(
            BoundSymbol(imports[index].name, None, definition.source, definition.entry)
            for index, definition in found.items()
            if definition is not None
        )

    def resolve(self, image: Image, wanted: Import) -> Definition | None:
        """What an import gets; None where nobody has it."""
        if wanted.ordinal > 0:
            return self.find(image.dependencies[wanted.ordinal - 1], wanted.name)
        if wanted.ordinal == SELF:
            return self.find(image, wanted.name)
        if wanted.ordinal == WEAK_LOOKUP:
            return self._find_weak(image, wanted.name)
        return self._find_flat(wanted.name)

    def find(self, library: Image | SystemLibrary | Absent, name: str) -> Definition | None:
        """A symbol in one library, or in what it re-exports."""
        if isinstance(library, Absent):
            return None
        key = id(library), name
        if key not in self._found:
            self._found[key] = self._search(library, name, set())
        return self._found[key]

    def forget(self, images: Sequence[Image]) -> None:
        """Drop what is remembered of images that are not loaded after all; their ids may come again."""
        gone = {id(image) for image in images}
        paths = {image.path for image in images}
        self._found = {
            key: found
            for key, found in self._found.items()
            if key[0] not in gone and not (found and found.source == "image" and found.entry in paths)
        }

    def _search(self, library: Image | SystemLibrary, name: str, seen: set[tuple[int, str]]) -> Definition | None:
        if not isinstance(library, Image):
            own = self._own.get(name)
            if own is not None:
                return own
            # No system library has a name that is not ASCII, and damaged files have names that cannot be encoded.
            binding = library.find(name) if name.isascii() else None
            return None if binding is None else Definition(binding.address, binding.source, binding.entry)
        if (id(library), name) in seen:
            return None
        seen.add((id(library), name))
        export = library.mach.exports.get(name)
        if export is None:
            found = (self._search(target, name, seen) for target in library.reexported())
            return next(filter(None, found), None)
        if export.kind is ExportKind.REEXPORT:
            target = library.dependencies[export.value - 1]
            return None if isinstance(target, Absent) else self._search(target, export.name or name, seen)
        if export.kind is ExportKind.RESOLVER and not library.bound_and_protected:
            raise MachOImportError(f"resolver of {name} in {library.path} is needed before that image can run")
        return Definition(library.export_address(self._native, export), "image", library.path, export.weak)

    def _find_weak(self, image: Image, name: str) -> Definition | None:
        first: Definition | None = None
        for other in self._images:
            export = other.mach.exports.get(name) if other.mach.weak_definitions else None
            if export is None or export.kind is ExportKind.REEXPORT:
                continue
            found = self.find(other, name)
            if found is not None and not export.weak:
                return found
            first = first or found
        if first is not None:
            return first
        return self.find(image, name) or next(
            filter(None, (self.find(library, name) for library in image.dependencies)), None
        )

    def _find_flat(self, name: str) -> Definition | None:
        # The main executable, or what it is linked to, is Python's; it comes first in load order.
        libraries: list[Image | SystemLibrary] = [*self._default, *self._images]
        return next(filter(None, (self.find(library, name) for library in libraries)), None)


def _library_name(image: Image, ordinal: int) -> str | None:
    if ordinal == SELF:
        return image.mach.install_name or image.path
    return image.mach.dependencies[ordinal - 1].install_name if ordinal > 0 else None


def _is_weakly_linked(image: Image, ordinal: int) -> bool:
    library = image.dependencies[ordinal - 1] if ordinal > 0 else None
    return isinstance(library, Absent) and library.weak
