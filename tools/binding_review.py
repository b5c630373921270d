"""Print which symbols that wheels import nothing provides (``forge/emulate/runtime/bindings``).

    python tools/binding_review.py DIRECTORY...

Every Mach-O file below the directories counts, those inside wheels too. Symbols that the loader finds in other images
(a wheel's own libraries, libc++) are not looked at; of Accelerate's, whether their names have a counterpart, not
whether the OpenBLAS that is taken has it. For each symbol: who imports it, and which CPUs have no entry.
"""

from __future__ import annotations

import sys
import zipfile
from collections import defaultdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from forge.emulate.runtime.accelerate import counterpart
from forge.emulate.runtime.system import LibraryTables, read_libraries, read_table
from forge.macho.reader import read_macho

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGICS = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")
NO_LIBRARY = "no system library"


def images(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every Mach-O file below a directory or in a wheel: what it is called, its bytes."""
    paths = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink())
    for path in paths:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                for member in wheel.namelist():
                    with wheel.open(member) as file:
                        if file.read(4) in MAGICS:
                            yield f"{path.name}:{member}", wheel.read(member)
        elif path.suffix in {".so", ".dylib"}:
            with path.open("rb") as file:
                if file.read(4) in MAGICS:
                    yield str(path), path.read_bytes()


def library_of(install_name: str) -> LibraryTables | None:
    """The tables of an install name."""
    for known in read_libraries():
        if any(fnmatchcase(install_name, pattern) for pattern in known.install_names):
            return known
    return None


def main() -> int:
    """Read, compare, print; 1 where something is not provided."""
    listed: dict[str, dict[str, set[str | None]]] = {}
    for known in read_libraries():
        entries = listed.setdefault(known.name, defaultdict(set))
        for table in known.tables:
            for entry in read_table(table):
                entries[entry.symbol].add(entry.arch)
    missing: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    imports: set[tuple[str, str]] = set()
    for root in sys.argv[1:]:
        for who, data in images(Path(root)):
            for piece in read_macho(data, name=who).slices:
                for imported in piece.imports:
                    library = library_of(imported.library) if imported.library else None
                    if library is None:
                        continue
                    imports.add((library.name, imported.name))
                    archs = listed[library.name].get(imported.name, set())
                    by_rule = imported.name.startswith(library.prefixes) if library.prefixes else False
                    if library.rule is not None:
                        by_rule = counterpart(imported.name) is not None
                    if not by_rule and not archs & {None, piece.cpu.value}:
                        missing[library.name, imported.name][piece.cpu.value].add(who.partition("-")[0])
    for (name, symbol), archs_missing in sorted(missing.items()):
        for arch, importers in sorted(archs_missing.items()):
            print(f"{name}\t{symbol}\t{arch}\t{', '.join(sorted(importers)[:5])}")
    print(f"{len(imports)} symbols of system libraries are imported, {len(missing)} are not provided")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
