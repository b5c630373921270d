"""Puts shared libraries of host requirements into the wheel whose modules load them, one copy of each.

Most libraries are linked statically, into each module that needs them. A library of which a process may have one copy
only, as OpenMP's runtime, is a dylib in its own wheel, with the install name ``@rpath/<file name>``. A copy goes where
delocate puts one; `forge.wheel.repair` then makes it what app builds make a framework of.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from forge.macho.errors import MachOError
from forge.macho.formats import looks_like_macho
from forge.macho.reader import read_macho

if TYPE_CHECKING:
    from pathlib import Path

_RPATH = "@rpath/"
_PLACE = ".dylibs"


def bundle_libraries(tree: Path, libraries: Path) -> tuple[str, ...]:
    """Copy the libraries that a wheel's modules load.

    Args:
        tree: The unpacked wheel.
        libraries: The directory of the host requirements' libraries; it need not be there.

    Returns:
        The paths of the copies in the wheel, sorted.
    """
    available = {file.name: file for file in libraries.glob("*.dylib")}
    there = {file.name for file in tree.rglob("*") if file.is_file()}
    copies: list[str] = []
    waiting = sorted(file for file in tree.rglob("*.so") if file.is_file()) if available else []
    while waiting:
        loader = waiting.pop(0)
        for name in _loaded(loader):
            library = available.get(name)
            if library is None or name in there:
                continue
            copy = _place(tree, loader) / name
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(library, copy)
            there.add(name)
            copies.append(copy.relative_to(tree).as_posix())
            waiting.append(copy)
    return tuple(sorted(copies))


def _loaded(binary: Path) -> list[str]:
    """The file names of what a binary loads from wherever the app has its libraries."""
    data = binary.read_bytes()
    if not looks_like_macho(data[:8]):
        return []
    try:
        slices = read_macho(data).slices
    except MachOError:  # told by the check of the finished wheel
        return []
    names = (dylib.name for one in slices for dylib in one.dylibs)
    return [name.removeprefix(_RPATH) for name in names if name.startswith(_RPATH) and "/" not in name[len(_RPATH) :]]


def _place(tree: Path, loader: Path) -> Path:
    """The directory for what *loader* loads: its package's, or one beside a module without a package."""
    if loader.parent.name == _PLACE:
        return loader.parent
    parts = loader.relative_to(tree).parts
    if parts[0].endswith(".data") and len(parts) > 2:  # what installers move to site-packages ("platlib", "purelib")
        tree, parts = tree.joinpath(*parts[:2]), parts[2:]
    first, *rest = parts
    return tree / first / _PLACE if rest else tree / f"{first.partition('.')[0]}{_PLACE}"
