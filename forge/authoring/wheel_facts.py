"""What a published wheel tells of a release: its extension modules, and the libraries that it bundles or loads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.authoring.project_metadata import ProjectMetadata, parse_metadata
from forge.base.errors import WheelError
from forge.macho.errors import MachOError
from forge.macho.formats import looks_like_macho
from forge.macho.reader import read_macho
from forge.wheel.archive import open_archive, read_member
from forge.wheel.contents import find_dist_info
from forge.wheel.extension import parse_extension
from forge.wheel.name import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from forge.authoring.release import Release
    from forge.lint.upstream import Upstream
    from forge.source.index import IndexFile

NOT_PACKAGES = frozenset({"tests", "test", "docs", "doc", "examples", "benchmarks", "scripts", "tools", "conftest"})
"""Directories that some wheels have at their top, and no project means to be imported."""

_SYSTEM = ("/usr/lib/", "/System/Library/")
_VERSIONED = re.compile(r"[-.]\d[\w.]*$")


@dataclass(frozen=True)
class WheelFacts:
    """What a wheel holds.

    Args:
        filename: The wheel.
        packages: What it has at its top, by the names that they are imported by, sorted.
        modules: Dotted names of its extension modules, sorted.
        libraries: Dotted names of ``.so`` files that are no extension modules: the package opens them by path.
        bundled: Names of the libraries that it carries, e.g. ``yaml``, sorted; not what only other such libraries load.
        loaded: Install names of the system's libraries that its own compiled files load, sorted.
        metadata: What it says of the project.
    """

    filename: str
    packages: tuple[str, ...]
    modules: tuple[str, ...]
    libraries: tuple[str, ...]
    bundled: tuple[str, ...]
    loaded: tuple[str, ...]
    metadata: ProjectMetadata


def choose_wheel(upstream: Upstream, release: Release) -> IndexFile | None:
    """The wheel that tells most: macOS's on arm64, as lint compares with, else another with compiled code.

    Args:
        upstream: Asks the indexes.
        release: The release.

    Raises:
        NetworkError: An index did not answer.
    """
    for_macos = upstream.macos_wheels(release.name, release.version)
    if for_macos:
        return for_macos[-1]
    ranked = [(rank, file) for file in release.wheels if (rank := _rank(file.filename)) > 0]
    return max(ranked, key=lambda pair: (pair[0], pair[1].filename))[1] if ranked else None


def _rank(filename: str) -> int:
    try:
        name = parse_wheel_name(filename)
    except WheelError:
        return 0
    if name.platforms == ("any",) or not all(python.startswith("cp") for python in name.pythons):
        return 0
    systems = ("win", "linux", "manylinux", "macosx", "ios")
    return 1 + max((systems.index(s) for p in name.platforms for s in systems if p.startswith(s)), default=0)


def read_facts(path: Path) -> WheelFacts:
    """Read a wheel.

    Args:
        path: The file.

    Raises:
        WheelError: It cannot be read.
    """
    modules: set[str] = set()
    libraries: set[str] = set()
    bundled: dict[str, frozenset[str]] = {}
    loaded: set[str] = set()
    with open_archive(path) as (archive, members):
        paths = [member.path for member in members]
        dist_info = find_dist_info(paths, parse_wheel_name(path.name))
        metadata = parse_metadata(read_member(archive, f"{dist_info}/METADATA", path.name))
        for name in paths:
            is_module = name.endswith((".so", ".pyd"))
            is_bundled = ".dylib" in name or re.search(r"\.libs/|\.so\.\d", name)
            if not (is_module or is_bundled):
                continue
            symbols, loads = _mach_o(read_member(archive, name, path.name))
            if is_bundled:
                bundled[library_stem(name)] = frozenset(map(library_stem, loads))
                continue
            loaded |= set(loads)
            found = parse_extension(re.sub(r"\.pyd$", ".so", name))
            if found is None:
                continue
            opened_by_path = symbols is not None and not any(
                symbol.startswith(("_PyInit", "_PyModExport")) for symbol in symbols
            )
            (libraries if opened_by_path else modules).add(found.module)
    return WheelFacts(
        filename=path.name,
        packages=_packages(paths),
        modules=tuple(sorted(modules)),
        libraries=tuple(sorted(libraries)),
        bundled=tuple(sorted(_of_its_own(bundled, loaded))),
        loaded=tuple(sorted(each for each in loaded if each.startswith(_SYSTEM))),
        metadata=metadata,
    )


def _of_its_own(bundled: Mapping[str, frozenset[str]], loaded: Iterable[str]) -> Iterable[str]:
    """The libraries that a package links or opens itself: what a library needs in its turn is its recipe's business.

    Args:
        bundled: What each library loads, by their names.
        loaded: Install names of what the package's other compiled files load.
    """
    direct = {library_stem(name) for name in loaded}
    indirect = {name for one, loads in bundled.items() for name in loads - {one}}
    return bundled.keys() & direct | bundled.keys() - indirect


def _packages(paths: Iterable[str]) -> tuple[str, ...]:
    """The top-level modules and packages among a wheel's files, without tests that are there by mistake."""
    found = set()
    for path in paths:
        top, _, rest = path.partition("/")
        name = top if rest else top.partition(".")[0]
        if name.isidentifier() and path.endswith((".py", ".so", ".pyd")):
            found.add(name)
    return tuple(sorted(found - NOT_PACKAGES))


def library_stem(path: str) -> str:
    """A library's name without directory, suffix and version: ``yaml`` for ``x/.dylibs/libyaml-0.2.dylib``.

    Args:
        path: A path or an install name.
    """
    name = path.rpartition("/")[2]
    name = re.sub(r"\.(?:dylib|dll|so(?:\.[\d.]+)?)$", "", name)
    name = re.sub(r"-(?:[0-9a-f]{8}|[0-9a-f]{32})$", "", name)  # auditwheel's, delvewheel's
    name = re.sub(r"-x(?:64|86)$", "", name)
    while (shorter := _VERSIONED.sub("", name)) not in (name, "", "lib"):
        name = shorter
    return name.removeprefix("lib") or name


def _mach_o(data: bytes) -> tuple[Iterable[str] | None, Iterable[str]]:
    """The exported symbols and loaded libraries of a Mach-O file; None and nothing of another."""
    if not looks_like_macho(data[:8]):
        return None, ()
    try:
        slices = read_macho(data).slices
    except MachOError:
        return None, ()
    symbols = {export.name for one in slices for export in one.exports}
    return symbols, {dylib.name for one in slices for dylib in one.dylibs}
